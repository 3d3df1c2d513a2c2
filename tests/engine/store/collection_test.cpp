// Collecting: what is named stays whatever happens, what is not goes, and no crash in between loses any of
// it.
#include "engine/store/collection.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::CrashBudget;
using simulations::CrashPlan;
using simulations::SimDisk;

constexpr std::size_t kChunkBytes = 3000;
// A pack holds some four chunks.
constexpr PackLimits kTiny = {.target_bytes = 12 * 1024,
                              .group_bytes = 6 * 1024,
                              .merge_rows = 0,
                              .merge_rows_per_chunk = 1,
                              .build_rows = 8,
                              .runs = {.fanout = 2, .first_rows = 2}};

ByteBuffer chunk(std::uint64_t number) { return noise(kChunkBytes, number); }
ChunkId id_of(std::uint64_t number) { return ChunkId{hash_of(chunk(number))}; }

void put_all(PackStore& store, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t number = from; number < to; ++number) must(store.put(chunk(number)));
    must(store.commit());
}

// Returns how many steps it took.
int sweep_all(Collection& collection, std::uint64_t* freed = nullptr) {
    for (int step = 1;; ++step) {
        const Collection::Swept swept = must(collection.sweep());
        if (freed != nullptr) *freed += swept.freed;
        if (swept.is_last) return step;
    }
}

std::uint64_t bytes_on(SimDisk& disk) {
    std::uint64_t bytes = 0;
    for (const env::EntryInfo& entry : must(disk.list("packs"))) bytes += entry.size;
    return bytes;
}

TEST(Collection, DropsDeadPacksAndMovesWhatIsLeftOfDyingOnes) {
    SimDisk disk;
    Opened store(disk, kTiny);
    put_all(*store, 0, 24);
    const std::uint64_t before = bytes_on(disk);
    std::uint64_t freed = 0;
    {
        const auto collection = must(store->collect());
        for (const std::uint64_t number : {9u, 16u})
            EXPECT_TRUE(must(collection->keep(id_of(number))).is_new);
        EXPECT_FALSE(must(collection->keep(id_of(9))).is_new);
        EXPECT_FALSE(must(collection->keep(id_of(99))).is_here);
        EXPECT_GT(must(collection->garbage()).dead_bytes, 20 * kChunkBytes);
        sweep_all(*collection, &freed);
    }
    EXPECT_EQ(must(store->read(id_of(9))), chunk(9));
    EXPECT_EQ(must(store->read(id_of(16))), chunk(16));
    EXPECT_FALSE(must(store->contains(id_of(1))));
    EXPECT_LT(bytes_on(disk), before / 3);
    EXPECT_GT(freed, before / 2);
    EXPECT_TRUE(damages_of(*store).empty());
}

TEST(Collection, OnlyLooksUntilItIsToldToSweep) {
    SimDisk disk;
    Opened store(disk, kTiny);
    put_all(*store, 0, 12);
    const auto collection = must(store->collect());
    EXPECT_GT(must(collection->garbage()).freeable_bytes, 0u);
    for (std::uint64_t number = 0; number < 12; ++number)
        EXPECT_EQ(must(store->read(id_of(number))), chunk(number));
}

TEST(Collection, WhatWasPutOrAnsweredToBeHereSinceItBeganStays) {
    SimDisk disk;
    Opened store(disk, kTiny);
    put_all(*store, 0, 12);
    const auto collection = must(store->collect());
    EXPECT_TRUE(must(store->contains(id_of(2))));
    EXPECT_FALSE(must(store->put(chunk(5))).is_new);
    put_all(*store, 20, 22);
    sweep_all(*collection);
    for (const std::uint64_t number : {2u, 5u, 20u, 21u})
        EXPECT_EQ(must(store->read(id_of(number))), chunk(number));
    EXPECT_FALSE(must(store->contains(id_of(1))));
}

TEST(Collection, WhatWasAnsweredToBeHereIsStillToBeNamed) {
    SimDisk disk;
    Opened store(disk, kTiny);
    put_all(*store, 0, 4);
    const auto collection = must(store->collect());
    EXPECT_TRUE(must(store->contains(id_of(2))));
    EXPECT_TRUE(must(collection->keep(id_of(2))).is_new);  // so that what it names is looked at
}

