// Segments: golden vectors, round trips, refusals (schemas/segment.md).
#include "engine/records/segment.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "engine/records/kinds.hpp"

namespace satchel::records {
namespace {

const NetworkId kNetwork = [] {
    NetworkId id;
    id.digest.fill(0x11);
    return id;
}();

trust::SigningKey golden_key() {
    std::array<std::uint8_t, 32> seed{};
    seed.fill(1);
    return trust::SigningKey::from_seed(seed);
}

ByteBuffer vector_file(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/segment/" + name, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return {text.begin(), text.end()};
}

Event golden_event(std::int64_t quantity) {
    Event event;
    event.kind = kOrderKind;
    event.put(kAtField, std::int64_t{1'700'000'000'000});
    event.put(17, std::string("水稻"));
    event.put(18, quantity);
    return event;
}

Segment golden_segment() {
    Segment segment;
    segment.site = golden_key().public_key();
    segment.incarnation.number = 1;
    segment.incarnation.tag.fill(0x77);
    segment.closed_ms = 1'700'000'000'000;
    segment.events = {encode(golden_event(4)), encode(golden_event(5))};
    return segment;
}

ErrorCode refusal_of(ByteView bytes) {
    const Result<OpenedSegment> opened = open_segment(bytes, kNetwork);
    return opened.has_value() ? ErrorCode::kCancelled : opened.error().code;
}

TEST(Segment, IsWrittenAsTheGoldenBytesSay) {
    EXPECT_EQ(encode(golden_segment(), kNetwork, golden_key()).bytes, vector_file("two-events.bin"));
    Segment next = golden_segment();
    next.first = 3;
    next.previous = encode(golden_segment(), kNetwork, golden_key()).id;
    next.events = {encode(golden_event(6))};
    EXPECT_EQ(encode(next, kNetwork, golden_key()).bytes, vector_file("next.bin"));
}

TEST(Segment, OpensTheGoldenBytes) {
    const Result<OpenedSegment> opened = open_segment(vector_file("next.bin"), kNetwork);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->segment.first, 3u);
    EXPECT_EQ(opened->segment.previous, open_segment(vector_file("two-events.bin"), kNetwork)->id);
    EXPECT_EQ(*decode_event(opened->segment.events.front()), golden_event(6));
}

TEST(Segment, KeepsItsIdWhenASealedPartIsDeleted) {
    const Result<OpenedSegment> opened = open_segment(vector_file("sealed-deleted.bin"), kNetwork);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->segment.sealed_parts, 1u);
    EXPECT_EQ(opened->segment.events.size(), 1u);
}

TEST(Segment, RefusesAnotherNetworkANewerVersionAndEveryChangedByte) {
    const ByteBuffer golden = vector_file("two-events.bin");
    NetworkId other = kNetwork;
    other.digest[0] ^= 1;
    EXPECT_EQ(open_segment(golden, other).error().code, ErrorCode::kRefused);
    EXPECT_EQ(refusal_of(vector_file("newer.bin")), ErrorCode::kUnsupported);
    for (std::size_t at = 0; at < golden.size(); ++at) {
        ByteBuffer changed = golden;
        changed[at] ^= 0x04;
        EXPECT_NE(refusal_of(changed), ErrorCode::kCancelled) << "byte " << at;
        EXPECT_NE(refusal_of(ByteView(golden).first(at)), ErrorCode::kCancelled) << "cut at " << at;
    }
}

RC_GTEST_PROP(SegmentProperty, OpensAsItWasWritten, ()) {
    Segment segment = golden_segment();
    segment.events.clear();
    const int count = *rc::gen::inRange(1, 40);
    for (int i = 0; i < count; ++i) {
        Event event;
        event.kind = *rc::gen::inRange(0u, 100u);
        const auto numbers = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(1u, 60u));
        for (const std::uint32_t number : numbers) {
            if (*rc::gen::arbitrary<bool>())
                event.put(number, *rc::gen::arbitrary<std::int64_t>());
            else
                event.put(number, *rc::gen::arbitrary<std::string>());
        }
        const ByteBuffer encoded = encode(event);
        RC_ASSERT(*decode_event(encoded) == event);
        segment.events.push_back(encoded);
    }
    const SealedSegment sealed = encode(segment, kNetwork, golden_key());
    const Result<OpenedSegment> opened = open_segment(sealed.bytes, kNetwork);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(opened->id == sealed.id);
    RC_ASSERT(opened->segment.events == segment.events);
    RC_ASSERT(*site_of_segment(sealed.bytes) == trust::site_id_of(segment.site));
}

TEST(Identity, IsReadBackAsItIsWritten) {
    for (const Identity& identity : {Identity{"510700-0001", 1, 10, ""}, Identity{"1a2b", 3, 7, "00ff"},
                                     Identity{"1a2b", 0, 0, "viewing:2026-11-24-evening"}})
        EXPECT_EQ(parse_identity(text_of(identity)), identity);
    for (const char* wrong : {"", "a", "a/1", "/1/2", "a/x/2", "a/1/", "a/1/2-"})
        EXPECT_FALSE(parse_identity(wrong)) << wrong;
}

}  // namespace
}  // namespace satchel::records
