// What a command and the owner of a site say over the site's socket. Frames: u32 length (of what follows),
// u8 kind, bytes; little-endian. The owner begins with kHello and its version; the command sends one
// kRequest; the owner answers with kOut and kErr frames and ends with kExit. Both sides are of one user.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/invocation.hpp"
#include "engine/base/bytes.hpp"
#include "engine/env/os/posix_disk.hpp"

namespace satchel::cli {

inline constexpr std::uint32_t kOwnerVersion = 1;
inline constexpr std::size_t kFrameMax = 1024 * 1024;        // holds the longest request: input and arguments
inline constexpr std::size_t kOutputFrameBytes = 64 * 1024;  // longer output is cut into frames of this size
inline constexpr std::size_t kArgumentsMax = 10'000;

enum class FrameKind : std::uint8_t { kHello = 1, kRequest = 2, kOut = 3, kErr = 4, kExit = 5 };

struct Frame {
    FrameKind kind = FrameKind::kHello;
    ByteBuffer bytes;
};

[[nodiscard]] ByteBuffer encode(const Invocation& invocation);
Result<Invocation> decode_invocation(ByteView bytes);
[[nodiscard]] ByteBuffer encode_number(std::uint32_t number);
[[nodiscard]] std::optional<std::uint32_t> decode_number(ByteView bytes);

// Asked while waiting; true ends the wait with kCancelled.
using ShouldStop = std::function<bool()>;
inline constexpr int kPollMs = 200;  // how often ShouldStop is asked

// kUnreachable when the other side is gone or silent for `timeout_ms` (0: for ever), kDamaged for what is no
// frame.
Result<Frame> receive_frame(int socket, int timeout_ms, const ShouldStop& should_stop);
Result<void> send_frame(int socket, FrameKind kind, ByteView bytes, int timeout_ms,
                        const ShouldStop& should_stop);
[[nodiscard]] bool peer_is_gone(int socket);

// The site's socket, whatever the length of the folder's path: reached through /proc/self/fd.
Result<env::os::Descriptor> listen_in(const std::string& folder, int waiting_max);
Result<env::os::Descriptor> connect_in(
    const std::string& folder);  // kBusy when nobody listens or the queue is full

}  // namespace satchel::cli
