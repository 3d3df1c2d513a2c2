// Segments that are damaged where they lie: named, passed over, and taken again from a peer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/encoding.hpp"
#include "tests/engine/records/records_kit.hpp"

namespace satchel::records {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> viewing(int headcount) {
    return {"course=maths", "headcount=" + std::to_string(headcount), "dur=3600", "start=2025-11-20T19:00"};
}

std::vector<ByteBuffer> segments_of(TestSite& site) {
    std::vector<ByteBuffer> segments;
    must(site.records->segments_after(site.id(), {}, [&](const SegmentId&, ByteView bytes) -> Result<bool> {
        segments.emplace_back(bytes.begin(), bytes.end());
        return true;
    }));
    return segments;
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
    for (int i = 1; i <= 3; ++i) {
        village.say("viewing", viewing(i));
        must(village.records->close_segment());
    }
    const std::vector<ByteBuffer> segments = segments_of(village);
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

TEST(Records, WhatFollowsALostRecordIsToldToWait) {
    TestSite village(3);
    std::vector<std::uint64_t> ends;
    for (int i = 1; i <= 3; ++i) {
        village.say("viewing", viewing(i));
        ends.push_back(must(village.owned->stat("feed.log")).size);
    }
    EXPECT_EQ(must(village.records->held_up_events()), 0u);
    village.owned->flip_bit("feed.log", ends[1] - 10, 3);
    must(village.records->rebuild());
    must(village.records->close_segment());
    EXPECT_EQ(must(village.records->open_events()), 1u);
    EXPECT_EQ(must(village.records->held_up_events()), 1u);
    village.say("viewing", viewing(4));
    must(village.records->close_segment());
    EXPECT_EQ(must(village.records->held_up_events()), 2u);
    EXPECT_THAT(village.report(), HasSubstr("site-3 3 0 3 8 10800")) << "they count here";
}

// A box whose first segment is gone and whose second, which waits for it, is not given by the disk when the
// first comes back.
class OwnSegmentThatWaits : public testing::Test {
  protected:
    OwnSegmentThatWaits() {
        // Signed at once, so that nothing but their segments holds them; and one that is open.
        for (int segment = 0; segment < 3; ++segment) {
            std::vector<Event> events;
            for (int i = 0; i < kViewings; ++i)
                events.push_back(
                    must(event_from_words("viewing", incompressible(segment * kViewings + i), 480)));
            must(village.records->record(std::move(events)));
        }
        village.say("viewing", viewing(5));
        sound_report = village.report();
        segments = segments_of(village);
        const std::vector<std::uint64_t> places = places_of_segments();
        village.owned->flip_bit("feed.log", places[0] + 100, 3);
        must(village.records->rebuild());
        village.owned->make_unreadable("feed.log", places[1] + 4096, places[1] + 4097, false);
        must(village.records->accept(segments[0]));
        must(village.records->commit());
        EXPECT_EQ(segments_of(village).size(), 1u);
        must(village.records->close_segment());
        EXPECT_EQ(must(village.records->held_up_events()), 1u);
    }
    static std::vector<std::string> incompressible(int number) {
        std::vector<std::string> words = viewing(number % 90);
        words[0] = "course=" + to_hex(hash_of(bytes_of(std::to_string(number))));
        return words;
    }
    std::vector<std::uint64_t> places_of_segments() {
        std::vector<std::uint64_t> places;
        database::Statement select =
            must(village.database->prepare("SELECT place FROM segment ORDER BY first"));
        while (must(select.step())) places.push_back(static_cast<std::uint64_t>(select.integer(0)));
        return places;
    }
    void expect_that_all_counts_and_goes_on() {
        EXPECT_EQ(village.report(), sound_report);
        must(village.records->close_segment());
        EXPECT_EQ(must(village.records->open_events()), 0u);
        EXPECT_EQ(segments_of(village).size(), 4u);
        EXPECT_THAT(must(village.records->branches()), SizeIs(1)) << "it is no copy of itself";
    }

    static constexpr int kViewings = 250;  // several sectors
    TestSite village{3};
    std::string sound_report;
    std::vector<ByteBuffer> segments;
};

TEST_F(OwnSegmentThatWaits, IsTakenWhenAPeerBringsIt) {
    must(village.records->accept(segments[1]));
    must(village.records->commit());
    expect_that_all_counts_and_goes_on();
    village.close();
    village.open();
    EXPECT_EQ(segments_of(village).size(), 4u);
}

TEST_F(OwnSegmentThatWaits, CountsOnceTheDiskGivesIt) {
    village.close();
    village.owned =
        std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions(), village.owned->tree());
    village.open();
    expect_that_all_counts_and_goes_on();
}

}  // namespace
}  // namespace satchel::records
