// Bad sectors: whatever block of whatever file of the store the disk does not give, the store opens, verify
// comes to its end, and what does not lie in that block is there, also after the index was made again.
#include <gtest/gtest.h>

#include <set>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;
using simulations::Tree;

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kChunks = 60;

ByteBuffer chunk(std::uint64_t number) { return noise(1000 + number * 37 % 900, number); }
ChunkId id_of(std::uint64_t number) { return ChunkId{hash_of(chunk(number))}; }

struct Filled {
    Tree tree;
    std::vector<std::pair<std::string, std::uint64_t>> files;  // with their sizes
    std::map<std::uint64_t, Position> positions;
};

struct Case {
    std::string name;
    bool takes_writes = false;
    PackLimits limits;
    Filled filled;
};

Filled fill(const PackLimits& limits) {
    SimDisk disk;
    Filled filled;
    Opened store(disk, limits);
    for (std::uint64_t number = 1; number <= kChunks; ++number) must(store->put(chunk(number)));
    must(store->commit());
    for (std::uint64_t number = 1; number <= kChunks; ++number)
        filled.positions[number] = position_of(store, id_of(number));
    for (const std::string folder : {"packs", "index"}) {
        for (const env::EntryInfo& entry : must(disk.list(folder)))
            if (entry.kind == env::EntryKind::kFile)
                filled.files.emplace_back(env::join(folder, entry.name), entry.size);
    }
    filled.tree = disk.tree();
    return filled;
}

const std::vector<Case>& cases() {
    static const std::vector<Case> made = [] {
        PackLimits guarded = kSmallPacks;
        guarded.guarded_from = 1;
        const Filled plain = fill(kSmallPacks), with_parity = fill(guarded);
        return std::vector<Case>{{"ThatTakesNoWrites", false, kSmallPacks, plain},
                                 {"ThatTakesWrites", true, kSmallPacks, plain},
                                 {"ThatTakesNoWritesUnderParity", false, guarded, with_parity},
                                 {"ThatTakesWritesUnderParity", true, guarded, with_parity}};
    }();
    return made;
}

class BadSector : public testing::TestWithParam<std::size_t> {
  protected:
    const Case& disk_kind() { return cases()[GetParam()]; }
    const Filled& filled() { return disk_kind().filled; }
    // Chunks that lie in the block are lost, or mended; all others must be there.
    void expect_the_rest(Opened& store, const std::string& path, std::uint64_t from) {
        for (const auto& [number, position] : filled().positions) {
            const std::uint64_t end = position.place + kRecordHeaderSize + position.stored;
            if (position.path == path && position.place < from + kBlock && end > from) continue;
            const Result<ByteBuffer> read = store->read(id_of(number));
            EXPECT_TRUE(read.has_value() && *read == chunk(number)) << number;
        }
    }
    static void expect_use(Opened& store) {
        const ByteBuffer fresh = noise(3000, 1'000'000);
        must(store->put(fresh));
        must(store->commit());
        EXPECT_TRUE(must(store->read(ChunkId{hash_of(fresh)})) == fresh);
    }
};

TEST_P(BadSector, CostsWhatLiesInItAndNothingElse) {
    bool has_runs = false;
    for (const auto& [path, size] : filled().files) {
        has_runs = has_runs || path.ends_with(".run");
        for (std::uint64_t from = 0; from < size; from += kBlock) {
            SCOPED_TRACE(path + " " + std::to_string(from));
            SimDisk disk({}, filled().tree);
            disk.make_unreadable(path, from, from + 1, disk_kind().takes_writes);
            {
                Opened store(disk, disk_kind().limits);
                expect_the_rest(store, path, from);
                damages_of(*store);
                expect_the_rest(store, path, from);
                must(store->rebuild_index());
                expect_the_rest(store, path, from);
                expect_use(store);
            }
            Opened store(disk, disk_kind().limits);
            expect_the_rest(store, path, from);
            expect_use(store);
        }
    }
    EXPECT_TRUE(has_runs);
}

// The disk gave nothing of a pack for a while: when it does again, all is there.
TEST_P(BadSector, NothingIsCutOffWhereTheDiskMayGiveItAnotherDay) {
    for (const auto& [path, size] : filled().files) {
        if (!path.ends_with(".pack")) continue;
        SCOPED_TRACE(path);
        SimDisk disk({}, filled().tree);
        const ByteBuffer before = get_file(disk, path);
        disk.make_unreadable(path, 0, size, false);
        { Opened store(disk, disk_kind().limits); }
        SimDisk later({}, disk.tree());
        ByteBuffer after = get_file(later, path);
        ASSERT_GE(after.size(), before.size());
        after.resize(before.size());
        EXPECT_TRUE(after == before);
        Opened store(later, disk_kind().limits);
        must(store->rebuild_index());
        for (std::uint64_t number = 1; number <= kChunks; ++number)
            EXPECT_TRUE(store->read(id_of(number)).has_value()) << number;
    }
}

INSTANTIATE_TEST_SUITE_P(Disks, BadSector, testing::Values(0, 1, 2, 3),
                         [](const testing::TestParamInfo<std::size_t>& kind) {
                             return cases()[kind.param].name;
                         });

}  // namespace
}  // namespace satchel::store
