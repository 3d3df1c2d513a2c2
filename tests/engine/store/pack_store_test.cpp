// The store: what is put stays, what is damaged is named, what is lost of the index is made again.
#include "engine/store/pack_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;
using simulations::SimDiskOptions;

ByteBuffer chunk(std::uint64_t number) { return noise(1000 + number * 37 % 900, number); }
ChunkId id_of(std::uint64_t number) { return ChunkId{hash_of(chunk(number))}; }

// Chunks 1 to 60 are 90 KiB or so, with what a commit leaves free: three sealed packs and an open one.
constexpr std::uint64_t kChunks = 60;
void fill(PackStore& store) {
    for (std::uint64_t number = 1; number <= kChunks; ++number) must(store.put(chunk(number)));
    must(store.commit());
}

std::size_t readable(PackStore& store, std::uint64_t count = kChunks) {
    std::size_t good = 0;
    for (std::uint64_t number = 1; number <= count; ++number) {
        const Result<ByteBuffer> read = store.read(id_of(number));
        EXPECT_TRUE(!read.has_value() || *read == chunk(number));
        good += read.has_value() ? 1u : 0u;
    }
    return good;
}

std::vector<std::string> packs_on(SimDisk& disk) {
    std::vector<std::string> names;
    for (const env::EntryInfo& entry : must(disk.list("packs"))) names.push_back("packs/" + entry.name);
    return names;
}

bool is_sealed(SimDisk& disk, const std::string& path) {
    const std::unique_ptr<env::File> file = must(disk.open(path, env::OpenMode::kRead));
    return read_trailer(*file).has_value();
}

std::size_t sealed_on(SimDisk& disk) {
    std::size_t sealed = 0;
    for (const std::string& path : packs_on(disk)) sealed += is_sealed(disk, path) ? 1u : 0u;
    return sealed;
}

std::string index_dump(Opened& store) {
    std::string dump;
    for (std::uint64_t number = 1; number <= kChunks; ++number) {
        const Position position = position_of(store, id_of(number));
        dump += position.path + ' ' + std::to_string(position.place) + ' ' + std::to_string(position.stored) +
                '\n';
    }
    database::Statement packs =
        must(store.database().prepare("SELECT number, bytes, sealed, rows, index_at, chunks, stored, raw, "
                                      "hex(id) FROM pack ORDER BY number"));
    while (must(packs.step()))
        for (int column = 0; column < 9; ++column) dump += std::string(packs.text(column)) + ' ';
    return dump;
}

TEST(Store, ReadsWhatWasPutBeforeAndAfterACommitAndAReopening) {
    SimDisk disk;
    {
        Opened store(disk);
        const Placed placed = must(store->put(chunk(1)));
        EXPECT_TRUE(placed.is_new);
        EXPECT_EQ(placed.id, id_of(1));
        EXPECT_EQ(must(store->read(id_of(1))), chunk(1));
        EXPECT_GT(store->uncommitted_bytes(), 0u);
        must(store->commit());
        EXPECT_EQ(store->uncommitted_bytes(), 0u);
        EXPECT_FALSE(must(store->put(chunk(1))).is_new);
        EXPECT_EQ(must(store->size_of(id_of(1))), chunk(1).size());
    }
    Opened store(disk);
    EXPECT_EQ(must(store->read(id_of(1))), chunk(1));
    EXPECT_FALSE(must(store->put(chunk(1))).is_new);
    EXPECT_TRUE(damages_of(*store).empty());
}

TEST(Store, NamesAChunkThatIsNotHere) {
    SimDisk disk;
    Opened store(disk);
    EXPECT_FALSE(must(store->contains(id_of(1))));
    for (const ErrorCode code : {store->read(id_of(1)).error().code, store->size_of(id_of(1)).error().code,
                                 store->read_record(id_of(1)).error().code})
        EXPECT_EQ(code, ErrorCode::kNotFound);
    EXPECT_EQ(store->read(id_of(1)).error().about, to_hex(id_of(1)).substr(0, 16));
}

