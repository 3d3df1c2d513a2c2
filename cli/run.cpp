#include "cli/run.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands/progress_line.hpp"
#include "cli/owner.hpp"
#include "cli/serve.hpp"
#include "cli/service.hpp"
#include "cli/site_lock.hpp"

namespace satchel::cli {

namespace {

Result<std::string> site_folder(const Invocation& invocation, const commands::Parsed& parsed) {
    const std::string named = parsed.site.value_or(invocation.site_variable);
    if (named.empty())
        return fail(ErrorCode::kNoSite, "satchel", "no site is named",
                    "name the site's folder with --site or in SATCHEL_SITE");
    const std::string folder = commands::absolute_path(invocation, named);
    std::error_code error;
    // Nothing, not even a lock, is written into a folder that holds no site.
    if (!std::filesystem::exists(folder + "/site.db", error) &&
        !std::filesystem::exists(folder + "/keep.log", error))
        return fail(ErrorCode::kNoSite, folder, "there is no site in this folder",
                    "make one with `satchel init` or `satchel join`, or name the right folder with --site");
    return folder;
}

Result<std::string> made_folder(const Invocation& invocation, const commands::Parsed& parsed) {
    const std::string folder = commands::absolute_path(invocation, parsed.arguments.text("DIR"));
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return fail(ErrorCode::kIo, folder, "this folder cannot be made",
                    "name a folder that you may write to", error.message());
    return folder;
}

Result<int> serve_site(const Invocation& invocation, const commands::Parsed& parsed, Streams& streams,
                       commands::Output& output) {
    SATCHEL_TRY(const std::string folder, site_folder(invocation, parsed));
    return serve(folder, parsed.arguments, streams, output);
}

Result<int> run_on_site(const Invocation& invocation, const commands::Parsed& parsed, Streams& streams) {
    SATCHEL_TRY(const std::string folder, site_folder(invocation, parsed));
    Result<SiteLock> lock = SiteLock::take(folder);
    if (lock.has_value()) {
        BoxWorld world;
        SATCHEL_TRY(const std::unique_ptr<LocalService> service, LocalService::open(folder, world));
        return service->execute(invocation, streams);
    }
    if (lock.error().code != ErrorCode::kBusy) return std::move(lock).error();
    SATCHEL_TRY(const std::unique_ptr<RemoteService> service, RemoteService::connect(folder));
    return service->execute(invocation, streams);
}

// Commands that need no open site: those that make one under the lock of its folder, and those without any.
Result<int> run_without_site(const Invocation& invocation, const commands::Parsed& parsed,
                             commands::Output& output) {
    BoxWorld world;
    commands::ProgressLine progress(output, world.clock);
    commands::Context context{.invocation = invocation,
                              .arguments = parsed.arguments,
                              .output = output,
                              .progress = progress,
                              .world = world.lend(),
                              .site = nullptr,
                              .folder = nullptr};
    if (parsed.command->needs == commands::Needs::kNothing) return perform(*parsed.command, context);
    SATCHEL_TRY(const std::string folder, parsed.command->needs == commands::Needs::kFolder
                                              ? made_folder(invocation, parsed)
                                              : site_folder(invocation, parsed));
    SATCHEL_TRY(const SiteLock lock, SiteLock::take(folder));
    SATCHEL_TRY(const std::unique_ptr<env::Disk> disk, commands::open_folder(folder));
    context.folder = disk.get();
    return perform(*parsed.command, context);
}

Result<int> run_parsed(const Invocation& invocation, const commands::Parsed& parsed, Streams& streams,
                       commands::Output& output) {
    if (parsed.version) {
        output.print(std::string("satchel ") + kVersion);
        output.summary({{"version", kVersion}});
        return kExitDone;
    }
    if (parsed.help) {
        SATCHEL_TRY(const std::string help, commands::help_text(output.language(), parsed.help_topic));
        output.data(help);
        return kExitDone;
    }
    switch (parsed.command->needs) {
        case commands::Needs::kSite:
        case commands::Needs::kLinks:
            return run_on_site(invocation, parsed, streams);
        case commands::Needs::kOwner:
            return serve_site(invocation, parsed, streams, output);
        case commands::Needs::kFolder:
        case commands::Needs::kClosedSite:
        case commands::Needs::kNothing:
            return run_without_site(invocation, parsed, output);
    }
    return kExitFailed;
}

}  // namespace

int run(const Invocation& invocation, Streams& streams) {
    commands::Output output(streams, invocation, commands::manner_of(invocation));
    const Result<commands::Parsed> parsed = commands::parse_command_line(invocation);
    if (!parsed.has_value()) {
        output.error(parsed.error());
        return exit_code_of(parsed.error().code);
    }
    const Result<int> code = run_parsed(invocation, *parsed, streams, output);
    if (code.has_value()) return *code;
    output.error(code.error());
    return exit_code_of(code.error().code);
}

}  // namespace satchel::cli
