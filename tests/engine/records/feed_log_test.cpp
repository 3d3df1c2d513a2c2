// The feed log: golden vectors, torn tails, damage (schemas/feed-log.md).
#include "engine/records/feed_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "simulations/world/sim_disk.hpp"

namespace satchel::records {
namespace {

using store::RecordType;
using testing::ElementsAre;

std::string vector_file(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/feed-log/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void put(env::Disk& disk, const std::string& path, const std::string& bytes) {
    auto file = std::move(disk.open(path, env::OpenMode::kWrite).value());
    ASSERT_TRUE(file->write_at(0, bytes_of(bytes)).has_value());
    ASSERT_TRUE(file->sync().has_value());
}

std::vector<RecordType> types_in(FeedLog& log, const LogEnd& from = {1, 0}) {
    std::vector<RecordType> types;
    EXPECT_TRUE(log.open(from,
                         [&](const LogPlace&, RecordType type, ByteView) -> Result<void> {
                             types.push_back(type);
                             return {};
                         })
                    .has_value());
    return types;
}

TEST(FeedLog, ReadsTheGoldenLog) {
    simulations::SimDisk disk;
    put(disk, "feed.log", vector_file("feed.log"));
    FeedLog log(disk);
    EXPECT_THAT(types_in(log), ElementsAre(RecordType::kIncarnation, RecordType::kEvent, RecordType::kEvent,
                                           RecordType::kSegment, RecordType::kEvent));
    EXPECT_EQ(log.damaged(), 0u);
}

TEST(FeedLog, CutsOffWhatIsTornAtItsEnd) {
    simulations::SimDisk disk;
    put(disk, "feed.log", vector_file("torn.log"));
    {
        FeedLog log(disk);
        EXPECT_EQ(types_in(log).size(), 4u);
        ASSERT_TRUE(log.append(RecordType::kEvent, bytes_of("12345678x")).has_value());
        ASSERT_TRUE(log.sync().has_value());
    }
    FeedLog log(disk);
    EXPECT_EQ(types_in(log).size(), 5u);
}

TEST(FeedLog, ReadsOnBehindDamage) {
    simulations::SimDisk disk;
    put(disk, "feed.log", vector_file("feed.log"));
    disk.flip_bit("feed.log", 130, 2);  // in the first event
    FeedLog log(disk);
    EXPECT_EQ(types_in(log).size(), 4u);
    EXPECT_EQ(log.damaged(), 1u);
}

TEST(FeedLog, ABadSectorCostsWhatLiesInIt) {
    for (const bool takes_writes : {false, true}) {
        for (std::uint64_t sector = 0; sector < 4; ++sector) {
            simulations::SimDisk disk;
            {
                FeedLog log(disk);
                types_in(log);
                for (int i = 0; i < 250; ++i)
                    ASSERT_TRUE(log.append(RecordType::kEvent, bytes_of("12345678x")).has_value());
                ASSERT_TRUE(log.sync().has_value());
            }
            const std::uint64_t size = disk.stat("feed.log").value().size;
            ASSERT_GT(size, 3u * 4096);
            disk.make_unreadable("feed.log", sector * 4096, sector * 4096 + 1, takes_writes);
            std::size_t found = 0;
            {
                FeedLog log(disk);
                found = types_in(log).size();
                EXPECT_GE(found, 250u - 4096 / 60);
                EXPECT_GE(log.end().bytes, size) << "the disk may give it another day";
                ASSERT_TRUE(log.append(RecordType::kEvent, bytes_of("12345678y")).has_value());
                ASSERT_TRUE(log.sync().has_value());
            }
            FeedLog log(disk);
            EXPECT_EQ(types_in(log).size(), found + 1);
            simulations::SimDisk later({}, disk.tree());
            FeedLog whole(later);
            EXPECT_EQ(types_in(whole).size(), 251u);
        }
    }
}

TEST(FeedLog, NothingIsWrittenAfterAnErrorOfTheDisk) {
    simulations::SimDisk disk;
    FeedLog log(disk);
    EXPECT_TRUE(types_in(log).empty());
    ASSERT_TRUE(log.append(RecordType::kEvent, bytes_of("12345678x")).has_value());
    disk.fail_operation(disk.operations() + 1, ErrorCode::kIo);
    EXPECT_FALSE(log.sync().has_value());
    EXPECT_FALSE(log.sync().has_value());
    EXPECT_FALSE(log.append(RecordType::kEvent, bytes_of("12345678y")).has_value());
}

TEST(FeedLog, ANewerRecordLeavesTheLogAsItIs) {
    simulations::SimDisk disk;
    std::string bytes = vector_file("feed.log");
    put(disk, "feed.log", bytes);
    // A whole header of type 9: its checksum is made anew by the record's own writer.
    ByteBuffer newer;
    store::encode_record(newer, static_cast<RecordType>(9), bytes_of("from the future"));
    put(disk, "feed.log", bytes + std::string(text_of(newer)));
    FeedLog log(disk);
    const Result<void> opened =
        log.open({1, 0}, [](const LogPlace&, RecordType, ByteView) -> Result<void> { return {}; });
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(disk.stat("feed.log")->size, bytes.size() + newer.size());
}

}  // namespace
}  // namespace satchel::records