TEST(Store, TakesARecordAsItCameAndRefusesALie) {
    SimDisk disk;
    Opened store(disk);
    ByteBuffer record;
    encode_record(record, RecordType::kChunk, chunk(1));
    EXPECT_TRUE(must(store->put_record(record, Reach::kToTheLimit)).is_new);
    EXPECT_EQ(must(store->read_record(id_of(1))), record);
    EXPECT_FALSE(must(store->put_record(record, Reach::kToTheLimit)).is_new);
    const Result<Placed> lie =
        store->put_record(vector_file("vectors/record/lying-id.bin"), Reach::kToTheLimit);
    ASSERT_FALSE(lie.has_value());
    EXPECT_EQ(lie.error().code, ErrorCode::kDamaged);
    ByteBuffer freight;
    encode_record(freight, RecordType::kFreight, chunk(2));
    EXPECT_EQ(store->put_record(freight, Reach::kToTheLimit).error().code, ErrorCode::kDamaged);
    EXPECT_FALSE(must(store->contains(id_of(2))));
    EXPECT_EQ(store->put(ByteBuffer(kObjectMax + 1)).error().code, ErrorCode::kTooLarge);
}

TEST(Store, SealsAPackWhenItIsLargeEnoughAndGoesOnInAnother) {
    SimDisk disk;
    Opened store(disk);
    fill(*store);
    EXPECT_EQ(packs_on(disk).size(), 4u);
    EXPECT_EQ(sealed_on(disk), 3u);
    EXPECT_EQ(readable(*store), kChunks);
    const StoreStats stats = must(store->stats());
    EXPECT_EQ(stats.packs, 4u);
    EXPECT_EQ(stats.chunks, kChunks);
    EXPECT_GE(stats.pack_bytes, stats.stored_bytes + kChunks * kRecordHeaderSize);
    EXPECT_TRUE(damages_of(*store).empty());
}

TEST(Store, CommitsByItselfAfterAGroup) {
    SimDisk disk;
    Opened store(disk);
    for (std::uint64_t number = 1; number <= 20; ++number) {
        must(store->put(chunk(number)));
        // One group is on its way to the disk while the next one is made.
        EXPECT_LT(store->uncommitted_bytes(), 2 * kSmallPacks.group_bytes + chunk(number).size());
    }
    EXPECT_GT(must(store->stats()).chunks, 10u);
}

TEST(Store, BeginsNoWriteInABlockThatHoldsSomethingCommitted) {
    SimDisk disk;
    Opened store(disk);
    must(store->put(chunk(1)));
    must(store->commit());
    must(store->put(chunk(2)));
    must(store->put(chunk(3)));
    must(store->commit());
    EXPECT_EQ(position_of(store, id_of(1)).place, kPackHeaderSize);
    const Position second = position_of(store, id_of(2));
    EXPECT_EQ(second.place, kPackBlockSize);
    EXPECT_EQ(position_of(store, id_of(3)).place, second.place + kRecordHeaderSize + second.stored);
}

TEST(Store, RebuildsTheSameIndexFromThePacks) {
    SimDisk disk;
    Opened store(disk);
    fill(*store);
    const std::string before = index_dump(store);
    must(store->rebuild_index());
    EXPECT_EQ(index_dump(store), before);
    EXPECT_EQ(readable(*store), kChunks);
    must(store->put(chunk(kChunks + 1)));
    must(store->commit());
    EXPECT_EQ(readable(*store, kChunks + 1), kChunks + 1);
    EXPECT_TRUE(damages_of(*store).empty());
}

TEST(Store, AnEmptiedDatabaseIsFilledAgainWhenTheStoreOpens) {
    SimDisk disk;
    std::string before;
    {
        Opened store(disk);
        fill(*store);
        before = index_dump(store);
        must(store.database().run("DELETE FROM index_run; DELETE FROM pack"));
    }
    Opened store(disk);
    EXPECT_EQ(index_dump(store), before);
    EXPECT_EQ(readable(*store), kChunks);
    EXPECT_FALSE(store->take_notice().has_value());
}

TEST(Store, AdoptsWholeRecordsBehindTheLastCommit) {
    SimDisk disk;
    {
        Opened store(disk);
        must(store->put(chunk(1)));
        must(store->commit());
        must(store->put(chunk(2)));
        must(store->put(chunk(3)));
    }
    Opened store(disk);
    EXPECT_EQ(readable(*store, 3), 3u);
    EXPECT_EQ(store->uncommitted_bytes(), 0u);
    EXPECT_EQ(packs_on(disk).size(), 1u);
    must(store->put(chunk(4)));
    must(store->commit());
    EXPECT_EQ(packs_on(disk).size(), 1u);
    EXPECT_EQ(readable(*store, 4), 4u);
    EXPECT_TRUE(damages_of(*store).empty());
}

