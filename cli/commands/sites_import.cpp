// The register of sites as an office keeps it: a table with a first line of names (RFC 4180, UTF-8).
#include "cli/commands/sites_import.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "engine/trust/json_document.hpp"

namespace satchel::commands {

namespace {

constexpr std::size_t kRegisterFileMax = 32 * 1024 * 1024;  // a province of 26,368 sites is 3 MB
constexpr std::size_t kFieldsMax = 64;

using Fields = std::vector<std::string>;

Error wrong_line(std::size_t line, Literal reason, std::string detail = {}) {
    return fail(ErrorCode::kUsage, "line " + std::to_string(line), reason,
                "mend that line of the file, then import it again", std::move(detail));
}

// One record from `text`, which may span lines inside quotes.
Result<Fields> take_record(std::string_view& text, std::size_t& line) {
    Fields fields(1);
    bool quoted = false;
    const std::size_t begun = line;
    while (!text.empty()) {
        const char at = text.front();
        text.remove_prefix(1);
        if (at == '\n') ++line;
        if (quoted) {
            const bool doubled = at == '"' && !text.empty() && text.front() == '"';
            if (doubled) text.remove_prefix(1);
            if (at == '"' && !doubled)
                quoted = false;
            else
                fields.back() += at;
        } else if (at == '"' && fields.back().empty()) {
            quoted = true;
        } else if (at == ',') {
            if (fields.size() == kFieldsMax) return wrong_line(begun, "this line has too many fields");
            fields.emplace_back();
        } else if (at == '\n') {
            return fields;
        } else if (at != '\r') {
            fields.back() += at;
        }
    }
    if (quoted) return wrong_line(begun, "a quotation mark is not closed");
    return fields;
}

// What offices call the columns, beside our own names.
const std::map<std::string, std::string, std::less<>>& column_names() {
    static const std::map<std::string, std::string, std::less<>> names = {
        {"code", "code"},     {"site", "code"},     {"id", "code"},
        {"name", "name"},     {"village", "name"},  {"town", "town"},
        {"township", "town"}, {"county", "county"}, {"county_name", "county_name"},
        {"type", "type"}};
    return names;
}

std::string* member(catalogue::RegisteredSite& site, const std::string& column) {
    if (column == "code") return &site.code;
    if (column == "name") return &site.name;
    if (column == "town") return &site.town;
    if (column == "county") return &site.county;
    if (column == "county_name") return &site.county_name;
    return &site.type;
}

Result<std::vector<std::string>> columns_of(const Fields& header) {
    std::vector<std::string> columns;
    for (const std::string& name : header) {
        const auto known = column_names().find(name);
        columns.push_back(known == column_names().end() ? std::string() : known->second);
    }
    if (std::find(columns.begin(), columns.end(), "code") == columns.end())
        return wrong_line(1, "the first line names no column of site codes",
                          "code, name, town, county, county_name, type");
    return columns;
}

// As the JSON of documents must be.
bool is_utf8(const std::string& text) {
    try {
        static_cast<void>(nlohmann::json(text).dump());
        return true;
    } catch (const nlohmann::json::exception&) {
        return false;
    }
}

Result<void> check(const catalogue::RegisteredSite& site, std::size_t line) {
    if (site.code.empty()) return wrong_line(line, "a site has no code");
    for (const std::string* text :
         {&site.code, &site.name, &site.town, &site.county, &site.county_name, &site.type}) {
        if (text->size() > catalogue::kRegisterTextMax) return wrong_line(line, "a text is too long", *text);
        if (!is_utf8(*text)) return wrong_line(line, "a text is not UTF-8", "save the table as CSV in UTF-8");
        if (!text->empty() && !trust::is_printable(*text))
            return wrong_line(line, "a text holds what cannot be printed");
    }
    if (site.code.find('/') != std::string::npos)
        return wrong_line(line, "a site's code may not hold a slash", site.code);
    return {};
}

}  // namespace

Result<std::vector<catalogue::RegisteredSite>> parse_register(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::size_t line = 1;
    SATCHEL_TRY(const Fields header, take_record(text, line));
    SATCHEL_TRY(const std::vector<std::string> columns, columns_of(header));
    std::vector<catalogue::RegisteredSite> sites;
    std::map<std::string, std::size_t> line_of;
    while (!text.empty()) {
        const std::size_t begun = line;
        SATCHEL_TRY(const Fields fields, take_record(text, line));
        if (fields.size() == 1 && fields.front().empty()) continue;
        if (fields.size() != columns.size())
            return wrong_line(begun, "this line has another number of fields than the first line");
        catalogue::RegisteredSite site;
        for (std::size_t i = 0; i < fields.size(); ++i)
            if (!columns[i].empty()) *member(site, columns[i]) = fields[i];
        SATCHEL_TRY_VOID(check(site, begun));
        const auto [other, is_new] = line_of.emplace(site.code, begun);
        if (!is_new)
            return wrong_line(begun, "two sites have the same code",
                              site.code + ", line " + std::to_string(other->second));
        sites.push_back(std::move(site));
    }
    return sites;
}

Result<cli::ExitCode> import_sites(Context& context) {
    SATCHEL_TRY(const std::string text, read_input(context, "FILE", kRegisterFileMax));
    Result<std::vector<catalogue::RegisteredSite>> sites = parse_register(text);
    if (!sites.has_value()) {
        sites.error().about = context.arguments.text("FILE") + ", " + sites.error().about;
        return sites.error();
    }
    SATCHEL_TRY(const std::uint64_t changed, context.site->import_register(*sites));
    context.output.note("{sites} sites in the file; {changed} were new or changed",
                        {{"sites", std::to_string(sites->size())}, {"changed", std::to_string(changed)}});
    context.output.summary({{"sites", sites->size()}, {"changed", changed}});
    return cli::kExitDone;
}

}  // namespace satchel::commands
