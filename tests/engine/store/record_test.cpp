// Records: round trips, refusals and golden vectors (schemas/record.md).
#include "engine/store/record.hpp"

#include <gtest/gtest.h>
#include <isa-l/crc.h>
#include <rapidcheck/gtest.h>
#include <zstd.h>

#include "engine/store/codec.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

ByteBuffer record_of(ByteView plain, RecordType type = RecordType::kChunk) {
    ByteBuffer record;
    encode_record(record, type, plain);
    return record;
}

ByteBuffer prose(std::size_t size) {
    ByteBuffer text;
    while (text.size() < size) append(text, bytes_of("The rice is sown in April and planted out in May. "));
    text.resize(size);
    return text;
}

std::uint32_t crc32c(ByteView bytes) {
    ByteBuffer copy(bytes.begin(), bytes.end());
    return ~crc32_iscsi(copy.data(), static_cast<int>(copy.size()), 0xffffffffu);
}

void put_u32(ByteBuffer& bytes, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

// Both checksums made right again: what a liar would send, not what damage looks like.
void seal(ByteBuffer& record) {
    put_u32(record, 20, crc32c(ByteView(record).subspan(kRecordHeaderSize)));
    put_u32(record, 4, crc32c(ByteView(record).subspan(8, kRecordHeaderSize - 8)));
}

// A record of codec zstd around any payload.
ByteBuffer zstd_record(ByteView payload, std::uint32_t raw_size, const Digest& id) {
    ByteBuffer record;
    Writer(record).raw("SREC").u32(0).u8(1).u8(1).u16(0);
    Writer(record).u32(static_cast<std::uint32_t>(payload.size())).u32(raw_size).u32(0).raw(id).raw(payload);
    seal(record);
    return record;
}

ByteBuffer zstd_frame(ByteView plain) {
    ByteBuffer frame(ZSTD_compressBound(plain.size()));
    frame.resize(ZSTD_compress(frame.data(), frame.size(), plain.data(), plain.size(), 3));
    return frame;
}

ErrorCode refusal_of(ByteView record) {
    const Result<ByteBuffer> opened = open_record(record);
    EXPECT_FALSE(opened.has_value());
    return opened.has_value() ? ErrorCode::kFailed : opened.error().code;
}

TEST(Record, GoldenVectorsOpenAndAreEncodedAgain) {
    const auto golden = [](const std::string& name) { return vector_file("vectors/record/" + name); };
    EXPECT_EQ(to_hex(golden("raw.bin")), to_hex(record_of(bytes_of("Satchel"))));
    EXPECT_EQ(to_hex(golden("empty.bin")), to_hex(record_of({})));
    EXPECT_EQ(to_hex(golden("freight.bin")), to_hex(record_of(bytes_of("parcel"), RecordType::kFreight)));
    EXPECT_EQ(to_hex(golden("masked.bin")), to_hex(record_of(bytes_of("kept"), RecordType::kKept)));
    EXPECT_EQ(text_of(must(open_record(golden("masked.bin")))), "kept");
    EXPECT_EQ(text_of(must(open_record(golden("raw.bin")))), "Satchel");
    EXPECT_TRUE(must(open_record(golden("empty.bin"))).empty());
    EXPECT_EQ(must(decode_header(golden("freight.bin"))).type, RecordType::kFreight);
    // Another release of zstd may pack otherwise; what it packed must open for ever.
    const ByteBuffer packed = golden("zstd.bin");
    EXPECT_EQ(must(open_record(packed)), prose(1000));
    EXPECT_EQ(must(decode_header(packed)).codec, Codec::kZstd);
    EXPECT_EQ(refusal_of(golden("newer-flag.bin")), ErrorCode::kUnsupported);
    EXPECT_EQ(refusal_of(golden("lying-id.bin")), ErrorCode::kDamaged);
}

RC_GTEST_PROP(Record, SurvivesARoundTrip, (const std::vector<std::uint8_t>& start)) {
    ByteBuffer plain = start;
    const auto repeats = *rc::gen::inRange(0, 40);
    for (int i = 0; i < repeats; ++i) append(plain, start);
    const ByteBuffer record = record_of(plain);
    RC_ASSERT(must(open_record(record)) == plain);
    const RecordHeader header = must(check_record(record));
    RC_ASSERT(header.raw_size == plain.size());
    RC_ASSERT(header.stored_size + kRecordHeaderSize == record.size());
    RC_ASSERT(header.id == hash_of(plain));
}

// A peer's segment may hold any bytes, also those of a whole record.
TEST(Record, NoRecordOfOthersMakingStandsInALog) {
    ByteBuffer chosen = noise(3000, 7);  // long enough to be packed if it paid
    append(chosen, record_of(bytes_of("an event that nobody recorded"), RecordType::kEvent));
    for (const ByteBuffer& plain : {chosen, record_of(bytes_of("one"), RecordType::kKept)}) {
        for (const RecordType type :
             {RecordType::kEvent, RecordType::kSegment, RecordType::kIncarnation, RecordType::kKept}) {
            const ByteBuffer record = record_of(plain, type);
            EXPECT_TRUE(must(open_record(record)) == plain);
            const std::string_view behind = text_of(ByteView(record).subspan(kRecordHeaderSize));
            EXPECT_EQ(behind.find("SREC"), std::string_view::npos);
        }
    }
    EXPECT_TRUE(must(open_record(record_of(prose(1000), RecordType::kSegment))) == prose(1000));
}

TEST(Record, OnlyWhatStandsInLogsIsMasked) {
    ByteBuffer record = record_of(bytes_of("Satchel"));
    record[10] = 1;
    seal(record);
    EXPECT_EQ(refusal_of(record), ErrorCode::kUnsupported);
}

RC_GTEST_PROP(Record, AnyBytesAreOpenedOrRefused, (const std::vector<std::uint8_t>& bytes)) {
    RC_ASSERT(!open_record(bytes).has_value());  // none of them has the right checksums
    ByteBuffer record = record_of(bytes);
    if (record.size() > kRecordHeaderSize) {
        const std::size_t at = *rc::gen::inRange(kRecordHeaderSize, record.size());
        record[at] = *rc::gen::distinctFrom(record[at]);
        RC_ASSERT(!check_record(record).has_value());
        seal(record);
        RC_ASSERT(!open_record(record).has_value());
    }
}

TEST(Record, KeepsWhatDoesNotCompressAsItIs) {
    const ByteBuffer plain = noise(100'000, 1);
    const ByteBuffer record = record_of(plain);
    EXPECT_EQ(must(decode_header(record)).codec, Codec::kRaw);
    EXPECT_EQ(record.size(), kRecordHeaderSize + plain.size());
    EXPECT_EQ(must(open_record(record)), plain);
}

TEST(Record, CompressesAnObjectWhoseHeadAloneDoesNot) {
    ByteBuffer plain = noise(32 * 1024, 2);
    append(plain, prose(96 * 1024));
    const ByteBuffer record = record_of(plain);
    EXPECT_EQ(must(decode_header(record)).codec, Codec::kZstd);
    EXPECT_LT(record.size(), plain.size() / 2);
    EXPECT_EQ(must(open_record(record)), plain);
}

TEST(Record, TakesAnObjectOfTheLargestSize) {
    const ByteBuffer plain = prose(kObjectMax);
    EXPECT_EQ(must(open_record(record_of(plain))), plain);
}

TEST(Record, RefusesEveryFlippedBit) {
    for (const ByteBuffer& good : {record_of(noise(100, 3)), record_of(prose(300))}) {
        for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
            ByteBuffer bad = good;
            bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
            EXPECT_EQ(refusal_of(bad), ErrorCode::kDamaged) << bit;
        }
    }
}

TEST(Record, RefusesEveryTruncationAndAnyTail) {
    const ByteBuffer good = record_of(prose(300));
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_EQ(refusal_of(ByteView(good).first(size)), ErrorCode::kDamaged) << size;
    ByteBuffer longer = good;
    longer.push_back(0);
    EXPECT_EQ(refusal_of(longer), ErrorCode::kDamaged);
}

TEST(Record, RefusesBytesThatAreNotWhatTheIdSays) {
    ByteBuffer lying = record_of(noise(100, 4));
    lying[kRecordHeaderSize] ^= 1;
    seal(lying);
    EXPECT_TRUE(check_record(lying).has_value());
    EXPECT_EQ(refusal_of(lying), ErrorCode::kDamaged);
}

TEST(Record, TellsWhatIsNewerFromDamage) {
    struct Change {
        std::size_t at;
        std::uint8_t value;
    };
    // Type 0 and 8, codec 2, the lowest and the highest flag.
    for (const Change change : {Change{8, 0}, Change{8, 8}, Change{9, 2}, Change{10, 1}, Change{11, 0x80}}) {
        ByteBuffer newer = record_of(noise(100, 5));
        newer[change.at] = change.value;
        EXPECT_EQ(refusal_of(newer), ErrorCode::kDamaged) << change.at;
        seal(newer);
        EXPECT_EQ(refusal_of(newer), ErrorCode::kUnsupported) << change.at;
    }
}

TEST(Record, RefusesLengthsBeyondAnyObject) {
    for (const std::size_t field : {12u, 16u}) {
        for (const std::uint32_t length : {static_cast<std::uint32_t>(kObjectMax + 1), 0xffffffffu}) {
            ByteBuffer record = record_of(prose(300));
            put_u32(record, field, length);
            seal(record);
            const Result<RecordHeader> header = decode_header(record);
            ASSERT_FALSE(header.has_value());
            EXPECT_EQ(header.error().code, ErrorCode::kDamaged);
        }
    }
}

TEST(Record, RefusesARawRecordWhoseSizesDiffer) {
    ByteBuffer record = record_of(noise(100, 6));
    put_u32(record, 16, 99);
    seal(record);
    EXPECT_EQ(refusal_of(record), ErrorCode::kDamaged);
}

TEST(Record, RefusesAZstdBombBeforeItUnpacksIt) {
    const ByteBuffer plain(2 * kObjectMax, 0);
    const ByteBuffer bomb = zstd_frame(plain);
    ASSERT_LT(bomb.size(), 4096u);
    EXPECT_EQ(refusal_of(zstd_record(bomb, 1'000'000, hash_of(plain))), ErrorCode::kDamaged);
    EXPECT_EQ(refusal_of(zstd_record(bomb, 2 * kObjectMax, hash_of(plain))), ErrorCode::kDamaged);
    // One that doesn't tell its size: descriptor 0, window 1 KiB, one block of 128 KiB by repetition.
    const ByteBuffer untold = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00};
    const ByteBuffer zeros(128 * 1024, 0);
    EXPECT_EQ(refusal_of(zstd_record(untold, 128 * 1024, hash_of(zeros))), ErrorCode::kDamaged);
}

