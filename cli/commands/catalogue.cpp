#include <nlohmann/json.hpp>

#include "cli/commands/progress_line.hpp"
#include "cli/commands/report.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::commands {

namespace {

constexpr std::uint32_t kLogDefault = 100;
constexpr std::uint32_t kLogMax = 1'000'000;

std::string state_word(Context& context, const site::CourseState& course) {
    if (!course.has_current) return context.output.say("waits for reviews");
    std::string word = course.complete     ? context.output.say("here")
                       : course.subscribed ? context.output.say("awaited")
                                           : context.output.say("not wanted here");
    if (course.stand_in)
        word += "; " + context.output.say("edition {number} is shown",
                                          {{"number", std::to_string(course.stand_in->number)}});
    if (course.waiting)
        word += "; " + context.output.say("edition {number} waits for reviews",
                                          {{"number", std::to_string(*course.waiting)}});
    return word;
}

Result<cli::ExitCode> list(Context& context) {
    std::uint64_t count = 0;
    SATCHEL_TRY_VOID(context.site->for_each_course([&](const site::CourseState& course) -> Result<void> {
        if (context.output.cancelled()) return cancelled();
        ++count;
        const catalogue::Edition& edition = course.edition.edition;
        nlohmann::json fields = edition_fields(edition);
        fields["is_current"] = course.has_current;
        fields["waiting_edition"] = course.waiting ? nlohmann::json(*course.waiting) : nlohmann::json();
        fields["subscribed"] = course.subscribed;
        fields["complete"] = course.complete;
        context.output.item(std::move(fields));
        context.output.print(edition.course + "  " + std::to_string(edition.number) + "  " +
                             text::size_text(edition.bytes) + "  " + state_word(context, course) + "  " +
                             title_of(context, edition));
        return context.output.state();
    }));
    context.output.summary({{"courses", count}});
    return cli::kExitDone;
}

void print_field(Context& context, const std::string& name, const std::string& value) {
    if (!value.empty()) context.output.print(name + ": " + value);
}

void show_edition(Context& context, const catalogue::EditionState& state) {
    const catalogue::Edition& edition = state.edition;
    context.output.print("{course}, edition {number}: {title}", {{"course", edition.course},
                                                                 {"number", std::to_string(edition.number)},
                                                                 {"title", title_of(context, edition)}});
    context.output.print("{files} files, {bytes}; {approvals} of {needed} reviews",
                         {{"files", std::to_string(edition.files)},
                          {"bytes", text::size_text(edition.bytes)},
                          {"approvals", std::to_string(state.approvals)},
                          {"needed", std::to_string(edition.reviews_needed)}});
    print_field(context, context.output.say("theme"), edition.metadata.theme);
    print_field(context, context.output.say("audience"), edition.metadata.audience);
    print_field(context, context.output.say("language"), edition.metadata.language);
    print_field(context, context.output.say("producer"), edition.metadata.producer);
    print_field(context, context.output.say("licence"), edition.metadata.licence);
    print_field(context, context.output.say("manifest"), to_hex(edition.manifest));
}

Result<cli::ExitCode> show(Context& context) {
    SATCHEL_TRY(const std::string course, course_of(context));
    SATCHEL_TRY(std::optional<catalogue::EditionState> state, context.site->edition_to_show(course));
    const bool is_shown = state.has_value();
    if (!state) {
        SATCHEL_TRY(state, context.site->catalogue().newest_edition(course));
    }
    if (!state)
        return fail(ErrorCode::kNotFound, course, "the catalogue knows no such course",
                    "see all with `satchel catalogue list`");
    show_edition(context, *state);
    std::uint64_t files = 0;
    const Result<void> listed =
        context.site->for_each_file(course, [&](const store::ManifestEntry& entry) -> Result<void> {
            if (entry.type != store::EntryType::kFile) return {};
            ++files;
            context.output.item({{"path", entry.path},
                                 {"size", entry.size},
                                 {"mtime_ns", entry.mtime_ns},
                                 {"mode", entry.mode}});
            context.output.print("  " + text::size_text(entry.size) + "  " + entry.path);
            return context.output.state();
        });
    if (!listed.has_value()) {
        const bool absent = listed.error().code == ErrorCode::kNotFound || !is_shown;
        if (!absent) return listed.error();
        context.output.note("Its table of files is not here yet.");
    }
    nlohmann::json fields = edition_fields(state->edition);
    fields["is_current"] = state->is_current;
    fields["approvals"] = state->approvals;
    fields["rejections"] = state->rejections;
    fields["files_listed"] = files;
    context.output.summary(std::move(fields));
    return cli::kExitDone;
}

Result<cli::ExitCode> log(Context& context) {
    SATCHEL_TRY(const std::uint32_t limit, number_of(context.arguments, "--limit", kLogDefault, kLogMax));
    SATCHEL_TRY(const std::vector<catalogue::LaneHead> heads, context.site->catalogue().heads());
    std::uint64_t count = 0;
    for (const catalogue::LaneHead& head : heads) {
        SATCHEL_TRY_VOID(context.site->catalogue().log(
            head.lane, limit, [&](const catalogue::CommitInfo& commit) -> Result<void> {
                ++count;
                context.output.item({{"lane", head.lane},
                                     {"commit", to_hex(commit.id)},
                                     {"subject", commit.subject},
                                     {"author", commit.author},
                                     {"time_s", commit.time_s}});
                context.output.print(head.lane + "  " + to_hex(commit.id).substr(0, 12) + "  " +
                                     commit.author + "  " + commit.subject);
                return context.output.state();
            }));
    }
    context.output.summary({{"commits", count}});
    return cli::kExitDone;
}

Result<cli::ExitCode> verify(Context& context) {
    SATCHEL_TRY(const std::uint64_t commits, context.site->catalogue().verify());
    context.output.note("The catalogue is whole: {count} commits, every signature holds.",
                        {{"count", std::to_string(commits)}});
    context.output.summary({{"commits", commits}});
    return cli::kExitDone;
}

Result<cli::ExitCode> export_catalogue(Context& context) {
    SATCHEL_TRY(const Target target, open_target(context, context.arguments.text("DEST")));
    SATCHEL_TRY_VOID(target.parent->make_directory(target.name));
    SATCHEL_TRY_VOID(context.site->catalogue().export_snapshot(*target.parent, target.name));
    context.output.note("Exported to {path}. Check it there with: b2sum -l 256 -c SNAPSHOT",
                        {{"path", target.path}});
    context.output.summary({{"path", target.path}});
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> catalogue_commands() {
    return {
        {.name = "catalogue list",
         .summary = "Lists all courses and whether they are here",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site village catalogue list",
                      "satchel --site village catalogue list --json"},
         .run = list},
        {.name = "catalogue show",
         .summary = "Shows a course: its edition, reviews and files",
         .needs = Needs::kSite,
         .arguments = {{"COURSE", ArgumentKind::kPositional, "",
                        "a course: its id, or how its id or title begins"}},
         .examples = {"satchel --site village catalogue show maths",
                      "satchel --site village catalogue show maths --json"},
         .run = show},
        {.name = "catalogue log",
         .summary = "Shows the signed commits, newest first",
         .needs = Needs::kSite,
         .arguments = {{"--limit", ArgumentKind::kOption, "COUNT",
                        "at most so many of each lane; otherwise 100"}},
         .examples = {"satchel --site hub catalogue log", "satchel --site hub catalogue log --limit 5"},
         .run = log},
        {.name = "catalogue verify",
         .summary = "Checks every commit, signature and document again",
         .needs = Needs::kSite,
         .arguments = {},
         .examples = {"satchel --site village catalogue verify",
                      "satchel --site village catalogue verify --json"},
         .run = verify},
        {.name = "catalogue export",
         .summary = "Writes a plain copy of all documents, for stock tools to check",
         .needs = Needs::kSite,
         .arguments = {{"DEST", ArgumentKind::kPositional, "", "the folder to write; made if it is missing"}},
         .examples = {"satchel --site hub catalogue export snapshot",
                      "satchel --site hub catalogue export /tmp/snapshot && cd /tmp/snapshot && b2sum -l 256 "
                      "-c SNAPSHOT"},
         .run = export_catalogue},
    };
}

}  // namespace satchel::commands
