#include "transport/link/links.hpp"

#include <algorithm>
#include <condition_variable>
#include <future>
#include <list>
#include <map>
#include <mutex>

#include "transport/link/dialler.hpp"
#include "transport/link/errors.hpp"

namespace satchel::link {

namespace {

constexpr std::chrono::milliseconds kContactPoll(100);  // how often a contact looks whether it should stop

// What one contact and the network's thread tell each other.
struct Contact {
    std::mutex mutex;
    std::condition_variable changed;
    bool finished = false;
    bool linked = false;
    std::uint64_t bytes = 0;   // both ways, over all links
    std::uint64_t chunks = 0;  // likewise
    ContactReport report;
    // The network's thread alone:
    std::unique_ptr<Dialler> dialler;
    std::uint64_t bytes_before = 0, chunks_before = 0;  // of links that are over
};

}  // namespace

struct Links::State {
    explicit State(LinksSetup given)
        : setup(std::move(given)),
          network(Network::start()),
          world{.host = setup.host,
                .turn = setup.turn,
                .clock = setup.clock,
                .random = setup.random,
                .times = setup.times,
                .on_engine = [this](std::function<void()> job) { network->on_engine(std::move(job)); },
                .on_network = [this](std::function<void()> job) { network->on_network(std::move(job)); }} {}

    // Of the network's thread, all of it.
    std::shared_ptr<Wire> adopt(std::unique_ptr<Stream> stream, std::shared_ptr<Link> link);
    void on_accepted(std::unique_ptr<Stream> stream);
    void on_wire(Wire& wire);
    void on_live(Wire& wire);
    void on_over(const LinkReport& report);
    [[nodiscard]] bool may_greet(const std::string& address);
    void drop_closed();
    void tell(Event::Kind kind, const LinkReport& report) const;
    void stop_all();

