// After a power cut at any moment the database opens, is sound, and holds every acknowledged row.
#include <gtest/gtest.h>

#include "engine/database/database.hpp"
#include "simulations/world/crash_images.hpp"
#include "simulations/world/sim_world.hpp"

namespace satchel::database {
namespace {

using simulations::CrashBudget;
using simulations::CrashPlan;
using simulations::Fate;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::SimWorld;

constexpr int kTransactions = 12;
constexpr int kRowsEach = 3;

// What is wrong with a disk on which `acknowledged` transactions were committed; empty: nothing.
std::string complaint(SimDisk& disk, int acknowledged) {
    SimWorld world;
    const auto opened = Database::open(disk, world.world(), "site.db");
    if (!opened.has_value()) return "does not open: " + opened.error().detail;
    Database& database = **opened;
    if (const auto sound = database.check_integrity(); !sound.has_value()) return sound.error().detail;
    auto rows = database.prepare("SELECT value, count(*) FROM ratchet GROUP BY value ORDER BY value");
    if (!rows.has_value()) return rows.error().detail;
    int found = 0;
    for (;;) {
        const auto more = rows->step();
        if (!more.has_value()) return more.error().detail;
        if (!*more) break;
        if (rows->integer(0) != found || rows->integer(1) != kRowsEach) return "half a transaction";
        ++found;
    }
    if (found < acknowledged)
        return "lost " + std::to_string(acknowledged - found) + " of " + std::to_string(acknowledged);
    if (found > acknowledged + 1) return "more than was written";
    return {};
}

struct Outcome {
    std::size_t states = 0;
    std::size_t violations = 0;
    std::string first;
};

Outcome explore(SimDiskOptions options, CrashBudget budget) {
    SimDisk disk(options);
    SimWorld world;
    Outcome outcome;
    int acknowledged = 0;
    std::set<std::pair<int, Digest>> judged;
    const auto look = [&](SimDisk& now) {
        std::set<Digest> seen;
        simulations::for_each_image(now, budget, seen, [&](SimDisk& state, const CrashPlan& plan) {
            if (!judged.insert({acknowledged, simulations::image_hash(state)}).second) return;
            ++outcome.states;
            const std::string wrong = complaint(state, acknowledged);
            if (wrong.empty()) return;
            if (++outcome.violations == 1) outcome.first = wrong + " after " + simulations::describe(plan);
        });
    };
    disk.on_sync = look;
    {
        const auto database = Database::open(disk, world.world(), "site.db");
        if (!database.has_value()) return {.states = 0, .violations = 1, .first = database.error().detail};
        // Small, so that the log is copied into the database several times.
        EXPECT_TRUE((*database)->run("PRAGMA wal_autocheckpoint = 12").has_value());
        for (int number = 0; number < kTransactions; ++number) {
            auto transaction = Transaction::begin(**database);
            auto insert = (*database)->prepare("INSERT INTO ratchet VALUES (?, ?)");
            for (int row = 0; row < kRowsEach; ++row) {
                insert->bind(
                    1, std::to_string(number * 7919 % 100) + std::string(900, 'r') + std::to_string(row));
                insert->bind(2, std::int64_t{number});
                EXPECT_TRUE(insert->run().has_value());
            }
            EXPECT_TRUE(transaction->commit().has_value());
            ++acknowledged;
            look(disk);
        }
    }
    look(disk);
    return outcome;
}

TEST(DatabaseCrash, LosesNoAcknowledgedTransaction) {
    const Outcome outcome = explore({}, {.singles_max = 24, .random_mixes = 8});
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 500U);
    std::printf("crash states: %zu database\n", outcome.states);
}

TEST(DatabaseCrash, BearsSectorsThatGoBadWithTheirNeighbours) {
    const Outcome outcome = explore({.garbage_spill_bytes = 4096}, {.singles_max = 24, .random_mixes = 8});
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 500U);
    std::printf("crash states: %zu database with spilling sectors\n", outcome.states);
}

// There a name is sure only after its folder was synced, also that of a new log.
TEST(DatabaseCrash, LosesNoAcknowledgedTransactionOnFat) {
    const Outcome outcome =
        explore({.profile = SimDiskOptions::kFat}, {.singles_max = 24, .random_mixes = 8});
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    std::printf("crash states: %zu database on FAT\n", outcome.states);
}

// The known-bad control: without it a harness that sees nothing would look like one that finds nothing.
TEST(DatabaseCrash, IsCaughtWhenSyncsAreLies) {
    const Outcome outcome = explore({.syncs_are_lies = true}, {.singles_max = 8, .random_mixes = 4});
    EXPECT_GT(outcome.violations, 0U);
}

// How many of three transactions went through on a disk that may fail.
int try_work(SimDisk& disk) {
    SimWorld world;
    const auto database = Database::open(disk, world.world(), "site.db");
    if (!database.has_value()) return 0;
    for (int done = 0; done < 3; ++done) {
        auto transaction = Transaction::begin(**database);
        if (!transaction.has_value()) return done;
        const std::string value = std::to_string(done);
        for (const char* row : {"a", "b", "c"}) {
            const auto put =
                (*database)->run("INSERT INTO ratchet VALUES ('" + (row + value) + "', " + value + ")");
            if (!put.has_value()) return done;
        }
        if (!transaction->commit().has_value()) return done;
    }
    return 3;
}

TEST(DatabaseCrash, FailsCleanlyAtEveryOperationAndOpensAgain) {
    for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kNoSpace}) {
        for (std::uint64_t number = 1;; ++number) {
            SimDisk disk;
            disk.fail_operation(number, code);
            const int acknowledged = try_work(disk);
            if (number > disk.operations()) {
                EXPECT_EQ(acknowledged, 3);
                EXPECT_GT(number, 50U);
                break;
            }
            const CrashPlan all_lost{std::vector<Fate>(disk.pending().size(), Fate::kLost), number};
            EXPECT_EQ(complaint(*simulations::image(disk, all_lost), acknowledged), "")
                << "operation " << number;
            EXPECT_EQ(complaint(disk, acknowledged), "") << "operation " << number;
        }
    }
}

TEST(DatabaseCrash, OpensAfterTheDiskWentAwayAtAnyOperation) {
    for (std::uint64_t count = 0;; ++count) {
        SimDisk disk;
        disk.set_crash_after(count);
        const int acknowledged = try_work(disk);
        if (count > disk.operations()) break;
        std::set<Digest> seen;
        simulations::for_each_image(
            disk, {.singles_max = 4, .random_mixes = 4}, seen, [&](SimDisk& state, const CrashPlan& plan) {
                EXPECT_EQ(complaint(state, acknowledged), "") << simulations::describe(plan);
            });
    }
}

}  // namespace
}  // namespace satchel::database
