#include "cli/commands/report.hpp"

#include <nlohmann/json.hpp>

#include "engine/base/encoding.hpp"

namespace satchel::commands {

void warn_of_skipped(Context& context, const std::vector<site::Skipped>& skipped, std::uint64_t count) {
    for (std::size_t i = 0; i < skipped.size() && i < kSkippedShownMax; ++i)
        context.output.warn("left out: {path}: {reason}",
                            {{"path", skipped[i].path}, {"reason", context.output.say(skipped[i].reason)}});
    if (count > kSkippedShownMax)
        context.output.warn("left out: {count} more; --json names them",
                            {{"count", std::to_string(count - kSkippedShownMax)}});
}

nlohmann::json skipped_fields(Context& context, const std::vector<site::Skipped>& skipped) {
    nlohmann::json list = nlohmann::json::array();
    for (const site::Skipped& each : skipped)
        list.push_back({{"path", each.path}, {"reason", context.output.say(each.reason)}});
    return list;
}

void warn_of_no_room(Context& context, const Result<std::vector<exchange::WantedEdition>>& declined,
                     nlohmann::json& fields) {
    Output& output = context.output;
    fields["no_room"] = nlohmann::json::array();
    // What was done is told all the same.
    if (!declined.has_value()) return output.warn("{line}", {{"line", output.line_of(declined.error())}});
    for (const exchange::WantedEdition& each : *declined) {
        fields["no_room"].push_back({{"course", each.edition.course},
                                     {"edition", each.edition.number},
                                     {"room_needed", each.needed},
                                     {"room_available", each.available}});
        if (fields["no_room"].size() <= kDeclinedShownMax)
            output.warn(
                "no room for {course}, edition {number}: it needs {needed}, there is room for {available}",
                {{"course", each.edition.course},
                 {"number", std::to_string(each.edition.number)},
                 {"needed", text::size_text(each.needed)},
                 {"available", text::size_text(each.available)}});
    }
    if (declined->size() > kDeclinedShownMax)
        output.warn("no room for {count} more",
                    {{"count", std::to_string(declined->size() - kDeclinedShownMax)}});
    if (!declined->empty()) output.warn("`satchel why COURSE` tells what could go for it.");
}

nlohmann::json edition_fields(const catalogue::Edition& edition) {
    const catalogue::CourseMetadata& about = edition.metadata;
    return {{"course", edition.course},
            {"edition", edition.number},
            {"manifest", to_hex(edition.manifest)},
            {"files", edition.files},
            {"bytes", edition.bytes},
            {"reviews_needed", edition.reviews_needed},
            {"title", about.title},
            {"theme", about.theme},
            {"audience", about.audience},
            {"language", about.language},
            {"producer", about.producer},
            {"licence", about.licence},
            {"version", about.version},
            {"lessons", about.lessons},
            {"duration_s", about.duration_s}};
}

std::string title_of(Context& context, const catalogue::Edition& edition) {
    const bool chinese = context.output.language() == text::Language::kChinese;
    const std::string title = edition.metadata.title_for(chinese ? "zh" : "en");
    return title.empty() ? edition.course : title;
}

}  // namespace satchel::commands