    LinksSetup setup;
    std::unique_ptr<Network> network;
    LinkWorld world;
    std::vector<std::unique_ptr<Acceptor>> acceptors;
    std::vector<std::unique_ptr<Dialler>> kept;
    std::list<std::shared_ptr<Contact>> contacts;
    std::list<std::shared_ptr<Wire>> wires;
    std::int64_t greetings_since = 0;  // begin of the second that is counted
    std::size_t greetings = 0;         // in it
    std::size_t refused = 0;
    bool stopping = false;
};

// -- wires ----------------------------------------------------------------------------------------

std::shared_ptr<Wire> Links::State::adopt(std::unique_ptr<Stream> stream, std::shared_ptr<Link> link) {
    auto wire = std::make_shared<Wire>(*network, setup.clock, std::move(stream), std::move(link));
    wires.push_back(wire);
    wire->run([this](Wire& changed) { on_wire(changed); });
    if (stopping) wire->stop(link::stopping());
    return wire;
}

void Links::State::on_accepted(std::unique_ptr<Stream> stream) {
    if (stopping) return;
    drop_closed();
    if (!may_greet(stream->peer_address())) {
        ++refused;
        return;  // which closes it
    }
    const std::shared_ptr<Link> link = Link::answer(world, stream->peer_address());
    link->when_over([this](const LinkReport& report) { on_over(report); });
    adopt(std::move(stream), link);
}

bool Links::State::may_greet(const std::string& address) {
    const Ceilings& ceilings = setup.ceilings;
    const std::int64_t now = static_cast<std::int64_t>(setup.clock.steady_ms());
    if (now - greetings_since >= 1000) {
        greetings_since = now;
        greetings = 0;
    }
    std::size_t of_address = 0, greeting = 0;
    for (const std::shared_ptr<Wire>& wire : wires) {
        if (wire->peer_address() == address) ++of_address;
        if (!wire->link().dialled() && !wire->link().is_peer_live()) ++greeting;
    }
    if (wires.size() >= ceilings.connections || of_address >= ceilings.connections_per_address ||
        greeting >= ceilings.greetings || greetings >= ceilings.greetings_per_second)
        return false;
    ++greetings;
    return true;
}

void Links::State::drop_closed() {
    wires.remove_if([](const std::shared_ptr<Wire>& wire) { return !wire->is_open(); });
}

void Links::State::on_wire(Wire& wire) {
    if (!wire.noted_live && wire.link().is_peer_live() && wire.is_open()) {
        wire.noted_live = true;
        on_live(wire);
    }
    for (const std::shared_ptr<Contact>& contact : contacts) {
        if (!contact->dialler || contact->dialler->link() != &wire.link()) continue;
        const std::lock_guard lock(contact->mutex);
        contact->linked = wire.link().is_greeted();
        contact->bytes =
            contact->bytes_before + wire.link().report().bytes_in + wire.link().report().bytes_out;
        contact->chunks =
            contact->chunks_before + wire.link().counts().chunks_taken + wire.link().counts().chunks_given;
    }
}

// A replay of an old greeting never comes here: only the peer itself ends its older link.
void Links::State::on_live(Wire& wire) {
    tell(Event::Kind::kGreeted, wire.link().report());
    const SiteId peer = wire.link().peer()->site;
    std::vector<std::shared_ptr<Wire>> older;
    for (const std::shared_ptr<Wire>& other : wires)
        if (other.get() != &wire && other->is_open() && other->noted_live &&
            other->link().dialled() == wire.link().dialled() && other->link().peer()->site == peer)
            older.push_back(other);
    // Not within its own callback: it may be the one that called.
    for (const std::shared_ptr<Wire>& other : older)
        network->on_network([other] { other->stop(replaced(other->peer_address())); });
}

void Links::State::on_over(const LinkReport& report) {
    drop_closed();
    tell(Event::Kind::kOver, report);
    if (report.ending.by == EndedBy::kBothDone && report.peer)
        for (const std::unique_ptr<Dialler>& dialler : kept)
            dialler->note_told(report.peer->site, report.stamp);
    for (const std::unique_ptr<Dialler>& dialler : kept) dialler->note_change(report.stamp);
}

void Links::State::tell(Event::Kind kind, const LinkReport& report) const {
    if (!setup.on_event) return;
    setup.on_event({kind, report.peer ? setup.host.book().name_of(*report.peer) : "", report});
}

void Links::State::stop_all() {
    stopping = true;
    acceptors.clear();
    for (const std::unique_ptr<Dialler>& dialler : kept) dialler->stop(link::stopping());
    for (const std::shared_ptr<Contact>& contact : contacts)
        if (contact->dialler) contact->dialler->stop(link::stopping());
    const std::list<std::shared_ptr<Wire>> all = wires;
    for (const std::shared_ptr<Wire>& wire : all) wire->stop(link::stopping());
}

// -- what others ask for --------------------------------------------------------------------------

Links::Links(LinksSetup setup) : state_(std::make_unique<State>(std::move(setup))) {}

Links::~Links() {
    state_->network->stop([this] { state_->stop_all(); });
}

Result<std::string> Links::listen(const Address& address) {
    std::promise<Result<std::string>> promise;
    state_->network->on_network([this, &address, &promise] {
        Result<std::unique_ptr<Acceptor>> acceptor = state_->network->listen(
            address, [this](std::unique_ptr<Stream> stream) { state_->on_accepted(std::move(stream)); });
        if (!acceptor.has_value()) return promise.set_value(acceptor.error());
        const std::string real = (*acceptor)->address();
        state_->acceptors.push_back(std::move(*acceptor));
        promise.set_value(real);
    });
    return promise.get_future().get();
}

void Links::keep(const Address& address) {
    State& state = *state_;
    state.network->on_network([&state, address] {
        DialHooks hooks;
        hooks.adopt = [&state](std::unique_ptr<Stream> stream, std::shared_ptr<Link> link) {
            return state.adopt(std::move(stream), std::move(link));
        };
        hooks.link_over = [&state](const LinkReport& report) { state.on_over(report); };
        hooks.finished = [](const std::optional<Error>&) {};
        state.kept.push_back(std::make_unique<Dialler>(*state.network, state.world, address,
                                                       DialPlan{.keep = true}, std::move(hooks)));
        state.kept.back()->start();
    });
}

void Links::note_change() {
    const std::uint64_t stamp = state_->setup.host.change_stamp();
    State& state = *state_;
    state.network->on_network([&state, stamp] {
        for (const std::unique_ptr<Dialler>& dialler : state.kept) dialler->note_change(stamp);
    });
}

Links::Counts Links::counts() {
    std::promise<Counts> promise;
    state_->network->on_network([this, &promise] {
        state_->drop_closed();
        Counts counts{state_->wires.size(), 0, state_->refused};
        for (const std::shared_ptr<Wire>& wire : state_->wires)
            if (!wire->link().is_peer_live()) ++counts.greeting;
        promise.set_value(counts);
    });
    return promise.get_future().get();
}

namespace {

void add(ContactReport& sum, const LinkReport& link) {
    if (link.heard_a_frame) ++sum.links;
    if (link.ending.error && sum.cuts.size() < kCutsListMax) sum.cuts.push_back(*link.ending.error);
    sum.bytes_in += link.bytes_in;
    sum.bytes_out += link.bytes_out;
    sum.handshake_bytes_in += link.handshake_bytes_in;
    sum.handshake_bytes_out += link.handshake_bytes_out;
    sum.connect_ms += link.connect_ms;
    sum.handshake_ms += link.handshake_ms;
    sum.talk_ms += link.talk_ms;
    add(sum.conversation, link.conversation);
}

DialHooks hooks_of(const std::shared_ptr<Contact>& contact,
                   std::function<std::shared_ptr<Wire>(std::unique_ptr<Stream>, std::shared_ptr<Link>)> adopt,
                   std::function<void(const LinkReport&)> link_over,
                   std::function<std::string(const channel::Peer&)> name_of) {
    DialHooks hooks;
    hooks.adopt = std::move(adopt);
    hooks.link_over = [weak = std::weak_ptr(contact), link_over, name_of](const LinkReport& report) {
        link_over(report);
        const std::shared_ptr<Contact> of = weak.lock();
        if (!of) return;
        of->bytes_before += report.bytes_in + report.bytes_out;
        of->chunks_before += report.conversation.chunks_taken + report.conversation.chunks_given;
        const std::lock_guard lock(of->mutex);
        of->linked = false;
        if (report.peer) of->report.peer = name_of(*report.peer);
        add(of->report, report);
    };
    hooks.finished = [weak = std::weak_ptr(contact)](const std::optional<Error>& error) {
        const std::shared_ptr<Contact> of = weak.lock();
        if (!of) return;
        const std::lock_guard lock(of->mutex);
        of->finished = true;
        of->report.error = error;
        of->changed.notify_all();
    };
    return hooks;
}

ProgressUpdate progress_of(Contact& contact) {
    const std::lock_guard lock(contact.mutex);
    ProgressUpdate now{.stage = contact.linked ? Literal("exchanging") : Literal("connecting"), .item = ""};
    now.items_done = contact.chunks;
    now.bytes_done = contact.bytes;
    return now;
}

}  // namespace

ContactReport Links::contact(const Address& address, std::int64_t wait_ms, Progress& progress) {
    State& state = *state_;
    const auto contact = std::make_shared<Contact>();
    state.network->on_network([&state, contact, address, wait_ms] {
        contact->dialler = std::make_unique<Dialler>(
            *state.network, state.world, address, DialPlan{.keep = false, .wait_ms = wait_ms},
            hooks_of(
                contact,
                [&state](std::unique_ptr<Stream> stream, std::shared_ptr<Link> link) {
                    return state.adopt(std::move(stream), std::move(link));
                },
                [&state](const LinkReport& report) { state.on_over(report); },
                [&state](const channel::Peer& peer) { return state.setup.host.book().name_of(peer); }));
        state.contacts.push_back(contact);
        contact->dialler->start();
        if (state.stopping) contact->dialler->stop(link::stopping());
    });
    bool told_to_stop = false;
    while (true) {
        {
            std::unique_lock lock(contact->mutex);
            contact->changed.wait_until(lock, std::chrono::system_clock::now() + kContactPoll);
            if (contact->finished) break;
        }
        if (told_to_stop || progress.update(progress_of(*contact)).has_value()) continue;
        told_to_stop = true;
        state.network->on_network([contact] {
            if (contact->dialler) contact->dialler->stop(link::stopping());
        });
    }
    state.network->on_network([&state, contact] {
        contact->dialler.reset();
        state.contacts.remove(contact);
    });
    const std::lock_guard lock(contact->mutex);
    return contact->report;  // the dialler is done with it
}

}  // namespace satchel::link
