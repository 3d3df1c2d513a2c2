// Finds which stretches of a gap (new bytes between known chunks) stand in a window of old bytes.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/bytes.hpp"

namespace satchel::store {

// In order, without holes: either a copy from the window or literal bytes of the gap.
struct GapPiece {
    bool is_copy = false;
    std::size_t gap_offset = 0;
    std::size_t window_offset = 0;  // of a copy
    std::size_t length = 0;
};

// Shorter copies cost more in the recipe (about 38 bytes) than they save.
inline constexpr std::size_t kCopyMin = 64;

[[nodiscard]] std::vector<GapPiece> match_gap(ByteView gap, ByteView window);

// Whether naming the copies is better than cutting the gap into plain chunks: a good part must be copied, and
// not in crumbs, which would make reading slow and recipes long.
[[nodiscard]] bool is_worthwhile(const std::vector<GapPiece>& pieces, std::size_t gap_size);

}  // namespace satchel::store
