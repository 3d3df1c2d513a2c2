#include "cli/play/range.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace satchel::play {
namespace {

constexpr ByteRange whole(std::uint64_t size) { return {RangeKind::kWhole, 0, size}; }
constexpr ByteRange part(std::uint64_t offset, std::uint64_t length) {
    return {RangeKind::kPart, offset, length};
}
constexpr ByteRange kNone{RangeKind::kUnsatisfiable, 0, 0};

TEST(Range, OfOnePieceIsTaken) {
    EXPECT_EQ(range_of("bytes=0-0", 10), part(0, 1));
    EXPECT_EQ(range_of("bytes=2-4", 10), part(2, 3));
    EXPECT_EQ(range_of("bytes=2-", 10), part(2, 8));
    EXPECT_EQ(range_of("bytes=-3", 10), part(7, 3));
    EXPECT_EQ(range_of("bytes=-30", 10), part(0, 10));
    EXPECT_EQ(range_of("bytes=9-99", 10), part(9, 1));
    EXPECT_EQ(range_of("Bytes= 0-1 ", 10), part(0, 2));
}

TEST(Range, BehindTheEndIsUnsatisfiable) {
    EXPECT_EQ(range_of("bytes=10-", 10), kNone);
    EXPECT_EQ(range_of("bytes=10-11", 10), kNone);
    EXPECT_EQ(range_of("bytes=-0", 10), kNone);
    EXPECT_EQ(range_of("bytes=0-", 0), kNone);
    EXPECT_EQ(range_of("bytes=-1", 0), kNone);
}

TEST(Range, ThatIsNoneIsAnsweredWithTheWholeFile) {
    for (const char* const header : {"", "bytes", "bytes=", "bytes=-", "bytes=4-2", "bytes=a-b", "bytes=1",
                                     "bytes=1-2,4-5", "bytes=1-2,", "bytes=,1-2", "lines=1-2", "bytes =1-2",
                                     "bytes=1 -2", "bytes=+1-2", "bytes=--1", "bytes=0x1-2"})
        EXPECT_EQ(range_of(header, 10), whole(10)) << header;
}

TEST(Range, WithHugeNumbersDoesNotWrapAround) {
    const std::string huge(400, '9');
    EXPECT_EQ(range_of("bytes=0-" + huge, 10), part(0, 10));
    EXPECT_EQ(range_of("bytes=" + huge + "-", 10), kNone);
    EXPECT_EQ(range_of("bytes=-" + huge, 10), part(0, 10));
    EXPECT_EQ(range_of("bytes=18446744073709551615-18446744073709551615", 10), kNone);
    EXPECT_EQ(range_of("bytes=18446744073709551616-1", 10), whole(10));
    EXPECT_EQ(range_of("bytes=1-18446744073709551617", 10), part(1, 9));
    EXPECT_EQ(range_of("bytes=0-18446744073709551615", ~std::uint64_t{0}), part(0, ~std::uint64_t{0}));
}

RC_GTEST_PROP(Range, HoldsTheBytesThatAModelPicks, ()) {
    const auto size = *rc::gen::inRange<std::uint64_t>(0, 40);
    const auto first = *rc::gen::inRange<std::uint64_t>(0, 45);
    const auto last = *rc::gen::inRange<std::uint64_t>(0, 45);
    const auto form = *rc::gen::inRange(0, 3);
    const std::string header = "bytes=" + (form == 0   ? std::to_string(first) + "-" + std::to_string(last)
                                           : form == 1 ? std::to_string(first) + "-"
                                                       : "-" + std::to_string(last));
    std::string want;  // a byte stands for its place
    for (std::uint64_t at = 0; at < size; ++at) {
        const bool in = form == 0 ? at >= first && at <= last : form == 1 ? at >= first : size - at <= last;
        if (in) want += static_cast<char>(at);
    }
    const ByteRange range = range_of(header, size);
    if (form == 0 && last < first) {
        RC_ASSERT(range == whole(size));
    } else if (want.empty()) {
        RC_ASSERT(range == kNone);
    } else {
        RC_ASSERT(range.kind == RangeKind::kPart);
        RC_ASSERT(range.offset == static_cast<std::uint64_t>(want.front()));
        RC_ASSERT(range.length == want.size());
    }
}

}  // namespace
}  // namespace satchel::play
