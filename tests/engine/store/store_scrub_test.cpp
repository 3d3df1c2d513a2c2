// The store mends its packs, tells what it could not, and looks first at what it has not seen for longest.
#include <gtest/gtest.h>

#include <set>

#include "tests/engine/store/guarded_pack.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;
using simulations::SimDiskOptions;

constexpr PackLimits kGuardedPacks = {.target_bytes = 256 * 1024, .group_bytes = 32 * 1024};
constexpr std::uint64_t kChunks = 110;  // three sealed packs and an open one
constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

ByteBuffer chunk(std::uint64_t number) { return noise(7000 + number * 37 % 3000, number); }

void fill(PackStore& store) {
    for (std::uint64_t number = 1; number <= kChunks; ++number) must(store.put(chunk(number)));
    must(store.commit());
}

std::size_t readable(PackStore& store) {
    std::size_t good = 0;
    for (std::uint64_t number = 1; number <= kChunks; ++number)
        good += store.read(ChunkId{hash_of(chunk(number))}).has_value() ? 1u : 0u;
    return good;
}

std::vector<ByteBuffer> packs_of(SimDisk& disk) {
    std::vector<ByteBuffer> packs;
    for (const env::EntryInfo& entry : must(disk.list("packs")))
        packs.push_back(get_file(disk, "packs/" + entry.name));
    return packs;
}

void spoil_file(SimDisk& disk, const std::string& path, std::uint64_t from, std::uint64_t length) {
    const std::unique_ptr<env::File> file = must(disk.open(path, env::OpenMode::kWrite));
    must(file->write_at(from, noise(static_cast<std::size_t>(length), from)));
    must(file->sync());
}

struct Scrubbed {
    ScrubReport report;
    std::vector<Damage> damages;
};
Scrubbed scrub(PackStore& store, std::uint64_t budget = kAll) {
    Scrubbed scrubbed;
    scrubbed.report = must(store.scrub(
        budget, [&](const Damage& damage) { scrubbed.damages.push_back(damage); },
        [](std::uint64_t done, std::uint64_t total) { EXPECT_LE(done, total); }));
    return scrubbed;
}

const std::string kFirst = "packs/00000001.pack";

