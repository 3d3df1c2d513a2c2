// BLAKE2b-256 of up to four inputs that come piece by piece, side by side: the digests that Hasher gives, at
// more than twice the rate where the processor has AVX2 and the pieces are of about one length.
#pragma once

#include <array>
#include <span>

#include "engine/base/blake2b_lanes.hpp"
#include "engine/base/hash.hpp"

namespace satchel {

class HasherRow {
  public:
    static constexpr std::size_t kInputs = 4;

    HasherRow();
    void begin(std::size_t input);  // anew
    // pieces[i] goes on with input i. One that is not begun has no piece.
    void update(const std::array<ByteView, kInputs>& pieces);
    [[nodiscard]] Digest finish(std::size_t input);  // once; the input is to be begun again afterwards

  private:
#if defined(__x86_64__)
    void compress(const std::array<const std::uint8_t*, kInputs>& blocks, std::size_t count);
    void update_lanes(std::array<ByteView, kInputs> left);
    Digest finish_lane(std::size_t input);

    // A block waits until it is known whether another one follows: the last is hashed otherwise.
    struct Waiting {
        std::array<std::uint8_t, blake2b::kBlock> bytes;
        std::size_t size = 0;
    };
    static_assert(kInputs == blake2b::kLanes);
    const bool has_lanes_;
    blake2b::Lanes lanes_;
    std::array<Waiting, kInputs> waiting_ = {};
#endif
    std::array<Hasher, kInputs> hashers_;  // where there are no lanes
};

}  // namespace satchel
