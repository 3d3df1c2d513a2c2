// What a correction points at is found, made whole or refused before it is recorded.
#include <gtest/gtest.h>

#include "tests/engine/records/records_kit.hpp"

namespace satchel::records {
namespace {

class Reference : public testing::Test {
  protected:
    Result<std::string> completed(TestSite& site, const std::string& kind,
                                  const std::vector<std::string>& words) {
        Event event = must(event_from_words(kind, words, 480));
        const Result<void> done = site.records->complete_reference(event);
        if (!done.has_value()) return done.error();
        return event.text(kOwnFieldsFrom).value_or("");
    }
    ErrorCode refusal(TestSite& site, const std::string& kind, const std::vector<std::string>& words) {
        const Result<std::string> done = completed(site, kind, words);
        return done.has_value() ? ErrorCode::kFailed : done.error().code;
    }

    TestSite village_{3};
    const Identity viewing_ = village_.say("viewing", {"course=rice", "headcount=420"});
    const std::string whole_ = text_of(viewing_);
    const std::string short_ = text_of(Identity{viewing_.origin, viewing_.epoch, viewing_.sequence, ""});
};

TEST_F(Reference, ANumberWithoutItsBranchIsMadeWhole) {
    ASSERT_NE(short_, whole_);
    EXPECT_EQ(must(completed(village_, "retraction", {"ref=" + short_})), whole_);
    EXPECT_EQ(must(completed(village_, "retraction", {"ref=" + whole_})), whole_);
    Event event = must(event_from_words("correction", {"ref=" + short_, "rev=1", "set=headcount=42"}, 480));
    must(village_.records->complete_reference(event));
    must(village_.records->record({event}));
    EXPECT_NE(village_.report().find(" 42 "), std::string::npos) << village_.report();
}

TEST_F(Reference, OfNoRecordIsRefused) {
    EXPECT_EQ(refusal(village_, "retraction", {"ref=" + viewing_.origin + "/7/777"}), ErrorCode::kNotFound);
    EXPECT_EQ(refusal(village_, "retraction", {"ref=" + short_ + "-0123456789abcdef"}), ErrorCode::kNotFound);
}

TEST_F(Reference, OfAFieldThatTheRecordLacksIsRefused) {
    EXPECT_EQ(refusal(village_, "correction", {"ref=" + whole_, "rev=1", "set=headcont=3"}),
              ErrorCode::kUsage);
    EXPECT_EQ(refusal(village_, "correction", {"ref=" + whole_, "rev=1", "set=headcount"}),
              ErrorCode::kUsage);
    EXPECT_EQ(must(completed(village_, "correction", {"ref=" + whole_, "rev=1", "set=void=true"})), whole_);
}

TEST_F(Reference, OfAnotherSitesRecordIsForHubs) {
    TestSite neighbour(4), hub(1);
    village_.give(neighbour);
    village_.give(hub);
    EXPECT_EQ(refusal(neighbour, "retraction", {"ref=" + whole_}), ErrorCode::kRefused);
    EXPECT_EQ(must(completed(hub, "retraction", {"ref=" + short_})), whole_);
}

TEST_F(Reference, OfANumberWithTwoBranchesMustBeWhole) {
    TestSite hub(1), copy(3, 2);
    const std::string other = text_of(copy.say("viewing", {"course=rice", "headcount=9"}));
    village_.give(hub);
    copy.give(hub);
    ASSERT_NE(other, whole_);
    EXPECT_EQ(refusal(hub, "retraction", {"ref=" + short_}), ErrorCode::kUsage);
    EXPECT_EQ(must(completed(hub, "retraction", {"ref=" + other})), other);
}

}  // namespace
}  // namespace satchel::records
