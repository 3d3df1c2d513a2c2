// What every Disk promises, asked of the real one (with both ways of resolving) and the simulated ones.
#include <gtest/gtest.h>

#include <functional>

#include "engine/env/disk.hpp"
#include "engine/env/os/posix_disk.hpp"
#include "simulations/world/seeded.hpp"
#include "simulations/world/sim_disk.hpp"
#include "tests/engine/base/noise.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::env {
namespace {

using simulations::SimDisk;
using simulations::SimDiskOptions;

template <os::PosixDisk::Resolver kResolver>
struct PosixCase {
    static constexpr bool kKeepsModes = true;
    tests::TempFolder folder;
    std::unique_ptr<Disk> disk = std::move(*os::PosixDisk::open(folder.path(), kResolver));
};

template <SimDiskOptions::Profile kProfile>
struct SimCase {
    static constexpr bool kKeepsModes = kProfile == SimDiskOptions::kJournaled;
    std::unique_ptr<Disk> disk = std::make_unique<SimDisk>(SimDiskOptions{.profile = kProfile});
};

template <typename Case>
class AnyDisk : public testing::Test {
  protected:
    Disk& disk() { return *case_.disk; }
    std::unique_ptr<File> open(std::string_view path, OpenMode mode) {
        auto file = disk().open(path, mode);
        EXPECT_TRUE(file.has_value()) << file.error().reason.text();
        return std::move(*file);
    }
    void write(std::string_view path, std::string_view content) {
        const auto file = open(path, OpenMode::kWrite);
        ASSERT_TRUE(file->truncate(0).has_value());
        ASSERT_TRUE(file->write_at(0, bytes_of(content)).has_value());
        ASSERT_TRUE(file->sync().has_value());
    }
    std::string read(std::string_view path) {
        const auto content = read_file(disk(), path, 1 << 20);
        return content.has_value() ? std::string(text_of(*content)) : std::string("?");
    }
    template <typename T>
    static ErrorCode code(const Result<T>& result) {
        EXPECT_FALSE(result.has_value());
        return result.has_value() ? ErrorCode::kCancelled : result.error().code;
    }
    Case case_;
};

using Cases =
    testing::Types<PosixCase<os::PosixDisk::Resolver::kBest>, PosixCase<os::PosixDisk::Resolver::kPartByPart>,
                   SimCase<SimDiskOptions::kJournaled>, SimCase<SimDiskOptions::kFat>>;
TYPED_TEST_SUITE(AnyDisk, Cases);

TYPED_TEST(AnyDisk, ReadsWhatWasWritten) {
    const auto file = this->open("a", OpenMode::kWrite);
    ASSERT_TRUE(file->write_at(0, bytes_of("hello world")).has_value());
    ASSERT_TRUE(file->write_at(6, bytes_of("there")).has_value());
    ByteBuffer into(64);
    EXPECT_EQ(file->read_at(3, into), 8U);
    EXPECT_EQ(text_of(ByteView(into).first(8)), "lo there");
    EXPECT_EQ(file->read_at(11, into), 0U);
    EXPECT_EQ(file->read_at(1000, into), 0U);
    EXPECT_EQ(file->size(), 11U);
}

// As a model that is a string of bytes: appends of all sizes, and now and then something else. What is behind
// the last 8 MiB has left the page cache of the real disk by then.
TYPED_TEST(AnyDisk, WritesOfNoReuseAreReadAsTheyWereWritten) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        simulations::Seeded random(seed);
        const std::string name = "file" + std::to_string(seed);
        std::unique_ptr<File> file = this->open(name, OpenMode::kCreateNew);
        file->expect_no_reuse();
        ByteBuffer model;
        const auto write = [&](std::size_t at, std::size_t size) {
            const auto bytes = noise(size, random.next());
            model.resize(std::max(model.size(), at + size));
            std::copy(bytes.begin(), bytes.end(), model.begin() + static_cast<std::ptrdiff_t>(at));
            ASSERT_TRUE(file->write_at(at, bytes).has_value());
        };
        if (seed % 4 == 0) write(0, 12'000'000);
        for (int step = 0; step < 40; ++step) {
            const std::uint64_t what = random.below(12);
            const auto somewhere = static_cast<std::size_t>(random.below(model.size() + 1));
            if (what < 6) {
                const std::uint64_t most = random.below(4) == 0 ? 1'500'000 : 70'000;
                write(model.size(), static_cast<std::size_t>(random.below(most)));
            } else if (what == 6) {
                write(model.size(), static_cast<std::size_t>(4096 * random.below(64)));
            } else if (what == 7) {
                write(somewhere, static_cast<std::size_t>(random.below(9000)));
            } else if (what == 8) {
                ByteBuffer into(static_cast<std::size_t>(random.below(100'000)));
                const auto got = file->read_at(somewhere, into);
                ASSERT_EQ(got, std::min(into.size(), model.size() - somewhere));
                EXPECT_TRUE(equal(ByteView(into).first(*got), ByteView(model).subspan(somewhere, *got)));
            } else if (what == 9) {
                ASSERT_TRUE(file->truncate(somewhere).has_value());
                model.resize(somewhere);
            } else if (what == 10) {
                ASSERT_TRUE(file->sync().has_value());
            } else {
                ASSERT_EQ(file->size(), model.size());
            }
        }
        ASSERT_TRUE(random.below(2) == 0 ? file->sync().has_value() : true);
        file.reset();
        ByteBuffer there(model.size() + 1);
        EXPECT_EQ(this->open(name, OpenMode::kRead)->read_at(0, there), model.size());
        EXPECT_TRUE(equal(ByteView(there).first(model.size()), model)) << seed;
    }
}

TYPED_TEST(AnyDisk, FillsHolesWithZeros) {
    const auto file = this->open("a", OpenMode::kWrite);
    ASSERT_TRUE(file->write_at(0, bytes_of("abcdef")).has_value());
    ASSERT_TRUE(file->truncate(3).has_value());
    ASSERT_TRUE(file->truncate(5000).has_value());
    ASSERT_TRUE(file->write_at(10000, bytes_of("z")).has_value());
    ByteBuffer into(10001, 7);
    EXPECT_EQ(file->read_at(0, into), 10001U);
    EXPECT_EQ(text_of(ByteView(into).first(3)), "abc");
    EXPECT_EQ(into[3], 0);
    EXPECT_EQ(into[9999], 0);
    EXPECT_EQ(into[10000], 'z');
}

TYPED_TEST(AnyDisk, OpensByMode) {
    EXPECT_EQ(this->code(this->disk().open("a", OpenMode::kRead)), ErrorCode::kNotFound);
    this->write("a", "one");
    EXPECT_EQ(this->code(this->disk().open("a", OpenMode::kCreateNew)), ErrorCode::kExists);
    EXPECT_TRUE(this->open("a", OpenMode::kWrite));
    EXPECT_EQ(this->read("a"), "one");
    EXPECT_TRUE(this->open("b", OpenMode::kCreateNew));
    EXPECT_EQ(this->read("b"), "");
    const auto reader = this->open("a", OpenMode::kRead);
    EXPECT_FALSE(reader->write_at(0, bytes_of("x")).has_value());
    EXPECT_EQ(this->read("a"), "one");
}

TYPED_TEST(AnyDisk, OpensNoFolder) {
    ASSERT_TRUE(this->disk().make_directory("d").has_value());
    EXPECT_EQ(this->code(this->disk().open("d", OpenMode::kRead)), ErrorCode::kRefused);
    EXPECT_EQ(this->code(this->disk().open("d", OpenMode::kWrite)), ErrorCode::kRefused);
    EXPECT_EQ(this->code(this->disk().open("", OpenMode::kRead)), ErrorCode::kRefused);
    EXPECT_EQ(this->code(this->disk().remove_file("d")), ErrorCode::kRefused);
}

TYPED_TEST(AnyDisk, RefusesPathsThatAreNone) {
    for (const std::string_view path : {"../a", "a/../b", "./a", "/etc/passwd", "a//b", "a/", ".", ".."}) {
        EXPECT_EQ(this->code(this->disk().open(path, OpenMode::kWrite)), ErrorCode::kRefused) << path;
        EXPECT_EQ(this->code(this->disk().stat(path)), ErrorCode::kRefused) << path;
        EXPECT_EQ(this->code(this->disk().make_directory(path)), ErrorCode::kRefused) << path;
        EXPECT_EQ(this->code(this->disk().remove_file(path)), ErrorCode::kRefused) << path;
        EXPECT_EQ(this->code(this->disk().list(path)), ErrorCode::kRefused) << path;
        EXPECT_EQ(this->code(this->disk().rename(path, "b")), ErrorCode::kRefused) << path;
    }
    EXPECT_EQ(this->code(this->disk().open(std::string_view("a\0b", 3), OpenMode::kWrite)),
              ErrorCode::kRefused);
}

TYPED_TEST(AnyDisk, SaysThatANameIsTooLong) {
    const auto answer = this->disk().open(std::string(300, 'a'), OpenMode::kCreateNew);
    ASSERT_EQ(this->code(answer), ErrorCode::kFailed);
    EXPECT_STREQ(answer.error().reason.text(), "the target cannot hold this name");
}

TYPED_TEST(AnyDisk, ListsByNameAsBytes) {
    this->write("b", "12");
    this->write("\xE8\xAF\xBE", "");
    this->write("A", "");
    ASSERT_TRUE(this->disk().make_directory("c").has_value());
    this->write("c/inner", "");
    const auto entries = this->disk().list("");
    ASSERT_TRUE(entries.has_value());
    ASSERT_EQ(entries->size(), 4U);
    EXPECT_EQ((*entries)[0].name, "A");
    EXPECT_EQ((*entries)[1].name, "b");
    EXPECT_EQ((*entries)[1].size, 2U);
    EXPECT_EQ((*entries)[1].kind, EntryKind::kFile);
    EXPECT_EQ((*entries)[2].name, "c");
    EXPECT_EQ((*entries)[2].kind, EntryKind::kDirectory);
    EXPECT_EQ((*entries)[3].name, "\xE8\xAF\xBE");
    EXPECT_EQ(this->code(this->disk().list("nothing")), ErrorCode::kNotFound);
    EXPECT_EQ(this->code(this->disk().list("b")), ErrorCode::kNotFound);
    EXPECT_EQ(this->code(this->disk().stat("b/below")), ErrorCode::kNotFound);
}

TYPED_TEST(AnyDisk, MakesAndRemovesFolders) {
    EXPECT_EQ(this->code(this->disk().make_directory("a/b")), ErrorCode::kNotFound);
    ASSERT_TRUE(make_directories(this->disk(), "a/b/c").has_value());
    EXPECT_TRUE(this->disk().make_directory("a/b").has_value());
    this->write("a/f", "");
    EXPECT_EQ(this->code(this->disk().make_directory("a/f")), ErrorCode::kExists);
    EXPECT_EQ(this->code(this->disk().remove_directory("a")), ErrorCode::kExists);
    EXPECT_TRUE(this->disk().remove_directory("a/b/c").has_value());
    EXPECT_EQ(this->code(this->disk().stat("a/b/c")), ErrorCode::kNotFound);
    EXPECT_EQ(this->code(this->disk().remove_file("a/b/c")), ErrorCode::kNotFound);
    EXPECT_EQ(this->code(this->disk().remove_directory("a/f")), ErrorCode::kNotFound);
}

TYPED_TEST(AnyDisk, RenamesOverAFile) {
    this->write("a", "old");
    this->write("b", "new");
    ASSERT_TRUE(this->disk().rename("b", "a").has_value());
    EXPECT_EQ(this->read("a"), "new");
    EXPECT_EQ(this->code(this->disk().stat("b")), ErrorCode::kNotFound);
    EXPECT_EQ(this->code(this->disk().rename("b", "c")), ErrorCode::kNotFound);
    ASSERT_TRUE(this->disk().make_directory("d").has_value());
    ASSERT_TRUE(this->disk().rename("a", "d/x").has_value());
    EXPECT_EQ(this->read("d/x"), "new");
    ASSERT_TRUE(this->disk().make_directory("g").has_value());
    EXPECT_EQ(this->code(this->disk().rename("d/x", "g")), ErrorCode::kRefused);
    ASSERT_TRUE(this->disk().rename("d", "e").has_value());
    EXPECT_EQ(this->read("e/x"), "new");
}

TYPED_TEST(AnyDisk, KeepsARemovedFileForWhoHoldsIt) {
    const auto file = this->open("a", OpenMode::kWrite);
    ASSERT_TRUE(this->disk().remove_file("a").has_value());
    ASSERT_TRUE(file->write_at(0, bytes_of("still")).has_value());
    ASSERT_TRUE(file->sync().has_value());
    ByteBuffer into(5);
    EXPECT_EQ(file->read_at(0, into), 5U);
    EXPECT_EQ(text_of(into), "still");
    this->write("a", "other");
    EXPECT_EQ(file->read_at(0, into), 5U);
    EXPECT_EQ(text_of(into), "still");
}

TYPED_TEST(AnyDisk, KeepsTimesAndModes) {
    const std::int64_t mtime_ns = 1'700'000'000'000'000'000;
    const auto file = this->open("a", OpenMode::kWrite);
    ASSERT_TRUE(file->set_mode(0640).has_value());
    ASSERT_TRUE(file->set_mtime(mtime_ns).has_value());
    ASSERT_TRUE(this->disk().make_directory("d").has_value());
    ASSERT_TRUE(this->disk().set_directory_attributes("d", {0750, mtime_ns}).has_value());
    for (const auto& [path, mode] : {std::pair("a", 0640U), std::pair("d", 0750U)}) {
        const auto info = this->disk().stat(path);
        ASSERT_TRUE(info.has_value());
        EXPECT_EQ(info->mtime_ns, mtime_ns) << path;
        if (TypeParam::kKeepsModes) {
            EXPECT_EQ(info->mode, mode) << path;
        }
    }
}

// What tells that a file is the one it was: disks move its time of change in steps, so the test goes on until
// one is over.
TYPED_TEST(AnyDisk, TellsAnotherFileAndAnyChange) {
    this->write("a", "x");
    this->write("b", "x");
    const auto info = [&](const char* path) { return *this->disk().stat(path); };
    EXPECT_NE(info("a").inode, info("b").inode);
    const auto file = this->open("a", OpenMode::kWrite);
    const std::int64_t mtime_ns = info("a").mtime_ns;
    const auto moves_it = [&](const std::function<void()>& change) {
        const EntryInfo before = info("a");
        EXPECT_EQ(info("a").changed_ns, before.changed_ns);
        for (int tries = 0; tries < 1'000'000 && info("a").changed_ns == before.changed_ns; ++tries) change();
        EXPECT_GT(info("a").changed_ns, before.changed_ns);
        EXPECT_EQ(info("a").inode, before.inode);
    };
    moves_it([&] { EXPECT_TRUE(file->write_at(0, bytes_of("y")).has_value()); });
    moves_it([&] { EXPECT_TRUE(file->truncate(0).has_value()); });
    moves_it([&] { EXPECT_TRUE(file->set_mtime(mtime_ns).has_value()); });
    EXPECT_EQ(info("b").changed_ns, this->disk().list("")->back().changed_ns);
}

TYPED_TEST(AnyDisk, SyncsFilesAndFolders) {
    ASSERT_TRUE(this->disk().make_directory("d").has_value());
    this->write("d/a", "x");
    EXPECT_TRUE(this->disk().sync_directory("d").has_value());
    EXPECT_TRUE(this->disk().sync_directory("").has_value());
    EXPECT_EQ(this->code(this->disk().sync_directory("none")), ErrorCode::kNotFound);
    const auto reader = this->open("d/a", OpenMode::kRead);
    EXPECT_TRUE(reader->sync().has_value());
    const auto writer = this->open("d/a", OpenMode::kWrite);
    EXPECT_TRUE(writer->begin_sync().has_value());
    EXPECT_TRUE(writer->write_at(1, bytes_of("y")).has_value());
    EXPECT_TRUE(writer->end_sync().has_value());
    EXPECT_TRUE(writer->end_sync().has_value()) << "none is begun";
    EXPECT_TRUE(this->disk().end_sync_all().has_value()) << "none is begun";
    EXPECT_TRUE(this->disk().begin_sync_all().has_value());
    this->write("d/b", "z");
    EXPECT_TRUE(this->disk().end_sync_all().has_value());
    EXPECT_EQ(this->read("d/a"), "xy");
    const auto room = this->disk().space();
    ASSERT_TRUE(room.has_value());
    EXPECT_GT(room->free, 0U);
    EXPECT_GE(room->total, room->free);
}

TYPED_TEST(AnyDisk, ReplacesAFileWhole) {
    ASSERT_TRUE(replace_file(this->disk(), "a", bytes_of("one"), 0644).has_value());
    ASSERT_TRUE(replace_file(this->disk(), "a", bytes_of("two"), 0600).has_value());
    EXPECT_EQ(this->read("a"), "two");
    EXPECT_EQ(this->disk().list("")->size(), 1U);
    EXPECT_EQ(this->code(read_file(this->disk(), "a", 2)), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace satchel::env
