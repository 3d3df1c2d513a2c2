#include "cli/commands/progress_line.hpp"
#include "cli/service.hpp"

namespace satchel::cli {

int perform(const commands::CommandSpec& command, commands::Context& context) {
    const Result<ExitCode> done = command.run(context);
    context.output.clear_progress();
    if (!done.has_value()) {
        // Standard output that nobody reads any more stops a command, and is nothing to complain about.
        if (context.output.state().has_value() || done.error().code != ErrorCode::kCancelled)
            context.output.error(done.error());
        return exit_code_of(done.error().code);
    }
    if (!context.output.state().has_value()) {
        context.output.error(context.output.state().error());
        return exit_code_of(context.output.state().error().code);
    }
    return *done;
}

Result<std::unique_ptr<LocalService>> LocalService::open(const std::string& folder, BoxWorld& world) {
    SATCHEL_TRY(std::unique_ptr<env::Disk> disk, commands::open_folder(folder));
    SATCHEL_TRY(std::unique_ptr<site::Site> site, site::Site::open(*disk, world.lend()));
    return std::unique_ptr<LocalService>(new LocalService(std::move(disk), std::move(site), world));
}

int LocalService::execute(const Invocation& invocation, Streams& streams) {
    commands::Output output(streams, invocation, commands::manner_of(invocation));
    const Result<commands::Parsed> parsed = commands::parse_command_line(invocation);
    if (!parsed.has_value()) {
        output.error(parsed.error());
        return exit_code_of(parsed.error().code);
    }
    if (parsed->command == nullptr || parsed->command->needs != commands::Needs::kSite) {
        output.error(fail(ErrorCode::kUsage, parsed->command == nullptr ? "satchel" : parsed->command->name,
                          "the process that owns the site does not carry out this command",
                          "run it as a command of its own"));
        return kExitUsage;
    }
    commands::ProgressLine progress(output, world_.clock);
    commands::Context context{.invocation = invocation,
                              .arguments = parsed->arguments,
                              .output = output,
                              .progress = progress,
                              .world = world_.lend(),
                              .site = site_.get(),
                              .folder = nullptr};
    return perform(*parsed->command, context);
}

}  // namespace satchel::cli
