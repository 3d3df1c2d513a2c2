// SHA-1 (RFC 3174), for the checksums that git's pack files end in: libgit2 hashes whole objects only.
// Nothing of ours trusts it. Private to engine/catalogue.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.hpp"

namespace satchel::catalogue {

class Sha1 {
  public:
    using Sum = std::array<std::uint8_t, 20>;
    void update(ByteView bytes);
    [[nodiscard]] Sum finish();  // once; the object is spent afterwards

  private:
    static constexpr std::size_t kBlock = 64;
    void take_block(const std::uint8_t* block);
    std::array<std::uint32_t, 5> state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    std::array<std::uint8_t, kBlock> pending_{};
    std::uint64_t size_ = 0;
};

}  // namespace satchel::catalogue
