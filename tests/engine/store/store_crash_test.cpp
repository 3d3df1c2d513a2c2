// After a power cut at any moment the store opens, holds every acknowledged chunk, and shows no wrong byte.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::CrashBudget;
using simulations::CrashPlan;
using simulations::Fate;
using simulations::SimDisk;
using simulations::SimDiskOptions;

// Every second commit seals, and every seal begins a merge that takes several commits.
constexpr PackLimits kTinyPacks = {.target_bytes = 12 * 1024,
                                   .group_bytes = 1024 * 1024,
                                   .merge_rows = 0,
                                   .merge_rows_per_chunk = 1,
                                   .build_rows = 8,
                                   .runs = {.fanout = 2, .first_rows = 2},
                                   .guarded_from = 12 * 1024};
constexpr std::uint64_t kCommits = 8;
constexpr std::uint64_t kEach = 3;

// A commit of 12 chunks is several groups, of which one is on its way to the disk while the next is made.
constexpr PackLimits kTinyGroups = [] {
    PackLimits limits = kTinyPacks;
    limits.target_bytes = 40 * 1024;
    limits.group_bytes = 3 * 1024;
    return limits;
}();

struct Habits {
    PackLimits limits = kTinyPacks;
    std::uint64_t commits = kCommits;
    std::uint64_t each = kEach;
};
const Habits kInGroups{kTinyGroups, 2, 12};

// Larger than a block, smaller than a sector, and between.
ByteBuffer chunk(std::uint64_t number) {
    return noise(number % 3 == 0 ? 4500 : 40 + number * 131 % 1500, number);
}

// What is wrong with a disk on which the first `acknowledged` chunks were committed; empty: nothing.
std::string complaint_or_throw(SimDisk& disk, std::uint64_t acknowledged, const Habits& habits) {
    Opened store(disk, habits.limits);
    if (const std::vector<Damage> damages = damages_of(*store); !damages.empty())
        return "damaged: " + damages[0].pack + " " + damages[0].error.detail;
    for (std::uint64_t number = 1; number <= habits.commits * habits.each + 1; ++number) {
        const ByteBuffer plain = chunk(number);
        const Result<ByteBuffer> read = store->read(ChunkId{hash_of(plain)});
        const bool is_lost = !read.has_value() && read.error().code == ErrorCode::kNotFound;
        if (is_lost && number <= acknowledged) return "lost chunk " + std::to_string(number);
        if (!is_lost && !read.has_value()) return "unreadable chunk " + std::to_string(number);
        if (read.has_value() && *read != plain) return "wrong bytes";
    }
    must(store->put(chunk(1000)));
    must(store->commit());
    if (must(store->read(ChunkId{hash_of(chunk(1000))})) != chunk(1000)) return "does not go on";
    return {};
}

std::string complaint(SimDisk& disk, std::uint64_t acknowledged, const Habits& habits = {}) {
    try {
        return complaint_or_throw(disk, acknowledged, habits);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

// Puts and commits until the disk fails; returns the number of acknowledged chunks.
std::uint64_t work(SimDisk& disk, const std::function<void(std::uint64_t)>& acknowledge,
                   const Habits& habits = {}) {
    std::uint64_t acknowledged = 0;
    try {
        Opened store(disk, habits.limits);
        for (std::uint64_t commit = 0; commit < habits.commits; ++commit) {
            for (std::uint64_t i = 1; i <= habits.each; ++i)
                must(store->put(chunk(commit * habits.each + i)));
            must(store->commit());
            acknowledged = (commit + 1) * habits.each;
            acknowledge(acknowledged);
        }
        must(store->put(chunk(habits.commits * habits.each + 1)));
    } catch (const std::runtime_error&) {
        // The disk said no: the test goes on with what it holds.
    }
    return acknowledged;
}

struct Outcome {
    std::size_t states = 0;
    std::size_t violations = 0;
    std::string first;
};

Outcome explore(SimDiskOptions options, CrashBudget budget, const Habits& habits = {}) {
    SimDisk disk(options);
    Outcome outcome;
    std::uint64_t acknowledged = 0;
    std::set<std::pair<std::uint64_t, Digest>> judged;
    const auto look = [&](SimDisk& now) {
        std::set<Digest> seen;
        simulations::for_each_image(now, budget, seen, [&](SimDisk& state, const CrashPlan& plan) {
            if (!judged.insert({acknowledged, simulations::image_hash(state)}).second) return;
            ++outcome.states;
            const std::string wrong = complaint(state, acknowledged, habits);
            if (!wrong.empty() && ++outcome.violations == 1)
                outcome.first = wrong + " after " + simulations::describe(plan);
        });
    };
    disk.on_sync = look;
    work(
        disk,
        [&](std::uint64_t count) {
            acknowledged = count;
            look(disk);
        },
        habits);
    look(disk);
    return outcome;
}

TEST(StoreCrash, LosesNoAcknowledgedChunk) {
    const Outcome outcome = explore({}, crash_budget({.singles_max = 8, .random_mixes = 8}));
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 400U);
    std::printf("crash states: %zu store\n", outcome.states);
}

TEST(StoreCrash, LosesNothingWhileAGroupIsOnItsWayToTheDisk) {
    const Outcome outcome = explore({}, crash_budget({.singles_max = 8, .random_mixes = 8}), kInGroups);
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 300U);
    std::printf("crash states: %zu store in groups\n", outcome.states);
}

