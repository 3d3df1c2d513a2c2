#include "engine/records/report.hpp"

#include <algorithm>
#include <limits>

#include "engine/records/report_tables.hpp"

namespace satchel::records {

namespace {

std::string month_of(const char* column, std::int32_t offset_minutes) {
    return "strftime('%Y-%m', " + std::string(column) + " / 1000 + " + std::to_string(offset_minutes * 60) +
           ", 'unixepoch')";
}

const char* column_name(By by) {
    switch (by) {
        case By::kSite:
            return "site";
        case By::kTown:
            return "town";
        case By::kCounty:
            return "county";
        case By::kCourse:
            return "course";
        case By::kMonth:
            return "month";
    }
    return "";
}

std::string group_of(By by, std::int32_t offset_minutes) {
    switch (by) {
        case By::kSite:
            return "coalesce(p.code, f.origin)";
        case By::kTown:
            return "coalesce(p.town, '')";
        case By::kCounty:
            return "coalesce(p.county, '')";
        case By::kCourse:
            return "CASE WHEN f.kind = 1 THEN coalesce(c.course, f.course) ELSE f.course END";
        case By::kMonth:
            return month_of("f.time", offset_minutes);
    }
    return "";
}

constexpr char kJoined[] =
    " FROM fact f LEFT JOIN temp.corrected c ON c.origin = f.origin AND c.epoch = f.epoch AND "
    "c.sequence = f.sequence AND c.branch = f.branch LEFT JOIN temp.place p ON p.origin = f.origin "
    "WHERE coalesce(c.gone, 0) = 0";

struct Measure {
    const char* name;
    const char* sql;
};

// Heads and their hours count for sessions only: a preview is one administrator alone.
constexpr Measure kViewingMeasures[] = {
    {"views", "sum(f.kind = 1)"},
    {"previews", "sum(f.kind = 1 AND f.mode = 'preview')"},
    {"sessions", "sum(f.kind = 1 AND f.mode = 'session')"},
    {"headcount",
     "sum(CASE WHEN f.kind = 1 AND f.mode = 'session' THEN cast(coalesce(c.headcount, f.amount) AS "
     "INTEGER) ELSE 0 END)"},
    {"duration_s", "sum(CASE WHEN f.kind = 1 THEN coalesce(f.duration, 0) ELSE 0 END)"},
    {"person_s",
     "sum(CASE WHEN f.kind = 1 AND f.mode = 'session' THEN cast(coalesce(c.headcount, f.amount) AS "
     "INTEGER) * coalesce(f.duration, 0) ELSE 0 END)"},
    {"feedback", "sum(f.kind = 4)"},
    {"rating_sum", "sum(CASE WHEN f.kind = 4 THEN coalesce(f.amount, 0) ELSE 0 END)"},
    {"orders", "sum(f.kind = 5)"},
    {"order_qty", "sum(CASE WHEN f.kind = 5 THEN coalesce(f.amount, 0) ELSE 0 END)"},
    {"maintenance", "sum(f.kind = 7)"},
    {"power_on_events", "sum(f.kind = 6)"},
    {"power_on_s", "sum(CASE WHEN f.kind = 6 THEN coalesce(f.duration, 0) ELSE 0 END)"},
};

constexpr Measure kStepMeasures[] = {
    {"sessions", "count(DISTINCT f.target)"}, {"step_1", "sum(f.amount = 1)"},
    {"step_2", "sum(f.amount = 2)"},          {"step_3", "sum(f.amount = 3)"},
    {"step_4", "sum(f.amount = 4)"},          {"step_5", "sum(f.amount = 5)"},
    {"step_6", "sum(f.amount = 6)"},          {"step_7", "sum(f.amount = 7)"},
    {"step_8", "sum(f.amount = 8)"},
};

class Maker {
  public:
    using Columns = std::function<Result<void>(const std::vector<std::string>&)>;
    using Row = std::function<Result<void>(const std::vector<Cell>&)>;
    Maker(database::Database& database, const ReportQuery& query, const Columns& columns, const Row& row)
        : database_(database), query_(query), columns_(columns), row_(row) {}

    Result<Report> make() {
        SATCHEL_TRY_VOID(make_report_tables(database_));
        SATCHEL_TRY_VOID(count_sites());
        switch (query_.name) {
            case ReportName::kViewing:
                SATCHEL_TRY_VOID(sum(kViewingMeasures, is_by(By::kCourse) ? "f.kind IN (1, 4, 5)"
                                                                          : "f.kind IN (1, 4, 5, 6, 7)"));
                break;
            case ReportName::kEightSteps:
                SATCHEL_TRY_VOID(sum(kStepMeasures, "f.kind = 3 AND f.label = 'done'"));
                break;
            case ReportName::kPowerOn:
                SATCHEL_TRY_VOID(power_on());
                break;
        }
        SATCHEL_TRY_VOID(drop_report_tables(database_));
        return report_;
    }

