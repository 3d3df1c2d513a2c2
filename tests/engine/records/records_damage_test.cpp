// Segments that are damaged where they lie: named, passed over, and taken again from a peer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/records/records_kit.hpp"

namespace satchel::records {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> viewing(int headcount) {
    return {"course=maths", "headcount=" + std::to_string(headcount), "dur=3600", "start=2025-11-20T19:00"};
}

TEST(Records, ADamagedSegmentIsNamedAndComesBackFromAPeer) {
    TestSite hub(1), village(3);
    village.say("viewing", viewing(35));
    village.give(hub);
    const std::string before = hub.report();
    const std::uint64_t size = must(hub.owned->stat("feed.log")).size;
    hub.owned->flip_bit("feed.log", size - 20, 3);
    std::vector<Error> found;
    EXPECT_EQ(must(hub.records->verify([&](const Error& error) { found.push_back(error); })), 0u);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_THAT(found[0].about, HasSubstr("feed.log"));
    must(hub.records->rebuild());
    EXPECT_NE(hub.report(), before);
    village.give(hub);
    EXPECT_EQ(hub.report(), before);
}

TEST(Records, ASegmentThatRotsWhileItWaitsStopsNoOther) {
    TestSite hub(1), village(3), other(4);
    std::vector<ByteBuffer> segments;
    for (int i = 1; i <= 3; ++i) {
        village.say("viewing", viewing(i));
        must(village.records->close_segment());
    }
    must(village.records->segments_after(village.id(), {},
                                         [&](const SegmentId&, ByteView bytes) -> Result<bool> {
                                             segments.emplace_back(bytes.begin(), bytes.end());
                                             return true;
                                         }));
    must(hub.records->accept(segments[1]));
    must(hub.records->commit());
    hub.owned->flip_bit("feed.log", must(hub.owned->stat("feed.log")).size - 20, 3);
    must(hub.records->accept(segments[0]));
    must(hub.records->commit());
    EXPECT_THAT(hub.report(), HasSubstr("site-3 1 0 1 1 3600"));
    hub.close();
    hub.open();
    other.say("viewing", viewing(7));
    other.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-4 1 0 1 7 3600"));
    village.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 3 0 3 6 10800"));
}

}  // namespace
}  // namespace satchel::records
