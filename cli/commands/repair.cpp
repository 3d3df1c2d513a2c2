// `satchel repair`: site.db made again from what lies beside it.
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"

namespace satchel::commands {

namespace {

nlohmann::json fields_of(const site::RepairReport& report) {
    nlohmann::json lanes = nlohmann::json::array();
    for (const site::RepairedLane& lane : report.lanes)
        lanes.push_back(
            {{"lane", lane.lane}, {"commits", lane.commits}, {"commits_known", lane.commits_known}});
    return {{"lanes", std::move(lanes)},          {"damaged_stretches", report.damaged_stretches},
            {"segments", report.segments},        {"open_records", report.status.open_events},
            {"courses", report.status.courses},   {"complete", report.status.complete},
            {"packs", report.status.store.packs}, {"chunks", report.status.store.chunks}};
}

Result<cli::ExitCode> repair(Context& context) {
    SATCHEL_TRY(const site::RepairReport report,
                site::Site::repair(*context.folder, context.world, context.progress));
    Output& output = context.output;
    bool is_whole = report.damaged_stretches == 0;
    if (report.damaged_stretches > 0)
        output.warn("{count} places of keep.log are damaged; what stood there may be older now",
                    {{"count", std::to_string(report.damaged_stretches)}});
    for (const site::RepairedLane& lane : report.lanes) {
        output.print("{lane}: {commits} of {known} commits are back",
                     {{"lane", lane.lane},
                      {"commits", std::to_string(lane.commits)},
                      {"known", std::to_string(lane.commits_known)}});
        if (lane.commits >= lane.commits_known) continue;
        is_whole = false;
        output.warn("Before you publish again: read a stick or sync, so that the rest of {lane} comes back.",
                    {{"lane", lane.lane}});
    }
    output.print("{courses} courses, {complete} complete; {chunks} chunks in {packs} packs",
                 {{"courses", std::to_string(report.status.courses)},
                  {"complete", std::to_string(report.status.complete)},
                  {"chunks", std::to_string(report.status.store.chunks)},
                  {"packs", std::to_string(report.status.store.packs)}});
    output.print(
        "{segments} signed segments of records, {open} records not signed yet",
        {{"segments", std::to_string(report.segments)}, {"open", std::to_string(report.status.open_events)}});
    output.note(
        "site.db is made again. What was left of the old one lies beside it as site.db-damaged; remove that "
        "when all "
        "is well.");
    output.summary(fields_of(report));
    return is_whole ? cli::kExitDone : cli::kExitPartly;
}

}  // namespace

std::vector<CommandSpec> repair_commands() {
    return {
        {.name = "repair",
         .summary = "Makes a damaged or lost site.db again from what lies beside it",
         .needs = Needs::kClosedSite,
         .arguments = {},
         .examples = {"satchel --site village repair", "satchel --site /srv/satchel --json repair"},
         .run = repair},
    };
}

}  // namespace satchel::commands
