// Bytes that are the same for the same seed.
#pragma once

#include "engine/base/bytes.hpp"

namespace satchel {

inline ByteBuffer noise(std::size_t size, std::uint64_t seed) {
    ByteBuffer bytes(size);
    for (std::uint8_t& byte : bytes) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        byte = static_cast<std::uint8_t>(seed >> 56);
    }
    return bytes;
}

}  // namespace satchel
