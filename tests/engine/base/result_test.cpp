// Failures as values: what the macros hand on, and that a bug ends the program in every build.
#include "engine/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <type_traits>

#include "engine/base/check.hpp"

namespace satchel {
namespace {

Result<std::unique_ptr<int>> made(bool well) {
    if (!well) return fail(ErrorCode::kDamaged, "thing", "the bytes are damaged", "try again", "at byte 7");
    return std::make_unique<int>(5);
}

Result<void> done(bool well) {
    if (!well) return fail(ErrorCode::kNoSpace, "disk", "the disk is full", "free some space");
    return {};
}

// Two of each in one function: their hidden names must not meet.
Result<int> sum(bool first, bool second, bool third, int& reached) {
    SATCHEL_TRY(const std::unique_ptr<int> one, made(first));
    reached = 1;
    SATCHEL_TRY_VOID(done(second));
    reached = 2;
    SATCHEL_TRY(std::unique_ptr<int> other, made(third));
    reached = 3;
    SATCHEL_TRY_VOID(done(true));
    return *one + *other;
}

TEST(Result, TryTakesTheValueOut) {
    int reached = 0;
    const Result<int> value = sum(true, true, true, reached);
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(*value, 10);
}

TEST(Result, TryReturnsTheFirstErrorWholeAndStops) {
    int reached = 0;
    const Result<int> first = sum(false, false, true, reached);
    ASSERT_FALSE(first.has_value());
    EXPECT_EQ(reached, 0);
    EXPECT_EQ(first.error().code, ErrorCode::kDamaged);
    EXPECT_EQ(first.error().about, "thing");
    EXPECT_STREQ(first.error().reason.text(), "the bytes are damaged");
    EXPECT_STREQ(first.error().remedy.text(), "try again");
    EXPECT_EQ(first.error().detail, "at byte 7");

    EXPECT_EQ(sum(true, false, false, reached).error().code, ErrorCode::kNoSpace);
    EXPECT_EQ(reached, 1);
    EXPECT_EQ(sum(true, true, false, reached).error().code, ErrorCode::kDamaged);
    EXPECT_EQ(reached, 2);
}

TEST(Result, TryEvaluatesItsExpressionOnce) {
    int calls = 0;
    const auto count = [&]() -> Result<int> { return ++calls; };
    const auto twice = [&]() -> Result<int> {
        SATCHEL_TRY_VOID(count());
        SATCHEL_TRY(const int value, count());
        return value;
    };
    EXPECT_EQ(*twice(), 2);
    EXPECT_EQ(calls, 2);
}

TEST(Result, AReasonCanOnlyBeALiteral) {
    static_assert(!std::is_constructible_v<Literal, std::string>);
    static_assert(!std::is_constructible_v<Literal, const char*>);
    EXPECT_STREQ(Literal("words").text(), "words");
}

TEST(CheckDeathTest, EndsTheProgramAndNamesTheCondition) {
    SATCHEL_CHECK(1 + 1 == 2);
    EXPECT_DEATH(SATCHEL_CHECK(1 + 1 == 3), "check_failed condition=\"1 \\+ 1 == 3\" at=.*result_test.cpp");
}

}  // namespace
}  // namespace satchel
