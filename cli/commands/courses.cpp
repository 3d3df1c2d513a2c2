// What is done with a course that is here: checkout, cat, why.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/commands/progress_line.hpp"
#include "cli/commands/report.hpp"

namespace satchel::commands {

namespace {

Result<cli::ExitCode> checkout(Context& context) {
    SATCHEL_TRY(const std::string course, course_of(context));
    SATCHEL_TRY(const Target target, open_target(context, context.arguments.text("DEST")));
    SATCHEL_TRY(const site::CheckoutReport report,
                context.site->checkout(course, *target.parent, target.name, context.progress));
    context.output.print(
        "{course}, edition {number}: {files} files, {bytes} written, {kept} files were there",
        {{"course", report.edition.course},
         {"number", std::to_string(report.edition.number)},
         {"files", std::to_string(report.files)},
         {"bytes", text::size_text(report.bytes_written)},
         {"kept", std::to_string(report.files_kept)}});
    warn_of_skipped(context, report.skipped, report.skipped_count);
    context.output.note(
        "Check it with: cd '{path}' && b2sum -l 256 -c '{sums}'",
        {{"path", target.path.substr(0, target.path.rfind('/') + 1)}, {"sums", report.sums_file}});
    nlohmann::json fields = edition_fields(report.edition);
    fields["path"] = target.path;
    fields["files_written_or_kept"] = report.files;
    fields["files_kept"] = report.files_kept;
    fields["bytes_written"] = report.bytes_written;
    fields["sums_file"] = report.sums_file;
    fields["skipped"] = skipped_fields(context, report.skipped);
    fields["skipped_count"] = report.skipped_count;
    context.output.summary(std::move(fields));
    return report.skipped_count == 0 ? cli::kExitDone : cli::kExitPartly;
}

Result<cli::ExitCode> cat(Context& context) {
    SATCHEL_TRY(const std::string course, course_of(context));
    SATCHEL_TRY_VOID(context.site->read_file(course, context.arguments.text("PATH"), 0,
                                             std::numeric_limits<std::uint64_t>::max(),
                                             [&](ByteView bytes) -> Result<void> {
                                                 if (context.output.cancelled()) return cancelled();
                                                 context.output.data(text_of(bytes));
                                                 return context.output.state();
                                             }));
    return cli::kExitDone;
}

struct Answer {
    const char* name;  // for programs
    Literal words;
    Literal advice;
};

Answer answer_of(const site::Why& found, bool is_hub, bool wants_all) {
    switch (found.state) {
        case site::WhyState::kUnknown:
            return Answer{"unknown", "no edition of it is known here",
                          "read a stick from the hub; it brings the catalogue"};
        case site::WhyState::kWaitingForReviews:
            return Answer{"waiting-for-reviews", "no edition has enough reviews yet",
                          "ask the reviewers, or read a stick that brings their reviews"};
        case site::WhyState::kNotSubscribed:
            return Answer{"not-subscribed", "this site does not want it",
                          "run `satchel subscribe add` for it, then read a stick"};
        case site::WhyState::kNoRoom:
            if (found.has_lapsed)
                return Answer{
                    "no-room", "there is no room for it on this disk",
                    "let the store take more: `satchel store limit`; until its list of files is back no room "
                    "can be made, or give up what is left of it: `satchel store verify --forget`"};
            if (wants_all && !is_hub)
                return Answer{
                    "no-room", "there is no room for it on this disk",
                    "let the store take more: `satchel store limit`; or choose what this site wants: "
                    "`satchel subscribe add` for each, then `satchel subscribe remove all`: what it "
                    "does not want goes by itself"};
            if (is_hub)
                return Answer{
                    "no-room", "there is no room for it on this disk",
                    "let old editions go: `satchel store drop`; or let the store take more: `satchel "
                    "store limit`"};
            return Answer{
                "no-room", "there is no room for it on this disk",
                "make room: `satchel subscribe remove` or `satchel store unpin` what may go, and it "
                "goes by itself; or let the store take more: `satchel store limit`"};
        case site::WhyState::kMissingChunks:
            if (is_hub)
                return Answer{
                    "missing-chunks", "parts of it are not here",
                    "publish its folder once more: `satchel publish`; or read a stick that was written "
                    "where it is whole"};
            return Answer{
                "missing-chunks", "parts of it have not arrived yet",
                "take this site's answer to the hub by stick, and read the stick that the hub then writes"};
        case site::WhyState::kDamaged:
            return Answer{"damaged", "parts of it are lost",
                          is_hub
                              ? Literal("run `satchel store verify`, then publish its folder once more")
                              : Literal("run `satchel store verify`; if this site does not want the course, "
                                        "`satchel subscribe add` before that")};
        case site::WhyState::kComplete:
            return Answer{"complete", "it is here, complete", "use `satchel checkout` or `satchel cat`"};
    }
    return Answer{"unknown", "no edition of it is known here",
                  "read a stick from the hub; it brings the catalogue"};
}

struct ClaimWords {
    const char* name;  // for programs
    Literal words;
};
ClaimWords words_of(site::Claim claim) {
    switch (claim) {
        case site::Claim::kPinned:
            return {"pinned", "pinned"};
        case site::Claim::kSubscribed:
            return {"subscribed", "subscribed"};
        case site::Claim::kOld:
            return {"old", "an old edition"};
        case site::Claim::kRest:
        case site::Claim::kStaging:
            return {"other", "not subscribed"};
    }
    return {"other", "not subscribed"};
}

constexpr ClaimWords kStandIn = {"shown", "shown until the new edition is here"};

void say_room(Context& context, const site::Why& found, nlohmann::json& fields) {
    Output& output = context.output;
    output.print("it needs {needed}; there is room for {available}",
                 {{"needed", text::size_text(found.room_needed)},
                  {"available", text::size_text(found.room_available)}});
    fields["room_needed"] = found.room_needed;
    fields["room_available"] = found.room_available;
    fields["could_go"] = nlohmann::json::array();
    if (!found.could_go.empty())
        output.print("what could go for it, each with what it gives back at most:", {});
    fields["stick_makes_room"] = found.a_stick_does;
    std::uint64_t with_these = found.room_available;
    for (const site::RoomHolder& holder : found.could_go) {
        const ClaimWords claim = holder.is_stand_in ? kStandIn : words_of(holder.claim);
        output.print("  {bytes}  {course}, edition {number}: {claim}",
                     {{"bytes", text::size_text(holder.bytes)},
                      {"course", holder.course},
                      {"number", std::to_string(holder.edition)},
                      {"claim", output.say(claim.words)}});
        fields["could_go"].push_back({{"course", holder.course},
                                      {"edition", holder.edition},
                                      {"bytes", holder.bytes},
                                      {"claim", claim.name}});
        with_these += holder.bytes;
    }
    if (with_these < found.room_needed && !found.could_go.empty())
        output.print("all of these together would not be enough", {});
    if (found.a_stick_does)
        output.print("a stick that has all of it brings it in place of the edition that is shown", {});
}

Result<cli::ExitCode> why(Context& context) {
    // A course that the catalogue does not know has an answer too; a name that means several has none.
    std::string course = context.arguments.text("COURSE");
    Result<std::string> resolved = context.site->resolve_course(course);
    if (resolved.has_value())
        course = *resolved;
    else if (resolved.error().code != ErrorCode::kNotFound)
        return std::move(resolved).error();
    SATCHEL_TRY(const site::Why found, context.site->why(course));
    const bool is_hub = context.site->self().role == trust::SiteRole::kHub;
    SATCHEL_TRY(const bool wants_all, context.site->wants_all());
    const Answer answer = answer_of(found, is_hub, wants_all);
    context.output.print("{course}: {words}",
                         {{"course", found.course}, {"words", context.output.say(answer.words)}});
    nlohmann::json fields = {{"course", found.course},
                             {"state", answer.name},
                             {"missing_objects", found.missing_objects},
                             {"reason", context.output.say(answer.words)},
                             {"remedy", context.output.say(answer.advice)}};
    if (found.edition) {
        fields["edition"] = found.edition->edition.number;
        context.output.print(
            "edition {number}: {approvals} of {needed} reviews, {missing} objects known to be missing",
            {{"number", std::to_string(found.edition->edition.number)},
             {"approvals", std::to_string(found.edition->approvals)},
             {"needed", std::to_string(found.edition->edition.reviews_needed)},
             {"missing", std::to_string(found.missing_objects)}});
    }
    if (found.state == site::WhyState::kNoRoom) say_room(context, found, fields);
    context.output.print("  " + context.output.say(answer.advice));
    context.output.summary(std::move(fields));
    return cli::kExitDone;
}

}  // namespace

std::vector<CommandSpec> course_commands() {
    const ArgumentSpec course = {"COURSE", ArgumentKind::kPositional, "",
                                 "a course: its id, or how its id or title begins"};
    return {
        {.name = "checkout",
         .summary = "Writes a course's current edition to a folder",
         .needs = Needs::kSite,
         .arguments = {course,
                       {"DEST", ArgumentKind::kPositional, "", "the folder to write; made if it is missing"}},
         .examples = {"satchel --site village checkout maths /srv/lessons/maths",
                      "satchel --site village checkout maths ./maths --quiet"},
         .run = checkout},
        {.name = "cat",
         .summary = "Prints one file of a course",
         .needs = Needs::kSite,
         .arguments = {course, {"PATH", ArgumentKind::kPositional, "", "the file's path in the course"}},
         .examples = {"satchel --site village cat maths lesson1/index.html",
                      "satchel --site village cat maths film.mp4 > film.mp4"},
         .run = cat},
        {.name = "why",
         .summary = "Explains why a course is here or not, and what to do",
         .needs = Needs::kSite,
         .arguments = {course},
         .examples = {"satchel --site village why maths", "satchel --site village why maths --json"},
         .run = why},
    };
}

}  // namespace satchel::commands
