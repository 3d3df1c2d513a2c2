// The compression of BLAKE2b (RFC 7693) on four inputs side by side, for processors with AVX2. Private to
// engine/base.
#pragma once

#if defined(__x86_64__)

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/hash.hpp"

namespace satchel::blake2b {

inline constexpr std::size_t kLanes = 4;
inline constexpr std::size_t kBlock = 128;
inline constexpr std::size_t kWords = 8;  // of the state; a block has twice as many

[[nodiscard]] bool is_available();

class Lanes {
  public:
    void begin(std::size_t lane);
    // Before compress(): that so many bytes of the block at hand are the lane's, and whether it is its last.
    void count(std::size_t lane, std::size_t bytes, bool is_last);
    // A block of kBlock bytes for each lane; of a lane whose state nobody will ask for, any bytes.
    void compress(const std::uint8_t* const blocks[kLanes]);
    // So many whole blocks of each lane, one behind the other, none an input's last; counts them, too. A lane
    // without (null) is as above.
    void compress_run(std::array<const std::uint8_t*, kLanes> blocks, std::size_t count);
    [[nodiscard]] Digest digest(std::size_t lane) const;
    // Takes a lane's state from others: those of lanes that had no block are put back so.
    void copy_state(std::size_t lane, const Lanes& from);

  private:
    alignas(32) std::uint64_t state_[kWords][kLanes] = {};
    alignas(32) std::uint64_t hashed_[kLanes] = {};  // bytes, with the block at hand
    alignas(32) std::uint64_t last_[kLanes] = {};    // all ones where the block at hand is an input's last
};

}  // namespace satchel::blake2b

#endif
