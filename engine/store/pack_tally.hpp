// Checksums and parity of a pack, summed up while its bytes are written, so that sealing need not read them
// back.
//
// Memory: 1,028 KiB for the columns, and 4 bytes a block: 64 KiB for a usual pack, 1 MiB for the largest.
#pragma once

#include <memory>
#include <vector>

#include "engine/store/pack_guard.hpp"

namespace satchel::store {

class PackTally {
  public:
    // Begins anew at the pack's first byte, for a parity of `width` blocks.
    void begin(std::uint32_t width);
    // What was written at `offset`. What is passed over reads as zeros. A write into what is summed up
    // already ends the tally: whoever needs it then reads the file.
    void wrote(std::uint64_t offset, ByteView bytes);
    void stop() { counts_ = false; }

    // True if every byte before `end`, and none behind, is summed up for a parity of this width.
    [[nodiscard]] bool covers(std::uint64_t end, std::uint32_t width) const {
        return counts_ && at_ == end && width_ == width;
    }

    // Ends the tally: zeros up to the end of the last block, then the parity, which begins with block `first`
    // of the pack, in two parts: the columns from `first` on, and those before.
    struct Parity {
        ByteView parts[2];
        Digest hash{};
        std::vector<std::uint32_t> sums;  // of all blocks, those of the parity behind the others
    };
    [[nodiscard]] Parity finish(std::uint32_t first);

  private:
    void add(ByteView bytes);
    void add_zeros(std::uint64_t count);
    void close_block();

    bool counts_ = false;
    std::uint32_t width_ = 0;
    std::uint64_t at_ = 0;
    std::uint32_t sum_ = 0;  // of the block that is begun
    std::vector<std::uint32_t> sums_;
    ByteBuffer columns_;
};

void xor_into(MutableBytes into, ByteView bytes);  // of equal length

// A pack's file that tells a tally, which is borrowed, of all that is written.
std::unique_ptr<env::File> tallied(std::unique_ptr<env::File> file, PackTally& tally);

// The sections of a pack that is about to be sealed, its index first: what is missing is written behind it,
// and nothing if records and index take less than `guarded_from`. The tally is spent afterwards.
Result<std::vector<Section>> write_guards(env::File& pack, PackTally& tally, const Section& index,
                                          std::uint64_t guarded_from);

}  // namespace satchel::store
