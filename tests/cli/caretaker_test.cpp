#include "cli/caretaker.hpp"

#include <gtest/gtest.h>

namespace satchel::cli {
namespace {

using std::chrono::milliseconds;

TEST(Caretaker, SpreadsADaysBytesOverTheDay) {
    EXPECT_EQ(Caretaker::pause_for(2'000'000'000) / std::chrono::minutes(1), 49);
    EXPECT_EQ(Caretaker::pause_for(1), std::chrono::hours(24));
    EXPECT_EQ(Caretaker::pause_for(std::numeric_limits<std::uint64_t>::max()), milliseconds(1));
}

}  // namespace
}  // namespace satchel::cli
