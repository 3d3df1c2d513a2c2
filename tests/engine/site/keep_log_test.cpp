// keep.log and site.db say the same after every stop, and each notices when the other is an older copy.
#include "engine/site/keep_log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "simulations/world/crash_images.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel::site {
namespace {

using database::Database;
using database::Transaction;
using support::must;

class KeepLogTest : public testing::Test {
  protected:
    std::unique_ptr<Database> open_database(env::Disk& disk, std::string_view path = "site.db") {
        return must(Database::open(disk, world_.world(), path));
    }

    static void subscribe(Database& database, const std::string& value) {
        must(database.run("INSERT INTO subscription (kind, value) VALUES ('course', '" + value + "')"));
    }

    static std::string subscriptions(Database& database) {
        database::Statement select = must(database.prepare("SELECT value FROM subscription ORDER BY value"));
        std::string all;
        while (must(select.step())) all += std::string(select.text(0)) + " ";
        return all;
    }

    // What a database holds that is made from the log on `disk`.
    std::string subscriptions_in_log(env::Disk& disk) {
        simulations::SimDisk fresh;
        const auto database = open_database(fresh);
        replay(disk, *database);
        return subscriptions(*database);
    }

    static KeepLogRead replay(env::Disk& disk, Database& database) {
        std::optional<Transaction> transaction;
        return must(read_keep_log(disk, [&](ByteView rows, bool is_last) -> Result<void> {
            if (!transaction) transaction.emplace(must(Transaction::begin(database)));
            must(database::apply_kept_rows(database, rows));
            if (is_last) {
                must(transaction->commit());
                transaction.reset();
            }
            return {};
        }));
    }

