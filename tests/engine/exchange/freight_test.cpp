// Freight: round trips, refusals and golden vectors (schemas/freight.md).
#include "engine/exchange/freight.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "engine/exchange/acknowledgement.hpp"

namespace satchel::exchange {
namespace {

trust::SigningKey key_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return trust::SigningKey::from_seed(bytes);
}

Have example_have(const trust::SigningKey& key) {
    Have have;
    have.network.digest.fill(0x11);
    have.site = key.public_key();
    have.sequence = 7;
    have.root_version = 2;
    catalogue::LaneHead head;
    head.lane = "office";
    head.head.fill(0x22);
    head.height = 41;
    have.heads = {head};
    EditionMark first{}, second{};
    second.fill(0x33);
    have.complete = {first, second};
    have.subscriptions = {{"all", ""}, {"theme", "水稻"}};
    return have;
}

Receipt example_receipt(const trust::SigningKey& key) {
    Receipt receipt;
    receipt.network.digest.fill(0x11);
    receipt.site = key.public_key();
    receipt.sequence = 3;
    receipt.writer.digest.fill(0x44);
    receipt.stick.fill(0x55);
    receipt.volume = 9;
    receipt.bytes = 1'000'000;
    receipt.chunks_taken = 12;
    receipt.damaged = 1;
    return receipt;
}

ByteBuffer vector_file(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/freight/" + name, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return {text.begin(), text.end()};
}

TEST(Freight, EncodesTheGoldenHaveAndReceipt) {
    const trust::SigningKey key = key_of(1);
    EXPECT_EQ(to_hex(encode(example_have(key), key)), to_hex(vector_file("have.bin")));
    EXPECT_EQ(to_hex(encode(example_receipt(key), key)), to_hex(vector_file("receipt.bin")));
    const ByteBuffer review = encode(Parcel(catalogue::SignedReview{{'a', 'b'}, "sig"}));
    EXPECT_EQ(to_hex(review), to_hex(vector_file("review-parcel.bin")));
}

TEST(Freight, DecodesTheGoldenHaveAndReceipt) {
    const trust::SigningKey key = key_of(1);
    const Result<Have> have = decode_have(vector_file("have.bin"));
    ASSERT_TRUE(have.has_value());
    EXPECT_EQ(*have, example_have(key));
    const Result<Receipt> receipt = decode_receipt(vector_file("receipt.bin"));
    ASSERT_TRUE(receipt.has_value());
    EXPECT_EQ(*receipt, example_receipt(key));
}

Acknowledgement example_acknowledgement(const trust::SigningKey& key) {
    Acknowledgement statement;
    statement.network.digest.fill(0x11);
    statement.hub = key.public_key();
    statement.sequence = 5;
    AcknowledgedFeed feed;
    feed.site.digest.fill(0x44);
    FeedHead head;
    head.incarnation_number = 1;
    head.incarnation_tag.fill(0x77);
    head.next_sequence = 3;
    head.head.digest = *digest_from_hex("464ee0573f83d1c52b6514ac48812189cd0cc25f5fdd3a0e433b22dd876932b9");
    feed.heads = {head};
    statement.feeds = {feed};
    return statement;
}

TEST(Freight, EncodesAndDecodesTheGoldenAcknowledgement) {
    const trust::SigningKey key = key_of(1);
    const ByteBuffer golden = vector_file("acknowledgement.bin");
    EXPECT_EQ(to_hex(encode(example_acknowledgement(key), key)), to_hex(golden));
    const Result<Acknowledgement> read = decode_acknowledgement(golden);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, example_acknowledgement(key));
    for (std::size_t at = 0; at < golden.size(); ++at) {
        ByteBuffer bad = golden;
        bad[at] ^= 1;
        EXPECT_FALSE(decode_acknowledgement(bad).has_value()) << at;
        EXPECT_FALSE(decode_acknowledgement(ByteView(golden).first(at)).has_value()) << at;
    }
}

TEST(Freight, RefusesEveryTruncatedOrAlteredHave) {
    const trust::SigningKey key = key_of(1);
    const ByteBuffer good = encode(example_have(key), key);
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(decode_have(ByteView(good).first(size)).has_value()) << size;
    for (std::size_t at = 0; at < good.size(); ++at) {
        ByteBuffer bad = good;
        bad[at] ^= 1;
        EXPECT_FALSE(decode_have(bad).has_value()) << at;
    }
}

TEST(Freight, RefusesAReceiptThatAnotherKeySigned) {
    const trust::SigningKey key = key_of(1);
    ByteBuffer forged = encode(example_receipt(key), key);
    const trust::SigningKey other = key_of(2);
    const ByteBuffer by_other = encode(example_receipt(other), other);
    std::copy(by_other.end() - 64, by_other.end(), forged.end() - 64);
    const Result<Receipt> receipt = decode_receipt(forged);
    ASSERT_FALSE(receipt.has_value());
    EXPECT_EQ(receipt.error().code, ErrorCode::kRefused);
}

TEST(Freight, TellsANewerFormatFromDamage) {
    const trust::SigningKey key = key_of(1);
    ByteBuffer newer = encode(example_have(key), key);
    newer[4] = 2;
    const Result<Have> have = decode_have(newer);
    ASSERT_FALSE(have.has_value());
    EXPECT_EQ(have.error().code, ErrorCode::kUnsupported);
    const ByteBuffer unknown_parcel = {99, 1, 2};
    EXPECT_EQ(decode_parcel(unknown_parcel).error().code, ErrorCode::kUnsupported);
}

TEST(Freight, RefusesAHaveWhoseCountsPromiseMoreThanIsThere) {
    const trust::SigningKey key = key_of(1);
    Have have = example_have(key);
    have.heads.clear();
    have.complete.clear();
    have.subscriptions.clear();
    ByteBuffer bytes = encode(have, key);
    bytes.erase(bytes.end() - 64 - 3, bytes.end());  // signature and the three counts
    Writer(bytes).varint(0).varint(kEditionsInHaveMax).varint(0);
    append(bytes, key.sign("satchel/have/v1", bytes).bytes);
    EXPECT_FALSE(decode_have(bytes).has_value());
}

RC_GTEST_PROP(Freight, ParcelsSurviveARoundTrip,
              (const std::vector<std::uint8_t>& bytes, const std::string& text)) {
    const Parcel parcel = *rc::gen::element<Parcel>(
        Parcel(LaneBatch{bytes}), Parcel(HaveParcel{bytes}), Parcel(ReceiptParcel{bytes}), Parcel(LaneEnd{}),
        Parcel(catalogue::SignedReview{bytes, text}), Parcel(Roots{{trust::SignedRoot{bytes, {text, "x"}}}}));
    const ByteBuffer encoded = encode(parcel);
    const Result<Parcel> decoded = decode_parcel(encoded);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(encode(*decoded) == encoded);
}

RC_GTEST_PROP(Freight, AnyBytesAreDecodedOrRefused, (const std::vector<std::uint8_t>& bytes)) {
    const Result<Parcel> decoded = decode_parcel(bytes);
    if (decoded.has_value()) RC_ASSERT(encode(*decoded) == bytes);
}

}  // namespace
}  // namespace satchel::exchange
