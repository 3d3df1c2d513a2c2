// Packs of full size: bursts of up to a mebibyte anywhere. A few in the gate, a thousand in a soak.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/engine/store/guarded_pack.hpp"

namespace satchel::store {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;

std::size_t bursts() { return std::getenv("SATCHEL_SOAK") != nullptr ? 1000 : 6; }

// Restoring the bytes that were spoilt is cheaper than copying the pack for each burst.
class PackBursts : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        pack_ = std::make_unique<GuardedPack>(guarded_pack(64 * kMebibyte, 1000, 400'000, 11));
    }
    static void TearDownTestSuite() { pack_.reset(); }
    static std::unique_ptr<GuardedPack> pack_;
};
std::unique_ptr<GuardedPack> PackBursts::pack_;

TEST_F(PackBursts, OneOfAMebibyteIsMendedAnywhere) {
    ASSERT_GE(pack_->bytes.size(), 60 * kMebibyte);
    simulations::Seeded random(2026);
    MemoryFile file(pack_->bytes);
    std::size_t mended = 0;
    const std::size_t tries = bursts();
    for (std::size_t i = 0; i < tries; ++i) {
        const Burst burst = static_cast<Burst>(i % 4);
        const std::uint64_t length = i % 3 == 0 ? kMebibyte : 1 + random.below(kMebibyte);
        const std::uint64_t size = pack_->bytes.size();
        // One in four lies where guards, parity and table are.
        const std::uint64_t least = i % 8 < 2 ? pack_->layout.front() * kPackBlockSize - kMebibyte : 0;
        const std::uint64_t from =
            burst == Burst::kCutOff ? size - length : least + random.below(size - length - least + 1);
        spoil(file.bytes, burst, from, length, random.next());
        const PackMending mending =
            mend(file, i % 2 == 0 ? std::optional<PackId>(pack_->id) : std::optional<PackId>());
        const bool is_same = mending.lost.empty() && file.bytes == pack_->bytes;
        EXPECT_TRUE(is_same) << "burst " << i << " of " << length << " bytes at " << from;
        mended += is_same ? 1u : 0u;
        if (!is_same) file.bytes = pack_->bytes;
    }
    std::printf("bursts: %zu of at most 1 MiB, %zu mended\n", tries, mended);
}

TEST_F(PackBursts, OfTwoExactlyTheChunksUnderWhatIsLostBreak) {
    simulations::Seeded random(7);
    const std::size_t tries = bursts() / 5 + 1;
    std::size_t exact = 0;
    for (std::size_t i = 0; i < tries; ++i) {
        MemoryFile file(pack_->bytes);
        for (int each = 0; each < 2; ++each) {
            const std::uint64_t length = 1 + random.below(kMebibyte);
            spoil(file.bytes, static_cast<Burst>(random.below(3)),
                  random.below(pack_->bytes.size() - length + 1), length, random.next());
        }
        const PackCheck check = must(check_pack(file, pack_->id));
        const PackMending mending = must(mend_pack(file, check));
        std::set<ChunkId> under;  // a byte of theirs is wrong
        for (const IndexRow& row : pack_->rows) {
            const std::size_t size = kRecordHeaderSize + row.stored_size;
            if (!equal(ByteView(file.bytes).subspan(row.place, size),
                       ByteView(pack_->bytes).subspan(row.place, size)))
                under.insert(row.id);
        }
        const bool is_told = !mending.lost.empty() || under.empty() || !check.guard;
        const bool is_exact = is_told && broken_chunks(file, *pack_) == under;
        EXPECT_TRUE(is_exact) << i;
        exact += is_exact ? 1u : 0u;
    }
    std::printf("bursts: %zu pairs, %zu exact\n", tries, exact);
}

}  // namespace
}  // namespace satchel::store
