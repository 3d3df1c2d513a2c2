// Mending writes in place: after a power cut at any moment of it the pack can still be mended, and once it
// was told as mended it stays so.
#include <gtest/gtest.h>

#include "tests/engine/store/guarded_pack.hpp"

namespace satchel::store {
namespace {

using simulations::CrashBudget;
using simulations::CrashPlan;
using simulations::SimDisk;
using simulations::SimDiskOptions;

const GuardedPack& pack() {
    static const GuardedPack kPack = guarded_pack(400'000, 0, 30'000, 8);
    return kPack;
}

// What goes bad: records; the end of the index with the front guard; parity, back guard and table; all behind
// it.
std::vector<ByteBuffer> damaged_packs() {
    const std::uint64_t length = pack().burst_max();
    const std::uint64_t front = pack().layout.front() * kPackBlockSize;
    std::vector<ByteBuffer> damaged;
    for (const std::uint64_t from :
         {std::uint64_t{70'000}, front - 3000, front + 100, pack().bytes.size() - length}) {
        damaged.push_back(pack().bytes);
        spoil(damaged.back(), Burst::kGarbage, from, length, from);
    }
    damaged.push_back(pack().bytes);
    spoil(damaged.back(), Burst::kCutOff, 0, length, 1);
    damaged.push_back(pack().bytes);
    append(damaged.back(), noise(5000, 2));
    return damaged;
}

Result<PackMending> mend_on(SimDisk& disk) {
    SATCHEL_TRY(const std::unique_ptr<env::File> file, disk.open("pack", env::OpenMode::kWrite));
    SATCHEL_TRY(const PackCheck check, check_pack(*file, pack().id));
    return mend_pack(*file, check);
}

struct Outcome {
    std::size_t states = 0;
    std::size_t violations = 0;
    std::string first;
};

// `is_told`: it was told as mended, so it must be sound as it is; else it must be so after mending again.
void judge(SimDisk& now, CrashBudget budget, bool is_told, Outcome& outcome) {
    std::set<Digest> seen;
    simulations::for_each_image(now, budget, seen, [&](SimDisk& state, const CrashPlan& plan) {
        ++outcome.states;
        if (!is_told) must(mend_on(state));
        if (get_file(state, "pack") == pack().bytes) return;
        if (++outcome.violations == 1) outcome.first = simulations::describe(plan);
    });
}

Outcome explore(SimDiskOptions options, CrashBudget budget) {
    Outcome outcome;
    for (const ByteBuffer& damaged : damaged_packs()) {
        SimDisk at_first;
        put_file(at_first, "pack", damaged);
        must(at_first.sync_directory(""));
        SimDisk disk(options, at_first.tree());
        disk.on_sync = [&](SimDisk& now) { judge(now, budget, false, outcome); };
        must(mend_on(disk));
        EXPECT_TRUE(get_file(disk, "pack") == pack().bytes);
        judge(disk, budget, true, outcome);
    }
    return outcome;
}

TEST(PackMendCrash, APackCanBeMendedAfterAPowerCutWhileItIsMended) {
    const Outcome outcome = explore({}, crash_budget({.singles_max = 8, .random_mixes = 12}));
    EXPECT_EQ(outcome.violations, 0u) << outcome.first;
    EXPECT_GT(outcome.states, 80u);
    std::printf("crash states: %zu mending\n", outcome.states);
}

TEST(PackMendCrash, AlsoWhereSectorsGoBadWithTheirNeighbours) {
    const Outcome outcome =
        explore({.garbage_spill_bytes = 4096}, crash_budget({.singles_max = 8, .random_mixes = 12}));
    EXPECT_EQ(outcome.violations, 0u) << outcome.first;
    EXPECT_GT(outcome.states, 80u);
    std::printf("crash states: %zu mending with spilling sectors\n", outcome.states);
}

// The known-bad control.
TEST(PackMendCrash, IsCaughtWhenSyncsAreLies) {
    EXPECT_GT(explore({.syncs_are_lies = true}, {.singles_max = 2, .random_mixes = 2}).violations, 0u);
}

TEST(PackMendCrash, FailsCleanlyAtEveryOperationAndGoesOnLater) {
    for (const ByteBuffer& damaged : damaged_packs()) {
        for (std::uint64_t number = 1;; ++number) {
            SimDisk disk;
            put_file(disk, "pack", damaged);
            const std::uint64_t before = disk.operations();
            disk.fail_operation(before + number, ErrorCode::kIo);
            const bool is_done = mend_on(disk).has_value();
            if (before + number > disk.operations()) {
                EXPECT_TRUE(is_done);
                break;
            }
            EXPECT_FALSE(is_done) << number;
            must(mend_on(disk));
            EXPECT_TRUE(get_file(disk, "pack") == pack().bytes) << number;
        }
    }
}

}  // namespace
}  // namespace satchel::store
