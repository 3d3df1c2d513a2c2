// Little-endian fields, varints, hex and base64: round trips, one form for each value, refusal of all else.
#include "engine/base/encoding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace satchel {
namespace {

ByteBuffer hex(std::string_view text) { return from_hex(text).value(); }

std::string varint_hex(std::uint64_t value) {
    ByteBuffer bytes;
    Writer(bytes).varint(value);
    return to_hex(bytes);
}

TEST(Encoding, WritesIntegersLittleEndian) {
    ByteBuffer bytes;
    Writer(bytes).u8(0x01).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0full);
    EXPECT_EQ(to_hex(bytes),
              "01030207060504"
              "0f0e0d0c0b0a0908");
}

TEST(Encoding, WritesVarintsInTheirShortestForm) {
    EXPECT_EQ(varint_hex(0), "00");
    EXPECT_EQ(varint_hex(127), "7f");
    EXPECT_EQ(varint_hex(128), "8001");
    EXPECT_EQ(varint_hex(300), "ac02");
    EXPECT_EQ(varint_hex(std::numeric_limits<std::uint64_t>::max()), "ffffffffffffffffff01");
}

TEST(Encoding, WritesSmallSignedNumbersShort) {
    const auto zigzag_hex = [](std::int64_t value) {
        ByteBuffer bytes;
        Writer(bytes).zigzag(value);
        return to_hex(bytes);
    };
    EXPECT_EQ(zigzag_hex(0), "00");
    EXPECT_EQ(zigzag_hex(-1), "01");
    EXPECT_EQ(zigzag_hex(1), "02");
    EXPECT_EQ(zigzag_hex(std::numeric_limits<std::int64_t>::min()), "ffffffffffffffffff01");
}

TEST(Encoding, RefusesAVarintInAnyFormButItsShortest) {
    for (const char* bad : {"8000", "ff00", "80808000", "80808080808080808000"}) {
        const ByteBuffer bytes = hex(bad);
        Reader reader(bytes);
        EXPECT_EQ(reader.varint(), 0u) << bad;
        EXPECT_FALSE(reader.ok()) << bad;
    }
}

TEST(Encoding, RefusesAVarintBeyond64Bits) {
    for (const char* bad : {"ffffffffffffffffff02", "ffffffffffffffffff7f", "ffffffffffffffffffff01",
                            "8080808080808080808001"}) {
        const ByteBuffer bytes = hex(bad);
        Reader reader(bytes);
        EXPECT_EQ(reader.varint(), 0u) << bad;
        EXPECT_FALSE(reader.ok()) << bad;
    }
}

TEST(Encoding, RefusesEveryCutVarint) {
    const ByteBuffer whole = hex("ffffffffffffffffff01");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        Reader reader(ByteView(whole).first(size));
        EXPECT_EQ(reader.varint(), 0u);
        EXPECT_FALSE(reader.ok()) << size;
    }
}

TEST(Encoding, AReaderThatPassedItsEndStaysBadAndReadsNothing) {
    const ByteBuffer bytes = hex("0102030405");
    Reader reader(bytes);
    EXPECT_EQ(reader.u16(), 0x0201);
    EXPECT_EQ(reader.u64(), 0u);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.u8(), 0u);
    EXPECT_EQ(reader.left(), 0u);
    EXPECT_FALSE(reader.at_end());
    EXPECT_TRUE(reader.raw(0).empty());
    EXPECT_EQ(reader.digest(), Digest{});
}

TEST(Encoding, RefusesASizeBeyondItsLimitBeforeReadingOn) {
    ByteBuffer bytes;
    Writer(bytes).sized("12345");
    Reader within(bytes);
    EXPECT_EQ(text_of(within.sized(5)), "12345");
    EXPECT_TRUE(within.at_end());
    Reader beyond(bytes);
    EXPECT_TRUE(beyond.sized(4).empty());
    EXPECT_FALSE(beyond.ok());
}

TEST(Encoding, RefusesASizeThatPromisesMoreThanIsThere) {
    ByteBuffer bytes;
    Writer(bytes).varint(std::numeric_limits<std::uint64_t>::max()).raw("abc");
    Reader reader(bytes);
    EXPECT_TRUE(reader.sized(std::numeric_limits<std::size_t>::max()).empty());
    EXPECT_FALSE(reader.ok());
}

