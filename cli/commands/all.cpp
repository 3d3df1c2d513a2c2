#include <iterator>

#include "cli/commands/spec.hpp"

namespace satchel::commands {

const std::vector<CommandSpec>& all_commands() {
    static const std::vector<CommandSpec> kAll = [] {
        std::vector<CommandSpec> all;
        for (const auto& family :
             {setup_commands(), sites_commands(), publish_commands(), review_commands(), reviewers_commands(),
              catalogue_commands(), subscribe_commands(), stick_commands(), sync_commands(),
              course_commands(), store_commands(), store_verify_commands(), room_commands(),
              records_commands(), report_commands(), status_commands(), repair_commands(), help_commands()})
            all.insert(all.end(), family.begin(), family.end());
        return all;
    }();
    return kAll;
}

const std::vector<GroupSpec>& all_groups() {
    static const std::vector<GroupSpec> kGroups = {
        {.name = "sites", .summary = "The sites of the network"},
        {.name = "review", .summary = "Statements of reviewers about editions"},
        {.name = "reviewers", .summary = "Who may review"},
        {.name = "catalogue", .summary = "What the offices have signed"},
        {.name = "subscribe", .summary = "What this site wants to hold"},
        {.name = "stick", .summary = "Carrying by USB stick"},
        {.name = "store", .summary = "The bytes that this site holds"},
        {.name = "records", .summary = "What happened at sites"},
    };
    return kGroups;
}

const std::vector<ArgumentSpec>& global_options() {
    static const std::vector<ArgumentSpec> kOptions = {
        {"--site", ArgumentKind::kOption, "DIR", "the site's folder; otherwise SATCHEL_SITE names it"},
        {"--json", ArgumentKind::kFlag, "", "results as JSON, for programs"},
        {"--quiet", ArgumentKind::kFlag, "", "no notes and no progress"},
        {"--lang", ArgumentKind::kOption, "en|zh", "the language of messages; otherwise the environment's"},
        {"--version", ArgumentKind::kFlag, "", "the version, and nothing else"},
        {"--help", ArgumentKind::kFlag, "", "this help"},
    };
    return kOptions;
}

}  // namespace satchel::commands
