// One encrypted conversation between two sites, without input or output: received bytes are fed in, bytes to
// send are drained, whole messages come and go (schemas/channel.md).
//
//     feed(bytes) --> take()        a message of the other end
//     send(message) --> to_send()   bytes for the other end
//
// Guarantees: messages arrive whole, once, in order and unaltered, or the channel ends; a frame that was
// flipped, dropped, repeated or swapped ends it. Nothing of an end that the roster does not name is handed
// out. Memory is bounded by Limits whatever comes. The first message of a known dialler may come as
// a replay (Incoming::replayable): it may only ask what can be asked twice.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "engine/base/ids.hpp"
#include "engine/env/clock.hpp"
#include "engine/trust/enrolment.hpp"
#include "transport/channel/frame_reader.hpp"
#include "transport/channel/noise.hpp"
#include "transport/channel/wire.hpp"

namespace satchel::channel {

// One parcel of freight (2 MiB) and room for what a message wraps around it.
inline constexpr std::size_t kMessageMax = 2 * 1024 * 1024 + 4096;
// Room for a greeting with what moved since last time; small, since it is buffered before the peer is known.
inline constexpr std::size_t kEarlyMessageMax = 4096;
// What this end puts into one frame: a frame cut in its middle is lost, 65 ms' worth at 2 Mbit/s.
inline constexpr std::size_t kPieceMax = 16 * 1024;
// can_send() holds back above this, so that what is urgent never waits behind more than a quarter second.
inline constexpr std::size_t kOutputMax = 64 * 1024;
// A key is replaced after so many frames, or so much time, whichever comes first.
inline constexpr std::uint64_t kFramesPerKeyMax = std::uint64_t{1} << 20;
inline constexpr std::int64_t kKeyLifeMs = 60 * 60 * 1000;
// Several round trips of 600 ms with losses fit; a dialler that only holds the line does not.
inline constexpr std::int64_t kHandshakeLifeMs = 30 * 1000;

// Both ends must have the same: other than the format's only in tests.
struct Limits {
    std::size_t message_bytes = kMessageMax;
    std::uint64_t frames_per_key = kFramesPerKeyMax;
};

enum class Contact : std::uint8_t { kKnown = 1, kFirst = 2 };  // as on the wire: IK, XXpsk3

// What each end is in its network, as the dialler says it: in clear, and bound by the handshake. 0: not said.
struct Roles {
    std::uint8_t dialler = 0;
    std::uint8_t answerer = 0;
    friend bool operator==(const Roles&, const Roles&) = default;
};

[[nodiscard]] std::uint8_t role_byte(trust::SiteRole role);

struct Claim {
    Contact contact = Contact::kKnown;
    trust::SealingPublicKey key{};  // the other end has proved that it holds it
    Roles roles{};                  // to be compared with the roster
};
struct Peer {
    SiteId site{};
    trust::SealingPublicKey key{};
};
// Looks the key up in the roster. kNotFound and kRefused are told to the other end as "unknown" and
// "revoked", any other error as "not now": unknown_peer() and revoked_peer() of errors.hpp are meant for
// this.
using Identify = std::function<Result<SiteId>(const Claim& claim)>;

// Borrowed things must outlive the channel.
struct Setup {
    NetworkId network{};
    const trust::SealingKey& key;                // the site's sealing key is its static key
    const Secret<32>* network_secret = nullptr;  // for first contacts; an answerer without it takes none
    env::Random& random;
    Identify identify;
    Limits limits{};
};

struct Incoming {
    ByteBuffer bytes;
    bool replayable = false;  // came with the first handshake message, which anyone can send again
};

// States:
//
//     kHandshake --both proved--> kOpen --both said their last word--> kClosed
//          |                        |
//          +------- anything wrong, or refused ------> kFailed
enum class State { kHandshake, kOpen, kClosed, kFailed };

// Instants come from a clock that does not jump.
class Channel {
  public:
    // To a site of the roster. `early` (may be empty) goes out with the first bytes. Fails if identify()
    // does not want the peer, or `early` is larger than kEarlyMessageMax.
    static Result<std::unique_ptr<Channel>> dial_known(Setup setup, Roles roles,
                                                       const trust::SealingPublicKey& peer, ByteView early,
                                                       env::Instant now);
    // To whoever knows the network's secret, which must be given.
    static Result<std::unique_ptr<Channel>> dial_first(Setup setup, Roles roles, env::Instant now);
    static std::unique_ptr<Channel> answer(Setup setup, env::Instant now);