TEST(StoreCrash, BearsSectorsThatGoBadWithTheirNeighbours) {
    const Outcome outcome =
        explore({.garbage_spill_bytes = 4096}, crash_budget({.singles_max = 5, .random_mixes = 4}));
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 200U);
    std::printf("crash states: %zu store with spilling sectors\n", outcome.states);
}

TEST(StoreCrash, LosesNoAcknowledgedChunkOnFat) {
    const Outcome outcome =
        explore({.profile = SimDiskOptions::kFat}, crash_budget({.singles_max = 5, .random_mixes = 4}));
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 200U);
    std::printf("crash states: %zu store on FAT\n", outcome.states);
}

// The known-bad control: without it a harness that sees nothing would look like one that finds nothing.
TEST(StoreCrash, IsCaughtWhenSyncsAreLies) {
    for (const Habits& habits : {Habits(), kInGroups})
        EXPECT_GT(explore({.syncs_are_lies = true}, {.singles_max = 2, .random_mixes = 2}, habits).violations,
                  0U);
}

TEST(StoreCrash, FailsCleanlyAtEveryOperationAndOpensAgain) {
    for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kNoSpace}) {
        for (std::uint64_t number = 1;; ++number) {
            SimDisk disk;
            disk.fail_operation(number, code);
            const std::uint64_t acknowledged = work(disk, [](std::uint64_t) {});
            if (number > disk.operations()) {
                EXPECT_EQ(acknowledged, kCommits * kEach);
                EXPECT_GT(number, 60U);
                break;
            }
            const CrashPlan all_lost{std::vector<Fate>(disk.pending().size(), Fate::kLost), number};
            EXPECT_EQ(complaint(*simulations::image(disk, all_lost), acknowledged), "")
                << "operation " << number;
            EXPECT_EQ(complaint(disk, acknowledged), "") << "operation " << number;
        }
    }
}

TEST(StoreCrash, OpensAfterTheDiskWentAwayAtAnyOperation) {
    for (std::uint64_t count = 0;; ++count) {
        SimDisk disk;
        disk.set_crash_after(count);
        const std::uint64_t acknowledged = work(disk, [](std::uint64_t) {});
        if (count > disk.operations()) break;
        std::set<Digest> seen;
        simulations::for_each_image(
            disk, {.singles_max = 3, .random_mixes = 2}, seen, [&](SimDisk& state, const CrashPlan& plan) {
                EXPECT_EQ(complaint(state, acknowledged), "") << simulations::describe(plan);
            });
    }
}

// What was appended and survived need not come again: after kill -9 nothing that was written is lost.
TEST(StoreCrash, AKilledProgramLosesNothingItAppended) {
    SimDisk disk;
    work(disk, [](std::uint64_t) {});
    EXPECT_EQ(complaint(disk, kCommits * kEach + 1), "");
}

