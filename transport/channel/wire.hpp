// The numbers of schemas/channel.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "transport/channel/cipher.hpp"

namespace satchel::channel {

inline constexpr std::string_view kMagic = "SLNK";
inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kPreambleSize = 8;  // magic, version, contact, two roles

inline constexpr std::size_t kKeySize = 32;
inline constexpr std::size_t kIkFirstSize =
    kKeySize + (kKeySize + kTagSize) + kTagSize;  // and the early message
inline constexpr std::size_t kIkSecondSize = kKeySize + kTagSize;
inline constexpr std::array<std::size_t, 3> kXxSizes = {
    kKeySize + kTagSize, kKeySize + (kKeySize + kTagSize) + kTagSize, (kKeySize + kTagSize) + kTagSize};

// First byte of what a frame seals.
enum class FrameKind : std::uint8_t {
    kLast = 0,     // the message's last piece, or all of it
    kMore = 1,     // a piece, and more to come
    kRekey = 2,    // the sender's next frame is under the next key
    kEnd = 3,      // the sender's last word
    kRefusal = 4,  // by the answering end, and its last: one byte says why
};
inline constexpr std::uint8_t kFrameKinds = 5;

enum class Refusal : std::uint8_t { kUnknown = 1, kRevoked = 2, kNotNow = 3 };

}  // namespace satchel::channel