    // How many bytes were taken: not all, if a message waits for take(). An error is the channel's end.
    Result<std::size_t> feed(ByteView bytes, env::Instant now);
    [[nodiscard]] std::optional<Incoming> take();
    // The carrier has no more bytes. kUnreachable, unless the other end has said its last word.
    Result<void> end_of_stream();

    // After a failure this may hold a last word for the other end; nothing is lost if it is not sent.
    [[nodiscard]] ByteView to_send() const { return ByteView(out_).subspan(out_at_); }
    void on_sent(std::size_t count);  // of to_send(), from its begin

    // One message at a time: only while can_send(). kTooLarge leaves the channel as it was.
    Result<void> send(ByteView message, env::Instant now);
    [[nodiscard]] bool can_send() const;
    Result<void> close(env::Instant now);  // our last word; the other end may still talk

    Result<void> on_tick(env::Instant now);
    [[nodiscard]] std::optional<env::Instant> next_deadline() const;

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
    [[nodiscard]] const std::optional<Peer>& peer() const { return peer_; }
    // The peer has answered to this very conversation: it is no replay.
    [[nodiscard]] bool is_peer_live() const { return peer_live_; }
    [[nodiscard]] bool is_peer_done() const { return peer_done_; }  // the other end has said its last word
    // A key for keyed digests that both ends share and nobody could know before they met. It is no secret:
    // who taps the line can compute it. None before the handshake ended.
    [[nodiscard]] std::optional<Digest> digest_key(std::string_view purpose) const;
    [[nodiscard]] std::size_t held_bytes() const;  // memory in use for what came and what is to be sent

  private:
    Channel(Setup setup, Side side, env::Instant now);
    void begin_handshake(Contact contact, Roles roles, std::optional<trust::SealingPublicKey> peer);
    void expect_next();
    Result<void> on_piece(ByteView piece, env::Instant now);
    Result<void> on_preamble(ByteView preamble);
    Result<void> on_handshake(ByteView message, env::Instant now);
    Result<void> write_handshake(ByteView payload);
    Result<void> identify(const trust::SealingPublicKey& key);
    Error refuse(Error error);
    void open(env::Instant now);
    Result<void> on_frame(ByteView sealed);
    Result<void> on_data(ByteView data, bool is_last);
    Result<void> on_end();
    Error refused_by_peer(ByteView reason) const;
    void send_frame(FrameKind kind, ByteView data, env::Instant now);
    void seal_frame(FrameKind kind, ByteView data);
    Error end_with(Error error);

    Setup setup_;
    Side side_;
    State state_ = State::kHandshake;
    Contact contact_ = Contact::kKnown;
    Roles roles_{};
    env::Instant deadline_{};  // of the handshake
    std::optional<Handshake> handshake_;
    std::size_t handshake_messages_ = 0;
    std::optional<HandshakeHash> session_;
    std::optional<Peer> peer_;
    bool peer_live_ = false;
    std::optional<Error> failure_;

    FrameReader reader_;
    std::optional<Opener> opener_;
    std::uint64_t frames_in_ = 0;  // under the present key
    ByteBuffer joining_;           // the first pieces of a message of which more is to come; else empty
    std::optional<Incoming> incoming_;
    bool peer_done_ = false;

    std::optional<Sealer> sealer_;
    std::uint64_t frames_out_ = 0;
    env::Instant key_since_{};
    ByteBuffer out_;
    std::size_t out_at_ = 0;  // before it: sent
    bool done_ = false;       // our last word is said
};

}  // namespace satchel::channel