TEST(Record, RefusesAFrameWhoseWindowIsLargerThanABoxCanSpare) {
    const ByteBuffer plain(1'000'000, 7);
    const auto frame_with = [&](int window_log) {
        ZSTD_CCtx* context = ZSTD_createCCtx();
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
        ByteBuffer frame(ZSTD_compressBound(plain.size()));
        ZSTD_outBuffer out = {frame.data(), frame.size(), 0};
        ZSTD_inBuffer in = {plain.data(), plain.size(), 0};
        EXPECT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_continue), 0u);
        EXPECT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0u);
        ZSTD_freeCCtx(context);
        frame.resize(out.pos);
        // Told after all: descriptor bits 7-6 = 2 for four bytes of size behind the window's byte.
        frame[4] |= 0x80;
        const ByteBuffer size = {0x40, 0x42, 0x0f, 0x00};
        frame.insert(frame.begin() + 6, size.begin(), size.end());
        return frame;
    };
    EXPECT_EQ(must(open_record(zstd_record(frame_with(kZstdWindowLogMax), 1'000'000, hash_of(plain)))),
              plain);
    EXPECT_EQ(refusal_of(zstd_record(frame_with(kZstdWindowLogMax + 1), 1'000'000, hash_of(plain))),
              ErrorCode::kDamaged);
}

