// A guarded pack bears one burst anywhere, and of two it tells exactly what they hit.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/engine/store/guarded_pack.hpp"

namespace satchel::store {
namespace {

const GuardedPack& small_pack() {
    static const GuardedPack kPack = guarded_pack(300'000, 0, 9000, 1);
    return kPack;
}

TEST(PackGuard, SurvivesARoundTripAndTheEndOfThePackFollowsFromIt) {
    const GuardedPack& pack = small_pack();
    const auto at = static_cast<std::size_t>(pack.layout.front() * kPackBlockSize);
    const std::optional<Guard> guard = decode_guard(ByteView(pack.bytes).subspan(at));
    ASSERT_TRUE(guard.has_value());
    EXPECT_EQ(guard->layout, pack.layout);
    EXPECT_EQ(decode_guard(encode(*guard)), guard);
    const GuardedEnd end = end_of(*guard);
    EXPECT_EQ(end.decoded.id, pack.id);
    EXPECT_EQ(end.pack_bytes, pack.bytes.size());
    EXPECT_TRUE(equal(end.trailer, ByteView(pack.bytes).last(end.trailer.size())));
    const auto back = static_cast<std::size_t>(pack.layout.back() * kPackBlockSize);
    EXPECT_TRUE(equal(end.guard, ByteView(pack.bytes).subspan(back, end.guard.size())));
}

TEST(PackGuard, RefusesEveryFlippedBitAndEveryCut) {
    const GuardedPack pack = guarded_pack(3000, 100, 500, 3);
    const ByteView guard = ByteView(pack.bytes)
                               .subspan(static_cast<std::size_t>(pack.layout.front() * kPackBlockSize),
                                        static_cast<std::size_t>(kPackBlockSize));
    ASSERT_TRUE(decode_guard(guard).has_value());
    for (std::size_t byte = 0; byte < guard.size(); ++byte) {
        ByteBuffer bad(guard.begin(), guard.end());
        bad[byte] ^= static_cast<std::uint8_t>(1u << (byte % 8));
        EXPECT_FALSE(decode_guard(bad).has_value()) << byte;
    }
    for (std::size_t size = 0; size < guard.size(); size += 5)
        EXPECT_FALSE(decode_guard(guard.first(size)).has_value()) << size;
}

TEST(PackGuard, CostsAtMostEighteenThousandthsOfAFullPack) {
    const auto blocks = static_cast<std::uint32_t>(kPackTargetBytes / kPackBlockSize);
    const GuardLayout layout{blocks, parity_width(blocks)};
    EXPECT_EQ(layout.width, kParityBlocksMax);
    const std::uint64_t cost = layout.table_at() - blocks * kPackBlockSize + 3 * kSectionRowSize;
    EXPECT_LT(static_cast<double>(cost), 0.018 * static_cast<double>(kPackTargetBytes));
}

TEST(PackGuard, AParityIsWideEnoughForTheBurstThatASizePromises) {
    for (std::uint32_t blocks = 1; blocks < 20'000; blocks += 7) {
        const GuardLayout layout{blocks, parity_width(blocks)};
        const std::uint64_t size = layout.table_at() + 4 * kSectionRowSize + kPackTailSize;
        const std::uint64_t burst =
            size >= 60u * 1024 * 1024 ? 1024 * 1024 : std::min<std::uint64_t>(1024 * 1024, size / 63);
        // The worst burst begins with a block's last byte.
        const std::uint64_t touched = burst == 0 ? 0 : (burst + 2 * kPackBlockSize - 2) / kPackBlockSize;
        ASSERT_LE(touched, layout.width) << blocks;
    }
}

TEST(PackGuard, IsOfOneColumnsXorThatIsAllOnes) {
    const GuardedPack& pack = small_pack();
    std::vector<ByteBuffer> columns(pack.layout.width, ByteBuffer(kPackBlockSize));
    for (std::uint32_t i = 0; i < pack.layout.guarded(); ++i) {
        const ByteView block =
            ByteView(pack.bytes)
                .subspan(static_cast<std::size_t>(pack.layout.block_of(i) * kPackBlockSize),
                         static_cast<std::size_t>(kPackBlockSize));
        ByteBuffer& column = columns[pack.layout.column_of(i)];
        for (std::size_t at = 0; at < block.size(); ++at)
            column[at] = static_cast<std::uint8_t>(column[at] ^ block[at]);
    }
    for (const ByteBuffer& column : columns) EXPECT_EQ(column, ByteBuffer(kPackBlockSize, 0xff));
}

TEST(PackTally, GivesTheSameWhetherItCountedOrReadsBack) {
    const ByteBuffer bytes = noise(200'000, 5);
    PackTally counted;
    counted.begin(3);
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t part = std::min<std::size_t>(1 + at % 7777, bytes.size() - at);
        counted.wrote(at, ByteView(bytes).subspan(at, part));
        at += part;
    }
    counted.wrote(300'000, bytes_of("behind a gap"));
    ByteBuffer whole = bytes;
    whole.resize(300'000);
    append(whole, bytes_of("behind a gap"));
    ASSERT_TRUE(counted.covers(whole.size(), 3));
    EXPECT_FALSE(counted.covers(whole.size(), 4));
    PackTally at_once;
    at_once.begin(3);
    at_once.wrote(0, whole);
    const PackTally::Parity first = counted.finish(100);
    const PackTally::Parity second = at_once.finish(100);
    EXPECT_EQ(first.hash, second.hash);
    EXPECT_EQ(first.sums, second.sums);
    EXPECT_FALSE(counted.covers(whole.size(), 3));
    counted.begin(3);
    counted.wrote(0, bytes);
    counted.wrote(5, bytes_of("again"));
    EXPECT_FALSE(counted.covers(bytes.size(), 3)) << "written over";
}

// On a box whose page cache is small, reading a pack back would cost more than all else.
TEST(PackTally, SealingReadsNothingBackThatWasCounted) {
    const GuardedPack& pack = small_pack();
    const auto at = static_cast<std::size_t>(pack.layout.front() * kPackBlockSize);
    const Guard guard = decode_guard(ByteView(pack.bytes).subspan(at)).value();
    auto owned = std::make_unique<MemoryFile>(ByteBuffer());
    MemoryFile& file = *owned;
    PackTally tally;
    tally.begin(pack.layout.width);
    const std::unique_ptr<env::File> counted = tallied(std::move(owned), tally);
    const std::uint64_t end = guard.index.offset + guard.index.size;
    for (std::uint64_t from = 0; from < end; from += 50'000)
        must(counted->write_at(
            from, ByteView(pack.bytes)
                      .subspan(static_cast<std::size_t>(from),
                               static_cast<std::size_t>(std::min<std::uint64_t>(50'000, end - from)))));
    file.unreadable = {0, kPackBytesMax};
    EXPECT_EQ(must(write_guards(*counted, tally, guard.index, 0)), end_of(guard).decoded.sections);
    EXPECT_TRUE(equal(file.bytes, ByteView(pack.bytes).first(file.bytes.size())));
    EXPECT_EQ(must(write_guards(*counted, tally, guard.index, 0)), std::vector<Section>{guard.index})
        << "a spent tally reads the file, and what can't be read gets no parity";
}

TEST(PackMending, FindsNothingInASoundPackAndWritesNothing) {
    MemoryFile file(small_pack().bytes);
    EXPECT_TRUE(must(check_pack(file, small_pack().id)).is_sound());
    EXPECT_TRUE(must(check_pack(file, std::nullopt)).is_sound());
    EXPECT_TRUE(mend(file, small_pack().id).mended.empty());
    EXPECT_EQ(file.written, 0u);
}

TEST(PackMending, APackWithoutGuardIsLeftAlone) {
    MemoryFile file(vector_file("vectors/pack/sealed.pack"));
    file.bytes[100] ^= 1;
    const ByteBuffer before = file.bytes;
    const PackCheck check = must(check_pack(file, std::nullopt));
    EXPECT_FALSE(check.guard.has_value());
    EXPECT_TRUE(must(mend_pack(file, check)).mended.empty());
    EXPECT_EQ(file.bytes, before);
}

TEST(PackMending, WritesOnlyWhereBytesAreBad) {
    MemoryFile file(small_pack().bytes);
    file.bytes[50'000] ^= 0x40;
    const PackMending mending = mend(file, small_pack().id);
    EXPECT_EQ(mending.mended, (std::vector<ByteRange>{{49'152, 53'248}}));
    EXPECT_EQ(file.written, kPackBlockSize);
    EXPECT_EQ(file.bytes, small_pack().bytes);
}

// Every part: each block of records, index, guards, parity, and table and tail.
TEST(PackMending, MendsTheLongestBurstAtEveryBlock) {
    const GuardedPack& pack = small_pack();
    const std::uint64_t length = pack.burst_max();
    for (std::uint64_t from = 0; from + length <= pack.bytes.size(); from += 1024) {
        for (const std::optional<PackId>& id : {std::optional<PackId>(pack.id), std::optional<PackId>()}) {
            MemoryFile file(pack.bytes);
            spoil(file.bytes, Burst::kGarbage, from, length, from);
            EXPECT_TRUE(mend(file, id).lost.empty()) << from;
            ASSERT_TRUE(file.bytes == pack.bytes) << from;
        }
    }
}

TEST(PackMending, MendsAFileThatWasCutOffOrGotBytesBehindItsEnd) {
    const GuardedPack& pack = small_pack();
    for (std::uint64_t cut = 1; cut < pack.layout.width * kPackBlockSize; cut += 100) {
        MemoryFile file(pack.bytes);
        spoil(file.bytes, Burst::kCutOff, pack.bytes.size() - cut, cut, 1);
        mend(file, pack.id);
        ASSERT_TRUE(file.bytes == pack.bytes) << cut;
    }
    for (const std::size_t more : {1u, 64u, 4096u, 1'000'000u}) {
        MemoryFile file(pack.bytes);
        append(file.bytes, noise(more, more));
        EXPECT_TRUE(mend(file, pack.id).was_too_long);
        ASSERT_TRUE(file.bytes == pack.bytes) << more;
    }
}

TEST(PackMending, MendsBlocksThatTheDiskDoesNotGive) {
    const GuardedPack& pack = small_pack();
    MemoryFile file(pack.bytes);
    file.unreadable = {81'920, 86'016};
    const PackMending mending = mend(file, pack.id);
    EXPECT_EQ(mending.mended, (std::vector<ByteRange>{{81'920, 86'016}}));
    EXPECT_TRUE(must(check_pack(file, pack.id)).is_sound());
}

TEST(PackMending, MakesBothGuardsAnewFromATableAndSoundBlocks) {
    const GuardedPack& pack = small_pack();
    MemoryFile file(pack.bytes);
    file.bytes[static_cast<std::size_t>(pack.layout.front() * kPackBlockSize) + 200] ^= 1;
    file.bytes[static_cast<std::size_t>(pack.layout.back() * kPackBlockSize) + 90] ^= 1;
    EXPECT_EQ(mend(file, std::nullopt).mended.size(), 2u);
    EXPECT_TRUE(file.bytes == pack.bytes);
    file.bytes[static_cast<std::size_t>(pack.layout.front() * kPackBlockSize) + 200] ^= 1;
    file.bytes[static_cast<std::size_t>(pack.layout.back() * kPackBlockSize) + 90] ^= 1;
    file.bytes[9000] ^= 1;  // now nothing proves what the guards were
    const ByteBuffer before = file.bytes;
    EXPECT_FALSE(must(check_pack(file, pack.id)).guard.has_value());
    mend(file, pack.id);
    EXPECT_TRUE(file.bytes == before);
}

// A guard of another pack, or one that an object's bytes imitate, must not be obeyed.
TEST(PackMending, RefusesAGuardOfAnotherPack) {
    const GuardedPack& pack = small_pack();
    const GuardedPack other = guarded_pack(300'000, 0, 9000, 77);
    MemoryFile file(other.bytes);
    EXPECT_FALSE(must(check_pack(file, pack.id)).guard.has_value());
    // Without an id, and without a table, it is believed only if it fits the bytes before it.
    MemoryFile foreign(noise(pack.bytes.size(), 9));
    const auto from = static_cast<std::ptrdiff_t>(pack.layout.back() * kPackBlockSize);
    std::copy(pack.bytes.begin() + from, pack.bytes.end() - 100, foreign.bytes.begin() + from);
    const ByteBuffer before = foreign.bytes;
    const PackCheck check = must(check_pack(foreign, std::nullopt));
    ASSERT_TRUE(check.guard.has_value());
    EXPECT_FALSE(check.is_vouched);
    const PackMending mending = must(mend_pack(foreign, check));
    EXPECT_TRUE(mending.mended.empty());
    EXPECT_FALSE(mending.lost.empty());
    EXPECT_TRUE(foreign.bytes == before);
}

// Checksums of 32 bits can lie; the hash of a record on a mended block does not.
TEST(PackMending, WritesNoBlockUnderARecordThatDoesNotHashToItsId) {
    GuardedPack pack = guarded_pack(100'000, 9000, 9000, 5);
    // Sealed over a record that was wrong already: the block's checksum is that of the wrong byte.
    MemoryFile sealed(pack.bytes);
    const IndexRow row = pack.rows[0];
    const std::uint64_t wrong_at = row.place + kRecordHeaderSize + 4500;
    const auto at = static_cast<std::size_t>(pack.layout.front() * kPackBlockSize);
    Guard guard = decode_guard(ByteView(pack.bytes).subspan(at)).value();
    sealed.bytes.resize(static_cast<std::size_t>(guard.index.offset + guard.index.size));
    sealed.bytes[static_cast<std::size_t>(wrong_at)] ^= 1;
    PackTally tally;
    const std::vector<Section> sections = must(write_guards(sealed, tally, guard.index, 0));
    PackId id;
    append(sealed.bytes, encode_trailer(sections, sealed.bytes.size(), id));
    ASSERT_TRUE(must(check_pack(sealed, id)).is_sound());
    sealed.bytes[static_cast<std::size_t>(wrong_at) + 1] ^= 1;
    const ByteBuffer before = sealed.bytes;
    const PackMending mending = mend(sealed, id);
    EXPECT_TRUE(mending.mended.empty());
    EXPECT_EQ(mending.lost.size(), 1u);
    EXPECT_TRUE(sealed.bytes == before);
}

// -- properties -----------------------------------------------------------------------------------

std::uint64_t below(std::uint64_t count) {
    return *rc::gen::inRange<std::uint64_t>(0, std::max<std::uint64_t>(1, count));
}

RC_GTEST_PROP(PackMending, OneBurstIsMendedByteForByte, ()) {
    static const std::vector<GuardedPack> kPacks = {
        guarded_pack(500, 10, 100, 1), guarded_pack(70'000, 0, 20'000, 2),
        guarded_pack(800'000, 0, 300'000, 3), guarded_pack(3'000'000, 0, 60'000, 4)};
    const GuardedPack& pack = kPacks[below(kPacks.size())];
    const auto burst = *rc::gen::element(Burst::kZeros, Burst::kGarbage, Burst::kShifted, Burst::kCutOff);
    const std::uint64_t length = 1 + below(pack.burst_max());
    const std::uint64_t from =
        burst == Burst::kCutOff ? pack.bytes.size() - length : below(pack.bytes.size() - length + 1);
    MemoryFile file(pack.bytes);
    spoil(file.bytes, burst, from, length, below(1'000'000));
    const bool is_known = *rc::gen::arbitrary<bool>();
    const PackMending mending = mend(file, is_known ? std::optional(pack.id) : std::nullopt);
    RC_ASSERT(mending.lost.empty());
    RC_ASSERT(file.bytes == pack.bytes);
}

RC_GTEST_PROP(PackMending, OfTwoBurstsExactlyWhatTheyHitIsLost, ()) {
    static const GuardedPack kPack = guarded_pack(600'000, 0, 15'000, 6);
    MemoryFile file(kPack.bytes);
    for (int i = 0; i < 2; ++i) {
        const std::uint64_t length = 1 + below(kPack.burst_max());
        spoil(file.bytes, Burst::kGarbage, below(kPack.bytes.size() - length + 1), length, below(1'000'000));
    }
    const std::set<ChunkId> hit = broken_chunks(file, kPack);
    const ByteBuffer before = file.bytes;
    const PackCheck check = must(check_pack(file, kPack.id));
    const PackMending mending = must(mend_pack(file, check));
    if (!check.guard) {  // both copies are hit, and more: nothing is known of blocks, and nothing is touched
        RC_ASSERT(file.bytes == before);
        return;
    }
    const std::set<ChunkId> lost = broken_chunks(file, kPack);
    RC_ASSERT(std::includes(hit.begin(), hit.end(), lost.begin(), lost.end()));
    const auto is_lost = [&](std::uint64_t at) {
        return std::any_of(mending.lost.begin(), mending.lost.end(),
                           [at](const ByteRange& range) { return at >= range.from && at < range.to; });
    };
    for (std::size_t at = 0; at < kPack.bytes.size(); ++at) {
        if (file.bytes.at(at) == kPack.bytes[at]) continue;
        RC_ASSERT(is_lost(at));
        RC_ASSERT(file.bytes[at] == before.at(at));
    }
    if (mending.lost.empty()) RC_ASSERT(file.bytes == kPack.bytes);
}

}  // namespace
}  // namespace satchel::store