TEST(Store, AdoptsNoTornRecordAndGoesOnBehindTheWholeOnes) {
    SimDisk disk;
    std::uint64_t size = 0;
    {
        Opened store(disk);
        for (std::uint64_t number = 1; number <= 3; ++number) must(store->put(chunk(number)));
        size = must(disk.stat("packs/00000001.pack")).size;
    }
    disk.truncate_at("packs/00000001.pack", size - 1);
    {
        Opened store(disk);
        EXPECT_EQ(readable(*store, 3), 2u);
        EXPECT_FALSE(must(store->contains(id_of(3))));
        must(store->put(chunk(3)));
        must(store->commit());
    }
    Opened store(disk);
    EXPECT_EQ(readable(*store, 3), 3u);
    EXPECT_TRUE(damages_of(*store).empty());
}

TEST(Store, RemovesAPackThatWasCreatedAndNeverSynced) {
    SimDisk disk;
    put_file(disk, "site", {});
    must(disk.make_directory("packs"));
    put_file(disk, "packs/00000001.pack", {});
    put_file(disk, "packs/00000002.pack", noise(5000, 1));
    put_file(disk, "packs/readme.txt", bytes_of("not a pack"));
    Opened store(disk);
    EXPECT_EQ(packs_on(disk), std::vector<std::string>{"packs/readme.txt"});
    must(store->put(chunk(1)));
    EXPECT_EQ(readable(*store, 1), 1u);
}

// -- damage ---------------------------------------------------------------------------------------

TEST(Store, VerifyNamesPackPlaceAndChunkOfAFlippedBit) {
    SimDisk disk;
    Opened store(disk);
    fill(*store);
    const Position hit = position_of(store, id_of(9));
    for (const std::uint64_t inside :
         {std::uint64_t{2}, std::uint64_t{30}, kRecordHeaderSize + std::uint64_t{100}}) {
        disk.flip_bit(hit.path, hit.place + inside, 3);
        const std::vector<Damage> damages = damages_of(*store);
        ASSERT_EQ(damages.size(), 1u) << inside;
        EXPECT_EQ(damages[0].pack, disk.describe(hit.path));
        EXPECT_EQ(damages[0].place, hit.place);
        EXPECT_EQ(damages[0].chunk, id_of(9));
        EXPECT_EQ(damages[0].error.code, ErrorCode::kDamaged);
        const Error error = store->read(id_of(9)).error();
        EXPECT_EQ(error.code, ErrorCode::kDamaged);
        EXPECT_EQ(error.about, disk.describe(hit.path));
        EXPECT_NE(error.detail.find("byte " + std::to_string(hit.place)), std::string::npos);
        EXPECT_EQ(store->read_record(id_of(9)).error().code, ErrorCode::kDamaged);
        EXPECT_EQ(readable(*store), kChunks - 1);
        disk.flip_bit(hit.path, hit.place + inside, 3);
    }
    EXPECT_TRUE(damages_of(*store).empty());
}

// A record that checks out and is another chunk: only the hash tells.
TEST(Store, AReadChecksTheHash) {
    SimDisk disk;
    Opened store(disk);
    must(store->put(bytes_of("Satchel")));
    must(store->commit());
    const ChunkId id{hash_of(bytes_of("Satchel"))};
    const Position place = position_of(store, id);
    const std::unique_ptr<env::File> pack = must(disk.open(place.path, env::OpenMode::kWrite));
    must(pack->write_at(place.place, vector_file("vectors/record/lying-id.bin")));
    EXPECT_EQ(store->read(id).error().code, ErrorCode::kDamaged);
    EXPECT_EQ(damages_of(*store).size(), 1u);
}