// -- against a model --------------------------------------------------------------------------------

// The store beside a map: whatever is done to both, the store holds what was acknowledged, perhaps some of
// what was not, and nothing else.
RC_GTEST_PROP(StoreModel, HoldsWhatAMapHolds, ()) {
    simulations::Seeded random(*rc::gen::arbitrary<std::uint64_t>());
    SimDiskOptions options;
    options.profile = *rc::gen::element(SimDiskOptions::kJournaled, SimDiskOptions::kFat);
    options.garbage_spill_bytes = *rc::gen::element(0u, 4096u);
    auto disk = std::make_unique<SimDisk>(options);
    const PackLimits limits = *rc::gen::inRange(0, 2) == 0 ? kTinyPacks : kTinyGroups;
    auto store = std::make_unique<Opened>(*disk, limits);
    std::map<ChunkId, ByteBuffer> acknowledged;
    std::map<ChunkId, ByteBuffer> put;
    const auto acknowledge = [&] {
        acknowledged.merge(put);
        put.clear();
    };
    std::map<ChunkId, ByteBuffer>
        unsure;  // forgotten, then put anew and lost: the old record still lies there
    const auto look_for_unsure = [&] {
        for (const auto& [id, plain] : unsure)
            if (!put.contains(id) && must((*store)->contains(id))) acknowledged.emplace(id, plain);
    };
    const auto reopen = [&] {
        store = std::make_unique<Opened>(*disk, limits);
        unsure.merge(put);
        put.clear();
        look_for_unsure();  // what survived is committed now
    };
    for (int step = *rc::gen::inRange(1, 40); step > 0; --step) {
        switch (random.below(11)) {
            case 0:
            case 1:
            case 2:
            case 3: {
                ByteBuffer plain = noise(random.below(100), random.below(60));
                plain.resize(random.below(3) == 0 ? 3000 : plain.size());
                const Placed placed = must((*store)->put(plain));
                const bool is_known = acknowledged.contains(placed.id) || put.contains(placed.id);
                RC_ASSERT(placed.is_new != is_known);
                if (!is_known) put.emplace(placed.id, plain);
                if ((*store)->uncommitted_bytes() == 0) acknowledge();
                break;
            }
            case 4:
                must((*store)->commit());
                acknowledge();
                break;
            case 5:  // killed: what was written stays
                store.reset();
                acknowledge();
                reopen();
                break;
            case 6: {  // power cut
                store.reset();
                const CrashPlan plan = simulations::random_plan(*disk, random.next());
                disk = simulations::image(*disk, plan);
                reopen();
                break;
            }
            case 7: {
                if (acknowledged.empty()) break;
                auto it = acknowledged.begin();
                std::advance(it, static_cast<std::ptrdiff_t>(random.below(acknowledged.size())));
                must((*store)->forget(it->first));
                must((*store)->put(it->second));
                put.insert(acknowledged.extract(it));
                break;
            }
            case 8: {  // a run of the index is damaged, now or where nobody looks before it is merged
                const std::vector<env::EntryInfo> runs = must(disk->list("index"));
                if (runs.empty()) break;
                const env::EntryInfo& run = runs[random.below(runs.size())];
                if (run.size == 0) break;  // begun just now
                disk->flip_bit("index/" + run.name, random.below(run.size),
                               static_cast<unsigned>(random.below(8)));
                if (random.below(2) == 0) break;
                store.reset();
                acknowledge();
                reopen();
                break;
            }
            case 9:
                must((*store)->merge_index(1 + random.below(20)));
                break;
            default:
                must((*store)->rebuild_index());
                acknowledge();
                look_for_unsure();
                break;
        }
        for (const auto* const chunks : {&acknowledged, &put})
            for (const auto& [id, plain] : *chunks) RC_ASSERT(must((*store)->read(id)) == plain);
    }
    must((*store)->commit());
    acknowledge();
    RC_ASSERT(damages_of(**store).empty());
    RC_ASSERT(must((*store)->stats()).chunks == acknowledged.size());
}

}  // namespace
}  // namespace satchel::store
