// Which branches a history must show.
#include "simulations/lines.hpp"

#include <gtest/gtest.h>

namespace satchel::simulations {
namespace {

TEST(Lines, EndWhereNobodyWentOn) {
    Lines lines;
    const LineId root = lines.begin(std::nullopt);
    lines.say(root, 1);
    const LineId original = lines.begin(root), copy = lines.begin(root), silent = lines.begin(root);
    EXPECT_EQ(lines.ends(root, {1}), std::set<LineId>{root});
    EXPECT_FALSE(lines.have_diverged(original, copy));
    lines.say(original, 2);
    EXPECT_EQ(lines.ends(root, {1, 2}), std::set<LineId>{original});
    lines.say(copy, 3);
    EXPECT_EQ(lines.ends(root, {1, 2, 3}), (std::set<LineId>{original, copy}));
    EXPECT_TRUE(lines.have_diverged(original, copy));
    EXPECT_TRUE(lines.have_diverged(silent, copy));
}

TEST(Lines, AreBranchesOnlyAsFarAsTheirEventsCame) {
    Lines lines;
    const LineId root = lines.begin(std::nullopt);
    const LineId original = lines.begin(root), copy = lines.begin(root), below = lines.begin(copy);
    lines.say(original, 1);
    lines.say(copy, 2);
    lines.say(below, 3);
    EXPECT_EQ(lines.ends(root, {1}), std::set<LineId>{original});
    EXPECT_EQ(lines.ends(root, {1, 2}), (std::set<LineId>{original, copy}));
    EXPECT_EQ(lines.ends(root, {1, 3}), (std::set<LineId>{original, below}));
    EXPECT_FALSE(lines.have_diverged(copy, copy));
    EXPECT_TRUE(lines.have_diverged(copy, below));
}

TEST(Lines, OfAnotherSiteAreNotMixedIn) {
    Lines lines;
    const LineId one = lines.begin(std::nullopt), other = lines.begin(std::nullopt);
    lines.say(one, 1);
    lines.say(other, 2);
    EXPECT_EQ(lines.ends(one, {1, 2}), std::set<LineId>{one});
    EXPECT_EQ(lines.line_of(2), other);
    EXPECT_EQ(lines.line_of(7), std::nullopt);
}

}  // namespace
}  // namespace satchel::simulations