// Of a sealed pack and of the open one.
TEST(Store, VerifyNamesAPackThatIsCutOffAndTheRestOfItIsRead) {
    for (const std::string& path : {std::string("packs/00000001.pack"), std::string("packs/00000004.pack")}) {
        SimDisk disk;
        std::set<ChunkId> lost;
        {
            Opened store(disk);
            fill(*store);
            const std::uint64_t cut = must(disk.stat(path)).size / 2;
            for (std::uint64_t number = 1; number <= kChunks; ++number) {
                const Position place = position_of(store, id_of(number));
                if (place.path == path && place.place + kRecordHeaderSize + place.stored > cut)
                    lost.insert(id_of(number));
            }
            disk.truncate_at(path, cut);
        }
        ASSERT_GT(lost.size(), 1u);
        for (int opening = 0; opening < 2; ++opening) {  // reopening forgets nothing of it
            Opened store(disk);
            const std::vector<Damage> damages = damages_of(*store);
            ASSERT_EQ(damages.size(), 1u) << path;
            EXPECT_EQ(damages[0].pack, disk.describe(path));
            EXPECT_EQ(damages[0].error.code, ErrorCode::kDamaged);
            EXPECT_EQ(damages[0].error.detail, std::to_string(lost.size()) + " chunks");
            EXPECT_EQ(readable(*store), kChunks - lost.size());
            for (const ChunkId& id : lost) EXPECT_FALSE(must(store->contains(id)));
        }
        Opened store(disk);
        for (std::uint64_t number = 1; number <= kChunks; ++number)
            EXPECT_EQ(must(store->put(chunk(number))).is_new, lost.contains(id_of(number)));
        must(store->rebuild_index());
        EXPECT_EQ(readable(*store), kChunks);
        EXPECT_FALSE(damages_of(*store).empty()) << "that something was lost there stays known";
        must(store->write_off_cut_chunks());
        EXPECT_TRUE(damages_of(*store).empty());
        EXPECT_EQ(must(store->stats()).chunks, kChunks);
    }
}

TEST(Store, VerifyNamesAMissingPackAndItsChunksAreTakenAnew) {
    SimDisk disk;
    std::set<ChunkId> lost;
    {
        Opened store(disk);
        fill(*store);
        for (std::uint64_t number = 1; number <= kChunks; ++number)
            if (position_of(store, id_of(number)).path == "packs/00000001.pack") lost.insert(id_of(number));
    }
    must(disk.remove_file("packs/00000001.pack"));
    Opened store(disk);
    const std::vector<Damage> damages = damages_of(*store);
    ASSERT_EQ(damages.size(), 1u);
    EXPECT_EQ(readable(*store), kChunks - lost.size());
    EXPECT_EQ(damages[0].error.reason.text(), std::string("this pack is missing, or chunks in it are gone"));
    EXPECT_EQ(damages[0].error.detail, std::to_string(lost.size()) + " chunks");
    for (const ChunkId& id : lost) {
        EXPECT_FALSE(must(store->contains(id)));
        const Error error = store->read(id).error();
        EXPECT_EQ(error.code, ErrorCode::kDamaged);
        EXPECT_EQ(error.about, disk.describe("packs/00000001.pack"));
    }
    fill(*store);
    EXPECT_EQ(readable(*store), kChunks);
    EXPECT_EQ(damages_of(*store).size(), 1u);
    must(store->rebuild_index());
    EXPECT_TRUE(damages_of(*store).empty());
    EXPECT_EQ(readable(*store), kChunks);
}

TEST(Store, VerifyTellsOfADamagedTableAndHeaderAndRebuildingMendsThem) {
    SimDisk disk;
    Opened store(disk);
    fill(*store);
    const std::string path = "packs/00000001.pack";
    const std::uint64_t size = must(disk.stat(path)).size;
    std::uint64_t index_at = 0;
    {
        const std::unique_ptr<env::File> file = must(disk.open(path, env::OpenMode::kRead));
        index_at = must(read_trailer(*file)).index.offset;
    }
    for (const std::uint64_t place : {std::uint64_t{20}, index_at + 5, size - 100, size - 1}) {
        disk.flip_bit(path, place, 0);
        const std::vector<Damage> damages = damages_of(*store);
        ASSERT_EQ(damages.size(), 1u) << place;
        EXPECT_EQ(damages[0].pack, disk.describe(path));
        EXPECT_FALSE(damages[0].chunk.has_value());
        EXPECT_EQ(readable(*store), kChunks);
        must(store->rebuild_index());
        EXPECT_TRUE(damages_of(*store).empty()) << place;
        EXPECT_EQ(readable(*store), kChunks);
        EXPECT_TRUE(is_sealed(disk, path));
        EXPECT_EQ(must(disk.stat(path)).size, size);
    }
}

// The index may be lost on a day when a pack is damaged too: what is whole must be found again.
TEST(Store, RebuildingLosesNoWholeChunkToADamagedNeighbour) {
    SimDisk disk;
    Opened store(disk);
    fill(*store);
    for (const std::uint64_t number : {std::uint64_t{3}, std::uint64_t{40}, kChunks - 1}) {
        const Position hit = position_of(store, id_of(number));
        disk.flip_bit(hit.path, hit.place + 5, 1);
        const std::uint64_t size = must(disk.stat(hit.path)).size;
        disk.flip_bit(hit.path, size - 3, 1);  // and the trailer, where there is one
    }
    must(store->rebuild_index());
    EXPECT_GE(readable(*store), kChunks - 4);  // the last chunk may be hit by the last flip
    EXPECT_FALSE(damages_of(*store).empty());
    must(store->write_off_cut_chunks());
    EXPECT_TRUE(damages_of(*store).empty());
    EXPECT_FALSE(must(store->contains(id_of(3))));
}

