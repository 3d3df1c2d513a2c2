#include "simulations/world/sim_disk.hpp"

#include <gtest/gtest.h>

#include "simulations/world/crash_images.hpp"
#include "simulations/world/seeded.hpp"
#include "simulations/world/sim_world.hpp"

namespace satchel::simulations {
namespace {

using env::OpenMode;

constexpr SimDiskOptions kFat{.profile = SimDiskOptions::kFat};

void write(env::Disk& disk, std::string_view path, std::string_view content, std::uint64_t offset = 0) {
    auto file = disk.open(path, OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->write_at(offset, bytes_of(content)).has_value());
}

void sync(env::Disk& disk, std::string_view path) {
    auto file = disk.open(path, OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->sync().has_value());
}

std::string read(env::Disk& disk, std::string_view path) {
    const auto content = env::read_file(disk, path, 1 << 24);
    return content.has_value() ? std::string(text_of(*content)) : std::string("(none)");
}

std::unique_ptr<SimDisk> none_applied(const SimDisk& disk) {
    return image(disk, {std::vector<Fate>(disk.pending().size(), Fate::kLost), 1});
}

// All that a file may hold after a crash, over many images.
std::set<std::string> outcomes(const SimDisk& disk, std::string_view path) {
    std::set<std::string> found;
    std::set<Digest> seen;
    for_each_image(disk, {.random_mixes = 50, .seed = 3}, seen,
                   [&](SimDisk& state, const CrashPlan&) { found.insert(read(state, path)); });
    return found;
}

TEST(SimDisk, LosesWhatWasNotSynced) {
    SimDisk disk;
    write(disk, "a", "one");
    EXPECT_EQ(read(*none_applied(disk), "a"), "(none)");
    EXPECT_EQ(read(*image(disk, {}), "a"), "one");
    sync(disk, "a");
    EXPECT_TRUE(disk.pending().empty());
    write(disk, "a", "two");
    EXPECT_EQ(read(disk, "a"), "two");
    EXPECT_EQ(read(*none_applied(disk), "a"), "one");
}

TEST(SimDisk, SyncsBesideTheWriterOnlyWhatCameBefore) {
    SimDisk disk;
    write(disk, "a", "one");
    sync(disk, "a");
    auto file = disk.open("a", OpenMode::kWrite);
    ASSERT_TRUE((*file)->write_at(0, bytes_of("two")).has_value());
    ASSERT_TRUE((*file)->begin_sync().has_value());
    ASSERT_TRUE((*file)->write_at(3, bytes_of("three")).has_value());
    EXPECT_EQ(read(*none_applied(disk), "a"), "one");
    ASSERT_TRUE((*file)->end_sync().has_value());
    EXPECT_EQ(read(disk, "a"), "twothree");
    EXPECT_EQ(read(*none_applied(disk), "a"), "two");
    ASSERT_TRUE((*file)->sync().has_value());
    EXPECT_EQ(read(*none_applied(disk), "a"), "twothree");
}

TEST(SimDisk, SyncsAllThatWasWrittenAndNamedBefore) {
    for (const SimDiskOptions& options : {SimDiskOptions(), kFat}) {
        SimDisk disk(options);
        write(disk, "a", "one");
        write(disk, "b", "two");
        ASSERT_TRUE(disk.rename("b", "c").has_value());
        ASSERT_TRUE(disk.begin_sync_all().has_value());
        write(disk, "a", "six");
        write(disk, "d", "ten");
        ASSERT_TRUE(disk.rename("c", "e").has_value());
        EXPECT_EQ(read(*none_applied(disk), "a"), "(none)");
        ASSERT_TRUE(disk.end_sync_all().has_value());
        const auto sure = none_applied(disk);
        EXPECT_EQ(read(*sure, "a"), "one");
        EXPECT_EQ(read(*sure, "c"), "two");
        EXPECT_EQ(read(*sure, "d"), "(none)");
        EXPECT_EQ(read(disk, "e"), "two");
        ASSERT_TRUE(disk.begin_sync_all().has_value());
        ASSERT_TRUE(disk.end_sync_all().has_value());
        EXPECT_TRUE(disk.pending().empty());
    }
}

TEST(SimDisk, DropsWhatASyncOfAllFailedToWrite) {
    SimDisk disk;
    write(disk, "a", "one");
    sync(disk, "a");
    write(disk, "a", "two");
    ASSERT_TRUE(disk.begin_sync_all().has_value());
    disk.fail_operation(disk.operations() + 1, ErrorCode::kIo);
    EXPECT_EQ(disk.end_sync_all().error().code, ErrorCode::kIo);
    ASSERT_TRUE(disk.begin_sync_all().has_value());
    ASSERT_TRUE(disk.end_sync_all().has_value());
    EXPECT_EQ(read(disk, "a"), "two");
    EXPECT_EQ(read(*none_applied(disk), "a"), "one");
}

TEST(SimDisk, KeepsANameOnFatOnlyAfterItsFolderIsSynced) {
    SimDisk disk(kFat);
    write(disk, "a", "one");
    sync(disk, "a");
    EXPECT_EQ(outcomes(disk, "a"), (std::set<std::string>{"one", "(none)", ""}));
    ASSERT_TRUE(disk.sync_directory("").has_value());
    EXPECT_EQ(outcomes(disk, "a"), std::set<std::string>{"one"});
}

TEST(SimDisk, KeepsANameAfterItsFolderIsSyncedButNotItsBytes) {
    SimDisk disk;
    write(disk, "a", "one");
    ASSERT_TRUE(disk.sync_directory("").has_value());
    EXPECT_EQ(read(*none_applied(disk), "a"), "");
}

TEST(SimDisk, RenamesAtOnceWhereThereIsAJournal) {
    SimDisk disk;
    ASSERT_TRUE(env::replace_file(disk, "a", bytes_of("old"), 0644).has_value());
    EXPECT_TRUE(disk.pending().empty());
    std::set<std::string> found;
    disk.on_sync = [&](SimDisk& now) { found.merge(outcomes(now, "a")); };
    ASSERT_TRUE(env::replace_file(disk, "a", bytes_of("new"), 0644).has_value());
    found.merge(outcomes(disk, "a"));
    EXPECT_EQ(found, (std::set<std::string>{"old", "new"}));
}

TEST(SimDisk, MayLeaveBothNamesOrNoneOnFat) {
    SimDisk disk(kFat);
    for (const char* name : {"a", "b"}) {
        write(disk, name, name);
        sync(disk, name);
    }
    ASSERT_TRUE(disk.sync_directory("").has_value());
    ASSERT_TRUE(disk.rename("b", "a").has_value());
    std::set<std::string> pairs;
    std::set<Digest> seen;
    for_each_image(disk, {.random_mixes = 50}, seen, [&](SimDisk& state, const CrashPlan&) {
        pairs.insert(read(state, "a") + "+" + read(state, "b"));
    });
    for (const char* pair : {"a+b", "b+(none)", "(none)+b", "b+b", "a+(none)"})
        EXPECT_EQ(pairs.count(pair), 1U) << pair;
}

TEST(SimDisk, DoesNotUndoASureNameByAnEarlierChange) {
    SimDisk disk;
    write(disk, "a", "one");
    sync(disk, "a");
    ASSERT_TRUE(disk.remove_file("a").has_value());
    write(disk, "a", "two");
    sync(disk, "a");
    EXPECT_EQ(outcomes(disk, "a"), std::set<std::string>{"two"});
}

TEST(SimDisk, BringsARemovedFileBackUntilTheFolderIsSynced) {
    SimDisk disk;
    write(disk, "a", "one");
    sync(disk, "a");
    ASSERT_TRUE(disk.remove_file("a").has_value());
    EXPECT_EQ(outcomes(disk, "a"), (std::set<std::string>{"one", "(none)"}));
    ASSERT_TRUE(disk.sync_directory("").has_value());
    EXPECT_EQ(outcomes(disk, "a"), std::set<std::string>{"(none)"});
}

TEST(SimDisk, TearsWritesAtSectorsAndGarblesThem) {
    SimDisk disk;
    write(disk, "a", std::string(2048, 'o'));
    sync(disk, "a");
    write(disk, "a", std::string(1024, 'n'), 512);
    const std::string torn = read(*image(disk, {{Fate::kTorn}, 5}), "a");
    EXPECT_EQ(torn, std::string(512, 'o') + std::string(512, 'n') + std::string(1024, 'o'));
    const std::string garbled = read(*image(disk, {{Fate::kGarbage}, 5}), "a");
    EXPECT_EQ(garbled.substr(0, 512) + garbled.substr(1536), std::string(1024, 'o'));
    EXPECT_NE(garbled.substr(512, 1024), std::string(1024, 'n'));
    EXPECT_EQ(garbled, read(*image(disk, {{Fate::kGarbage}, 5}), "a"));
    EXPECT_NE(garbled, read(*image(disk, {{Fate::kGarbage}, 6}), "a"));
    EXPECT_EQ(read(disk, "a"), std::string(512, 'o') + std::string(1024, 'n') + std::string(512, 'o'));
}

TEST(SimDisk, SpillsGarbageOverNeighboursWhenToldTo) {
    SimDisk disk({.garbage_spill_bytes = 512});
    write(disk, "a", std::string(700, 'o'));
    sync(disk, "a");
    write(disk, "a", "new", 600);
    const std::string garbled = read(*image(disk, {{Fate::kGarbage}, 5}), "a");
    EXPECT_EQ(garbled.substr(0, 512), std::string(512, 'o'));
    EXPECT_NE(garbled.substr(512, 88), std::string(88, 'o'));
}

TEST(SimDisk, FindsEveryStateOfTwoWrites) {
    SimDisk disk;
    write(disk, "a", "..");
    sync(disk, "a");
    write(disk, "a", "1", 0);
    write(disk, "a", "2", 1);
    const std::set<std::string> found = outcomes(disk, "a");
    for (const char* state : {"..", "1.", ".2", "12"}) EXPECT_EQ(found.count(state), 1U) << state;
}

TEST(SimDisk, ForgetsSyncsWhenTheyAreLies) {
    SimDisk disk({.syncs_are_lies = true});
    write(disk, "a", "one");
    sync(disk, "a");
    ASSERT_TRUE(disk.sync_directory("").has_value());
    EXPECT_EQ(read(*none_applied(disk), "a"), "(none)");
}

TEST(SimDisk, StopsForGoodAfterTheGivenOperation) {
    SimDisk disk;
    write(disk, "a", "one");  // create and write
    EXPECT_EQ(disk.operations(), 2U);
    disk.set_crash_after(3);
    auto file = disk.open("a", OpenMode::kWrite);
    ASSERT_TRUE(file.has_value());
    EXPECT_TRUE((*file)->write_at(0, bytes_of("two")).has_value());
    EXPECT_EQ((*file)->sync().error().code, ErrorCode::kIo);
    EXPECT_EQ(disk.stat("a").error().code, ErrorCode::kIo);
    EXPECT_EQ(disk.pending().size(), 3U);
    EXPECT_EQ(read(*image(disk, {}), "a"), "two");
}

TEST(SimDisk, FailsOneOperationAndGoesOn) {
    SimDisk disk;
    disk.fail_operation(2, ErrorCode::kNoSpace);
    auto file = disk.open("a", OpenMode::kWrite);
    EXPECT_EQ((*file)->write_at(0, bytes_of("one")).error().code, ErrorCode::kNoSpace);
    EXPECT_TRUE((*file)->write_at(0, bytes_of("one")).has_value());
}

TEST(SimDisk, LosesWhatAFailedSyncWasToKeepUnlessWrittenAnew) {
    SimDisk disk;
    auto file = disk.open("a", OpenMode::kWrite);
    ASSERT_TRUE((*file)->write_at(0, bytes_of("one two")).has_value());
    disk.fail_operation(3, ErrorCode::kIo);
    EXPECT_EQ((*file)->sync().error().code, ErrorCode::kIo);
    EXPECT_EQ((*file)->sync().error().code, ErrorCode::kIo);
    EXPECT_EQ((*file)->write_at(0, bytes_of("x")).error().code, ErrorCode::kIo);
    sync(disk, "a");
    EXPECT_EQ(read(disk, "a"), "one two");
    EXPECT_EQ(read(*image(disk, {}), "a"), "");
    write(disk, "a", "two", 4);
    sync(disk, "a");
    EXPECT_EQ(read(*image(disk, {}), "a"), std::string(4, '\0') + "two");
}

TEST(SimDisk, IsFullAtItsCapacityUntilSomethingGoes) {
    SimDisk disk({.capacity = 1000});
    write(disk, "a", std::string(600, 'a'));
    auto file = disk.open("b", OpenMode::kWrite);
    EXPECT_EQ((*file)->write_at(0, ByteBuffer(500)).error().code, ErrorCode::kNoSpace);
    EXPECT_EQ(disk.space()->free, 400U);
    ASSERT_TRUE(disk.remove_file("a").has_value());
    EXPECT_EQ(disk.space()->free, 1000U);
    EXPECT_TRUE((*file)->write_at(0, ByteBuffer(500)).has_value());
    ASSERT_TRUE((*file)->truncate(100).has_value());
    EXPECT_EQ(disk.space()->free, 900U);
}

TEST(SimDisk, FoldsAndRefusesNamesAsFatDoes) {
    SimDisk disk(kFat);
    write(disk, "Lesson.TXT", "x");
    EXPECT_EQ(disk.open("lesson.txt", OpenMode::kCreateNew).error().code, ErrorCode::kExists);
    EXPECT_EQ(read(disk, "LESSON.txt"), "x");
    EXPECT_EQ(disk.stat("LESSON.txt")->name, "Lesson.TXT");
    ASSERT_TRUE(disk.rename("lesson.txt", "LESSON.TXT").has_value());
    EXPECT_EQ(disk.list("")->at(0).name, "LESSON.TXT");
    for (const char* name : {"a:b", "what?", "end.", "end ", "a\\b", "tab\t"})
        EXPECT_EQ(disk.open(name, OpenMode::kWrite).error().code, ErrorCode::kFailed) << name;
    auto file = disk.open("t", OpenMode::kWrite);
    ASSERT_TRUE((*file)->set_mtime(5'999'999'999).has_value());
    EXPECT_EQ(disk.stat("t")->mtime_ns, 4'000'000'000);
}

TEST(SimDisk, RotsAtRest) {
    SimDisk disk;
    write(disk, "a", "abc");
    sync(disk, "a");
    disk.flip_bit("a", 1, 0);
    EXPECT_EQ(read(disk, "a"), "acc");
    EXPECT_EQ(read(*none_applied(disk), "a"), "acc");
    disk.truncate_at("a", 1);
    EXPECT_EQ(read(disk, "a"), "a");
    disk.plant("link", env::EntryKind::kSymlink);
    EXPECT_EQ(disk.open("link", OpenMode::kRead).error().code, ErrorCode::kRefused);
    EXPECT_EQ(disk.open("link/x", OpenMode::kWrite).error().code, ErrorCode::kRefused);
}

TEST(CrashImages, HashesNamesAndContentsAndNothingElse) {
    SimDisk one;
    SimDisk two;
    write(one, "a", "xy");
    write(two, "a", "x?");
    EXPECT_NE(image_hash(one), image_hash(two));
    write(two, "a", "y", 1);
    write(two, "b", "");
    EXPECT_NE(image_hash(one), image_hash(two));
    ASSERT_TRUE(two.remove_file("b").has_value());
    EXPECT_EQ(image_hash(one), image_hash(two));
    auto file = two.open("a", OpenMode::kWrite);
    ASSERT_TRUE((*file)->write_at(5000, bytes_of("z")).has_value());
    ASSERT_TRUE((*file)->truncate(2).has_value());
    EXPECT_EQ(image_hash(one), image_hash(two));
}

TEST(CrashImages, LeavesTheDiskAsItWas) {
    SimDisk disk;
    write(disk, "a", std::string(10000, 'a'));
    sync(disk, "a");
    write(disk, "a", std::string(10000, 'b'));
    const Digest before = image_hash(disk);
    std::set<Digest> seen;
    for_each_image(disk, {}, seen, [](SimDisk& state, const CrashPlan&) { write(state, "a", "changed"); });
    EXPECT_GE(seen.size(), 5U);
    EXPECT_EQ(image_hash(disk), before);
    EXPECT_EQ(read(*none_applied(disk), "a"), std::string(10000, 'a'));
}

TEST(CrashImages, SurvivesFoldersRenamedIntoEachOtherInPart) {
    for (const SimDiskOptions& options : {SimDiskOptions{}, kFat}) {
        SimDisk disk(options);
        ASSERT_TRUE(env::make_directories(disk, "x/y").has_value());
        ASSERT_TRUE(disk.sync_directory("x").has_value());
        ASSERT_TRUE(disk.sync_directory("").has_value());
        ASSERT_TRUE(disk.rename("x/y", "y").has_value());
        ASSERT_TRUE(disk.rename("x", "y/x").has_value());
        std::set<Digest> seen;
        for_each_image(disk, {.random_mixes = 30}, seen,
                       [](SimDisk& state, const CrashPlan&) { EXPECT_TRUE(state.list("").has_value()); });
        EXPECT_GT(seen.size(), 2U);
    }
}

TEST(SimClock, DriftsStepsAndStartsIn1970) {
    SimWorld world;
    EXPECT_EQ(world.clock.wall().unix_ms, 0);
    world.clock.set_drift_ppm(-1000);
    for (int i = 0; i < 1000; ++i) world.clock.advance(10);
    EXPECT_EQ(world.clock.steady_ms(), 10000U);
    EXPECT_EQ(world.clock.wall().unix_ms, 9990);
    world.clock.step_wall(-20000);
    EXPECT_EQ(world.clock.wall().unix_ms, -10010);
    EXPECT_EQ(world.clock.steady_ms(), 10000U);
}

// The first numbers of SplitMix64 for this seed, as published with other libraries' tests.
TEST(Seeded, GivesTheNumbersOfItsAlgorithm) {
    Seeded seeded(1234567);
    EXPECT_EQ(seeded.next(), 6457827717110365317U);
    EXPECT_EQ(seeded.next(), 3203168211198807973U);
    ByteBuffer bytes(10);
    SimRandom(1234567).fill(bytes);
    EXPECT_EQ(bytes[0], 6457827717110365317U & 0xFF);
    EXPECT_EQ(bytes[7], 6457827717110365317U >> 56);
    EXPECT_EQ(bytes[8], 3203168211198807973U & 0xFF);
}

}  // namespace
}  // namespace satchel::simulations
