#include "engine/base/mask.hpp"

#include <sodium.h>

#include <array>

namespace satchel {

void mask(std::span<std::uint8_t> bytes, const Digest& key) {
    static_assert(std::tuple_size_v<Digest> == crypto_stream_chacha20_ietf_KEYBYTES);
    constexpr std::array<std::uint8_t, crypto_stream_chacha20_ietf_NONCEBYTES> kNonce{};
    crypto_stream_chacha20_ietf_xor(bytes.data(), bytes.data(), bytes.size(), kNonce.data(), key.data());
}

}  // namespace satchel