TEST(Store, AForgottenChunkIsTakenAnewAndRebuildingKeepsTheNewPlace) {
    SimDisk disk;
    Opened store(disk);
    fill(*store);
    const Position old = position_of(store, id_of(5));
    disk.flip_bit(old.path, old.place + kRecordHeaderSize, 0);
    must(store->forget(id_of(5)));
    EXPECT_FALSE(must(store->contains(id_of(5))));
    EXPECT_TRUE(must(store->put(chunk(5))).is_new);
    must(store->commit());
    EXPECT_TRUE(damages_of(*store).empty());
    must(store->rebuild_index());
    EXPECT_EQ(must(store->read(id_of(5))), chunk(5));
    EXPECT_TRUE(damages_of(*store).empty());
    must(store->put(chunk(kChunks + 1)));
    must(store->forget(id_of(kChunks + 1)));  // not committed yet
    EXPECT_FALSE(must(store->contains(id_of(kChunks + 1))));
    must(store->commit());
    EXPECT_FALSE(must(store->contains(id_of(kChunks + 1))));
}

// Also when nothing is left that says what was forgotten.
TEST(Store, TheNewestPlaceCountsWhenTheDatabaseIsLost) {
    SimDisk disk;
    {
        Opened store(disk);
        fill(*store);
        const Position old = position_of(store, id_of(5));
        disk.flip_bit(old.path, old.place + kRecordHeaderSize, 0);
        must(store->forget(id_of(5)));
        fill(*store);
        must(store.database().run("DELETE FROM index_run; DELETE FROM pack; DELETE FROM forgotten"));
    }
    Opened store(disk);
    EXPECT_EQ(must(store->read(id_of(5))), chunk(5));
    EXPECT_EQ(readable(*store), kChunks);
}

TEST(Store, WhatWasForgottenStaysForgotten) {
    SimDisk disk;
    std::size_t chunks = kChunks;
    {
        Opened store(disk);
        fill(*store);
        for (const std::uint64_t number : {std::uint64_t{5}, kChunks - 1, kChunks}) {
            must(store->forget(id_of(number)));
            EXPECT_FALSE(must(store->contains(id_of(number))));
            EXPECT_EQ(must(store->stats()).chunks, --chunks);
        }
    }
    {
        Opened store(disk);
        EXPECT_EQ(readable(*store), chunks);
        must(store->rebuild_index());
        EXPECT_EQ(readable(*store), chunks);
        EXPECT_EQ(must(store->stats()).chunks, chunks);
    }
    Opened store(disk);
    EXPECT_EQ(readable(*store), chunks);
    EXPECT_EQ(must(store->stats()).chunks, chunks);
    EXPECT_TRUE(damages_of(*store).empty());
    fill(*store);
    EXPECT_EQ(readable(*store), kChunks);
    EXPECT_EQ(must(store->stats()).chunks, kChunks);
}

// A power cut takes what was put and forgotten; what then comes to stand at that place is another chunk.
TEST(Store, APlaceThatWasForgottenIsUsedAgainAfterAPowerCut) {
    for (const bool is_first : {true, false}) {
        SimDisk disk;
        {
            Opened store(disk);
            if (!is_first) must(store->put(chunk(1)));
            must(store->commit());
            must(store->put(chunk(2)));
            must(store->forget(id_of(2)));
        }
        const std::unique_ptr<SimDisk> after = simulations::image(
            disk, {std::vector<simulations::Fate>(disk.pending().size(), simulations::Fate::kLost), 1});
        {
            Opened store(*after);
            must(store->put(chunk(3)));
            must(store->commit());
            EXPECT_EQ(must(store->read(id_of(3))), chunk(3));
        }
        Opened store(*after);
        EXPECT_EQ(must(store->read(id_of(3))), chunk(3));
        EXPECT_TRUE(damages_of(*store).empty());
    }
}