  private:
    [[nodiscard]] bool is_by(By by) const {
        return std::find(query_.by.begin(), query_.by.end(), by) != query_.by.end();
    }
    // A site has reported a month when it said something after its end; without a month, when it said
    // anything.
    [[nodiscard]] std::int64_t reported_from() const {
        return query_.month ? begin_of(after(*query_.month), query_.utc_offset_minutes) : 0;
    }
    [[nodiscard]] std::int64_t heard_from() const {
        return query_.month ? begin_of(*query_.month, query_.utc_offset_minutes) : 0;
    }

    Result<std::int64_t> number(const std::string& sql) {
        SATCHEL_TRY(database::Statement select, database_.prepare(sql));
        SATCHEL_TRY(const bool found, select.step());
        return found ? select.integer(0) : 0;
    }

    Result<void> count_sites() {
        SATCHEL_TRY(const std::int64_t sites, number("SELECT count(*) FROM temp.place WHERE expected = 1"));
        SATCHEL_TRY(
            const std::int64_t reported,
            number("SELECT count(*) FROM temp.place p JOIN temp.seen s ON s.code = p.code WHERE expected = 1 "
                   "AND s.newest >= " +
                   std::to_string(reported_from())));
        SATCHEL_TRY(
            const std::int64_t rivals,
            number("SELECT count(*) FROM (SELECT DISTINCT origin, epoch, sequence, branch FROM rival)"));
        report_.sites = static_cast<std::uint64_t>(sites);
        report_.reported = static_cast<std::uint64_t>(reported);
        report_.rivals = static_cast<std::uint64_t>(rivals);
        return {};
    }

    [[nodiscard]] std::string in_month() const {
        if (!query_.month) return "1";
        return "f.time >= " + std::to_string(begin_of(*query_.month, query_.utc_offset_minutes)) +
               " AND f.time < " + std::to_string(begin_of(after(*query_.month), query_.utc_offset_minutes));
    }

    Result<void> say_columns(std::vector<std::string> measures) {
        report_.columns.clear();
        for (const By by : query_.by) report_.columns.emplace_back(column_name(by));
        for (std::string& measure : measures) report_.columns.push_back(std::move(measure));
        return columns_(report_.columns);
    }

    // One row a group; by site alone also one for each site that has nothing to say.
    Result<void> sum(std::span<const Measure> measures, const std::string& which) {
        std::string groups, sums;
        std::vector<std::string> names;
        for (const By by : query_.by) groups += group_of(by, query_.utc_offset_minutes) + ", ";
        for (const Measure& measure : measures) {
            sums += std::string(", ") + measure.sql;
            names.emplace_back(measure.name);
        }
        const bool bounded = query_.name == ReportName::kViewing && query_.by.back() == By::kMonth;
        if (bounded) {
            names.emplace_back("views_min");
            names.emplace_back("views_max");
        }
        if (is_by_site_alone()) names.emplace_back("state");
        groups.resize(groups.size() - 2);
        SATCHEL_TRY_VOID(say_columns(names));
        std::string numbers;
        for (std::size_t i = 1; i <= query_.by.size(); ++i)
            numbers += (i == 1 ? "" : ", ") + std::to_string(i);
        const std::string sql =
            "SELECT " + groups + sums + kJoined + " AND " + which + " AND " + in_month() +
            (is_by(By::kCourse) ? " AND " + group_of(By::kCourse, 0) + " IS NOT NULL" : "") + " GROUP BY " +
            numbers + " ORDER BY " + numbers;
        if (is_by_site_alone()) return sum_by_site(sql, measures.size());
        if (bounded) SATCHEL_TRY_VOID(make_doubts());
        SATCHEL_TRY(database::Statement select, database_.prepare(sql));
        while (true) {
            SATCHEL_TRY(const bool found, select.step());
            if (!found) break;
            std::vector<Cell> cells = cells_of(select, measures.size());
            if (bounded) SATCHEL_TRY_VOID(add_bounds(cells));
            SATCHEL_TRY_VOID(row_(cells));
        }
        return bounded ? database_.run("DROP TABLE temp.doubt") : Result<void>();
    }

