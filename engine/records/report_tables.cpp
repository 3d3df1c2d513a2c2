#include "engine/records/report_tables.hpp"

#include <charconv>
#include <chrono>

namespace satchel::records {

namespace {

constexpr char kPlaces[] =
    "CREATE TEMP TABLE place (origin TEXT PRIMARY KEY, code TEXT NOT NULL, town TEXT NOT NULL, county TEXT "
    "NOT NULL, "
    "expected INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO temp.place SELECT code, code, town, county, 1 FROM registered;"
    // An enrolled box says its own records under half of its id; its name may be a code of the register.
    "INSERT OR IGNORE INTO temp.place SELECT lower(substr(hex(s.id), 1, 16)), s.name, coalesce(r.town, ''), "
    "coalesce(r.county, ''), r.code IS NULL AND s.role IN ('village', 'household') AND s.state = 'active' "
    "FROM site s LEFT JOIN registered r ON r.code = s.name;";

constexpr char kCorrected[] =
    "CREATE TEMP TABLE corrected (origin TEXT, epoch INTEGER, sequence INTEGER, branch TEXT, headcount TEXT, "
    "course TEXT, gone INTEGER NOT NULL, PRIMARY KEY (origin, epoch, sequence, branch)) WITHOUT ROWID;"
    "INSERT INTO temp.corrected SELECT target_origin, target_epoch, target_sequence, target_branch, "
    "max(CASE field WHEN 'headcount' THEN value END), max(CASE field WHEN 'course' THEN value END), "
    "max((field = 'void' AND value = 'true') OR field = 'retracted') FROM ("
    "SELECT target_origin, target_epoch, target_sequence, target_branch, field, value, row_number() OVER ("
    "PARTITION BY target_origin, target_epoch, target_sequence, target_branch, field "
    "ORDER BY revision DESC, origin DESC, epoch DESC, sequence DESC, branch DESC) AS place FROM correction c "
    "WHERE NOT EXISTS (SELECT 1 FROM correction r WHERE r.target_origin = c.origin AND r.target_epoch = "
    "c.epoch "
    "AND r.target_sequence = c.sequence AND r.target_branch = c.branch AND r.field = 'retracted')) "
    "WHERE place = 1 GROUP BY 1, 2, 3, 4;";

constexpr char kSeen[] =
    "CREATE TEMP TABLE seen (code TEXT PRIMARY KEY, newest INTEGER NOT NULL, says INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "INSERT INTO temp.seen SELECT coalesce(p.code, f.origin), max(f.at), max(f.kind NOT IN (8, 9)) FROM fact "
    "f "
    "LEFT JOIN temp.place p ON p.origin = f.origin GROUP BY 1;";

}  // namespace

Result<void> drop_report_tables(database::Database& database) {
    return database.run(
        "DROP TABLE IF EXISTS temp.place; DROP TABLE IF EXISTS temp.corrected; "
        "DROP TABLE IF EXISTS temp.seen;");
}

Result<void> make_report_tables(database::Database& database) {
    SATCHEL_TRY_VOID(drop_report_tables(database));
    SATCHEL_TRY_VOID(database.run(kPlaces));
    SATCHEL_TRY_VOID(database.run(kCorrected));
    return database.run(kSeen);
}

std::optional<Month> parse_month(std::string_view text) {
    constexpr std::size_t kDash = 4, kSize = 7;
    Month month;
    if (text.size() != kSize || text[kDash] != '-') return std::nullopt;
    const auto year = std::from_chars(text.data(), text.data() + kDash, month.year);
    const auto number = std::from_chars(text.data() + kDash + 1, text.data() + kSize, month.month);
    if (year.ec != std::errc() || year.ptr != text.data() + kDash || number.ec != std::errc() ||
        number.ptr != text.data() + kSize || month.month < 1 || month.month > 12)
        return std::nullopt;
    return month;
}

Month after(const Month& month) {
    return month.month == 12 ? Month{month.year + 1, 1} : Month{month.year, month.month + 1};
}

std::int64_t begin_of(const Month& month, std::int32_t utc_offset_minutes) {
    const std::chrono::sys_days day =
        std::chrono::year(month.year) / std::chrono::month(static_cast<unsigned>(month.month)) / 1;
    constexpr std::int64_t kDayMs = 86'400'000, kMinuteMs = 60'000;
    return day.time_since_epoch().count() * kDayMs - utc_offset_minutes * kMinuteMs;
}

int days_of(const Month& month) {
    constexpr std::int64_t kDayMs = 86'400'000;
    return static_cast<int>((begin_of(after(month), 0) - begin_of(month, 0)) / kDayMs);
}

}  // namespace satchel::records