TEST(StoreScrub, BothLooksMendABurstAndTellOfItOnce) {
    for (const bool is_quick : {false, true}) {
        SimDisk disk;
        Opened store(disk, kGuardedPacks);
        fill(*store);
        ASSERT_EQ(packs_of(disk).size(), 4u);
        const std::vector<ByteBuffer> before = packs_of(disk);
        const std::uint64_t length = before[0].size() / 63;
        spoil_file(disk, kFirst, 100'000, length);
        EXPECT_LT(readable(*store), kChunks);
        const std::vector<Damage> damages = is_quick ? scrub(*store).damages : damages_of(*store);
        ASSERT_EQ(damages.size(), 1u);
        EXPECT_TRUE(damages[0].healed);
        EXPECT_EQ(damages[0].pack, disk.describe(kFirst));
        EXPECT_EQ(damages[0].place, 98'304u);
        EXPECT_EQ(damages[0].healed_bytes % kPackBlockSize, 0u);
        EXPECT_EQ(readable(*store), kChunks);
        EXPECT_TRUE(packs_of(disk) == before);
        EXPECT_EQ(must(store->stats()).mended_bytes, damages[0].healed_bytes);
        EXPECT_TRUE(damages_of(*store).empty());
        EXPECT_TRUE(scrub(*store).damages.empty());
        EXPECT_EQ(must(store->stats()).mended_bytes, damages[0].healed_bytes);
    }
}

// Where no chunk lies only the checksums of the blocks tell: zeros between two groups, the index's last
// block, the parity, a copy of the guard, the table.
TEST(StoreScrub, BothLooksMendWhatLiesBetweenTheChunks) {
    SimDisk sound;
    {
        Opened store(sound, kGuardedPacks);
        fill(*store);
    }
    const ByteBuffer before = packs_of(sound)[0];
    const std::unique_ptr<env::File> file = must(sound.open(kFirst, env::OpenMode::kRead));
    const PackTrailer trailer = must(read_trailer(*file));
    std::vector<std::uint64_t> places = {trailer.index.offset - 1, before.size() - 100};
    for (const Section& section : trailer.sections) places.push_back(section.offset + section.size - 1);
    ASSERT_EQ(before[trailer.index.offset - 1], 0);
    for (const std::uint64_t place : places) {
        for (const bool is_quick : {false, true}) {
            SimDisk disk(SimDiskOptions(), sound.tree());
            disk.flip_bit(kFirst, place, 3);
            Opened store(disk, kGuardedPacks);
            const std::vector<Damage> damages = is_quick ? scrub(*store).damages : damages_of(*store);
            ASSERT_EQ(damages.size(), 1u) << place;
            EXPECT_TRUE(damages[0].healed) << place;
            EXPECT_TRUE(packs_of(disk)[0] == before) << place;
        }
    }
}

// Chunks that lie as they are and chunks that are packed, in one group after the other: what a hash has
// proven needs no checksum, and all else does.
TEST(StoreScrub, AFullLookMendsABitThatFlippedInAnyBlock) {
    SimDisk sound;
    {
        Opened store(sound, {.target_bytes = 160 * 1024, .group_bytes = 32 * 1024});
        for (std::uint64_t number = 1; number <= 30; ++number) {
            must(store->put(chunk(number)));
            ByteBuffer text = chunk(100 + number);
            for (std::uint8_t& byte : text) byte %= 16;
            must(store->put(text));
        }
        must(store->commit());
    }
    const ByteBuffer before = packs_of(sound)[0];
    ASSERT_GT(packs_of(sound).size(), 1u);
    for (std::uint64_t block = 0; block < before.size(); block += kPackBlockSize) {
        for (const std::uint64_t place : {block, block + kPackBlockSize / 2, block + kPackBlockSize - 1}) {
            if (place >= before.size()) continue;
            SimDisk disk(SimDiskOptions(), sound.tree());
            disk.flip_bit(kFirst, place, 5);
            Opened store(disk, kGuardedPacks);
            EXPECT_FALSE(damages_of(*store).empty()) << place;
            EXPECT_TRUE(packs_of(disk)[0] == before) << place;
        }
    }
}

TEST(StoreScrub, OfTwoBurstsNamesTheChunksThatAreLostAndNoOther) {
    SimDisk disk;
    Opened store(disk, kGuardedPacks);
    fill(*store);
    // Two blocks of one column; what else they touch is mended.
    const GuardLayout layout{0, parity_width(65)};
    std::set<ChunkId> under;
    for (const std::uint64_t block : {std::uint64_t{20}, std::uint64_t{20} + 3 * layout.width}) {
        spoil_file(disk, kFirst, block * kPackBlockSize + 10, 4000);
        for (std::uint64_t number = 1; number <= kChunks; ++number) {
            const ChunkId id{hash_of(chunk(number))};
            const Position at = position_of(store, id);
            const std::uint64_t from = block * kPackBlockSize + 10;
            if (at.path == kFirst && at.place < from + 4000 && at.place + 56 + at.stored > from)
                under.insert(id);
        }
    }
    ASSERT_GE(under.size(), 2u);
    for (const bool is_quick : {true, false}) {
        const std::vector<Damage> damages = is_quick ? scrub(*store).damages : damages_of(*store);
        std::set<ChunkId> named;
        for (const Damage& damage : damages) {
            EXPECT_FALSE(damage.healed);
            if (damage.chunk) named.insert(*damage.chunk);
        }
        EXPECT_EQ(named, under);
        EXPECT_EQ(must(store->stats()).missing_chunks, under.size());
    }
    for (const ChunkId& id : under) must(store->forget(id));
    EXPECT_EQ(must(store->stats()).missing_chunks, 0u);
    EXPECT_EQ(readable(*store), kChunks - under.size());
    fill(*store);
    EXPECT_EQ(readable(*store), kChunks);
}

TEST(StoreScrub, KeepsToItsBudgetAndBeginsWithWhatItHasNotSeenForLongest) {
    SimDisk disk;
    Opened store(disk, kGuardedPacks);
    fill(*store);
    const auto seen_at = [&](std::uint32_t number) {
        database::Statement select =
            must(store.database().prepare("SELECT turn FROM pack_check WHERE pack = ?"));
        select.bind(1, std::int64_t{number});
        return must(select.step()) ? select.integer(0) : 0;
    };
    const Scrubbed first = scrub(*store, 0);  // one pack at least
    EXPECT_EQ(first.report.packs, 1u);
    EXPECT_EQ(first.report.packs_left, 3u);
    EXPECT_EQ(first.report.bytes, packs_of(disk)[0].size());
    EXPECT_GT(seen_at(1), 0);
    EXPECT_EQ(seen_at(2), 0);
    EXPECT_EQ(scrub(*store, 700 * 1024).report.packs, 2u);
    EXPECT_GT(seen_at(3), seen_at(2));
    EXPECT_GT(seen_at(2), seen_at(1));
    EXPECT_EQ(scrub(*store, 1).report.packs, 1u);
    EXPECT_GT(seen_at(4), seen_at(3));
    EXPECT_EQ(scrub(*store, 1).report.packs, 1u);
    EXPECT_GT(seen_at(1), seen_at(4)) << "and begins anew";
    const Scrubbed all = scrub(*store);
    EXPECT_EQ(all.report.packs, 4u);
    EXPECT_EQ(all.report.packs_left, 0u);
}

TEST(StoreScrub, BeginsOnceMoreWithWhatWasNotBroughtToAnEnd) {
    SimDisk disk;
    Opened store(disk, {.target_bytes = 256 * 1024, .group_bytes = 32 * 1024, .guarded_from = kAll});
    fill(*store);
    const Position place = position_of(store, ChunkId{hash_of(chunk(3))});
    disk.flip_bit(place.path, place.place + 500, 2);
    EXPECT_EQ(scrub(*store, 1).damages.size(), 1u);
    EXPECT_TRUE(scrub(*store, 1).damages.empty()) << "another pack";
    must(store->scrub_lossy_first());
    EXPECT_EQ(scrub(*store, 1).damages.size(), 1u);
    EXPECT_TRUE(scrub(*store, 1).damages.empty()) << "once";
}

// Its parity was made over what was left, and finds nothing wrong.
TEST(StoreScrub, TellsOfWhatWasGoneBeforeAPackWasSealed) {
    SimDisk disk;
    {
        Opened store(disk, kGuardedPacks);
        for (std::uint64_t number = 1; number <= 10; ++number) must(store->put(chunk(number)));
        must(store->commit());
        const Position hit = position_of(store, ChunkId{hash_of(chunk(5))});
        spoil_file(disk, hit.path, hit.place, 64);
    }
    Opened store(disk, kGuardedPacks);
    for (std::uint64_t number = 11; number <= kChunks; ++number) must(store->put(chunk(number)));
    must(store->commit());
    const Scrubbed scrubbed = scrub(*store);
    ASSERT_EQ(scrubbed.damages.size(), 1u);
    EXPECT_EQ(scrubbed.damages[0].lacks_chunks, 1u);
    EXPECT_EQ(must(store->stats()).missing_chunks, 1u);
    must(store->write_off_cut_chunks());
    EXPECT_EQ(must(store->stats()).missing_chunks, 0u);
}

TEST(StoreScrub, TellsHowMuchOfThePacksIsParity) {
    SimDisk disk;
    Opened store(disk, kGuardedPacks);
    fill(*store);
    std::uint64_t expected = 0;
    for (const ByteBuffer& pack : packs_of(disk)) {
        put_file(disk, "copy", pack);
        const auto trailer = read_trailer(*must(disk.open("copy", env::OpenMode::kRead)));
        if (!trailer.has_value()) continue;
        for (const Section& section : trailer->sections)
            if (section.type == kSectionParity) expected += section.size;
    }
    EXPECT_GT(expected, 0u);
    EXPECT_EQ(must(store->parity_bytes()), expected);
}

TEST(StoreScrub, ReadsPacksWithoutGuardsChunkByChunk) {
    SimDisk disk;
    Opened store(disk, {.target_bytes = 256 * 1024, .group_bytes = 32 * 1024, .guarded_from = kAll});
    fill(*store);
    EXPECT_TRUE(scrub(*store).damages.empty());
    const ChunkId hit{hash_of(chunk(3))};
    const Position place = position_of(store, hit);
    disk.flip_bit(place.path, place.place + 500, 2);
    const Scrubbed scrubbed = scrub(*store);
    ASSERT_EQ(scrubbed.damages.size(), 1u);
    EXPECT_EQ(scrubbed.damages[0].chunk, hit);
    EXPECT_EQ(scrubbed.report.missing_chunks, 1u);
}

TEST(StoreScrub, NamesAMissingPackOnceAndWhatLayInItIsWantedAgain) {
    SimDisk disk;
    Opened store(disk, kGuardedPacks);
    fill(*store);
    must(disk.remove_file("packs/00000002.pack"));
    const std::size_t lost = kChunks - readable(*store);
    EXPECT_GT(lost, 10u);
    const Scrubbed scrubbed = scrub(*store);
    ASSERT_EQ(scrubbed.damages.size(), 1u);
    EXPECT_FALSE(scrubbed.damages[0].healed);
    EXPECT_EQ(scrubbed.damages[0].pack, disk.describe("packs/00000002.pack"));
    EXPECT_EQ(must(store->stats()).missing_chunks, lost);
    must(store->rebuild_index());
    EXPECT_EQ(must(store->stats()).missing_chunks, 0u) << "simply not here";
}

// A block of the table is not given, and its column has another bad block: nothing of these can be mended.
TEST(StoreScrub, MendsWhatItCanWhereTheTableIsNotGiven) {
    SimDisk disk;
    Opened store(disk, kGuardedPacks);
    fill(*store);
    const ByteBuffer before = packs_of(disk)[0];
    const PackTrailer trailer = must(read_trailer(*must(disk.open(kFirst, env::OpenMode::kRead))));
    const GuardLayout layout{0, parity_width(65)};
    ASSERT_GE(layout.width, 2u);
    const std::uint64_t table = trailer.index.offset / kPackBlockSize;
    const std::uint64_t same_column = table - 10 * layout.width, other_column = same_column + 1;
    for (const std::uint64_t block : {same_column, other_column})
        spoil_file(disk, kFirst, block * kPackBlockSize + 10, 1000);
    disk.make_unreadable(kFirst, table * kPackBlockSize, table * kPackBlockSize + 1, false);
    scrub(*store);
    const auto file = must(disk.open(kFirst, env::OpenMode::kRead));
    ByteBuffer now(kPackBlockSize);
    must(file->read_at(other_column * kPackBlockSize, now));
    EXPECT_TRUE(equal(now, ByteView(before).subspan(other_column * kPackBlockSize, kPackBlockSize)));
}

TEST(StoreScrub, TellsOfAPackThatCanNotBeOpenedAndComesToTheOthers) {
    SimDisk disk;
    {
        Opened store(disk, kGuardedPacks);
        fill(*store);
    }
    disk.make_unopenable("packs/00000002.pack");
    Opened store(disk, kGuardedPacks);
    const std::size_t lost = kChunks - readable(*store);
    EXPECT_GT(lost, 10u);
    for (const bool is_quick : {true, false}) {
        const Scrubbed scrubbed = is_quick ? scrub(*store) : Scrubbed{{}, damages_of(*store)};
        ASSERT_EQ(scrubbed.damages.size(), 1u);
        EXPECT_EQ(scrubbed.damages[0].pack, disk.describe("packs/00000002.pack"));
        EXPECT_EQ(must(store->stats()).missing_chunks, lost);
        EXPECT_TRUE(!is_quick || scrubbed.report.packs == 4);
    }
}

// The index is lost on the day when a pack's table is: the guard tells both.
TEST(StoreScrub, RebuildingTheIndexMendsPacksWhoseTableIsHit) {
    SimDisk disk;
    std::vector<ByteBuffer> before;
    {
        Opened store(disk, kGuardedPacks);
        fill(*store);
        before = packs_of(disk);
        must(store.database().run("DELETE FROM index_run; DELETE FROM pack"));
    }
    const std::uint64_t size = before[0].size();
    spoil_file(disk, kFirst, size - size / 63, size / 63);
    spoil_file(disk, "packs/00000003.pack", 200'000, 60);
    disk.truncate_at("packs/00000002.pack", before[1].size() - 3000);
    Opened store(disk, kGuardedPacks);
    EXPECT_EQ(packs_of(disk)[0], before[0]);
    EXPECT_EQ(packs_of(disk)[1], before[1]);
    EXPECT_EQ(damages_of(*store).size(), 1u) << "the chunk in pack 3 is mended when it is looked at";
    EXPECT_TRUE(packs_of(disk) == before);
    EXPECT_EQ(readable(*store), kChunks);
    spoil_file(disk, kFirst, size - 100, 100);
    must(store->rebuild_index());
    EXPECT_TRUE(packs_of(disk) == before);
    EXPECT_EQ(readable(*store), kChunks);
}

TEST(StoreScrub, APackIsSealedAlikeWhetherTheStoreWasReopenedOrNot) {
    SimDisk straight;
    SimDisk reopened;
    {
        Opened store(straight, kGuardedPacks);
        for (std::uint64_t number = 1; number <= kChunks; ++number) {
            must(store->put(chunk(number)));
            if (number % 10 == 0) must(store->commit());
        }
    }
    for (std::uint64_t first = 1; first <= kChunks; first += 10) {
        Opened store(reopened, kGuardedPacks);
        for (std::uint64_t number = first; number < first + 10; ++number) must(store->put(chunk(number)));
        must(store->commit());
    }
    EXPECT_GE(packs_of(straight).size(), 3u);
    EXPECT_TRUE(packs_of(straight) == packs_of(reopened));
}

TEST(StoreScrub, SmallPacksGetNoGuard) {
    SimDisk disk;
    Opened store(disk, {.target_bytes = 16 * 1024});
    for (std::uint64_t number = 1; number <= 3; ++number) must(store->put(chunk(number)));
    must(store->commit());
    const std::unique_ptr<env::File> file = must(disk.open(kFirst, env::OpenMode::kRead));
    EXPECT_EQ(must(read_trailer(*file)).sections.size(), 1u);
    EXPECT_EQ(PackLimits().guarded_from, 64u * 1024);
}

}  // namespace
}  // namespace satchel::store