    [[nodiscard]] bool is_by_site_alone() const { return query_.by.size() == 1 && query_.by[0] == By::kSite; }

    [[nodiscard]] std::vector<Cell> cells_of(const database::Statement& select, std::size_t measures) const {
        std::vector<Cell> cells;
        const std::size_t groups = query_.by.size();
        for (std::size_t i = 0; i < groups; ++i)
            cells.emplace_back(std::string(select.text(static_cast<int>(i))));
        for (std::size_t i = 0; i < measures; ++i)
            cells.emplace_back(select.integer(static_cast<int>(groups + i)));
        return cells;
    }

    Result<void> sum_by_site(const std::string& sql, std::size_t measures) {
        SATCHEL_TRY(
            database::Statement sites,
            database_.prepare(
                "SELECT code, newest FROM (SELECT code FROM temp.place WHERE expected = 1 UNION "
                "SELECT code FROM temp.seen WHERE says = 1) LEFT JOIN temp.seen USING (code) ORDER BY code"));
        SATCHEL_TRY(database::Statement select, database_.prepare(sql));
        SATCHEL_TRY(bool more, select.step());
        while (true) {
            SATCHEL_TRY(const bool found, sites.step());
            if (!found) return {};
            const std::string code(sites.text(0));
            const bool silent = sites.is_null(1) || sites.integer(1) < heard_from();
            std::vector<Cell> cells;
            if (more && select.text(0) == code) {
                cells = cells_of(select, measures);
                SATCHEL_TRY(more, select.step());
            } else {
                cells.emplace_back(code);
                for (std::size_t i = 0; i < measures; ++i)
                    if (silent)
                        cells.emplace_back(NotReported());
                    else
                        cells.emplace_back(std::int64_t{0});
            }
            const bool partly = !silent && query_.month && sites.integer(1) < reported_from();
            cells.emplace_back(std::string(silent   ? "not reported"
                                           : partly ? "partly reported"
                                                    : "reported"));
            SATCHEL_TRY_VOID(row_(cells));
        }
    }

    // Views whose clock cannot be right lie somewhere between the neighbours of their feed whose clock can.
    Result<void> make_doubts() {
        const std::string floor = std::to_string(kClockFloorMs);
        const auto neighbour = [&](const char* order, const char* compare) {
            return "(SELECT n.time FROM fact n WHERE n.origin = f.origin AND n.epoch = f.epoch AND "
                   "n.sequence " +
                   std::string(compare) + " f.sequence AND n.branch = '' AND n.time >= " + floor +
                   " ORDER BY n.sequence " + order + " LIMIT 1)";
        };
        const std::int32_t offset = query_.utc_offset_minutes;
        return database_.run("DROP TABLE IF EXISTS temp.doubt; CREATE TEMP TABLE doubt AS SELECT " +
                             first_group() + " AS place, " + month_of("f.time", offset) + " AS said, " +
                             month_of(neighbour("DESC", "<").c_str(), offset) + " AS low, " +
                             month_of(neighbour("ASC", ">").c_str(), offset) + " AS high" + kJoined +
                             " AND f.kind = 1 AND f.time < " + floor);
    }
    [[nodiscard]] std::string first_group() const {
        return query_.by.size() == 1 ? "''" : group_of(query_.by.front(), query_.utc_offset_minutes);
    }

    Result<void> add_bounds(std::vector<Cell>& cells) {
        const std::string place = query_.by.size() == 1 ? "" : std::get<std::string>(cells[0]);
        const std::string month = std::get<std::string>(cells[query_.by.size() - 1]);
        const std::int64_t views = std::get<std::int64_t>(cells[query_.by.size()]);
        SATCHEL_TRY(
            database::Statement select,
            database_.prepare("SELECT coalesce(sum(said = ?2), 0), coalesce(sum(low = ?2 AND high = ?2), 0), "
                              "coalesce(sum(coalesce(low, ?2) <= ?2 AND coalesce(high, ?2) >= ?2), 0) "
                              "FROM temp.doubt WHERE place = ?1"));
        select.bind(1, place).bind(2, month);
        SATCHEL_TRY(const bool found, select.step());
        const std::int64_t doubted = found ? select.integer(0) : 0;
        cells.emplace_back(views - doubted + (found ? select.integer(1) : 0));
        cells.emplace_back(views - doubted + (found ? select.integer(2) : 0));
        return {};
    }

