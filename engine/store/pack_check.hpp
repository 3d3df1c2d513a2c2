// Finds what is wrong with a guarded pack by the checksums of its blocks, and mends it from its parity.
//
// Crash points of mend_pack, and what the next look finds:
//   mended blocks   written in place, only where the checksum said that the block is bad: what is torn or
//   lost
//                   is bad as before, and mended again from the others, which nobody wrote to
//   first sync      the same, or all of them sound
//   guards, table, end of the file   written only where they are bad; the other copy of the guard, or the
//   table
//                   and all blocks, are whole until then
//   second sync     the pack is as it was sealed, byte for byte: id and index stay
//
// Memory: the guard (1 MiB at most, and once more encoded), a list of bad blocks (the same), a step of 256
// KiB, the columns of the parity (kParityBlocksMax blocks), and two record buffers.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/store/pack_guard.hpp"

namespace satchel::store {

struct PackCheck {
    std::optional<Guard> guard;  // none: the pack has no guard, and nothing is said of it
    bool is_vouched = false;  // the guard is that of the id which the index, or the pack's own table, names
    std::vector<std::uint32_t> bad;  // guarded blocks that are not as they were sealed, in ascending order
    bool front_is_bad = false;       // copies of the guard, table and tail, the file's length
    bool back_is_bad = false;
    bool table_is_bad = false;
    bool length_is_bad = false;

    [[nodiscard]] bool is_sound() const {
        return bad.empty() && !front_is_bad && !back_is_bad && !table_is_bad && !length_is_bad;
    }
};
// Its guard and what stands around the guarded blocks; of these, none is read and none called bad. `id`: as
// in check_pack.
Result<PackCheck> check_ends(env::File& file, const std::optional<PackId>& id);
// Reads the file once. `id`: as the index knows it, if it does. Blocks that the disk does not give count as
// bad.
Result<PackCheck> check_pack(env::File& file, const std::optional<PackId>& id);

struct ByteRange {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};
struct PackMending {
    std::vector<ByteRange> mended;  // runs of bytes that were written anew
    std::vector<ByteRange> lost;    // runs of blocks that stay as they are
    bool was_too_long = false;      // and was cut
    [[nodiscard]] std::uint64_t mended_bytes() const;
};
// Mends what the check found. A mended block must have its checksum, and each record on mended blocks its
// hash, before one of them is written. The file must be open for writing.
Result<PackMending> mend_pack(env::File& file, const PackCheck& check);

// Goes over the guarded blocks in steps; between the first and the last of a step that are wanted, all are
// read. An empty view: the file ends before the block, or the disk does not give it.
Result<void> for_each_block(env::File& file, const GuardLayout& layout,
                            const std::function<bool(std::uint32_t)>& is_wanted,
                            const std::function<void(std::uint32_t, ByteView)>& each);

}  // namespace satchel::store