TEST(Store, RefusesAPackOfANewerProgramByName) {
    SimDisk disk;
    { Opened store(disk); }
    ByteBuffer header = encode(PackHeader{5, {}});
    header[4] = 2;
    const Digest digest = hash_of(ByteView(header).first(56));
    std::copy_n(digest.begin(), 8, header.begin() + 56);
    const ByteBuffer newer_section = vector_file("vectors/pack/newer-section.pack");
    ByteBuffer newer_record = encode(PackHeader{5, {}});
    append(newer_record, vector_file("vectors/record/newer-flag.bin"));
    for (const ByteBuffer& pack : {header, newer_section, newer_record}) {
        put_file(disk, "packs/00000005.pack", pack);
        simulations::SimWorld world;
        const auto database = must(database::Database::open(disk, world.world(), "site.db"));
        const auto store = Store::open(disk, world.world(), *database, "packs");
        ASSERT_FALSE(store.has_value());
        EXPECT_EQ(store.error().code, ErrorCode::kUnsupported);
        EXPECT_EQ(store.error().about, disk.describe("packs/00000005.pack"));
        EXPECT_EQ(get_file(disk, "packs/00000005.pack"), pack);
    }
}

// -- a disk that fails ------------------------------------------------------------------------------

TEST(Store, AFullDiskLeavesASoundStore) {
    SimDiskOptions options;
    options.capacity = 500'000;
    SimDisk disk(options);
    put_file(disk, "filler", ByteBuffer(200'000));
    std::uint64_t acknowledged = 0;
    {
        Opened store(disk);
        std::optional<Error> error;
        for (std::uint64_t number = 1; number <= 500 && !error; ++number) {
            const Result<Placed> placed = store->put(chunk(number));
            if (!placed.has_value()) error = placed.error();
            if (error || number % 5 != 0) continue;
            const Result<void> committed = store->commit();
            if (!committed.has_value()) error = committed.error();
            if (!error) acknowledged = number;
        }
        ASSERT_TRUE(error.has_value());
        EXPECT_EQ(error->code, ErrorCode::kNoSpace);
        EXPECT_FALSE(store->put(noise(10, 1)).has_value());  // until it is opened anew
        EXPECT_EQ(readable(*store, acknowledged), acknowledged);
    }
    EXPECT_GT(acknowledged, 10u);
    must(disk.remove_file("filler"));
    Opened store(disk);
    EXPECT_EQ(readable(*store, acknowledged), acknowledged);
    EXPECT_TRUE(damages_of(*store).empty());
    must(store->put(noise(10, 1)));
    must(store->commit());
}

TEST(Store, WritesNothingMoreAfterASyncThatFailed) {
    SimDisk disk;
    {
        Opened store(disk);
        must(store->put(chunk(1)));
        must(store->commit());
        must(store->put(chunk(2)));
        disk.fail_operation(disk.operations() + 1, ErrorCode::kIo);
        EXPECT_EQ(store->commit().error().code, ErrorCode::kIo);
        EXPECT_EQ(store->commit().error().code, ErrorCode::kIo);
        EXPECT_EQ(store->put(chunk(3)).error().code, ErrorCode::kIo);
        EXPECT_EQ(must(store->read(id_of(1))), chunk(1));
    }
    Opened store(disk);
    EXPECT_EQ(must(store->read(id_of(1))), chunk(1));
    must(store->put(chunk(2)));
    must(store->commit());
    EXPECT_EQ(readable(*store, 2), 2u);
    EXPECT_TRUE(damages_of(*store).empty());
}

TEST(Store, TheStoresOwnLimitsAreThoseOfTheFormat) {
    const PackLimits limits;
    EXPECT_EQ(limits.target_bytes, 64u * 1024 * 1024);
    EXPECT_EQ(limits.group_bytes, 8u * 1024 * 1024);
    EXPECT_LE(limits.target_bytes + limits.group_bytes + 2 * kObjectMax, kPackBytesMax);
}

TEST(Store, ATornRecordBeforeAdoptedOnesIsNotKnownByItsHeader) {
    SimDisk disk;
    {
        Opened store(disk);
        must(store->put(chunk(1)));
        must(store->commit());
        must(store->put(chunk(2)));
        must(store->put(chunk(3)));
        const Position torn = position_of(store, id_of(2));
        disk.flip_bit(torn.path, torn.place + kRecordHeaderSize + 3, 1);
    }
    for (int opening = 0; opening < 3; ++opening) {
        Opened store(disk);
        EXPECT_FALSE(must(store->contains(id_of(2))));
        EXPECT_EQ(must(store->read(id_of(3))), chunk(3));
        EXPECT_TRUE(damages_of(*store).empty());
    }
}

}  // namespace
}  // namespace satchel::store
