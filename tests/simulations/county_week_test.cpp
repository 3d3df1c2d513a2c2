// A county's week, twenty times: no promise is broken, and the checkers see a planted fault.
#include "simulations/county_week.hpp"

#include <gtest/gtest.h>

namespace satchel::simulations {
namespace {

std::string text_of(const WeekResult& week) {
    std::string text;
    for (const Violation& violation : week.violations)
        text += std::to_string(violation.at_ms) + " ms, " + violation.checker + ": " + violation.text + "\n";
    return text;
}

class CountyWeek : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CountyWeek, BreaksNoPromise) {
    const WeekResult week = simulate_week({.seed = GetParam()});
    EXPECT_TRUE(week.violations.empty()) << "seed " << GetParam() << "\n" << text_of(week);
    EXPECT_GT(week.recorded, 100u);
    EXPECT_GT(week.contacts, 20u);
    EXPECT_GT(week.stick_visits, 50u);
    EXPECT_GT(week.power_cuts, 5u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, CountyWeek, testing::Range(std::uint64_t{1}, std::uint64_t{21}));

TEST(CountyWeekItself, IsTheSameForTheSameSeed) {
    const WeekOptions options = {.seed = 3, .sites = 8, .days = 3};
    EXPECT_EQ(simulate_week(options).trace, simulate_week(options).trace);
    WeekOptions other = options;
    other.seed = 4;
    EXPECT_NE(simulate_week(options).trace, simulate_week(other).trace);
}

TEST(CountyWeekItself, SeesRecordsThatASyncOnlyPromised) {
    const WeekResult week = simulate_week({.seed = 1, .sites = 12, .days = 4, .syncs_are_lies = true});
    EXPECT_NE(text_of(week).find("durability"), std::string::npos) << text_of(week);
}

TEST(CountyWeekItself, SeesASiteThatWasLeftBehind) {
    const WeekResult week = simulate_week({.seed = 2, .sites = 8, .days = 2, .forget_a_peer = true});
    EXPECT_FALSE(week.violations.empty());
}

}  // namespace
}  // namespace satchel::simulations