RC_GTEST_PROP(Encoding, WhatIsWrittenIsReadBack,
              (std::uint8_t a, std::uint16_t b, std::uint32_t c, std::uint64_t d, const std::string& text)) {
    const std::uint64_t any = *rc::gen::arbitrary<std::uint64_t>();
    // Small and large alike: arbitrary numbers seldom have few bits.
    const std::uint64_t varint = any >> *rc::gen::inRange(0, 64);
    const auto zigzag = static_cast<std::int64_t>(varint) * *rc::gen::element(1, -1);
    ByteBuffer bytes;
    Writer(bytes).u8(a).u16(b).u32(c).u64(d).varint(varint).zigzag(zigzag).sized(text).raw(
        hash_of(bytes_of(text)));
    Reader reader(bytes);
    RC_ASSERT(reader.u8() == a);
    RC_ASSERT(reader.u16() == b);
    RC_ASSERT(reader.u32() == c);
    RC_ASSERT(reader.u64() == d);
    RC_ASSERT(reader.varint() == varint);
    RC_ASSERT(reader.zigzag() == zigzag);
    RC_ASSERT(text_of(reader.sized(text.size())) == text);
    RC_ASSERT(reader.digest() == hash_of(bytes_of(text)));
    RC_ASSERT(reader.at_end());
}

RC_GTEST_PROP(Encoding, AnyBytesThatReadAsAVarintAreItsOnlyForm, (std::vector<std::uint8_t> bytes)) {
    if (*rc::gen::arbitrary<bool>())  // long runs of continuation bytes are rare by chance
        for (std::size_t i = 0; i + 1 < bytes.size(); ++i) bytes[i] |= 0x80;
    Reader reader(bytes);
    const std::uint64_t value = reader.varint();
    if (!reader.ok()) return;
    ByteBuffer again;
    Writer(again).varint(value);
    RC_ASSERT(equal(again, ByteView(bytes).first(bytes.size() - reader.left())));
}

TEST(Encoding, HexIsLowerCaseAndWhole) {
    EXPECT_EQ(to_hex(hex("00ff10")), "00ff10");
    EXPECT_EQ(from_hex(""), ByteBuffer());
    for (const char* bad : {"0", "0g", "AB", "aB", "0x10", "ab ", " ab", "ab:cd", "abc"})
        EXPECT_FALSE(from_hex(bad).has_value()) << bad;
    const std::string digest(64, 'a');
    EXPECT_TRUE(digest_from_hex(digest).has_value());
    EXPECT_FALSE(digest_from_hex(digest.substr(1)).has_value());
    EXPECT_FALSE(digest_from_hex(digest + "aa").has_value());
    EXPECT_FALSE(id_from_hex<HashId<struct AnyTag>>("").has_value());
}

TEST(Encoding, Base64IsThatOfRfc4648) {
    EXPECT_EQ(to_base64(bytes_of("")), "");
    EXPECT_EQ(to_base64(bytes_of("f")), "Zg==");
    EXPECT_EQ(to_base64(bytes_of("fo")), "Zm8=");
    EXPECT_EQ(to_base64(bytes_of("foo")), "Zm9v");
    EXPECT_EQ(to_base64(bytes_of("foobar")), "Zm9vYmFy");
    EXPECT_EQ(to_base64(hex("fbff")), "+/8=");
}

TEST(Encoding, RefusesBase64InAnyFormButThatOfRfc4648) {
    for (const char* bad : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9", "Zm9v=", "Z", "Zg==Zg==", "Z g==", "Zg==\n",
                            "\nZg==", "-_8=", "=", "====", "Zm9v\xC2\xA0"})
        EXPECT_FALSE(from_base64(bad).has_value()) << bad;
}

RC_GTEST_PROP(Encoding, HexAndBase64SurviveARoundTrip, (const std::vector<std::uint8_t>& bytes)) {
    RC_ASSERT(from_hex(to_hex(bytes)) == bytes);
    RC_ASSERT(from_base64(to_base64(bytes)) == bytes);
}

RC_GTEST_PROP(Encoding, AnyTextThatReadsAsBase64IsItsOnlyForm, ()) {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ABZaz09+/==\n ")));
    const std::optional<ByteBuffer> bytes = from_base64(text);
    if (bytes) RC_ASSERT(to_base64(*bytes) == text);
}

}  // namespace
}  // namespace satchel
