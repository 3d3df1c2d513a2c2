#include "cli/serve.hpp"

#include <mutex>
#include <nlohmann/json.hpp>

#include "cli/caretaker.hpp"
#include "cli/commands/store_damage.hpp"
#include "cli/owner.hpp"
#include "cli/play/server.hpp"
#include "cli/play/site_library.hpp"
#include "cli/service.hpp"
#include "cli/site_lock.hpp"

namespace satchel::cli {

namespace {

// Tells people what the links do; they speak from their own thread, between what this one says.
class News {
  public:
    explicit News(commands::Output& output) : output_(output) {}

    void listening(const std::string& address) {
        const std::lock_guard lock(mutex_);
        output_.note("Taking links at {address}.", {{"address", address}});
        output_.item({{"event", "listening"}, {"address", address}});
    }

    void playing(play::PlayServer& player) {
        const std::lock_guard lock(mutex_);
        output_.note("Courses are shown at {url}, web lessons run at {web}.",
                     {{"url", player.url()}, {"web", player.web_url()}});
        if (!player.is_loopback()) output_.note("Everybody in that network can see the courses.");
        output_.item({{"play", player.url()}, {"play_web", player.web_url()}});
    }

    void tell(const link::Event& event) {
        const link::LinkReport& report = event.report;
        // Whoever knocks and proves nothing is no news: there may be very many of them.
        if (!report.peer && !report.dialled) return;
        const std::lock_guard lock(mutex_);
        const std::string peer = event.peer.empty() ? report.address : event.peer;
        if (event.kind == link::Event::Kind::kGreeted) {
            output_.note("Linked with {peer} ({address}).", {{"peer", peer}, {"address", report.address}});
            return output_.item({{"event", "linked"}, {"peer", peer}, {"address", report.address}});
        }
        nlohmann::json fields = {{"event", "ended"},
                                 {"peer", peer},
                                 {"address", report.address},
                                 {"bytes_in", report.bytes_in},
                                 {"bytes_out", report.bytes_out}};
        if (report.ending.error) {
            output_.note("The link with {peer} ended: {line}",
                         {{"peer", peer}, {"line", output_.line_of(*report.ending.error)}});
            fields["error"] = output_.fields_of(*report.ending.error);
        } else {
            output_.note("Nothing is left to tell {peer}: {in} received, {out} sent.",
                         {{"peer", peer},
                          {"in", text::size_text(report.bytes_in)},
                          {"out", text::size_text(report.bytes_out)}});
        }
        for (const std::string& course : report.conversation.completed)
            output_.note("Complete now: {course}", {{"course", course}});
        fields["completed"] = report.conversation.completed;
        for (const Error& error : report.conversation.refused)
            output_.note("Not taken from {peer}: {line}", {{"peer", peer}, {"line", output_.line_of(error)}});
        for (const Error& error : report.conversation.not_given)
            output_.note("Not given to {peer}: {line}", {{"peer", peer}, {"line", output_.line_of(error)}});
        output_.item(std::move(fields));
    }

    CareNews of_care() {
        return {.found =
                    [this](const store::Damage& damage) {
                        const std::lock_guard lock(mutex_);
                        commands::say_damage(output_, damage);
                    },
                .lost =
                    [this](const site::Loss& loss) {
                        const std::lock_guard lock(mutex_);
                        commands::say_loss(output_, loss);
                    },
                .failed =
                    [this](const Error& error) {
                        const std::lock_guard lock(mutex_);
                        output_.note("The store could not be looked after: {line}",
                                     {{"line", output_.line_of(error)}});
                    }};
    }

  private:
    std::mutex mutex_;
    commands::Output& output_;
};

Result<void> begin_links(LocalService& service, const commands::Arguments& arguments, News& news) {
    const std::optional<std::string> listen = arguments.optional("--listen");
    std::vector<link::Address> peers;
    for (const std::string& text : arguments.list("--peer")) {
        SATCHEL_TRY(link::Address peer, link::parse_address(text, false));
        peers.push_back(std::move(peer));
    }
    SATCHEL_TRY(link::Links* const links,
                service.links([&news](const link::Event& event) { news.tell(event); }));
    if (listen) {
        SATCHEL_TRY(const link::Address address, link::parse_address(*listen, true));
        SATCHEL_TRY(const std::string real, links->listen(address));
        news.listening(real);
    }
    for (const link::Address& peer : peers) links->keep(peer);
    return {};
}

// Null when nobody asked to play.
Result<std::unique_ptr<play::PlayServer>> start_playing(LocalService& service,
                                                        const commands::Arguments& arguments, BoxWorld& world,
                                                        News& news) {
    if (!arguments.has("--play")) return std::unique_ptr<play::PlayServer>();
    const play::PlayOptions options{.address = arguments.text("--play"),
                                    .web_address = arguments.optional("--play-web"),
                                    .names = arguments.list("--play-name")};
    SATCHEL_TRY(
        std::unique_ptr<play::PlayServer> player,
        play::PlayServer::start(
            options,
            play::make_site_library(
                service.site(), [&service](const std::function<void()>& work) { service.with_engine(work); }),
            world.random));
    news.playing(*player);
    return player;
}

}  // namespace

Result<int> serve(const std::string& folder, const commands::Arguments& arguments, Streams& streams,
                  commands::Output& output) {
    SATCHEL_TRY(const SiteLock lock, SiteLock::take(folder));
    SATCHEL_TRY(const std::uint64_t care_a_day,
                commands::byte_count_of(arguments, "--care", Caretaker::kBytesADay));
    BoxWorld world;
    News news(output);
    {
        SATCHEL_TRY(const std::unique_ptr<LocalService> service, LocalService::open(folder, world));
        SATCHEL_TRY(OwnerServer server, OwnerServer::start(folder));
        output.note("Serving {path}; stop it with Ctrl-C.", {{"path", folder}});
        SATCHEL_TRY(const std::unique_ptr<play::PlayServer> player,
                    start_playing(*service, arguments, world, news));
        SATCHEL_TRY_VOID(begin_links(*service, arguments, news));
        const Caretaker caretaker(*service, care_a_day, news.of_care());
        SATCHEL_TRY_VOID(server.run(*service, [&] { return streams.cancelled(); }));
    }
    output.note("Stopped.");
    return kExitDone;
}

}  // namespace satchel::cli
