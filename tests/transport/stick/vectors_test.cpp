// The golden vectors of schemas/stick.md.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/transport/stick/volume_support.hpp"

namespace satchel::stick {
namespace {

ByteBuffer vector_file(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/stick/" + name, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return {text.begin(), text.end()};
}

// A lane-end parcel and a chunk of the five bytes "rice\n", too small to be compressed by any zstd.
std::vector<ByteBuffer> vector_records() {
    std::vector<ByteBuffer> records(2);
    store::encode_record(records[0], store::RecordType::kFreight, ByteBuffer{4});
    store::encode_record(records[1], store::RecordType::kChunk, bytes_of("rice\n"));
    return records;
}

Head vector_head() {
    Head head;
    head.generation = 3;
    head.network.digest.fill(0x11);
    head.writer = key_of(1).public_key();
    head.stick.fill(0x55);
    head.volumes = {{1, 1342}, {2, 1'000'000}};
    return head;
}

TEST(StickVectors, TheGoldenVolumeIsWritten) {
    const auto disk = stick_disk();
    write_volume(*disk, vector_records(), 9, key_of(1));
    EXPECT_EQ(to_hex(get_file(*disk)), to_hex(vector_file("volume.bin")));
}

TEST(StickVectors, TheGoldenVolumeIsRead) {
    const auto disk = stick_disk();
    put_file(*disk, kPath, vector_file("volume.bin"));
    const Scan found = scan(*disk);
    const std::vector<ByteBuffer> records = vector_records();
    EXPECT_EQ(found.ids, (std::vector<Digest>{id_of(records[0]), id_of(records[1])}));
    EXPECT_TRUE(found.damaged.empty());
    EXPECT_EQ(found.committed, 1342U);
    EXPECT_EQ((*VolumeReader::open(*disk, kPath))->header(), header_of(key_of(1)));
}

TEST(StickVectors, TheGoldenHeadIsWrittenAndRead) {
    EXPECT_EQ(to_hex(encode(vector_head(), key_of(1))), to_hex(vector_file("head.bin")));
    const Result<Head> head = decode_head(vector_file("head.bin"));
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(*head, vector_head());
}

TEST(StickVectors, AVolumeOfANewerFormatIsToldFromDamage) {
    const auto disk = stick_disk();
    put_file(*disk, kPath, vector_file("volume-newer.bin"));
    EXPECT_EQ(VolumeReader::open(*disk, kPath).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace satchel::stick
