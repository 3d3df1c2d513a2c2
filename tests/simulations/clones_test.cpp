// Thirty histories of copied and restored boxes: nothing lost, nothing double, every branch listed; and the
// checkers see planted faults.
#include "simulations/clones.hpp"

#include <gtest/gtest.h>

namespace satchel::simulations {
namespace {

std::string text_of(const ClonesResult& history) {
    std::string text;
    for (const Violation& violation : history.violations)
        text += std::to_string(violation.at_ms) + " ms, " + violation.checker + ": " + violation.text + "\n";
    return text;
}

class Clones : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Clones, LoseNothingDoubleNothingAndAreListed) {
    const ClonesResult history = simulate_clones({.seed = GetParam()});
    EXPECT_TRUE(history.violations.empty()) << "seed " << GetParam() << "\n" << text_of(history);
    EXPECT_EQ(history.lost, 0u);
    EXPECT_EQ(history.doubled, 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Clones, testing::Range(std::uint64_t{1}, std::uint64_t{31}));

TEST(ClonesItself, LivesThroughWhatItIsFor) {
    ClonesResult sum;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const ClonesResult history = simulate_clones({.seed = seed});
        sum.events += history.events;
        sum.copies += history.copies;
        sum.restores += history.restores;
        sum.branches += history.branches;
        sum.cut += history.cut;
        sum.power_cuts += history.power_cuts;
        sum.stick_visits += history.stick_visits;
    }
    EXPECT_GT(sum.events, 100u);
    EXPECT_GT(sum.copies, 5u);
    EXPECT_GT(sum.restores, 2u);
    EXPECT_GT(sum.branches, 5u);
    EXPECT_GT(sum.cut, 2u);
    EXPECT_GT(sum.power_cuts, 10u);
    EXPECT_GT(sum.stick_visits, 20u);
}

TEST(ClonesItself, IsTheSameForTheSameSeed) {
    EXPECT_EQ(simulate_clones({.seed = 3}).trace, simulate_clones({.seed = 3}).trace);
    EXPECT_NE(simulate_clones({.seed = 3}).trace, simulate_clones({.seed = 4}).trace);
}

TEST(ClonesItself, SeesRecordsThatASyncOnlyPromised) {
    std::string text;
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
        text += text_of(simulate_clones({.seed = seed, .syncs_are_lies = true}));
    EXPECT_NE(text.find("durability"), std::string::npos) << text;
}

TEST(ClonesItself, SeesABoxThatWasLeftBehind) {
    std::uint64_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed)
        lost += simulate_clones({.seed = seed, .forget_a_peer = true}).lost;
    EXPECT_GT(lost, 0u);
}

}  // namespace
}  // namespace satchel::simulations
