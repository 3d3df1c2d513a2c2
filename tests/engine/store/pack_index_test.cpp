// The store and its index: damage of the index is mended by itself, packs can be taken away, old sites open.
#include <gtest/gtest.h>

#include <set>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;

// Seals every two chunks, merges as soon as two runs are of a level.
constexpr PackLimits kManyRuns = {.target_bytes = 1024,
                                  .group_bytes = 512,
                                  .merge_rows = 4,
                                  .build_rows = 50,
                                  .runs = {.fanout = 2, .first_rows = 4}};

ByteBuffer chunk(std::uint64_t number) { return noise(500 + number * 37 % 300, number); }
ChunkId id_of(std::uint64_t number) { return ChunkId{hash_of(chunk(number))}; }

constexpr std::uint64_t kChunks = 200;
void fill(PackStore& store) {
    for (std::uint64_t number = 1; number <= kChunks; ++number) must(store.put(chunk(number)));
    must(store.commit());
}

std::size_t here(PackStore& store) {
    std::size_t good = 0;
    for (std::uint64_t number = 1; number <= kChunks; ++number) {
        const bool is_here = must(store.contains(id_of(number)));
        good += is_here ? 1u : 0u;
        EXPECT_TRUE(!is_here || must(store.read(id_of(number))) == chunk(number));
    }
    return good;
}

std::vector<std::string> files_in(SimDisk& disk, const std::string& folder) {
    std::vector<std::string> names;
    for (const env::EntryInfo& entry : must(disk.list(folder))) names.push_back(folder + '/' + entry.name);
    return names;
}

TEST(StoreIndex, MergesAsItFills) {
    SimDisk disk;
    Opened store(disk, kManyRuns);
    fill(*store);
    EXPECT_GT(must(store->stats()).packs, 60u);
    EXPECT_LT(store->index().count(), 16u);
    while (must(store->merge_index(1000))) {
    }
    EXPECT_LT(store->index().count(), 9u);
    EXPECT_EQ(files_in(disk, "index").size(), store->index().count());
    EXPECT_EQ(here(*store), kChunks);
    EXPECT_FALSE(store->take_notice().has_value());
}

TEST(StoreIndex, MakesDamagedRunsAgainAndSaysSoOnce) {
    SimDisk disk;
    {
        Opened store(disk, kManyRuns);
        fill(*store);
    }
    const std::vector<std::string> runs = files_in(disk, "index");
    ASSERT_GT(runs.size(), 2u);
    for (const std::uint64_t place : {3u, 40u, 70u, 4096u + 20u, 8192u, 0u}) {
        for (const std::string& run : files_in(disk, "index"))
            if (place == 0)
                must(disk.remove_file(run));
            else
                disk.flip_bit(run, place, 5);
        Opened store(disk, kManyRuns);
        EXPECT_EQ(here(*store), kChunks) << place;
        const std::optional<Error> notice = store->take_notice();
        ASSERT_TRUE(notice.has_value()) << place;
        EXPECT_EQ(notice->code, ErrorCode::kDamaged);
        EXPECT_FALSE(store->take_notice().has_value());
        EXPECT_TRUE(damages_of(*store).empty());
    }
    Opened store(disk, kManyRuns);
    EXPECT_EQ(here(*store), kChunks);
    EXPECT_FALSE(store->take_notice().has_value());
}

TEST(StoreIndex, VerifyFindsDamageOfRunsThatNoLookupMet) {
    SimDisk disk;
    Opened store(disk, kManyRuns);
    fill(*store);
    disk.flip_bit(files_in(disk, "index").at(0), 4096 + 20, 5);
    EXPECT_TRUE(damages_of(*store).empty());
    EXPECT_TRUE(store->take_notice().has_value());
    EXPECT_EQ(here(*store), kChunks);
}

// Damage may be met in the middle of somebody else's transaction, which may come to nothing.
TEST(StoreIndex, IsMendedInsideATransactionThatIsRolledBack) {
    SimDisk disk;
    {
        Opened store(disk, kManyRuns);
        fill(*store);
        while (must(store->merge_index(1000))) {
        }
        for (const std::string& run : files_in(disk, "index")) disk.flip_bit(run, 4096 + 20, 5);
        {
            const database::Transaction transaction = must(database::Transaction::begin(store.database()));
            EXPECT_EQ(here(*store), kChunks);
        }
        EXPECT_EQ(here(*store), kChunks);
        fill(*store);
    }
    for (int opening = 0; opening < 2; ++opening) {
        Opened store(disk, kManyRuns);
        EXPECT_EQ(here(*store), kChunks);
        EXPECT_EQ(must(store->stats()).chunks, kChunks);
    }
}

