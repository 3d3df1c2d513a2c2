// The guard of a sealed pack: checksums of its blocks, in two copies around a parity of them
// (schemas/pack.md).
//
// Method. A pack is a row of blocks of 4 KiB. With a parity of W blocks, the blocks whose number is the same
// modulo W make a column; the XOR of a column, its parity block with it, is all ones. W blocks that follow
// each other lie in W columns, so whatever destroys no more than them leaves each column one unknown: the
// checksums say which block it is, and the others give it back. The guards lie farther apart than W blocks,
// so that one of them is whole, and table and tail follow from either of them. Cost: 1/64 of the pack, and 8
// bytes a block.
//
// All ones and not zero, because a column of one block would else hold its copy, and a search for records
// would find a chunk where none was put.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/store/pack_format.hpp"

namespace satchel::store {

inline constexpr std::uint16_t kSectionGuard = 2;
inline constexpr std::uint16_t kSectionParity = 3;

// What flash and disks lose at once; a pack of kBurstWholeFrom bears so much, a smaller one 1/63 of its size.
inline constexpr std::uint64_t kBurstBytesMax = 1024 * 1024;
inline constexpr std::uint64_t kBurstWholeFrom = 60 * 1024 * 1024;
inline constexpr std::uint64_t kBurstShare = 63;
// A burst that begins inside a block touches one block more than it is long. Also the ceiling of what is held
// in memory for a parity: 1,028 KiB.
inline constexpr std::uint32_t kParityBlocksMax = kBurstBytesMax / kPackBlockSize + 1;
// A smaller pack would pay more than a tenth of its size; its chunks come again sooner than they are mended.
inline constexpr std::uint64_t kGuardedFromBytes = 64 * 1024;

// Where everything lies, in blocks. What is guarded: records and index, then the parity.
struct GuardLayout {
    std::uint32_t blocks = 0;  // of records and index, from the pack's first byte
    std::uint32_t width = 0;   // of the parity

    [[nodiscard]] std::uint32_t guarded() const { return blocks + width; }
    [[nodiscard]] std::uint32_t guard_blocks() const;  // of one copy of the guard
    [[nodiscard]] std::uint32_t front() const { return blocks; }
    [[nodiscard]] std::uint32_t parity() const { return blocks + guard_blocks(); }
    [[nodiscard]] std::uint32_t back() const { return parity() + width; }
    [[nodiscard]] std::uint64_t table_at() const {
        return std::uint64_t{back() + guard_blocks()} * kPackBlockSize;
    }
    // Of the guarded block number `i`: which block of the pack it is, and in which column.
    [[nodiscard]] std::uint32_t block_of(std::uint32_t i) const {
        return i < blocks ? i : i + guard_blocks();
    }
    [[nodiscard]] std::uint32_t column_of(std::uint32_t i) const { return block_of(i) % width; }
    [[nodiscard]] bool is_possible() const;  // of a pack of at most kPackBytesMax

    friend bool operator==(const GuardLayout&, const GuardLayout&) = default;
};

// How many blocks of parity a writer gives to so many blocks.
[[nodiscard]] std::uint32_t parity_width(std::uint32_t blocks);

struct Guard {
    GuardLayout layout;
    Section index;
    Digest parity_hash{};
    std::vector<std::uint32_t> sums;  // CRC-32C of each guarded block; at most 1 MiB
    friend bool operator==(const Guard&, const Guard&) = default;
};
inline constexpr std::size_t kGuardHeaderSize = 96;
[[nodiscard]] ByteBuffer encode(const Guard& guard);  // whole blocks
// None: damaged, impossible, or of another version. Both take what follows the guard, too.
[[nodiscard]] std::optional<GuardLayout> decode_guard_layout(ByteView bytes);
[[nodiscard]] std::optional<Guard> decode_guard(ByteView bytes);

// What stands behind the index follows from the guard, byte for byte, but for the parity itself.
struct GuardedEnd {
    ByteBuffer guard;    // each copy
    ByteBuffer trailer;  // table and tail
    PackTrailer decoded;
    std::uint64_t pack_bytes = 0;
};
[[nodiscard]] GuardedEnd end_of(const Guard& guard);

// The guard of a pack, from wherever a copy is whole: where the table says or, where there is no table, by
// going backwards from the end of the file. `id`, as the index knows it: a guard whose table has another one
// is refused; without it the table's own id counts. None: the pack has no guard, or no copy of it is whole.
Result<std::optional<Guard>> find_guard(env::File& file, const std::optional<PackId>& id);

}  // namespace satchel::store
