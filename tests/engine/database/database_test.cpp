#include "engine/database/database.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "engine/env/os/posix_disk.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::database {
namespace {

using simulations::SimDisk;
using simulations::SimWorld;

class DatabaseTest : public testing::Test {
  protected:
    Result<std::unique_ptr<Database>> try_open() { return Database::open(disk_, world_.world(), "site.db"); }
    std::unique_ptr<Database> open() {
        auto database = try_open();
        EXPECT_TRUE(database.has_value()) << database.error().reason.text() << database.error().detail;
        return std::move(*database);
    }
    static void put(Database& database, std::string_view key, std::string_view value) {
        auto statement = database.prepare("INSERT INTO meta VALUES (?, ?)");
        ASSERT_TRUE(statement.has_value());
        statement->bind(1, key).bind_blob(2, bytes_of(value));
        const auto done = statement->run();
        ASSERT_TRUE(done.has_value()) << done.error().detail;
    }
    static std::int64_t count(Database& database) {
        auto statement = database.prepare("SELECT count(*) FROM meta");
        EXPECT_TRUE(statement.has_value() && *statement->step());
        return statement->integer(0);
    }
    static std::string scalar(Database& database, std::string_view sql) {
        auto statement = database.prepare(sql);
        EXPECT_TRUE(statement.has_value() && *statement->step());
        return std::string(statement->text(0));
    }
    SimDisk disk_;
    SimWorld world_;
};

TEST_F(DatabaseTest, KeepsRowsOfEveryType) {
    {
        const auto database = open();
        ASSERT_TRUE(database->run("CREATE TABLE t (i INTEGER, t TEXT, b BLOB, n TEXT)").has_value());
        auto insert = database->prepare("INSERT INTO t VALUES (?, ?, ?, ?)");
        insert->bind(1, std::int64_t{-5})
            .bind(2, "\xE8\xAF\xBE")
            .bind_blob(3, ByteBuffer{0, 1, 0})
            .bind_null(4);
        ASSERT_TRUE(insert->run().has_value());
        insert->bind(1, std::int64_t{1} << 60).bind(2, "").bind_blob(3, {}).bind(4, "x");
        ASSERT_TRUE(insert->run().has_value());
        EXPECT_EQ(database->rows_changed(), 1);
    }
    const auto database = open();
    auto select = database->prepare("SELECT i, t, b, n FROM t ORDER BY i");
    ASSERT_TRUE(*select->step());
    EXPECT_EQ(select->integer(0), -5);
    EXPECT_EQ(select->text(1), "\xE8\xAF\xBE");
    EXPECT_TRUE(equal(select->blob(2), ByteBuffer{0, 1, 0}));
    EXPECT_TRUE(select->is_null(3));
    ASSERT_TRUE(*select->step());
    EXPECT_EQ(select->integer(0), std::int64_t{1} << 60);
    EXPECT_FALSE(select->is_null(1));
    EXPECT_FALSE(select->is_null(2));
    EXPECT_FALSE(*select->step());
    EXPECT_TRUE(database->check_integrity().has_value());
}

TEST_F(DatabaseTest, OpensAsItPromises) {
    const auto database = open();
    EXPECT_EQ(scalar(*database, "PRAGMA journal_mode"), "wal");
    EXPECT_EQ(scalar(*database, "PRAGMA synchronous"), "2");
    EXPECT_EQ(scalar(*database, "PRAGMA locking_mode"), "exclusive");
    EXPECT_EQ(scalar(*database, "PRAGMA foreign_keys"), "1");
    EXPECT_EQ(scalar(*database, "PRAGMA user_version"), std::to_string(kSchemaVersion));
}

TEST_F(DatabaseTest, RollsBackUnlessCommitted) {
    const auto database = open();
    {
        auto transaction = Transaction::begin(*database);
        ASSERT_TRUE(transaction.has_value());
        put(*database, "a", "1");
        EXPECT_TRUE(database->in_transaction());
    }
    EXPECT_FALSE(database->in_transaction());
    EXPECT_EQ(count(*database), 0);
    auto transaction = Transaction::begin(*database);
    put(*database, "a", "1");
    ASSERT_TRUE(transaction->commit().has_value());
    EXPECT_FALSE(database->in_transaction());
    EXPECT_EQ(count(*database), 1);
}

TEST_F(DatabaseTest, TellsWhatWasWrong) {
    const auto database = open();
    put(*database, "a", "1");
    auto again = database->prepare("INSERT INTO meta VALUES ('a', 'x')");
    EXPECT_EQ(again->run().error().code, ErrorCode::kExists);
    EXPECT_EQ(database->prepare("SELECT nonsense").error().code, ErrorCode::kFailed);
    EXPECT_EQ(database->run("INSERT INTO nowhere VALUES (1)").error().code, ErrorCode::kFailed);
    put(*database, "b", "2");
}

TEST_F(DatabaseTest, RefusesANewerVersion) {
    ASSERT_TRUE(open()->run("PRAGMA user_version = 999").has_value());
    const auto opened = try_open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
    EXPECT_STREQ(opened.error().remedy.text(), "update satchel on this box");
    EXPECT_EQ(opened.error().about, "sim:/site.db");
}

TEST_F(DatabaseTest, RefusesWhatIsNoDatabaseOfOurs) {
    ASSERT_TRUE(env::replace_file(disk_, "site.db", ByteBuffer(10000, 'x'), 0600).has_value());
    EXPECT_EQ(try_open().error().code, ErrorCode::kDamaged);
    ASSERT_TRUE(disk_.remove_file("site.db").has_value());
    ASSERT_TRUE(open()->run("PRAGMA user_version = 0").has_value());
    EXPECT_EQ(try_open().error().code, ErrorCode::kDamaged);
}

TEST_F(DatabaseTest, CreatesWhereAnEmptyFileLies) {
    ASSERT_TRUE(env::replace_file(disk_, "site.db", {}, 0600).has_value());
    put(*open(), "a", "1");
    EXPECT_EQ(count(*open()), 1);
}

TEST_F(DatabaseTest, FindsDamage) {
    {
        const auto database = open();
        for (int i = 0; i < 200; ++i) put(*database, std::to_string(i), std::string(100, 'v'));
    }
    const auto size = disk_.stat("site.db")->size;
    auto file = disk_.open("site.db", env::OpenMode::kWrite);
    ASSERT_TRUE(
        (*file)->write_at(size / 2, ByteBuffer(static_cast<std::size_t>(size / 2), 0x5A)).has_value());
    const auto opened = try_open();
    if (!opened.has_value()) {
        EXPECT_EQ(opened.error().code, ErrorCode::kDamaged);
        return;
    }
    EXPECT_EQ((*opened)->check_integrity().error().code, ErrorCode::kDamaged);
}

// A disk on which no write-ahead log can be made.
class NoLogDisk : public SimDisk {
  public:
    Result<std::unique_ptr<env::File>> open(std::string_view path, env::OpenMode mode) override {
        if (path.find("-wal") != std::string_view::npos)
            return fail(ErrorCode::kReadOnly, describe(path), "the disk is read-only", "mend it");
        return SimDisk::open(path, mode);
    }
};

TEST_F(DatabaseTest, DoesNotOpenWithoutAWriteAheadLog) {
    NoLogDisk disk;
    const auto opened = Database::open(disk, world_.world(), "site.db");
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kReadOnly);
}

