// One contact with another site over a link.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands/report.hpp"

namespace satchel::commands {

namespace {

constexpr std::uint32_t kWaitSeconds = 60;  // two of the usual gaps between windows are shorter
constexpr std::uint32_t kWaitSecondsMax = 7 * 24 * 3600;

nlohmann::json fields_of(const link::StageLine& stage) {
    return {{"stage", stage.stage.text()},
            {"messages_sent", stage.messages_sent},
            {"bytes_sent", stage.bytes_sent},
            {"messages_received", stage.messages_received},
            {"bytes_received", stage.bytes_received}};
}

nlohmann::json fields_of(Context& context, const link::ContactReport& report) {
    const link::ConversationReport& talk = report.conversation;
    nlohmann::json stages = nlohmann::json::array(), refused = nlohmann::json::array(),
                   cuts = nlohmann::json::array();
    for (const link::StageLine& stage : talk.stages) stages.push_back(fields_of(stage));
    for (const Error& error : talk.refused) refused.push_back(context.output.fields_of(error));
    for (const Error& error : report.cuts) cuts.push_back(context.output.fields_of(error));
    return {{"peer", report.peer},
            {"links", report.links},
            {"cuts", std::move(cuts)},
            {"bytes_in", report.bytes_in},
            {"bytes_out", report.bytes_out},
            {"handshake_bytes_in", report.handshake_bytes_in},
            {"handshake_bytes_out", report.handshake_bytes_out},
            {"connect_ms", report.connect_ms},
            {"handshake_ms", report.handshake_ms},
            {"greeting_ms", talk.greeting_ms},
            {"first_content_ms", talk.first_content_ms},
            {"talk_ms", report.talk_ms},
            {"commits", talk.commits},
            {"reviews", talk.reviews},
            {"segments_taken", talk.segments_taken},
            {"segments_given", talk.segments_given},
            {"chunks_taken", talk.chunks_taken},
            {"chunks_given", talk.chunks_given},
            {"bytes_again", talk.bytes_again},
            {"completed", talk.completed},
            {"stages", std::move(stages)},
            {"refused", std::move(refused)}};
}

std::string right(const std::string& text, std::size_t columns) {
    return text.size() < columns ? std::string(columns - text.size(), ' ') + text : text;
}

void row(Output& output, const std::string& sent, const std::string& received, const std::string& time,
         const std::string& stage) {
    output.print(right(sent, 11) + right(received, 12) + right(time, 12) + "  " + stage);
}

// What each stage cost. The handshake is counted as it is on the wire, the others by their messages.
void explain(Output& output, const link::ContactReport& report) {
    const link::ConversationReport& talk = report.conversation;
    const auto ms = [](std::uint64_t time) { return std::to_string(time) + " ms"; };
    row(output, output.say("sent"), output.say("received"), output.say("time"), output.say("stage"));
    row(output, "", "", ms(report.connect_ms), output.say("connect"));
    row(output, text::size_text(report.handshake_bytes_out), text::size_text(report.handshake_bytes_in),
        ms(report.handshake_ms), output.say("handshake"));
    for (const link::StageLine& stage : talk.stages) {
        std::string time;
        if (&stage == &talk.stages.front() && talk.greeting_ms != 0) time = ms(talk.greeting_ms);
        row(output, text::size_text(stage.bytes_sent), text::size_text(stage.bytes_received), time,
            output.say(stage.stage));
    }
    row(output, text::size_text(report.bytes_out), text::size_text(report.bytes_in), ms(report.talk_ms),
        output.say("in all, with what wraps it"));
    if (talk.first_content_ms != 0)
        output.print("The first content came after {time}.", {{"time", ms(talk.first_content_ms)}});
    if (talk.bytes_again != 0)
        output.print("{bytes} came again.", {{"bytes", text::size_text(talk.bytes_again)}});
}

void say_report(Context& context, const link::ContactReport& report,
                const Result<std::vector<exchange::WantedEdition>>& declined) {
    Output& output = context.output;
    output.clear_progress();
    if (context.arguments.has("--explain")) explain(output, report);
    for (const Error& error : report.cuts)
        if (context.arguments.has("--explain"))
            output.print("A link ended: {line}", {{"line", output.line_of(error)}});
    for (const Error& error : report.conversation.refused)
        output.warn("Not taken from {peer}: {line}",
                    {{"peer", report.peer}, {"line", output.line_of(error)}});
    for (const Error& error : report.conversation.not_given)
        output.warn("Not given to {peer}: {line}", {{"peer", report.peer}, {"line", output.line_of(error)}});
    for (const std::string& course : report.conversation.completed)
        output.print("Complete now: {course}", {{"course", course}});
    if (!report.error)
        output.note("Nothing is left to tell {peer}: {in} received, {out} sent.",
                    {{"peer", report.peer},
                     {"in", text::size_text(report.bytes_in)},
                     {"out", text::size_text(report.bytes_out)}});
    nlohmann::json fields = fields_of(context, report);
    warn_of_no_room(context, declined, fields);
    output.summary(std::move(fields));
}

Result<cli::ExitCode> sync(Context& context) {
    SATCHEL_TRY(const link::Address address, link::parse_address(context.arguments.text("HOST:PORT"), false));
    SATCHEL_TRY(const std::uint32_t wait,
                number_of(context.arguments, "--wait", kWaitSeconds, kWaitSecondsMax));
    SATCHEL_TRY(link::Links* const links, context.links());
    const link::ContactReport report =
        links->contact(address, static_cast<std::int64_t>(wait) * 1000, context.progress);
    Result<std::vector<exchange::WantedEdition>> declined;
    context.in_turn([&] { declined = context.site->waiting_for_room(); });
    say_report(context, report, declined);
    if (report.error) return *report.error;
    const bool is_done = report.conversation.refused.empty() && report.conversation.not_given.empty();
    return is_done ? cli::kExitDone : cli::kExitPartly;
}

}  // namespace

std::vector<CommandSpec> sync_commands() {
    return {
        {.name = "sync",
         .summary = "Exchanges with another site over a link, until neither has anything left",
         .needs = Needs::kLinks,
         .arguments = {{"HOST:PORT", ArgumentKind::kPositional, "",
                        "where `satchel serve --listen` runs, as in hub.example:7247"},
                       {"--wait", ArgumentKind::kOption, "SECONDS",
                        "how long to try while the other side does not answer; otherwise 60"},
                       {"--explain", ArgumentKind::kFlag, "", "shows what each stage cost"}},
         .examples = {"satchel --site village sync hub.example:7247",
                      "satchel --site village sync 10.0.0.1:7247 --wait 600 --explain"},
         .run = sync},
    };
}

}  // namespace satchel::commands