TEST(Collection, OfTwoPlacementsTheOneThatCountsStays) {
    SimDisk disk;
    Opened store(disk, kTiny);
    put_all(*store, 0, 8);
    must(store->forget(id_of(3)));
    put_all(*store, 3, 4);
    put_all(*store, 8, 16);
    {
        const auto collection = must(store->collect());
        EXPECT_TRUE(must(collection->keep(id_of(3))).is_here);
        sweep_all(*collection);
    }
    EXPECT_EQ(must(store->read(id_of(3))), chunk(3));
}

TEST(Collection, InNeedPacksGoOfWhichAnEighthIsDead) {
    SimDisk disk;
    Opened store(disk, kTiny);
    put_all(*store, 0, 16);
    const auto keep_most = [&](Collection& collection) {
        for (std::uint64_t number = 0; number < 16; ++number)
            if (number % 4 != 1) must(collection.keep(id_of(number)));
    };
    {
        const auto collection = must(store->collect());
        keep_most(*collection);
        EXPECT_EQ(must(collection->garbage()).freeable_bytes, 0u);
        EXPECT_GT(must(collection->garbage(Collection::Thrift::kEighthDead)).freeable_bytes, 2 * kChunkBytes);
        sweep_all(*collection);
        EXPECT_TRUE(must(store->contains(id_of(1))));
    }
    const auto collection = must(store->collect());
    keep_most(*collection);
    while (!must(collection->sweep(Collection::Thrift::kEighthDead)).is_last) {
    }
    EXPECT_FALSE(must(store->contains(id_of(1))));
    for (std::uint64_t number = 0; number < 16; ++number)
        if (number % 4 != 1) {
            EXPECT_EQ(must(store->read(id_of(number))), chunk(number));
        }
    EXPECT_TRUE(damages_of(*store).empty());
}

// An index made anew after damage may leave an early pack open.
TEST(Collection, TheOpenPackIsSweptLikeAnyOtherWhateverItsNumber) {
    SimDisk disk;
    {
        Opened store(disk, kTiny);
        put_all(*store, 0, 16);
    }
    const std::string first = "packs/" + pack_name(1);
    const std::unique_ptr<env::File> file = must(disk.open(first, env::OpenMode::kWrite));
    // One group of two records, and the first of the other.
    must(file->truncate(2 * kPackBlockSize + kRecordHeaderSize + kChunkBytes + 8));
    must(file->sync());
    Opened store(disk, kTiny);
    must(store->rebuild_index());
    std::vector<std::uint64_t> of_first;
    for (std::uint64_t number = 0; number < 4; ++number)
        if (must(store->contains(id_of(number)))) of_first.push_back(number);
    ASSERT_EQ(of_first.size(), 3u);
    must(store->write_off_cut_chunks());  // the fourth: a pack that lacks any stays whole
    int open = 0;
    must(store->for_each_pack([&](const PackInfo& info) -> Result<void> {
        open += info.is_sealed ? 0 : 1;
        EXPECT_TRUE(info.is_sealed || info.number == 1);
        return {};
    }));
    ASSERT_EQ(open, 1);
    const auto collection = must(store->collect());
    must(collection->keep(id_of(of_first[0])));
    for (std::uint64_t number = 4; number < 16; ++number) must(collection->keep(id_of(number)));
    sweep_all(*collection);
    EXPECT_EQ(must(store->read(id_of(of_first[0]))), chunk(of_first[0]));
}

TEST(Collection, StopsWhereAPackIsMissingThatWasToStay) {
    SimDisk disk;
    {
        Opened store(disk, kTiny);
        put_all(*store, 0, 16);
    }
    must(disk.remove_file("packs/" + pack_name(2)));
    Opened store(disk, kTiny);
    const auto collection = must(store->collect());
    int missing = 0;
    for (std::uint64_t number = 0; number < 16; ++number) {
        const Result<Collection::Kept> kept = collection->keep(id_of(number));
        missing += kept.has_value() ? 0 : 1;
        if (!kept.has_value()) {
            EXPECT_EQ(kept.error().code, ErrorCode::kDamaged);
        }
    }
    EXPECT_GT(missing, 0);
}