TEST(StoreIndex, APackSealsWithAsManyChunksAsMayBe) {
    PackLimits limits = kManyRuns;
    limits.target_bytes = 1 << 20;
    limits.group_bytes = 1 << 20;
    limits.rows_max = 16;
    SimDisk disk;
    Opened store(disk, limits);
    fill(*store);
    EXPECT_EQ(must(store->stats()).packs, (kChunks + 15) / 16);
    EXPECT_EQ(here(*store), kChunks);
}

TEST(StoreIndex, OnlyTheLastOfSeveralUnfinishedPacksGoesOn) {
    SimDisk disk;
    must(disk.make_directory("packs"));
    for (std::uint32_t number = 1; number <= 3; ++number) {
        ByteBuffer pack = encode(PackHeader{number, {}});
        encode_record(pack, RecordType::kChunk, chunk(number));
        put_file(disk, "packs/" + pack_name(number), pack);
    }
    Opened store(disk);
    std::vector<bool> sealed;
    must(store->for_each_pack([&](const PackInfo& pack) -> Result<void> {
        sealed.push_back(pack.is_sealed);
        return {};
    }));
    EXPECT_EQ(sealed, (std::vector<bool>{true, true, false}));
    EXPECT_EQ(here(*store), 3u);
    EXPECT_TRUE(damages_of(*store).empty());
}

// -- for who collects -------------------------------------------------------------------------------

TEST(StoreIndex, GivesEveryRowOfSealedPacksABitOfItsOwn) {
    SimDisk disk;
    Opened store(disk, kManyRuns);
    fill(*store);
    std::set<std::uint64_t> bits;
    std::uint64_t rows = 0;
    must(store->for_each_pack([&](const PackInfo& pack) -> Result<void> {
        if (!pack.is_sealed) return {};
        rows += pack.rows;
        EXPECT_EQ(must(disk.stat("packs/" + pack_name(pack.number))).size, pack.bytes);
        return store->for_each_row(pack.number, [&](const IndexRow& row, std::uint32_t slot) -> Result<void> {
            const std::optional<Spot> spot = must(store->spot_of(row.id));
            EXPECT_EQ(spot->pack, pack.number);
            EXPECT_EQ(spot->slot, slot);
            EXPECT_TRUE(bits.insert(std::uint64_t{pack.base} + slot).second);
            return {};
        });
    }));
    EXPECT_EQ(bits.size(), rows);
    EXPECT_EQ(*bits.rbegin(), rows - 1);
    EXPECT_FALSE(must(store->spot_of(id_of(kChunks + 1))).has_value());
}

TEST(StoreIndex, DroppedPacksAreGoneAtOnceAndTheirRowsAtTheNextMerge) {
    SimDisk disk;
    std::size_t left = 0;
    {
        Opened store(disk, kManyRuns);
        fill(*store);
        std::vector<std::uint32_t> drop;
        std::uint32_t rows = 0;
        must(store->for_each_pack([&](const PackInfo& pack) -> Result<void> {
            if (!pack.is_sealed || pack.number % 3 != 0) return {};
            drop.push_back(pack.number);
            rows += pack.rows;
            return {};
        }));
        left = kChunks - rows;
        must(store->drop_packs(drop));
        EXPECT_EQ(here(*store), left);
        EXPECT_EQ(must(store->stats()).chunks, left);
        EXPECT_FALSE(must(env::exists(disk, "packs/00000003.pack")));
        EXPECT_TRUE(damages_of(*store).empty());
    }
    Opened store(disk, kManyRuns);
    EXPECT_EQ(here(*store), left);
    fill(*store);
    EXPECT_EQ(here(*store), kChunks);
    EXPECT_EQ(must(store->stats()).chunks, kChunks);
}

TEST(StoreIndex, AStopInTheMiddleOfDroppingBringsNothingBack) {
    for (std::uint64_t count = 0;; ++count) {
        SimDisk disk;
        std::uint64_t before = 0;
        std::uint64_t left = 0;
        bool is_done = false;
        {
            Opened store(disk, kManyRuns);
            fill(*store);
            before = here(*store);
            disk.set_crash_after(disk.operations() + count);
            is_done = store->drop_packs({1, 2, 3}).has_value();
        }
        const std::unique_ptr<SimDisk> after = simulations::image(
            disk, {std::vector<simulations::Fate>(disk.pending().size(), simulations::Fate::kLost), 1});
        Opened store(*after, kManyRuns);
        left = here(*store);
        EXPECT_EQ(must(store->stats()).chunks, left);
        EXPECT_TRUE(damages_of(*store).empty());
        EXPECT_EQ(left == before, must(env::exists(*after, "packs/00000001.pack"))) << count;
        if (!is_done) continue;
        EXPECT_LT(left, before);
        break;
    }
}