TEST(Record, RefusesMoreThanOneFrame) {
    const ByteBuffer plain = prose(500);
    ByteBuffer two = zstd_frame(plain);
    append(two, zstd_frame({}));
    ASSERT_LT(two.size(), plain.size());
    EXPECT_EQ(refusal_of(zstd_record(two, 500, hash_of(plain))), ErrorCode::kDamaged);
}

TEST(Record, RefusesACompressedFormThatIsNotShorter) {
    const ByteBuffer plain = noise(50, 8);
    EXPECT_EQ(refusal_of(zstd_record(zstd_frame(plain), 50, hash_of(plain))), ErrorCode::kDamaged);
    // A skippable frame, which holds nothing at any length.
    ByteBuffer skipped = {0x50, 0x2a, 0x4d, 0x18, 0x10, 0, 0, 0};
    skipped.resize(8 + 16, 'x');
    EXPECT_EQ(refusal_of(zstd_record(skipped, 0, hash_of({}))), ErrorCode::kDamaged);
}

TEST(Record, RefusesFramesOfOtherMagics) {
    const ByteBuffer plain = prose(500);
    ByteBuffer frame = zstd_frame(plain);
    frame[0] = 0x27;  // zstd 0.7
    EXPECT_EQ(refusal_of(zstd_record(frame, 500, hash_of(plain))), ErrorCode::kDamaged);
}

}  // namespace
}  // namespace satchel::store
