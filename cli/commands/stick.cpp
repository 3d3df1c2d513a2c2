#include <nlohmann/json.hpp>

#include "cli/commands/report.hpp"
#include "engine/base/encoding.hpp"
#include "transport/stick/carry.hpp"

namespace satchel::commands {

namespace {

constexpr std::size_t kDamagedShownMax = 20;  // to people; --json has all that the report has

Result<std::unique_ptr<env::Disk>> open_stick(Context& context) {
    const std::string path = absolute_path(context.invocation, context.arguments.text("PATH"));
    Result<std::unique_ptr<env::Disk>> disk = open_folder(path);
    if (!disk.has_value() && disk.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kNotFound, path,
                    "there is no folder here: the stick is not in, or not mounted",
                    "put the stick in, mount it, and name the folder where it is mounted");
    return disk;
}

Result<cli::ExitCode> write(Context& context) {
    SATCHEL_TRY(const std::unique_ptr<env::Disk> disk, open_stick(context));
    SATCHEL_TRY(const stick::WriteReport report,
                stick::write_stick(*context.site, *disk, {.sites = context.arguments.list("--for")},
                                   context.progress));
    std::string sites;
    for (const std::string& name : report.sites) sites += (sites.empty() ? "" : ", ") + name;
    context.output.print("Written for: {sites}", {{"sites", sites}});
    context.output.print(
        "{bytes} added: {chunks} chunks, {catalogue} of catalogue and letters; {there} chunks were there",
        {{"bytes", text::size_text(report.payload_bytes)},
         {"chunks", std::to_string(report.chunks)},
         {"catalogue", text::size_text(report.catalogue_bytes)},
         {"there", std::to_string(report.chunks_there)}});
    if (report.volumes_removed != 0)
        context.output.note("{count} files that nobody needs any more were removed from the stick.",
                            {{"count", std::to_string(report.volumes_removed)}});
    context.output.note("Unmount the stick before you pull it out.");
    context.output.summary({{"sites", report.sites},
                            {"chunks", report.chunks},
                            {"chunks_there", report.chunks_there},
                            {"payload_bytes", report.payload_bytes},
                            {"catalogue_bytes", report.catalogue_bytes},
                            {"volumes_removed", report.volumes_removed}});
    return cli::kExitDone;
}

// What of a stick could be used decides: nothing wrong, partly, all refused, all damaged.
cli::ExitCode exit_code_of_read(const stick::ReadReport& report) {
    if (report.damaged_count == 0 && report.refused.empty())
        return report.answered ? cli::kExitDone : cli::kExitPartly;  // the hub will not know what is here
    const std::uint64_t taken =
        report.commits + report.reviews + report.chunks + report.haves + report.receipts;
    if (taken != 0) return cli::kExitPartly;
    if (!report.refused.empty()) return cli::kExitRefused;
    return report.chunks_known != 0 ? cli::kExitPartly : cli::kExitDamaged;
}

std::string line_of(Context& context, const stick::DamagedPart& part) {
    return context.output.say("damaged: {file} at byte {place}: {reason}",
                              {{"file", part.file},
                               {"place", std::to_string(part.place)},
                               {"reason", context.output.say(part.error.reason)}});
}

void print_read(Context& context, const stick::ReadReport& report) {
    Output& output = context.output;
    output.print(
        "{commits} commits, {reviews} reviews, {chunks} chunks ({bytes}) taken; {known} left on the stick",
        {{"commits", std::to_string(report.commits)},
         {"reviews", std::to_string(report.reviews)},
         {"chunks", std::to_string(report.chunks)},
         {"bytes", text::size_text(report.chunk_bytes)},
         {"known", std::to_string(report.chunks_known)}});
    if (report.haves + report.receipts != 0)
        output.print(
            "{haves} answers of other sites, {receipts} receipts",
            {{"haves", std::to_string(report.haves)}, {"receipts", std::to_string(report.receipts)}});
    if (report.segments != 0)
        output.print("{segments} batches of records came home",
                     {{"segments", std::to_string(report.segments)}});
    for (const std::string& course : report.completed)
        output.print("complete now: {course}", {{"course", course}});
    if (report.foreign_folders != 0)
        output.note("{count} folders of other networks were left alone.",
                    {{"count", std::to_string(report.foreign_folders)}});
    for (std::size_t i = 0; i < report.damaged.size() && i < kDamagedShownMax; ++i)
        output.warn("{line}", {{"line", line_of(context, report.damaged[i])}});
    if (report.damaged_count > kDamagedShownMax)
        output.warn("damaged: {count} more parts",
                    {{"count", std::to_string(report.damaged_count - kDamagedShownMax)}});
    if (report.damaged_count != 0)
        output.warn(
            "The rest of the stick was used. Write the stick again at its source to get the damaged parts.");
    for (const Error& error : report.refused)
        output.warn("refused: {line}", {{"line", output.line_of(error)}});
    if (report.answered)
        output.note("This site's answer for the hub is on the stick.");
    else if (report.unanswered)
        output.warn("No answer could be written to the stick: {line}",
                    {{"line", output.line_of(*report.unanswered)}});
}

Result<cli::ExitCode> read(Context& context) {
    SATCHEL_TRY(const std::unique_ptr<env::Disk> disk, open_stick(context));
    SATCHEL_TRY(const stick::ReadReport report, stick::read_stick(*context.site, *disk, context.progress));
    print_read(context, report);
    nlohmann::json damaged = nlohmann::json::array(), refused = nlohmann::json::array();
    for (const stick::DamagedPart& part : report.damaged) {
        nlohmann::json fields = context.output.fields_of(part.error);
        fields["file"] = part.file;
        fields["place"] = part.place;
        damaged.push_back(std::move(fields));
    }
    for (const Error& error : report.refused) refused.push_back(context.output.fields_of(error));
    nlohmann::json unanswered;
    if (report.unanswered) unanswered = context.output.fields_of(*report.unanswered);
    nlohmann::json fields = {{"folders", report.folders},
                             {"foreign_folders", report.foreign_folders},
                             {"commits", report.commits},
                             {"reviews", report.reviews},
                             {"chunks", report.chunks},
                             {"chunk_bytes", report.chunk_bytes},
                             {"chunks_known", report.chunks_known},
                             {"haves", report.haves},
                             {"receipts", report.receipts},
                             {"segments", report.segments},
                             {"acknowledgements", report.acknowledgements},
                             {"completed", report.completed},
                             {"damaged", std::move(damaged)},
                             {"damaged_count", report.damaged_count},
                             {"refused", std::move(refused)},
                             {"answered", report.answered},
                             {"unanswered", std::move(unanswered)}};
    warn_of_no_room(context, context.site->waiting_for_room(), fields);
    context.output.summary(std::move(fields));
    if (report.no_room) return *report.no_room;
    return exit_code_of_read(report);
}

Result<cli::ExitCode> show(Context& context) {
    SATCHEL_TRY(const std::unique_ptr<env::Disk> disk, open_stick(context));
    SATCHEL_TRY(const std::vector<stick::ShownFolder> folders, stick::show_stick(*disk, context.progress));
    std::uint64_t damaged = 0;
    for (const stick::ShownFolder& folder : folders) {
        context.output.print("{folder}: network {network}, written by {site}, state {generation}",
                             {{"folder", folder.folder},
                              {"network", to_hex(folder.network).substr(0, 8)},
                              {"site", to_hex(folder.writer).substr(0, 8)},
                              {"generation", std::to_string(folder.generation)}});
        nlohmann::json volumes = nlohmann::json::array();
        for (const stick::ShownVolume& volume : folder.volumes) {
            damaged += volume.damaged;
            context.output.print("  {file}: {bytes}, {chunks} chunks, {freight} letters, {damaged} damaged",
                                 {{"file", volume.file},
                                  {"bytes", text::size_text(volume.bytes)},
                                  {"chunks", std::to_string(volume.chunks)},
                                  {"freight", std::to_string(volume.freight)},
                                  {"damaged", std::to_string(volume.damaged)}});
            volumes.push_back({{"file", volume.file},
                               {"bytes", volume.bytes},
                               {"chunks", volume.chunks},
                               {"freight", volume.freight},
                               {"damaged", volume.damaged}});
        }
        context.output.item({{"folder", folder.folder},
                             {"network", to_hex(folder.network)},
                             {"writer", to_hex(folder.writer)},
                             {"generation", folder.generation},
                             {"volumes", std::move(volumes)}});
    }
    context.output.summary({{"folders", folders.size()}, {"damaged", damaged}});
    return damaged == 0 ? cli::kExitDone : cli::kExitDamaged;
}

}  // namespace

std::vector<CommandSpec> stick_commands() {
    const ArgumentSpec path = {"PATH", ArgumentKind::kPositional, "",
                               "the folder where the stick is mounted"};
    return {
        {.name = "stick write",
         .summary = "Writes what other sites lack to a stick",
         .needs = Needs::kSite,
         .arguments = {path,
                       {"--for", ArgumentKind::kListOption, "SITE",
                        "only for these sites; otherwise for all"}},
         .examples = {"satchel --site hub stick write /media/usb",
                      "satchel --site hub stick write /media/usb --for lijia wangcun"},
         .run = write},
        {.name = "stick read",
         .summary = "Takes what this site wants from a stick, and leaves its answer there",
         .needs = Needs::kSite,
         .arguments = {path},
         .examples = {"satchel --site village stick read /media/usb",
                      "satchel --site village stick read /media/usb --json"},
         .run = read},
        {.name = "stick show",
         .summary = "Shows and checks what is on a stick; needs no site",
         .needs = Needs::kNothing,
         .arguments = {path},
         .examples = {"satchel stick show /media/usb", "satchel stick show /media/usb --json"},
         .run = show},
    };
}

}  // namespace satchel::commands
