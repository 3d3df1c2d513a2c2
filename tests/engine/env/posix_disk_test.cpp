#include "engine/env/os/posix_disk.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/env/os/clock.hpp"
#include "engine/env/os/errno_error.hpp"
#include "engine/env/os/random.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::env::os {
namespace {

class PosixDiskTest : public testing::TestWithParam<PosixDisk::Resolver> {
  protected:
    void SetUp() override {
        ASSERT_EQ(mkdir((folder_ / "root").c_str(), 0755), 0);
        ASSERT_EQ(mkdir((folder_ / "outside").c_str(), 0755), 0);
        std::ofstream(folder_ / "outside/secret") << "secret";
        auto opened = PosixDisk::open(folder_ / "root/");
        ASSERT_TRUE(opened.has_value());
        disk_ = std::move(*PosixDisk::open(folder_ / "root", GetParam()));
    }
    void link(const std::string& target, const std::string& name) {
        ASSERT_EQ(symlink(target.c_str(), (folder_ / ("root/" + name)).c_str()), 0);
    }
    tests::TempFolder folder_;
    std::unique_ptr<PosixDisk> disk_;
};

TEST_P(PosixDiskTest, FollowsNoLinkOutOfItsRoot) {
    link("../outside", "way");
    link("../outside/secret", "file");
    link("/etc", "absolute");
    for (const char* path : {"way/secret", "file", "absolute/passwd"}) {
        for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
            const auto opened = disk_->open(path, mode);
            ASSERT_FALSE(opened.has_value()) << path;
            EXPECT_EQ(opened.error().code, ErrorCode::kRefused) << path;
        }
    }
    EXPECT_EQ(disk_->list("way").error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->make_directory("way/new").error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->remove_file("way/secret").error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->rename("way/secret", "mine").error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->sync_directory("way").error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->set_directory_attributes("way", {0777, 0}).error().code, ErrorCode::kRefused);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "outside/secret"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "outside/new"));
}

TEST_P(PosixDiskTest, FollowsNoLinkInsideItsRootEither) {
    ASSERT_TRUE(disk_->make_directory("real").has_value());
    link("real", "alias");
    EXPECT_EQ(disk_->open("alias/a", OpenMode::kWrite).error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->stat("alias")->kind, EntryKind::kSymlink);
    EXPECT_EQ(disk_->list("")->at(0).kind, EntryKind::kSymlink);
    EXPECT_TRUE(disk_->remove_file("alias").has_value());
    EXPECT_TRUE(disk_->stat("real").has_value());
}

TEST_P(PosixDiskTest, RefusesAFifoWithoutWaiting) {
    ASSERT_EQ(mkfifo((folder_ / "root/fifo").c_str(), 0644), 0);
    EXPECT_EQ(disk_->open("fifo", OpenMode::kRead).error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->open("fifo", OpenMode::kWrite).error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk_->stat("fifo")->kind, EntryKind::kOther);
}

TEST_P(PosixDiskTest, RefusesADevice) {
    const auto devices = PosixDisk::open("/dev", GetParam());
    ASSERT_TRUE(devices.has_value());
    EXPECT_EQ((*devices)->open("null", OpenMode::kRead).error().code, ErrorCode::kRefused);
}

TEST_P(PosixDiskTest, NamesWhatItIsAbout) {
    EXPECT_EQ(disk_->describe("a/b"), folder_ / "root/a/b");
    const auto missing = disk_->open("a/b", OpenMode::kRead);
    EXPECT_EQ(missing.error().about, folder_ / "root/a/b");
    EXPECT_FALSE(PosixDisk::open(folder_ / "nowhere").has_value());
    EXPECT_FALSE(PosixDisk::open(folder_ / "outside/secret").has_value());
}

TEST_P(PosixDiskTest, KeepsTimesBefore1970AndNanoseconds) {
    const auto file = disk_->open("a", OpenMode::kWrite);
    ASSERT_TRUE((*file)->set_mtime(-1'500'000'001).has_value());
    EXPECT_EQ(disk_->stat("a")->mtime_ns, -1'500'000'001);
}

INSTANTIATE_TEST_SUITE_P(Resolvers, PosixDiskTest,
                         testing::Values(PosixDisk::Resolver::kBest, PosixDisk::Resolver::kPartByPart));

TEST(ErrnoError, TellsReadingFromWriting) {
    EXPECT_EQ(error_of(EACCES, Access::kReading, "x").code, ErrorCode::kIo);
    EXPECT_STREQ(error_of(EACCES, Access::kReading, "x").reason.text(), "permission denied");
    EXPECT_EQ(error_of(EACCES, Access::kWriting, "x").code, ErrorCode::kReadOnly);
    EXPECT_EQ(error_of(ENOSPC, Access::kWriting, "x").code, ErrorCode::kNoSpace);
    EXPECT_EQ(error_of(EINVAL, Access::kNaming, "x").code, ErrorCode::kFailed);
    EXPECT_EQ(error_of(EINVAL, Access::kReading, "x").code, ErrorCode::kIo);
    EXPECT_EQ(error_of(EIO, Access::kReading, "x").code, ErrorCode::kIo);
}

TEST(SystemClock, RunsForward) {
    SystemClock clock;
    EXPECT_GT(clock.wall().unix_ms, 1'500'000'000'000);
    const std::uint64_t before = clock.steady_ms();
    usleep(3000);
    EXPECT_GT(clock.steady_ms(), before);
}

TEST(SystemRandom, DoesNotRepeat) {
    SystemRandom random;
    ByteBuffer first(32), second(32);
    random.fill(first);
    random.fill(second);
    EXPECT_NE(first, second);
}

}  // namespace
}  // namespace satchel::env::os
