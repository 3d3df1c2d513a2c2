#include "engine/exchange/messages.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"

namespace satchel::exchange {
namespace {

template <typename Id>
Id id_of(std::uint8_t byte) {
    Id id;
    id.digest.fill(byte);
    return id;
}
catalogue::GitId git_id(std::uint8_t byte) {
    catalogue::GitId id;
    id.fill(byte);
    return id;
}
const SiteId kSender = id_of<SiteId>(0x22);

Feed feed_of(std::uint8_t site) {
    FeedHead head;
    head.incarnation_number = 3;
    head.incarnation_tag.fill(0x33);
    head.next_sequence = 40;
    head.head = id_of<SegmentId>(0x44);
    return {id_of<SiteId>(site), {head}};
}

Message greeting() {
    Hello hello;
    hello.capabilities = 1;
    hello.heard = 7;
    hello.root_version = 2;
    hello.lanes = {{"office", git_id(0x55), 12}};
    hello.reviews.emplace().fill(0x66);
    hello.have_sequence = 5;
    hello.have_known = 6;
    hello.receipts_known = 3;
    hello.receipts_digest.emplace().fill(0x77);
    hello.feeds = {feed_of(0x22)};
    hello.more_feeds = {feed_of(0x23)};
    hello.gathering = Gathering{"office", git_id(0x55), git_id(0x56), 4};
    hello.wanted = {{id_of<ChunkId>(0x88), 0, 0}, {id_of<ChunkId>(0x89), 4096, 50'000}};
    return {1, std::move(hello)};
}

std::vector<std::pair<std::string, Message>> one_of_each() {
    ShortDigest digest;
    digest.fill(0x99);
    LanePiece piece{"office", std::nullopt, git_id(0x56), 1, 3, {1, 2, 3}};
    return {
        {"hello", greeting()},
        {"end", {2, End{1, 4, 9}}},
        {"freight", {3, FreightMessage{{{4}, {6, 1}}}}},
        {"feeds",
         {4, FeedsMessage{id_of<SiteId>(0), id_of<SiteId>(0xFF), {feed_of(0x22), feed_of(0x23)}, false, {}}}},
        {"segments", {5, SegmentsMessage{{{1, 2}, {3}}}}},
        {"acknowledgement", {6, AcknowledgementMessage{{9, 9}}}},
        {"review-marks", {7, ReviewMarks{{{1, 0, 0, 0, 0, 0, 0, 0}, {2, 0, 0, 0, 0, 0, 0, 0}}}}},
        {"lane-batch", {8, std::move(piece)}},
        {"want", {9, Want{{{id_of<ChunkId>(0x88), 0, 0}}}}},
        {"data", {10, Data{id_of<ChunkId>(0x88), 100, 96, {1, 2, 3, 4}}}},
        {"not-here", {11, NotHere{{id_of<ChunkId>(0x88), id_of<ChunkId>(0x89)}}}},
        {"feed-nodes",
         {12, FeedNodes{{{{id_of<SiteId>(0x11), 0}, digest}, {{id_of<SiteId>(0x11), 3}, digest}}}}},
        {"feeds-of-nodes",
         {13,
          FeedsMessage{
              id_of<SiteId>(0), id_of<SiteId>(0xFF), {feed_of(0x23)}, false, {{id_of<SiteId>(0x11), 3}}}}}};
}

ByteBuffer bytes_of_message(const Message& message) {
    ByteBuffer bytes;
    encode_message(bytes, message, kSender);
    return bytes;
}

ByteBuffer vector_of(const std::string& name) {
    std::ifstream file(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/exchange/" + name + ".bin",
                       std::ios::binary);
    EXPECT_TRUE(file.good()) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Messages, AreTheGoldenVectors) {
    for (const auto& [name, message] : one_of_each()) {
        const ByteBuffer golden = vector_of(name);
        EXPECT_EQ(to_hex(golden), to_hex(bytes_of_message(message))) << name;
        const Result<Message> decoded = decode_message(golden, kSender);
        ASSERT_TRUE(decoded.has_value()) << name;
        EXPECT_TRUE(*decoded == message) << name;
    }
}

TEST(Messages, ThatBringNothingKeepTheirKind) {
    for (const Body& body : {Body(Hello{}), Body(End{}), Body(FreightMessage{}), Body(SegmentsMessage{}),
                             Body(AcknowledgementMessage{}), Body(ReviewMarks{}), Body(Want{}),
                             Body(NotHere{}), Body(FeedsMessage{}), Body(FeedNodes{})}) {
        const Result<Message> decoded = decode_message(bytes_of_message({1, body}), kSender);
        ASSERT_TRUE(decoded.has_value());
        EXPECT_EQ(decoded->body.index(), body.index());
    }
}

TEST(Messages, CutShortAreRefusedOrLess) {
    for (const auto& [name, message] : one_of_each()) {
        const ByteBuffer whole = bytes_of_message(message);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const Result<Message> decoded = decode_message(ByteView(whole).first(size), kSender);
            EXPECT_FALSE(decoded.has_value() && *decoded == message) << name << " at " << size;
        }
    }
}

TEST(Messages, OfAnotherVersionAreCalledNewer) {
    ByteBuffer bytes = bytes_of_message(greeting());
    bytes[0] = kExchangeVersion + 1;
    const Result<Message> decoded = decode_message(bytes, kSender);
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error().code, ErrorCode::kUnsupported);
}

TEST(Messages, OfAKindNotKnownArePassedOver) {
    const ByteBuffer bytes = {kExchangeVersion, 0x08, 0x05, 0xFA, 0x07, 0x02, 0xAB, 0xCD};  // field 127
    const Result<Message> decoded = decode_message(bytes, kSender);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->number, 5u);
    EXPECT_TRUE(std::holds_alternative<UnknownMessage>(decoded->body));
}

// Two bytes each on the line, a hundred each in memory.
TEST(Messages, OfManyEmptyFieldsAreRefusedBeforeTheyTakeMemory) {
    for (const std::uint8_t body :
         {std::uint8_t{0x22}, std::uint8_t{0x2A}, std::uint8_t{0x32}, std::uint8_t{0x6A}}) {
        const std::uint8_t inner = body == 0x2A ? 0x1A : 0x0A;
        ByteBuffer bytes = {kExchangeVersion, body};
        ByteBuffer fields;
        while (fields.size() < 2'000'000) append(fields, ByteBuffer{inner, 0x00});
        Writer(bytes).varint(fields.size());
        append(bytes, fields);
        const Result<Message> decoded = decode_message(bytes, kSender);
        ASSERT_FALSE(decoded.has_value());
        EXPECT_EQ(decoded.error().detail, "fields");
    }
}

TEST(Messages, ThatPassALimitAreRefused) {
    Message data{1, Data{id_of<ChunkId>(1), 10, 8, {1, 2, 3}}};
    EXPECT_FALSE(decode_message(bytes_of_message(data), kSender).has_value());  // behind the record's end
    data.body = Data{id_of<ChunkId>(1), 100'000, 0, ByteBuffer(kPieceMax + 1)};
    EXPECT_FALSE(decode_message(bytes_of_message(data), kSender).has_value());
    data.body = Data{id_of<ChunkId>(1), 0xFFFF'FFFF, 0, {1}};
    EXPECT_FALSE(decode_message(bytes_of_message(data), kSender).has_value());
    Message want{1, Want{std::vector<Wanted>(kWantedMax + 1)}};
    EXPECT_FALSE(decode_message(bytes_of_message(want), kSender).has_value());
    Message piece{1, LanePiece{"office", std::nullopt, git_id(1), 3, 3, {}}};
    EXPECT_FALSE(decode_message(bytes_of_message(piece), kSender).has_value());
    Message marks{1, ReviewMarks{{{2}, {1}}}};
    EXPECT_FALSE(decode_message(bytes_of_message(marks), kSender).has_value());
    Message feeds{1, FeedsMessage{{}, {}, {}, false, {{{}, 2}, {{}, 1}}}};
    EXPECT_FALSE(decode_message(bytes_of_message(feeds), kSender).has_value());  // nodes out of order
    Message segments{1, SegmentsMessage{{ByteBuffer(kSegmentMax + 1)}}};
    EXPECT_FALSE(decode_message(bytes_of_message(segments), kSender).has_value());
}

}  // namespace
}  // namespace satchel::exchange