    simulations::SimWorld world_{1};
    simulations::SimDisk disk_;
};

TEST_F(KeepLogTest, TellsWhatWasInTheDatabaseBeforeAndWhatCameAfter) {
    const auto database = open_database(disk_);
    subscribe(*database, "before");
    const auto log = must(KeepLog::open(disk_, *database));
    subscribe(*database, "rice");  // outside of any transaction
    {
        Transaction transaction = must(Transaction::begin(*database));
        subscribe(*database, "trees");
        must(database->run("DELETE FROM subscription WHERE value = 'before'"));
        must(transaction.commit());
    }
    EXPECT_EQ(subscriptions_in_log(disk_), "rice trees ");
}

TEST_F(KeepLogTest, KeepsEveryKindOfValue) {
    const auto database = open_database(disk_);
    const auto log = must(KeepLog::open(disk_, *database));
    {
        Transaction transaction = must(Transaction::begin(*database));
        must(database->run(
            "INSERT INTO root VALUES (1, x'00ff', 'names'); INSERT INTO ratchet VALUES ('a', -5);"
            "INSERT INTO ratchet VALUES ('b', 9007199254740993); INSERT INTO meta VALUES ('site', x'0102');"
            "INSERT INTO site VALUES (x'0102', 'me', 'village', NULL, x'01', x'', 'active');"
            "INSERT INTO site VALUES (x'03', 'other', 'village', x'0102', x'01', x'', 'active');"
            "INSERT INTO review VALUES ('c', 2, 'h', x'07', 'approve', x'08', 's');"
            "INSERT INTO meta VALUES ('link/x', x'00'); INSERT INTO meta VALUES ('records/end', x'00')"));
        must(transaction.commit());
    }
    simulations::SimDisk fresh;
    const auto copy = open_database(fresh);
    replay(disk_, *copy);
    const auto count = [&](const std::string& sql) {
        database::Statement select = must(copy->prepare("SELECT count(*) FROM " + sql));
        must(select.step());
        return select.integer(0);
    };
    EXPECT_EQ(count("root WHERE version = 1 AND document = x'00ff' AND signatures = 'names'"), 1);
    EXPECT_EQ(count("ratchet WHERE (name = 'a' AND value = -5) OR (name = 'b' AND value = 9007199254740993)"),
              2);
    EXPECT_EQ(count("site"), 1);
    EXPECT_EQ(count("site WHERE id = x'0102' AND parent IS NULL AND sealing_key = x''"), 1);
    EXPECT_EQ(count("review WHERE course = 'c' AND edition = 2 AND holder = 'h' AND statement = x'08'"), 1);
    EXPECT_EQ(count("meta"), 1);
}

TEST_F(KeepLogTest, ATransactionThatWasRolledBackLeavesNothing) {
    const auto database = open_database(disk_);
    const auto log = must(KeepLog::open(disk_, *database));
    {
        Transaction transaction = must(Transaction::begin(*database));
        // More than is held in memory: part of it is in the log before the end.
        must(
            database->run("INSERT INTO root VALUES (7, randomblob(400000), ''); "
                          "INSERT INTO root VALUES (8, randomblob(400000), '')"));
        subscribe(*database, "never");
    }
    subscribe(*database, "ever");
    EXPECT_EQ(subscriptions_in_log(disk_), "ever ");
    simulations::SimDisk fresh;
    const auto copy = open_database(fresh);
    EXPECT_EQ(replay(disk_, *copy).damaged, 0u);
}

TEST_F(KeepLogTest, IsWrittenAnewWhenItHasGrown) {
    const auto database = open_database(disk_);
    for (int round = 0; round < 6; ++round) {
        const auto log = must(KeepLog::open(disk_, *database));
        for (int i = 0; i < 4; ++i)
            must(database->run("INSERT OR REPLACE INTO root VALUES (1, randomblob(200000), '')"));
    }
    subscribe(*database, "rice");
    const auto log = must(KeepLog::open(disk_, *database));
    EXPECT_LT(must(disk_.stat("keep.log")).size, kKeepLogRewriteMin + 1'000'000);
    EXPECT_FALSE(must(env::exists(disk_, "keep.log-new")));
}

TEST_F(KeepLogTest, AnOlderDatabaseIsNotOpened) {
    {
        const auto database = open_database(disk_);
        const auto log = must(KeepLog::open(disk_, *database));
    }
    const ByteBuffer old_bytes = must(env::read_file(disk_, "site.db", 1 << 24));
    {
        const auto database = open_database(disk_);
        const auto log = must(KeepLog::open(disk_, *database));
        subscribe(*database, "rice");
        subscribe(*database, "trees");
    }
    must(env::replace_file(disk_, "site.db", old_bytes, 0600));
    const auto database = open_database(disk_);
    const auto log = KeepLog::open(disk_, *database);
    ASSERT_FALSE(log.has_value());
    EXPECT_STREQ(log.error().remedy.text(), "run `satchel repair`");
    EXPECT_EQ(subscriptions_in_log(disk_), "rice trees ");
}

TEST_F(KeepLogTest, AMissingOrDamagedLogIsWrittenAnewFromTheDatabase) {
    const auto database = open_database(disk_);
    {
        const auto log = must(KeepLog::open(disk_, *database));
        subscribe(*database, "rice");
    }
    must(disk_.remove_file("keep.log"));
    {
        const auto log = must(KeepLog::open(disk_, *database));
        EXPECT_EQ(subscriptions_in_log(disk_), "rice ");
    }
    disk_.flip_bit("keep.log", 60, 1);  // in the record that begins it
    const auto log = must(KeepLog::open(disk_, *database));
    EXPECT_EQ(subscriptions_in_log(disk_), "rice ");
}

TEST_F(KeepLogTest, ReadsOnBehindDamage) {
    const auto database = open_database(disk_);
    const auto log = must(KeepLog::open(disk_, *database));
    subscribe(*database, "rice");
    const std::uint64_t at = must(disk_.stat("keep.log")).size;
    subscribe(*database, "trees");
    subscribe(*database, "water");
    disk_.flip_bit("keep.log", at + 70, 3);
    simulations::SimDisk fresh;
    const auto copy = open_database(fresh);
    EXPECT_EQ(replay(disk_, *copy).damaged, 1u);
    EXPECT_EQ(subscriptions(*copy), "rice water ");
}

TEST_F(KeepLogTest, ReadsTheGoldenLog) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/keep-log/keep.log",
                     std::ios::binary);
    const std::string golden{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    must(env::replace_file(disk_, "keep.log", bytes_of(golden), 0600));
    const auto database = open_database(disk_);
    const KeepLogRead read = replay(disk_, *database);
    EXPECT_EQ(read.number, 3u);
    EXPECT_EQ(read.transactions, 2u);
    EXPECT_EQ(subscriptions(*database), "rice ");
    database::Statement ratchet =
        must(database->prepare("SELECT value FROM ratchet WHERE name = 'lane/office/height'"));
    ASSERT_TRUE(must(ratchet.step()));
    EXPECT_EQ(ratchet.integer(0), 57);
}

// At every operation of the disk, lost and kept: what the database holds after the stop is what a log makes.
TEST_F(KeepLogTest, LogAndDatabaseAgreeAfterEveryStop) {
    for (std::uint64_t stop = 0;; ++stop) {
        simulations::SimDisk disk;
        simulations::SimWorld world(stop);
        std::uint64_t begun = 0;
        bool is_done = false;
        {
            const auto database = must(Database::open(disk, world.world(), "site.db"));
            const auto log = must(KeepLog::open(disk, *database));
            begun = disk.operations();
            disk.set_crash_after(begun + stop);
            is_done = database->run("INSERT INTO subscription VALUES ('course', 'rice')").has_value() &&
                      database->run("INSERT INTO subscription VALUES ('course', 'trees')").has_value() &&
                      database->run("DELETE FROM subscription WHERE value = 'rice'").has_value();
        }
        for (const simulations::Tree* tree : {&disk.sure(), &disk.tree()}) {
            simulations::SimDisk found({}, *tree);
            const auto database = must(Database::open(found, world.world(), "site.db"));
            const auto log = must(KeepLog::open(found, *database));
            EXPECT_EQ(subscriptions_in_log(found), subscriptions(*database)) << "stop at " << stop;
            if (is_done) {
                EXPECT_EQ(subscriptions(*database), "trees ");
            }
        }
        if (is_done) {
            EXPECT_GT(stop, 5u);
            return;
        }
    }
}

}  // namespace
}  // namespace satchel::site
