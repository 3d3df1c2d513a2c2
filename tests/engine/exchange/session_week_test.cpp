// What a village's week of signed records costs on a link.
#include <gtest/gtest.h>

#include "tests/support/contact.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel::exchange {
namespace {

using namespace support;

constexpr std::int32_t kOffsetMinutes = 480;
constexpr std::int64_t kDayMs = 24ll * 3600 * 1000;

class VillageWeek : public testing::Test {
  protected:
    VillageWeek() {
        for (NetSite* site : {&hub_, &village_}) {
            site->signs_records = true;
            site->world.clock.set_wall(1'788'220'800'000);  // a Tuesday, 08:00 of the network
        }
        EXPECT_TRUE(meet(village_, hub_).done);
    }
    void record(const std::string& kind, const std::vector<std::string>& words) {
        must(village_.site->records().record({must(records::event_from_words(kind, words, kOffsetMinutes))}));
    }
    // Eight events and a segment a day, on five days.
    void teach_a_week() {
        for (int day = 0; day < 5; ++day) {
            record("power-on", {"dur=28800"});
            for (int lesson = 0; lesson < 4; ++lesson)
                record("viewing", {"session=" + std::to_string(session_++), "course=xiaoxue-shuxue-3",
                                   "headcount=" + std::to_string(20 + lesson), "dur=2400",
                                   "lesson=" + std::to_string(lesson)});
            record("roll-call", {"session=" + std::to_string(session_), "present=23", "absent=2"});
            record("step", {"session=" + std::to_string(session_), "step=5"});
            record("feedback", {"course=xiaoxue-shuxue-3", "rating=4", "text=清楚"});
            must(village_.site->records().close_segment());
            for (NetSite* site : {&hub_, &village_}) site->world.clock.advance(kDayMs);
        }
    }

    NetSite hub_{crash_county().hub_after, 181};
    NetSite village_{crash_county().west, 182};
    int session_ = 1;
};

TEST_F(VillageWeek, CostsAtMostFiveKilobytesAndTwoRoundTrips) {
    for (int week = 1; week <= 6; ++week) {
        teach_a_week();
        const ContactReport report = meet(village_, hub_);
        EXPECT_FALSE(report.broken.has_value());
        EXPECT_TRUE(report.done);
        EXPECT_EQ(report.first.segments_given, 5u) << "week " << week;
        EXPECT_EQ(report.second.segments_given, 0u) << "week " << week;
        EXPECT_LE(report.bytes, 5'000u) << "week " << week;
        EXPECT_LT(report.lasted_ms, 1'500) << "week " << week;  // a round trip is 600 ms
    }
    EXPECT_EQ(counted_at(*hub_.site).size(), 6u * 40u);
}

}  // namespace
}  // namespace satchel::exchange
