// MinCDC content-defined chunking. See chunker.cpp for the method.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/bytes.hpp"

namespace satchel::store {

// Recorded in every recipe: a changed file is cut with the class of its last edition.
enum class ChunkClass : std::uint8_t {
    kSmall = 1,  // average 64 KiB, [32, 96]: documents, packages, anything unknown
    kMedia = 2,  // average 256 KiB, [128, 384]: audio, video, archives and images of 8 MiB and more
};

struct ChunkBounds {
    std::size_t min;
    std::size_t max;
};
[[nodiscard]] ChunkBounds bounds_of(ChunkClass chunk_class);
inline constexpr std::size_t kChunkMax = 384 * 1024;

// Both give the same cuts; kPlain is for processors without AVX2, and for tests.
enum class ChunkerCode : std::uint8_t { kFastest, kPlain };

// Length of the first chunk of `bytes`. `at_end`: no more bytes follow; otherwise `bytes` must hold at
// least bounds_of(chunk_class).max. Never 0 unless `bytes` is empty.
[[nodiscard]] std::size_t first_cut(ChunkClass chunk_class, ByteView bytes, bool at_end,
                                    ChunkerCode code = ChunkerCode::kFastest);

// The class for a file without an earlier edition, from its first bytes (up to 64) and its size.
[[nodiscard]] ChunkClass class_of(ByteView head, std::uint64_t file_size);

}  // namespace satchel::store