TEST_F(DatabaseTest, SaysWhenTheDiskIsFull) {
    SimDisk small({.capacity = 400'000});
    auto database = std::move(*Database::open(small, world_.world(), "site.db"));
    ErrorCode code = ErrorCode::kCancelled;
    for (int i = 0; i < 200 && code == ErrorCode::kCancelled; ++i) {
        auto insert = database->prepare("INSERT INTO meta VALUES (?, zeroblob(9000))");
        insert->bind(1, std::to_string(i));
        if (const auto done = insert->run(); !done.has_value()) code = done.error().code;
    }
    EXPECT_EQ(code, ErrorCode::kNoSpace);
    EXPECT_TRUE(database->check_integrity().has_value());
    EXPECT_GT(count(*database), 5);
}

TEST_F(DatabaseTest, LeavesNothingBesideItselfWhenClosed) {
    {
        const auto database = open();
        put(*database, "a", "1");
        // Larger than the cache, so that sorting needs a file.
        ASSERT_TRUE(
            database
                ->run("CREATE TEMP TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                      "FROM n WHERE i < 60000) SELECT i, hex(zeroblob(60)) AS h FROM n")
                .has_value());
        EXPECT_EQ(scalar(*database, "SELECT count(*) FROM (SELECT * FROM big ORDER BY h, i DESC)"), "60000");
    }
    const auto entries = disk_.list("");
    ASSERT_EQ(entries->size(), 1U);
    EXPECT_EQ(entries->at(0).name, "site.db");
}

TEST_F(DatabaseTest, GivesTheSameBytesForTheSameWork) {
    const auto work = [] {
        SimDisk disk;
        SimWorld world(42);
        const auto database = std::move(*Database::open(disk, world.world(), "site.db"));
        for (int i = 0; i < 20; ++i) put(*database, std::to_string(i), "value");
        ByteBuffer bytes = *env::read_file(disk, "site.db", 1 << 24);
        append(bytes, *env::read_file(disk, "site.db-wal", 1 << 24));
        return bytes;
    };
    EXPECT_EQ(work(), work());
}

TEST_F(DatabaseTest, SpeaksTheWorldsTime) {
    world_.clock.set_wall(1'700'000'000'000);
    EXPECT_EQ(scalar(*open(), "SELECT strftime('%s', 'now')"), "1700000000");
}

TEST(DatabaseOnABox, IsReadByTheStockTool) {
    tests::TempFolder folder;
    const auto disk = std::move(*env::os::PosixDisk::open(folder.path()));
    SimWorld world;
    {
        const auto database = Database::open(*disk, world.world(), "site.db");
        ASSERT_TRUE(database.has_value());
        ASSERT_TRUE((*database)->run("INSERT INTO meta VALUES ('name', 'school')").has_value());
    }
    EXPECT_EQ(disk->list("")->size(), 1U);
    const std::string command =
        "sqlite3 " + (folder / "site.db") + " 'pragma integrity_check; select value from meta'";
    std::FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char answer[64] = {};
    const std::size_t got = std::fread(answer, 1, sizeof answer - 1, pipe);
    EXPECT_EQ(pclose(pipe), 0);
    EXPECT_EQ(std::string(answer, got), "ok\nschool\n");
}

}  // namespace
}  // namespace satchel::database
