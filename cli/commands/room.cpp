// How much of the disk the store takes, and what it gives back.
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"
#include "cli/commands/store_use.hpp"

namespace satchel::commands {

namespace {

Result<cli::ExitCode> limit(Context& context) {
    SATCHEL_TRY(site::StoreLimits limits, context.site->limits());
    const bool changes = context.arguments.has("--max") || context.arguments.has("--floor") ||
                         context.arguments.has("--records");
    SATCHEL_TRY(limits.store_max, byte_count_of(context.arguments, "--max", limits.store_max));
    SATCHEL_TRY(limits.disk_floor, byte_count_of(context.arguments, "--floor", limits.disk_floor));
    SATCHEL_TRY(limits.records_reserve,
                byte_count_of(context.arguments, "--records", limits.records_reserve));
    if (changes) SATCHEL_TRY_VOID(context.site->set_limits(limits));
    Output& output = context.output;
    if (limits.store_max == 0)
        output.print("store: as much as the disk gives", {});
    else
        output.print("store: at most {bytes}", {{"bytes", text::size_text(limits.store_max)}});
    output.print("kept free on the disk: {floor}, and for records {records}",
                 {{"floor", text::size_text(limits.disk_floor)},
                  {"records", text::size_text(limits.records_reserve)}});
    SATCHEL_TRY(const std::uint64_t room, context.site->available_room());
    if (room == 0)
        output.warn("There is no room left: courses come in only where others go for them.");
    else
        output.print("room for courses: {room}", {{"room", text::size_text(room)}});
    output.summary({{"store_max", limits.store_max},
                    {"room", room},
                    {"disk_floor", limits.disk_floor},
                    {"records_reserve", limits.records_reserve}});
    return cli::kExitDone;
}

Result<cli::ExitCode> pin(Context& context) {
    SATCHEL_TRY(const std::string course, course_of(context));
    SATCHEL_TRY_VOID(context.site->pin(course));
    context.output.note("{course} stays here whatever else needs room.", {{"course", course}});
    context.output.summary({{"course", course}, {"pinned", true}});
    return cli::kExitDone;
}

Result<cli::ExitCode> unpin(Context& context) {
    SATCHEL_TRY(const std::string course, course_of(context));
    SATCHEL_TRY_VOID(context.site->unpin(course));
    context.output.note("{course} is no longer pinned.", {{"course", course}});
    context.output.summary({{"course", course}, {"pinned", false}});
    return cli::kExitDone;
}

// To write the living part of a pack again for less than it gives back would wear the disk.
void say_what_stays(Context& context, const site::CollectReport& report) {
    if (report.room_lacking > 0)
        context.output.warn(
            "Not all could be given back: to write again what is needed of a pack, {bytes} must be free on "
            "the "
            "disk.",
            {{"bytes", text::size_text(report.room_lacking)}});
    else if (report.stays > 0)
        context.output.note(
            "{bytes} more lie in packs that are mostly needed; most of it goes when a course needs the room.",
            {{"bytes", text::size_text(report.stays)}});
}

Result<cli::ExitCode> drop(Context& context) {
    std::vector<std::string> courses = context.arguments.list("COURSE");
    if (courses.empty())
        return fail(ErrorCode::kUsage, "COURSE", "no course is named",
                    "name one or more: `satchel catalogue list` lists them");
    for (std::string& course : courses) {
        SATCHEL_TRY(course, context.site->resolve_course(course));
    }
    constexpr std::uint32_t kEditionMax = 1'000'000'000;
    SATCHEL_TRY(const std::uint32_t number, number_of(context.arguments, "--edition", 0, kEditionMax));
    if (number == 0 && context.arguments.has("--edition"))
        return fail(ErrorCode::kUsage, "--edition 0", "editions are counted from 1",
                    "`satchel catalogue show COURSE` lists them");
    SATCHEL_TRY(const std::uint64_t dropped,
                context.site->drop_editions(courses, number == 0 ? std::nullopt : std::optional(number)));
    const Result<site::CollectReport> collected = context.site->collect(context.progress, false);
    const site::CollectReport report = collected.value_or(site::CollectReport());
    if (!collected.has_value())
        context.output.warn("Nothing can be given back now: {why}",
                            {{"why", context.output.line_of(collected.error())}});
    if (dropped == 0)
        context.output.note("Nothing is dropped: none of that is kept here.");
    else
        context.output.note("{count} editions dropped; {bytes} given back to the disk.",
                            {{"count", std::to_string(dropped)}, {"bytes", text::size_text(report.freed)}});
    say_what_stays(context, report);
    nlohmann::json hindrance;
    if (!collected.has_value()) hindrance = context.output.fields_of(collected.error());
    context.output.summary({{"courses", courses},
                            {"editions", dropped},
                            {"freed_bytes", report.freed},
                            {"moved_bytes", report.moved},
                            {"hindrance", std::move(hindrance)}});
    return collected.has_value() ? cli::kExitDone : cli::kExitPartly;
}

Result<cli::ExitCode> collect(Context& context) {
    const bool only_look = context.arguments.has("--dry-run");
    SATCHEL_TRY(const site::CollectReport report, context.site->collect(context.progress, only_look));
    say_use(context, report.use);
    if (report.hindrance)
        context.output.warn("Nothing can be given back now: {why}",
                            {{"why", context.output.line_of(*report.hindrance)}});
    if (only_look)
        context.output.print("{bytes} would be given back", {{"bytes", text::size_text(report.freeable)}});
    else
        context.output.note("{bytes} given back to the disk.", {{"bytes", text::size_text(report.freed)}});
    if (!only_look) say_what_stays(context, report);
    nlohmann::json fields = fields_of(report.use);
    fields["freeable_bytes"] = report.freeable;
    fields["freed_bytes"] = report.freed;
    fields["moved_bytes"] = report.moved;
    fields["room_lacking"] = report.room_lacking;
    context.output.summary(std::move(fields));
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> room_commands() {
    return {
        {.name = "store limit",
         .summary = "Shows or sets how much of the disk the store may take",
         .needs = Needs::kSite,
         .arguments = {{"--max", ArgumentKind::kOption, "SIZE",
                        "the store's packs take at most this much, as 20GB; 0: what the disk gives"},
                       {"--floor", ArgumentKind::kOption, "SIZE", "so much of the disk stays free"},
                       {"--records", ArgumentKind::kOption, "SIZE", "so much more stays free for records"}},
         .examples = {"satchel --site village store limit", "satchel --site village store limit --max 20GB"},
         .run = limit},
        {.name = "store pin",
         .summary = "Keeps a course here whatever else needs room",
         .needs = Needs::kSite,
         .arguments = {{"COURSE", ArgumentKind::kPositional, "",
                        "a course: its id, or how its id or title begins"}},
         .examples = {"satchel --site village store pin rice-planting",
                      "satchel --site village store pin rice-planting --json"},
         .run = pin},
        {.name = "store unpin",
         .summary = "Lets a pinned course make room for others again",
         .needs = Needs::kSite,
         .arguments = {{"COURSE", ArgumentKind::kPositional, "",
                        "a course: its id, or how its id or title begins"}},
         .examples = {"satchel --site village store unpin rice-planting",
                      "satchel --site village store unpin rice-planting --json"},
         .run = unpin},
        {.name = "store drop",
         .summary = "Drops old editions of courses, or courses that are not subscribed to",
         .needs = Needs::kSite,
         .arguments = {{"COURSE", ArgumentKind::kListPositional, "",
                        "courses: their ids, or how their ids or titles begin"},
                       {"--edition", ArgumentKind::kOption, "NUMBER", "only this edition"}},
         .examples = {"satchel --site hub store drop rice-planting maize --edition 1",
                      "satchel --site village store drop rice-planting"},
         .run = drop},
        {.name = "store collect",
         .summary = "Gives back to the disk what nothing needs any more",
         .needs = Needs::kSite,
         .arguments = {{"--dry-run", ArgumentKind::kFlag, "", "only tells what would be given back"}},
         .examples = {"satchel --site village store collect --dry-run",
                      "satchel --site village store collect"},
         .run = collect},
    };
}

}  // namespace satchel::commands
