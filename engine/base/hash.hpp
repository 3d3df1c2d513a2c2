// BLAKE2b-256 (RFC 7693, unkeyed, 32-byte digest) through libsodium; `b2sum -l 256` prints the same.
// It is Satchel's only content hash.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "engine/base/bytes.hpp"

namespace satchel {

using Digest = std::array<std::uint8_t, 32>;

// Incremental; copying it forks the computation.
class Hasher {
  public:
    Hasher();
    Hasher& update(ByteView bytes);
    Hasher& update(std::string_view text) { return update(bytes_of(text)); }
    [[nodiscard]] Digest finish();  // once; the hasher is spent afterwards

  private:
    alignas(64) std::array<std::uint8_t, 384> state_;
};

[[nodiscard]] Digest hash_of(ByteView bytes);

// A 32-byte name with a meaning; names of different meaning do not mix.
template <typename Tag>
struct HashId {
    Digest digest{};

    friend auto operator<=>(const HashId&, const HashId&) = default;
    [[nodiscard]] ByteView view() const { return digest; }
    [[nodiscard]] bool is_zero() const { return digest == Digest{}; }
};

}  // namespace satchel
