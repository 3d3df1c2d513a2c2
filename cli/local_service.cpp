#include "cli/commands/progress_line.hpp"
#include "cli/service.hpp"
#include "transport/link/site_host.hpp"

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

struct LocalService::Linkage {
    std::unique_ptr<link::SiteHost> host;
    std::unique_ptr<link::Links> links;
};

LocalService::LocalService(std::unique_ptr<env::Disk> disk, std::unique_ptr<site::Site> site, BoxWorld& world)
    : disk_(std::move(disk)), site_(std::move(site)), world_(world) {}

LocalService::~LocalService() = default;

Result<std::unique_ptr<LocalService>> LocalService::open(const std::string& folder, BoxWorld& world) {
    SATCHEL_TRY(std::unique_ptr<env::Disk> disk, commands::open_folder(folder));
    SATCHEL_TRY(std::unique_ptr<site::Site> site, site::Site::open(*disk, world.lend()));
    return std::unique_ptr<LocalService>(new LocalService(std::move(disk), std::move(site), world));
}

Result<link::Links*> LocalService::links(const std::function<void(const link::Event&)>& on_event) {
    {
        const std::lock_guard lock(linkage_mutex_);
        if (linkage_) return linkage_->links.get();
    }
    const link::EngineTurn::Held held = turn_.take();
    const std::lock_guard lock(linkage_mutex_);
    if (linkage_) return linkage_->links.get();
    auto made = std::make_unique<Linkage>();
    SATCHEL_TRY(made->host, link::SiteHost::open(*site_));
    made->links = std::make_unique<link::Links>(link::LinksSetup{.host = *made->host,
                                                                 .turn = turn_,
                                                                 .clock = world_.clock,
                                                                 .random = world_.random,
                                                                 .on_event = on_event});
    linkage_ = std::move(made);
    return linkage_->links.get();
}

void LocalService::with_engine(const std::function<void()>& work) {
    const link::EngineTurn::Held held = turn_.take();
    work();
}

void LocalService::change_in_turn(const std::function<bool(site::Site& site)>& work) {
    const link::EngineTurn::Held held = turn_.take();
    if (work(*site_)) tell_links_of_change();
}

int LocalService::execute(const Invocation& invocation, Streams& streams) {
    commands::Output output(streams, invocation, commands::manner_of(invocation));
    const Result<commands::Parsed> parsed = commands::parse_command_line(invocation);
    if (!parsed.has_value()) {
        output.error(parsed.error());
        return exit_code_of(parsed.error().code);
    }
    const commands::CommandSpec* const command = parsed->command;
    if (command == nullptr ||
        (command->needs != commands::Needs::kSite && command->needs != commands::Needs::kLinks)) {
        output.error(fail(ErrorCode::kUsage, command == nullptr ? "satchel" : command->name,
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
                              .folder = nullptr,
                              .links = [this] { return links(); },
                              .in_turn = [this](const auto& work) { with_engine(work); }};
    return command->needs == commands::Needs::kLinks ? perform(*command, context)
                                                     : execute_in_turn(*command, context);
}

int LocalService::execute_in_turn(const commands::CommandSpec& command, commands::Context& context) {
    const std::optional<link::EngineTurn::Held> held =
        turn_.take_unless([&context] { return context.output.cancelled(); });
    if (!held) {
        context.output.error(commands::cancelled());
        return kExitFailed;
    }
    const std::uint64_t before = site_->database().changes_made();
    const int code = perform(command, context);
    if (const std::optional<Error> mended = site_->store().take_notice())
        context.output.warn("Mended: {what}", {{"what", context.output.line_of(*mended)}});
    if (site_->database().changes_made() != before) tell_links_of_change();
    return code;
}

void LocalService::tell_links_of_change() {
    const std::lock_guard lock(linkage_mutex_);
    if (!linkage_) return;
    // If this fails, the next step of a link meets the same trouble and says it.
    static_cast<void>(linkage_->host->note_command().has_value());
    linkage_->links->note_change();
}

}  // namespace satchel::cli
