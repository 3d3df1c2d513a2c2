// The cache of what files looked like: its bytes, and that nothing but a whole one is believed.
#include "engine/site/seen_files.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "simulations/world/sim_disk.hpp"
#include "tests/support/county.hpp"

namespace satchel::site {
namespace {

using simulations::SimDisk;
using support::must;

ChunkId manifest_of(std::uint8_t fill) {
    ChunkId id;
    id.digest.fill(fill);
    return id;
}

std::string only_file(SimDisk& disk) {
    const std::vector<env::EntryInfo> entries = must(disk.list("seen"));
    EXPECT_EQ(entries.size(), 1u);
    return "seen/" + entries.at(0).name;
}

const std::vector<SeenRow> kThree = {
    {1234, 1'700'000'000'123'456'789}, kUnsureRow, {1235, 1'700'000'000'223'456'789}};

void write(SimDisk& disk, const std::vector<SeenRow>& rows, const ChunkId& manifest) {
    SeenWriter writer(disk, "rice");
    for (const SeenRow& row : rows) writer.add(row);
    writer.finish(manifest);
}

TEST(SeenFiles, AreTheGoldenVector) {
    SimDisk disk;
    write(disk, kThree, manifest_of(0x5a));
    std::ifstream in(SATCHEL_SOURCE_DIR "/schemas/vectors/seen/three.seen", std::ios::binary);
    const std::string golden{std::istreambuf_iterator<char>(in), {}};
    const ByteBuffer written = must(env::read_file(disk, only_file(disk), 4096));
    EXPECT_EQ(text_of(written), golden);
}

TEST(SeenFiles, ComeBackInTheirOrder) {
    SimDisk disk;
    std::vector<SeenRow> rows;
    for (std::uint64_t i = 0; i < 10'000; ++i) rows.push_back({i * 3, static_cast<std::int64_t>(i)});
    write(disk, kThree, manifest_of(1));
    write(disk, rows, manifest_of(2));  // takes the place of the first
    EXPECT_FALSE(SeenReader::open(disk, "rice", manifest_of(1)).has_value());
    EXPECT_FALSE(SeenReader::open(disk, "trees", manifest_of(2)).has_value());
    std::optional<SeenReader> reader = SeenReader::open(disk, "rice", manifest_of(2));
    ASSERT_TRUE(reader.has_value());
    for (const SeenRow& row : rows) ASSERT_EQ(reader->next(), row);
    EXPECT_EQ(reader->next(), kUnsureRow);
}

TEST(SeenFiles, AreNotBelievedWhenAnyBitIsAnother) {
    SimDisk disk;
    write(disk, kThree, manifest_of(1));
    const std::string path = only_file(disk);
    const std::uint64_t size = must(disk.stat(path)).size;
    for (std::uint64_t byte = 0; byte < size; ++byte) {
        disk.flip_bit(path, byte, static_cast<unsigned>(byte % 8));
        EXPECT_FALSE(SeenReader::open(disk, "rice", manifest_of(1)).has_value()) << byte;
        disk.flip_bit(path, byte, static_cast<unsigned>(byte % 8));
    }
    EXPECT_TRUE(SeenReader::open(disk, "rice", manifest_of(1)).has_value());
    for (const std::uint64_t kept :
         {size - 1, size - 16, std::uint64_t{80}, std::uint64_t{79}, std::uint64_t{0}}) {
        disk.truncate_at(path, kept);
        EXPECT_FALSE(SeenReader::open(disk, "rice", manifest_of(1)).has_value()) << kept;
    }
}

TEST(SeenFiles, FailToBeWrittenInSilence) {
    for (std::uint64_t operation = 1; operation <= 6; ++operation) {
        SimDisk disk;
        disk.fail_operation(operation, ErrorCode::kNoSpace);
        write(disk, kThree, manifest_of(1));
    }
}

TEST(SeenFiles, AFileLooksOtherOnAnotherDevice) {
    env::EntryInfo info;
    info.inode = 7;
    info.device = 2049;
    env::EntryInfo other = info;
    EXPECT_EQ(look_of(other), look_of(info));
    other.device = 2065;
    EXPECT_NE(look_of(other), look_of(info));
    other = info;
    other.inode = 8;
    EXPECT_NE(look_of(other), look_of(info));
}

TEST(SeenFiles, AFileThatChangedJustBeforeIsNotSure) {
    const env::Instant begun{1'700'000'000'000};
    constexpr std::int64_t kNow = 1'700'000'000'000'000'000;
    constexpr std::int64_t kSecond = 1'000'000'000;
    env::EntryInfo info;
    info.inode = 7;
    info.mtime_ns = kNow - 100 * kSecond;
    info.changed_ns = kNow - 5 * kSecond;
    EXPECT_EQ(row_of(info, begun), (SeenRow{7, info.changed_ns}));
    for (const std::int64_t changed : {kNow - 4 * kSecond, kNow, kNow + kSecond}) {
        info.changed_ns = changed;
        EXPECT_EQ(row_of(info, begun), kUnsureRow);
    }
    info.changed_ns = kNow - 5 * kSecond;
    info.mtime_ns = kNow - 2 * kSecond;
    EXPECT_EQ(row_of(info, begun), kUnsureRow);
}

}  // namespace
}  // namespace satchel::site