RC_GTEST_PROP(Collection, AgreesWithASet, ()) {
    SimDisk disk;
    auto store = std::make_unique<Opened>(disk, kTiny);
    std::set<std::uint64_t> here;
    const int steps = *rc::gen::inRange(1, 12);
    for (int step = 0; step < steps; ++step) {
        const int what = *rc::gen::inRange(0, 4);
        if (what == 0) {
            store = nullptr;
            store = std::make_unique<Opened>(disk, kTiny);
        } else if (what < 3) {
            const auto from = *rc::gen::inRange<std::uint64_t>(0, 40);
            const auto count = *rc::gen::inRange<std::uint64_t>(1, 12);
            put_all(**store, from, from + count);
            for (std::uint64_t number = from; number < from + count; ++number) here.insert(number);
        } else {
            const auto divisor = *rc::gen::inRange<std::uint64_t>(1, 8);
            const auto added = *rc::gen::inRange<std::uint64_t>(0, 60);
            std::set<std::uint64_t> kept;
            const auto collection = must((*store)->collect());
            for (const std::uint64_t number : here)
                if (number % divisor == 0 && must(collection->keep(id_of(number))).is_here)
                    kept.insert(number);
            must((*store)->put(chunk(added)));
            kept.insert(added);
            sweep_all(*collection);
            here = kept;
        }
        for (const std::uint64_t number : here)
            RC_ASSERT(must((*store)->read(id_of(number))) == chunk(number));
    }
    RC_ASSERT(damages_of(**store).empty());
}

// Keeps every third chunk, twice, with more put in between; `acknowledge` is told what must be here from then
// on.
void work(SimDisk& disk, const std::function<void(std::set<std::uint64_t>)>& acknowledge) {
    try {
        std::set<std::uint64_t> kept;
        Opened store(disk, kTiny);
        for (std::uint64_t round = 0; round < 2; ++round) {
            put_all(*store, round * 12, round * 12 + 12);
            for (std::uint64_t number = round * 12; number < round * 12 + 12; ++number) kept.insert(number);
            acknowledge(kept);
            std::erase_if(kept, [&](std::uint64_t number) { return (number + round) % 3 != 0; });
            acknowledge(kept);
            const auto collection = must(store->collect());
            for (const std::uint64_t number : kept) must(collection->keep(id_of(number)));
            sweep_all(*collection);
        }
    } catch (const std::runtime_error&) {
        // The disk said no: the test goes on with what it holds.
    }
}

std::string complaint(SimDisk& disk, const std::set<std::uint64_t>& acknowledged) {
    try {
        Opened store(disk, kTiny);
        for (const std::uint64_t number : acknowledged)
            if (must(store->read(id_of(number))) != chunk(number)) return "wrong bytes";
        if (const std::vector<Damage> damages = damages_of(*store); !damages.empty())
            return "damaged: " + damages[0].pack + " " + damages[0].error.detail;
        const auto collection = must(store->collect());
        for (const std::uint64_t number : acknowledged)
            if (!must(collection->keep(id_of(number))).is_here) return "lost for a second collection";
        sweep_all(*collection);
        for (const std::uint64_t number : acknowledged)
            if (must(store->read(id_of(number))) != chunk(number)) return "wrong bytes after going on";
        return {};
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

struct Outcome {
    std::size_t states = 0;
    std::size_t violations = 0;
    std::string first;
};

Outcome explore(bool syncs_lie, CrashBudget budget) {
    SimDisk disk({.syncs_are_lies = syncs_lie});
    Outcome outcome;
    std::set<std::uint64_t> acknowledged;
    std::set<std::pair<std::set<std::uint64_t>, Digest>> judged;
    const auto look = [&](SimDisk& now) {
        std::set<Digest> seen;
        simulations::for_each_image(now, budget, seen, [&](SimDisk& state, const CrashPlan& plan) {
            if (!judged.insert({acknowledged, simulations::image_hash(state)}).second) return;
            ++outcome.states;
            const std::string wrong = complaint(state, acknowledged);
            if (!wrong.empty() && ++outcome.violations == 1)
                outcome.first = wrong + " after " + simulations::describe(plan);
        });
    };
    disk.on_sync = look;
    work(disk, [&](std::set<std::uint64_t> kept) {
        acknowledged = std::move(kept);
        look(disk);
    });
    look(disk);
    return outcome;
}

TEST(CollectionCrash, LosesNothingThatIsKept) {
    const Outcome outcome = explore(false, crash_budget({.singles_max = 4, .random_mixes = 2}));
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 300U);
    std::printf("crash states: %zu store and collection\n", outcome.states);
}

TEST(CollectionCrash, IsSeenToFailWhereSyncsLie) {
    EXPECT_GT(explore(true, {.singles_max = 2, .random_mixes = 4}).violations, 0U);
}

}  // namespace
}  // namespace satchel::store
