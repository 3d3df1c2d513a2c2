// Bad sectors: whatever block of whatever file of the store the disk does not give, the store opens, verify
// comes to its end, and what does not lie in that block is there, also after the index was made again.
#include <gtest/gtest.h>

#include <array>
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

constexpr std::array kCaseNames = {"ThatTakesNoWrites", "ThatTakesWrites", "ThatTakesNoWritesUnderParity",
                                   "ThatTakesWritesUnderParity"};
const std::vector<Case>& cases() {
    static const std::vector<Case> made = [] {
        PackLimits guarded = kSmallPacks;
        guarded.guarded_from = 1;
        const Filled plain = fill(kSmallPacks), with_parity = fill(guarded);
        return std::vector<Case>{{false, kSmallPacks, plain},
                                 {true, kSmallPacks, plain},
                                 {false, guarded, with_parity},
                                 {true, guarded, with_parity}};
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
    void expect_that_losses_are_told(Opened& store) {
        std::size_t found = 0;
        for (const auto& [number, position] : filled().positions)
            found += store->read(id_of(number)).has_value() ? 1u : 0u;
        EXPECT_TRUE(found == kChunks || !damages_of(*store).empty());
    }
    std::uint64_t chunks_in(const std::string& path) {
        return static_cast<std::uint64_t>(
            std::count_if(filled().positions.begin(), filled().positions.end(),
                          [&](const auto& each) { return each.second.path == path; }));
    }
    static std::uint64_t missing_of(const std::vector<Damage>& damages) {
        std::uint64_t missing = 0;
        for (const Damage& damage : damages) missing += damage.lacks_chunks;
        return missing;
    }
    // All chunks are kept, as content, so that nothing is to go.
    void collect_but_nothing(Opened& store, bool refuses = false) {
        const auto collection = must(store->collect());
        for (const auto& [number, position] : filled().positions) {
            const auto kept = collection->keep(id_of(number), false);
            EXPECT_TRUE(kept.has_value() || is_unreadable(kept.error()));
            if (!kept.has_value()) return;  // nothing goes then
        }
        EXPECT_EQ(collection->hindrance().has_value(), refuses);
        for (bool is_last = false; !is_last;) {
            const auto swept = collection->sweep(Collection::Thrift::kEighthDead);
            is_last = !swept.has_value() || swept->is_last;
            EXPECT_EQ(swept.has_value(), !refuses);
        }
    }
    simulations::SimWorld world_;
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
                expect_that_losses_are_told(store);
            }
            Opened store(disk, disk_kind().limits);
            expect_the_rest(store, path, from);
            expect_use(store);
            expect_that_losses_are_told(store);
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

// A power cut leaves a torn record at the end and a sector that is not given: what is put behind it stays,
// also when the disk gives the sector another day, and with it a header that reaches far.
TEST_P(BadSector, NothingThatIsPutBehindATornEndIsPassedOver) {
    const std::string open_pack = "packs/00000004.pack";
    SimDisk torn({}, filled().tree);
    const std::uint64_t committed = must(torn.stat(open_pack)).size;
    {
        PackLimits in_one_group = disk_kind().limits;
        in_one_group.group_bytes = in_one_group.target_bytes = 1024 * 1024;
        Opened store(torn, in_one_group);
        for (std::uint64_t number = 0; number < 3; ++number) must(store->put(noise(15'000, 1000 + number)));
    }
    const std::uint64_t size = must(torn.stat(open_pack)).size;
    ASSERT_GT(size, committed);
    for (std::uint64_t cut = committed + 2000; cut <= size; cut += 2900) {
        for (std::uint64_t from = committed; from < cut; from += kBlock) {
            SCOPED_TRACE(std::to_string(cut) + " " + std::to_string(from));
            SimDisk disk({}, torn.tree());
            disk.truncate_at(open_pack, cut);
            disk.make_unreadable(open_pack, from, from + 1, disk_kind().takes_writes);
            for (std::uint64_t number = 0; number < 4; ++number) {
                Opened store(disk, disk_kind().limits);
                must(store->put(noise(900, 2000 + number)));
                must(store->commit());
            }
            SimDisk another_day({}, disk.tree());
            for (SimDisk* const day : {&disk, &another_day, &another_day}) {
                Opened store(*day, disk_kind().limits);
                for (std::uint64_t number = 0; number < 4; ++number) {
                    const ByteBuffer put = noise(900, 2000 + number);
                    const Result<ByteBuffer> read = store->read(ChunkId{hash_of(put)});
                    EXPECT_TRUE(read.has_value() && *read == put) << number;
                }
            }
        }
    }
}

// A run is damaged, and while it is made again a pack gives nothing: all is found when it does once more, and
// nobody takes the pack for garbage meanwhile.
TEST_P(BadSector, APackThatGaveNoRowsForAWhileIsFoundAgain) {
    for (const auto& [run, run_size] : filled().files) {
        if (!run.ends_with(".run")) continue;
        for (const auto& [pack, size] : filled().files) {
            if (!pack.ends_with(".pack")) continue;
            SCOPED_TRACE(run + " " + pack);
            SimDisk disk({}, filled().tree);
            disk.flip_bit(run, 100, 3);
            disk.make_unreadable(pack, 0, size, false);
            {
                Opened store(disk, disk_kind().limits);
                collect_but_nothing(store);
            }
            SimDisk later({}, disk.tree());
            Opened store(later, disk_kind().limits);
            std::size_t found = 0;
            for (const auto& [number, position] : filled().positions)
                found += store->read(id_of(number)).has_value() ? 1u : 0u;
            const bool was_being_filled = pack == "packs/00000004.pack";
            if (was_being_filled && found < kChunks)
                EXPECT_FALSE(damages_of(*store).empty()) << "it was sealed without them, and says so";
            else
                EXPECT_EQ(found, kChunks);
        }
    }
}

TEST_P(BadSector, APackThatWasAwayWhileARunWasMadeAgainIsFoundAgain) {
    for (const auto& [run, run_size] : filled().files) {
        if (!run.ends_with(".run")) continue;
        for (const auto& [pack, size] : filled().files) {
            if (!pack.ends_with(".pack") || pack == "packs/00000004.pack") continue;
            SCOPED_TRACE(run + " " + pack);
            SimDisk disk({}, filled().tree);
            disk.flip_bit(run, 100, 3);
            must(disk.rename(pack, "away"));
            for (int opening = 0; opening < 3; ++opening) {
                Opened store(disk, disk_kind().limits);
                EXPECT_EQ(missing_of(damages_of(*store)), chunks_in(pack));
                EXPECT_EQ(must(store->stats()).missing_chunks, chunks_in(pack));
                must(store->scrub(
                    std::numeric_limits<std::uint64_t>::max(), [](const Damage&) {},
                    [](std::uint64_t, std::uint64_t) {}));
                if (opening > 0) collect_but_nothing(store);
                if (opening < 2) continue;
                must(disk.rename("away", pack));
                collect_but_nothing(store);
            }
            Opened store(disk, disk_kind().limits);
            collect_but_nothing(store);
            EXPECT_TRUE(damages_of(*store).empty());
            EXPECT_EQ(must(store->stats()).missing_chunks, 0u);
            for (const auto& [number, position] : filled().positions)
                EXPECT_TRUE(store->read(id_of(number)).has_value()) << number;
        }
    }
}

// Its place in the file system answers with an error: it costs what lies in it, for as long as it does.
TEST_P(BadSector, AFileThatCanNotBeOpenedCostsWhatLiesInIt) {
    for (const auto& [path, size] : filled().files) {
        for (const bool is_index_gone : {false, true}) {
            SCOPED_TRACE(path);
            SimDisk disk({}, filled().tree);
            disk.make_unopenable(path);
            if (is_index_gone) {
                const auto database = must(database::Database::open(disk, world_.world(), "site.db"));
                must(database->run("DELETE FROM index_run; UPDATE pack SET index_at = 0"));
            }
            for (int opening = 0; opening < 2; ++opening) {
                Opened store(disk, disk_kind().limits);
                for (const auto& [number, position] : filled().positions)
                    if (position.path != path) {
                        EXPECT_TRUE(store->read(id_of(number)).has_value()) << number;
                    }
                expect_that_losses_are_told(store);
                if (path != "packs/00000004.pack") expect_use(store);
                const bool was_open = path == "packs/00000004.pack";
                const bool refuses = path.ends_with(".pack") && (is_index_gone || was_open);
                collect_but_nothing(store, refuses);
                if (!refuses || opening == 0) continue;
                SimDisk given_up({}, disk.tree());
                given_up.make_unopenable(path);
                for (const bool is_written_off : {false, true}) {
                    Opened once_more(given_up, disk_kind().limits);
                    if (!is_written_off) must(once_more->write_off_unread_packs());
                    collect_but_nothing(once_more);
                }
            }
            SimDisk later({}, disk.tree());
            Opened store(later, disk_kind().limits);
            for (const auto& [number, position] : filled().positions)
                EXPECT_TRUE(store->read(id_of(number)).has_value()) << number;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Disks, BadSector, testing::Values(0, 1, 2, 3),
                         [](const testing::TestParamInfo<std::size_t>& kind) {
                             return std::string(kCaseNames[kind.param]);
                         });

}  // namespace
}  // namespace satchel::store
