#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "engine/records/report.hpp"

namespace satchel::commands {

namespace {

using records::Cell;

enum class Format { kTable, kCsv, kJson };

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char each : text) {
        if (each == '"') quoted += '"';
        quoted += each;
    }
    return quoted + '"';
}

// What is not reported is an empty field in CSV, null in JSON, a dash in a table: never zero.
std::string text_of_cell(const Cell& cell, const char* not_reported) {
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    return not_reported;
}

nlohmann::json json_of_cell(const Cell& cell) {
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    return nullptr;
}

class Printer {
  public:
    Printer(Output& output, Format format) : output_(output), format_(format) {}

    Result<void> columns(const std::vector<std::string>& names) {
        names_ = names;
        std::string line;
        switch (format_) {
            case Format::kTable:
                for (const std::string& name : names) line += (line.empty() ? "" : "  ") + name;
                output_.print(line);
                break;
            case Format::kCsv:
                line = "\xEF\xBB\xBF";  // offices' programs take UTF-8 for something else without it
                for (std::size_t i = 0; i < names.size(); ++i)
                    line += (i == 0 ? "" : ",") + csv_field(names[i]);
                output_.data(line + "\r\n");
                break;
            case Format::kJson:
                break;
        }
        return output_.state();
    }

    Result<void> row(const std::vector<Cell>& cells) {
        std::string line;
        nlohmann::json fields = nlohmann::json::object();
        switch (format_) {
            case Format::kTable:
                for (std::size_t i = 0; i < cells.size(); ++i) {
                    const std::string text = text_of_cell(cells[i], "-");
                    const std::size_t width = names_[i].size();
                    const std::string pad(width > text.size() ? width - text.size() : 0, ' ');
                    line += (i == 0 ? "" : "  ");
                    line += std::holds_alternative<std::string>(cells[i]) ? text + pad : pad + text;
                }
                output_.print(line);
                break;
            case Format::kCsv:
                for (std::size_t i = 0; i < cells.size(); ++i)
                    line += (i == 0 ? "" : ",") + csv_field(text_of_cell(cells[i], ""));
                output_.data(line + "\r\n");
                break;
            case Format::kJson:
                for (std::size_t i = 0; i < cells.size(); ++i) fields[names_[i]] = json_of_cell(cells[i]);
                if (output_.json())
                    output_.item(std::move(fields));
                else
                    output_.data(fields.dump() + "\n");
                break;
        }
        return output_.state();
    }

  private:
    Output& output_;
    Format format_;
    std::vector<std::string> names_;
};

Result<Format> format_of(Context& context) {
    if (context.output.json()) return Format::kJson;
    const std::string format = context.arguments.optional("--format").value_or("table");
    if (format == "table") return Format::kTable;
    if (format == "csv") return Format::kCsv;
    if (format == "json") return Format::kJson;
    return fail(ErrorCode::kUsage, "--format " + format, "there is no such format",
                "choose table, csv or json");
}

Result<records::ReportQuery> query_of(Context& context) {
    records::ReportQuery query;
    const std::string name = context.arguments.text("NAME");
    const std::optional<records::ReportName> report = records::report_name_of(name);
    if (!report)
        return fail(ErrorCode::kUsage, name, "there is no such report",
                    "choose viewing, eight-steps or power-on");
    query.name = *report;
    if (const std::optional<std::string> by = context.arguments.optional("--by")) {
        query.by.clear();
        std::size_t from = 0;
        while (from <= by->size()) {
            const std::size_t comma = std::min(by->find(',', from), by->size());
            const std::optional<records::By> group = records::by_of(by->substr(from, comma - from));
            if (!group)
                return fail(ErrorCode::kUsage, "--by " + *by, "a report cannot be grouped so",
                            "give one of site, town, county, course, month, or two, as in county,month");
            query.by.push_back(*group);
            from = comma + 1;
        }
    }
    if (const std::optional<std::string> month = context.arguments.optional("--month")) {
        query.month = records::parse_month(*month);
        if (!query.month)
            return fail(ErrorCode::kUsage, "--month " + *month, "this is not a month", "write it as 2026-11");
    }
    if (const std::optional<std::string> until = context.arguments.optional("--until")) {
        constexpr std::size_t kDateSize = 10;
        if (until->size() != kDateSize || !records::parse_month(until->substr(0, 7)))
            return fail(ErrorCode::kUsage, "--until " + *until, "this is not a day",
                        "write it as 2026-11-24");
        query.until = until;
    }
    SATCHEL_TRY(const std::optional<trust::Root> root, context.site->trust().current_root());
    query.utc_offset_minutes = root ? root->utc_offset_minutes : 0;
    return query;
}

Result<cli::ExitCode> report(Context& context) {
    SATCHEL_TRY(const Format format, format_of(context));
    SATCHEL_TRY(const records::ReportQuery query, query_of(context));
    Printer printer(context.output, format);
    SATCHEL_TRY(const records::Report done,
                records::make_report(
                    context.site->database(), query,
                    [&](const std::vector<std::string>& names) { return printer.columns(names); },
                    [&](const std::vector<Cell>& cells) { return printer.row(cells); }));
    context.output.note("{reported} of {sites} sites have reported",
                        {{"reported", std::to_string(done.reported)}, {"sites", std::to_string(done.sites)}});
    if (done.rivals > 0)
        context.output.note("{count} records were written twice with different content; one of each counts",
                            {{"count", std::to_string(done.rivals)}});
    context.output.summary({{"sites", done.sites}, {"reported", done.reported}, {"rivals", done.rivals}});
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> report_commands() {
    return {
        {.name = "report",
         .summary = "Adds up what sites recorded, and says who has not reported",
         .needs = Needs::kSite,
         .arguments = {{"NAME", ArgumentKind::kPositional, "", "viewing, eight-steps or power-on"},
                       {"--month", ArgumentKind::kOption, "YYYY-MM", "only of this month"},
                       {"--by", ArgumentKind::kOption, "GROUP",
                        "site, town, county, course or month, or two: county,month"},
                       {"--until", ArgumentKind::kOption, "DATE", "power-on: the last day that counts"},
                       {"--format", ArgumentKind::kOption, "FORMAT", "table, csv or json"}},
         .examples = {"satchel --site hub report viewing --month 2026-11 --by county",
                      "satchel --site hub report power-on --by county,month --format csv"},
         .run = report},
    };
}

}  // namespace satchel::commands
