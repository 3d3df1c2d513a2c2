// One connection to another site: its channel, its times, and the conversation that it carries. Without
// sockets: bytes are brought and fetched, and time is told. On the network's thread, but for what it asks the
// engine's thread to do.
//
//     kPreparing  the conversation with a known site begins: its greeting rides in the first bytes
//     kGreeting   the handshake
//     kTalking    messages both ways; a byte at least each second
//     kLeaving    our last word is said; the other end's is awaited
//     kOver       ended well, or cut
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "transport/channel/channel.hpp"
#include "transport/link/limits.hpp"
#include "transport/link/talk.hpp"

namespace satchel::link {

// Who said that it is over: what to do next depends on it.
enum class EndedBy : std::uint8_t {
    kBothDone,
    kCarrier,   // the line: try again
    kGreeting,  // the other end is not what was sought, or does not want us
    kPeer,      // it broke the rules after the greeting
    kEngine,    // this site cannot or will not go on
    kUs,        // stopped, or replaced
};

struct Ending {
    EndedBy by = EndedBy::kBothDone;
    std::optional<Error> error;  // none if both were done
    bool closed_in_greeting = false;
};

struct LinkReport {
    Ending ending;
    std::string address;
    std::optional<channel::Peer> peer;
    bool dialled = false;
    bool first_contact = false;
    bool heard_a_frame = false;  // a frame of the peer has opened: it holds its key, and the secret
    std::uint64_t bytes_in = 0, bytes_out = 0;                      // all that the channel took and gave
    std::uint64_t handshake_bytes_in = 0, handshake_bytes_out = 0;  // of them
    std::uint64_t connect_ms = 0, handshake_ms = 0, talk_ms = 0;
    ConversationReport conversation;
    std::uint64_t stamp = 0;  // Host::change_stamp() at its end
};

// What all links of a site share. Everything is borrowed.
struct LinkWorld {
    Host& host;
    EngineTurn& turn;
    env::Clock& clock;
    env::Random& random;  // anybody's
    Times times;
    std::function<void(std::function<void()>)> on_engine;   // runs it on the engine's thread
    std::function<void(std::function<void()>)> on_network;  // runs it on the network's thread
};

enum class Phase : std::uint8_t { kPreparing, kGreeting, kTalking, kLeaving, kOver };

class Link : public std::enable_shared_from_this<Link> {
  public:
    // `remembered`: the peer's key, if it is known; without it this is a first contact.
    static std::shared_ptr<Link> dial(const LinkWorld& world, std::string address,
                                      const std::optional<trust::SealingPublicKey>& remembered);
    static std::shared_ptr<Link> answer(const LinkWorld& world, std::string address);

    // Called whenever there may be something to do that nobody outside did.
    void when_moved(std::function<void()> moved) { moved_ = std::move(moved); }
    // Called once, when the engine's half has ended too.
    void when_over(std::function<void(const LinkReport&)> over) { over_ = std::move(over); }

    void note_connect(std::int64_t ms) { report_.connect_ms = static_cast<std::uint64_t>(ms); }
    void on_bytes(ByteView bytes);
    void on_end_of_stream();
    void on_broken(Error error);  // by the carrier
    void stop(Error error);       // by us
    [[nodiscard]] bool wants_bytes() const;
    [[nodiscard]] ByteView to_send() const;
    void on_sent(std::size_t count);
    void on_tick();
    [[nodiscard]] std::optional<env::Instant> next_deadline() const;

    [[nodiscard]] Phase phase() const { return phase_; }
    [[nodiscard]] bool is_greeted() const { return report_.peer.has_value(); }
    [[nodiscard]] bool is_peer_live() const { return channel_ && is_greeted() && channel_->is_peer_live(); }
    [[nodiscard]] bool dialled() const { return report_.dialled; }
    [[nodiscard]] const std::optional<channel::Peer>& peer() const { return report_.peer; }
    [[nodiscard]] const LinkReport& report() const { return report_; }
    [[nodiscard]] const Conversation::Counts& counts() const { return counts_; }

  private:
    Link(const LinkWorld& world, std::string address, bool dialled);
    [[nodiscard]] env::Instant now() const {
        return env::Instant{static_cast<std::int64_t>(world_.clock.steady_ms())};
    }
    [[nodiscard]] channel::Setup setup();
    void start_dial(const std::optional<trust::SealingPublicKey>& remembered);
    void open_channel();
    void drain();
    void on_open();
    void deliver(channel::Incoming incoming);
    void ask(std::size_t bytes_brought, std::function<Answer(Talk&, std::size_t room)> step);
    void on_answer(Answer answer, std::size_t room, std::size_t bytes_brought);
    void pump();
    void maybe_leave();
    [[nodiscard]] bool minds_silence() const;
    void finish(EndedBy by, std::optional<Error> error);

    const LinkWorld& world_;
    Phase phase_ = Phase::kPreparing;
    LinkReport report_;
    std::unique_ptr<channel::Channel> channel_;  // none while preparing
    std::shared_ptr<Talk> talk_;
    std::optional<trust::SealingPublicKey> remembered_;
    std::function<void()> moved_;
    std::function<void(const LinkReport&)> over_;

    ByteBuffer unread_;  // came, but the engine is behind
    std::deque<ByteBuffer> outbox_;
    std::size_t outbox_bytes_ = 0;
    std::size_t room_asked_ = 0;  // of the outbox, promised to steps under way
    std::size_t steps_waiting_ = 0;
    std::size_t inbox_bytes_ = 0;
    bool begun_ = false;
    bool quiet_ = true;
    bool done_ = false;
    bool silence_suspected_ = false;
    bool ticking_ = false;                  // a tick is among the steps
    std::optional<env::Instant> deadline_;  // the conversation's
    env::Instant began_{}, opened_{}, heard_{}, spoke_{}, left_{};
    Conversation::Counts counts_;
};

}  // namespace satchel::link