// -- the index of earlier releases ---------------------------------------------------------------------

// As schema version 2 had it: a row a chunk, and none for what was forgotten.
void take_back_to_version_two(Opened& store) {
    database::Database& database = store.database();
    must(database.run(
        "CREATE TABLE chunk (id BLOB PRIMARY KEY, pack INTEGER NOT NULL, place INTEGER NOT NULL, "
        "stored INTEGER NOT NULL, raw INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX chunk_by_pack ON chunk (pack, place)"));
    for (std::uint64_t number = 1; number <= kChunks; ++number) {
        if (!must(store->contains(id_of(number)))) continue;
        const Position position = position_of(store, id_of(number));
        database::Statement insert = must(database.prepare("INSERT INTO chunk VALUES (?, ?, ?, ?, ?)"));
        insert.bind_blob(1, id_of(number).view())
            .bind(2, std::int64_t{*pack_number_of(env::last_part(position.path))})
            .bind(3, static_cast<std::int64_t>(position.place))
            .bind(4, std::int64_t{position.stored})
            .bind(5, static_cast<std::int64_t>(must(store->size_of(id_of(number)))));
        must(insert.run());
    }
    for (const char* column : {"rows", "index_at", "chunks", "stored", "raw", "lost"})
        must(database.run("ALTER TABLE pack DROP COLUMN " + std::string(column)));
    must(
        database.run("DROP TABLE index_run; DROP TABLE forgotten; DROP TABLE pack_check; "
                     "DROP TABLE custody; DROP TABLE acknowledgement_word; DROP INDEX "
                     "acknowledgement_by_site; DROP INDEX site_hub; "
                     "PRAGMA user_version = 2"));
}

TEST(StoreIndex, TakesOverTheTableOfEarlierReleases) {
    SimDisk disk;
    const std::set<std::uint64_t> forgotten = {3, 77, kChunks};
    StoreStats stats;
    {
        Opened store(disk, kSmallPacks);
        fill(*store);
        for (const std::uint64_t number : forgotten) must(store->forget(id_of(number)));
        stats = must(store->stats());
        take_back_to_version_two(store);
    }
    for (const std::string& run : files_in(disk, "index")) must(disk.remove_file(run));
    for (int opening = 0; opening < 2; ++opening) {
        Opened store(disk, kSmallPacks);
        EXPECT_EQ(here(*store), kChunks - forgotten.size());
        for (const std::uint64_t number : forgotten) EXPECT_FALSE(must(store->contains(id_of(number))));
        EXPECT_TRUE(damages_of(*store).empty());
        const StoreStats now = must(store->stats());
        EXPECT_EQ(now.chunks, stats.chunks);
        EXPECT_EQ(now.stored_bytes, stats.stored_bytes);
        EXPECT_EQ(now.plain_bytes, stats.plain_bytes);
        database::Statement tables =
            must(store.database().prepare("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'chunk%'"));
        must(tables.step());
        EXPECT_EQ(tables.integer(0), 0);
    }
}

// The pack's own row is read before a run is believed, and where that has another id the records decide.
TEST(StoreIndex, ReadsAChunkWhoseRowInThePackIsDamaged) {
    SimDisk disk;
    Opened store(disk, kSmallPacks);
    fill(*store);
    const Spot spot = must(store->spot_of(id_of(1))).value();
    ASSERT_TRUE(spot.slot.has_value());
    const std::string path = "packs/" + pack_name(spot.pack);
    std::uint64_t index_at = 0;
    {
        const std::unique_ptr<env::File> file = must(disk.open(path, env::OpenMode::kRead));
        index_at = must(read_trailer(*file)).index.offset;
    }
    disk.flip_bit(path, index_at + *spot.slot * kIndexRowSize + 20, 3);
    EXPECT_EQ(must(store->read(id_of(1))), chunk(1));
}

TEST(StoreIndex, OfTwoPlacesTheNewestCountsWhenNobodyKnowsWhichWasForgotten) {
    SimDisk disk;
    {
        Opened store(disk, kSmallPacks);
        fill(*store);
        const Position old = position_of(store, id_of(1));
        disk.flip_bit(old.path, old.place + kRecordHeaderSize, 0);
        must(store->forget(id_of(1)));
        EXPECT_TRUE(must(store->put(chunk(1))).is_new);
        must(store->commit());
        for (std::uint64_t number = 2 * kChunks; must(store->spot_of(id_of(1)))->slot == std::nullopt;
             ++number) {
            must(store->put(chunk(number)));
            must(store->commit());
        }
        must(store.database().run("DELETE FROM forgotten"));
    }
    Opened store(disk, kSmallPacks);
    EXPECT_EQ(must(store->read(id_of(1))), chunk(1));
}

}  // namespace
}  // namespace satchel::store