    // Days on which a site was on, once each.
    Result<void> power_on() {
        const std::int32_t offset = query_.utc_offset_minutes;
        SATCHEL_TRY_VOID(
            say_columns({"registered_sites", "reported_sites", "powered_site_days", "possible_site_days"}));
        const std::string day = "((f.time / 1000 + " + std::to_string(offset * 60) + ") / 86400)";
        std::string groups, numbers;
        for (std::size_t i = 0; i < query_.by.size(); ++i) {
            groups += group_of(query_.by[i], offset) + ", ";
            numbers += (i == 0 ? "" : ", ") + std::to_string(i + 1);
        }
        SATCHEL_TRY(
            database::Statement select,
            database_.prepare("SELECT " + groups + "count(DISTINCT coalesce(p.code, f.origin) || ' ' || " +
                              day + ")" + kJoined + " AND f.kind = 6 AND " + in_month() + " GROUP BY " +
                              numbers + " ORDER BY " + numbers));
        while (true) {
            SATCHEL_TRY(const bool found, select.step());
            if (!found) return {};
            std::vector<Cell> cells = cells_of(select, 0);
            SATCHEL_TRY_VOID(add_power_cells(cells, select.integer(static_cast<int>(query_.by.size()))));
            SATCHEL_TRY_VOID(row_(cells));
        }
    }

    Result<void> add_power_cells(std::vector<Cell>& cells, std::int64_t powered) {
        std::string where = "expected = 1";
        std::optional<Month> month = query_.month;
        std::vector<std::string> values;
        for (std::size_t i = 0; i < query_.by.size(); ++i) {
            const std::string& value = std::get<std::string>(cells[i]);
            if (query_.by[i] == By::kMonth) {
                month = parse_month(value);
            } else {
                where += std::string(" AND p.") +
                         (query_.by[i] == By::kSite ? "code" : column_name(query_.by[i])) + " = ?" +
                         std::to_string(values.size() + 1);
                values.push_back(value);
            }
        }
        const std::int64_t until = month ? begin_of(after(*month), query_.utc_offset_minutes)
                                         : std::numeric_limits<std::int64_t>::max();
        SATCHEL_TRY(database::Statement select,
                    database_.prepare(
                        "SELECT count(*), coalesce(sum(s.newest >= " + std::to_string(month ? until : 0) +
                        "), 0) FROM temp.place p LEFT JOIN temp.seen s ON s.code = p.code WHERE " + where));
        for (std::size_t i = 0; i < values.size(); ++i) select.bind(static_cast<int>(i + 1), values[i]);
        SATCHEL_TRY(const bool found, select.step());
        const std::int64_t registered = found ? select.integer(0) : 0;
        cells.emplace_back(registered);
        cells.emplace_back(found ? select.integer(1) : 0);
        cells.emplace_back(powered);
        if (month)
            cells.emplace_back(registered * possible_days(*month));
        else
            cells.emplace_back(NotReported());
        return {};
    }

    [[nodiscard]] std::int64_t possible_days(const Month& month) const {
        if (!query_.until) return days_of(month);
        const std::optional<Month> last = parse_month(std::string_view(*query_.until).substr(0, 7));
        if (!last || month < *last) return days_of(month);
        return month > *last ? 0 : std::min(days_of(month), std::atoi(query_.until->c_str() + 8));
    }

    database::Database& database_;
    const ReportQuery& query_;
    const Columns& columns_;
    const Row& row_;
    Report report_;
};

}  // namespace

std::optional<ReportName> report_name_of(std::string_view text) {
    if (text == "viewing") return ReportName::kViewing;
    if (text == "eight-steps") return ReportName::kEightSteps;
    if (text == "power-on") return ReportName::kPowerOn;
    return std::nullopt;
}

std::optional<By> by_of(std::string_view text) {
    for (const By by : {By::kSite, By::kTown, By::kCounty, By::kCourse, By::kMonth})
        if (text == column_name(by)) return by;
    return std::nullopt;
}

Result<Report> make_report(database::Database& database, const ReportQuery& query,
                           const std::function<Result<void>(const std::vector<std::string>&)>& columns,
                           const std::function<Result<void>(const std::vector<Cell>&)>& row) {
    const bool about_courses = std::find(query.by.begin(), query.by.end(), By::kCourse) != query.by.end();
    if (query.by.empty() || query.by.size() > 2 || (query.by.size() == 2 && query.by[0] == query.by[1]) ||
        (about_courses && query.name != ReportName::kViewing))
        return fail(ErrorCode::kUsage, "--by", "a report cannot be grouped so",
                    "give one of site, town, county, course, month, or two, as in county,month");
    return Maker(database, query, columns, row).make();
}

}  // namespace satchel::records
