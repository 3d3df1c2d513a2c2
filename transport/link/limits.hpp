// Every time and every ceiling of links, with its reason. Tests shorten the times.
#pragma once

#include <cstddef>
#include <cstdint>

namespace satchel::link {

// The port of `serve --listen` and of an address that names none: unassigned at IANA, above the privileged.
inline constexpr std::uint16_t kPort = 7247;

struct Times {
    // Outages cost more than loss. A patient connection sleeps through the next window: closing after 3 s of
    // silence and trying anew every 2 s used 76-94 % of windows of 30 s, one patient connection 17-23 %.
    std::int64_t silence_ms = 3'000;
    // Three of them fit into the silence, so that two may be lost or late.
    std::int64_t last_look_ms = 50;  // before silence is believed: this box may have been busy
    std::int64_t keepalive_ms = 1'000;
    std::int64_t connect_ms = 2'000;  // an attempt, and from the begin of one to the begin of the next
    // So long an outage is taken for a gap between two windows: no pause grows.
    std::int64_t patient_ms = 120'000;
    std::int64_t retry_max_ms = 30'000;  // then pauses double, up to this: a SYN of 60 bytes costs little
    std::int64_t handshake_ms = 30'000;  // from the connection to the end of the greeting
    // After the last word of one end, the other may still be storing what came.
    std::int64_t goodbye_ms = 30'000;
    std::int64_t again_ms = 600'000;       // `serve --peer`: a contact although nothing changed here
    std::int64_t change_pause_ms = 2'000;  // changes come in bursts: one contact for all of them
};

struct Ceilings {
    std::size_t connections = 64;             // at most 64 x 4.5 MiB if all of them were hostile
    std::size_t connections_per_address = 8;  // a school behind one address, and dead ones not yet noticed
    std::size_t greetings = 16;               // connections that have not proved who they are
    std::size_t greetings_per_second = 20;    // each costs three X25519: 0.1 ms here, 1-2 ms on a small box
};

// One message at work, one behind it; more wait in the kernel, whose window holds the sender back.
inline constexpr std::size_t kStepsWaitingMax = 4;
inline constexpr std::size_t kInboxBytesMax = 256 * 1024;
// What the engine has ready for the wire: a second at 2 Mbit/s, so that what is urgent comes soon.
inline constexpr std::size_t kOutboxBytesMax = 256 * 1024;
inline constexpr std::size_t kReadBytes = 64 * 1024;  // of one read from the kernel
// Unsent bytes in the kernel beyond this could not be taken back for what is more urgent.
inline constexpr int kNotSentMax = 128 * 1024;
inline constexpr int kUnacknowledgedMs = 10'000;  // the kernel's own end of a dead connection
inline constexpr int kListenQueue = 64;
inline constexpr std::size_t kAddressesRememberedMax = 256;  // peers' keys by address; forgetting costs 1 RTT
inline constexpr std::size_t kEndpointsMax = 8;              // of one name: tried in turn
// A peer that closes so often in the greeting is not busy but does not want us, or is no satchel.
inline constexpr std::size_t kClosedGreetingsMax = 3;

}  // namespace satchel::link
