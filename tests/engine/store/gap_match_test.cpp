// Matching a gap against old bytes: exact, and worth it.
#include "engine/store/gap_match.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

// The gap again, from its pieces; empty if they have holes or point outside the window.
ByteBuffer rebuilt(const std::vector<GapPiece>& pieces, ByteView gap, ByteView window) {
    ByteBuffer out;
    for (const GapPiece& piece : pieces) {
        if (piece.gap_offset != out.size() || piece.length == 0) return {};
        const ByteView from = piece.is_copy ? window : gap;
        const std::size_t offset = piece.is_copy ? piece.window_offset : piece.gap_offset;
        if (offset + piece.length > from.size()) return {};
        append(out, from.subspan(offset, piece.length));
    }
    return out;
}

std::size_t copied(const std::vector<GapPiece>& pieces) {
    std::size_t bytes = 0;
    for (const GapPiece& piece : pieces) bytes += piece.is_copy ? piece.length : 0;
    return bytes;
}

RC_GTEST_PROP(GapMatch, PiecesRebuildTheGapExactly, ()) {
    // Bytes of few values and repeats of the window, so that there is much to match and to mistake.
    ByteBuffer window = noise(*rc::gen::inRange<std::size_t>(0, 3000), *rc::gen::arbitrary<std::uint64_t>());
    const auto mask = *rc::gen::element<std::uint8_t>(0x00, 0x01, 0xff);
    for (std::uint8_t& byte : window) byte &= mask;
    ByteBuffer gap;
    for (int parts = *rc::gen::inRange(0, 6); parts > 0; --parts) {
        if (*rc::gen::arbitrary<bool>() && !window.empty()) {
            const auto from = *rc::gen::inRange<std::size_t>(0, window.size());
            const auto size = *rc::gen::inRange<std::size_t>(0, window.size() - from + 1);
            append(gap, ByteView(window).subspan(from, size));
        } else {
            append(gap, *rc::gen::arbitrary<std::vector<std::uint8_t>>());
        }
    }
    const std::vector<GapPiece> pieces = match_gap(gap, window);
    RC_ASSERT(rebuilt(pieces, gap, window) == gap);
    for (std::size_t i = 1; i < pieces.size(); ++i) RC_ASSERT(pieces[i].is_copy || pieces[i - 1].is_copy);
}

TEST(GapMatch, FindsWhatOnlyMoved) {
    const ByteBuffer window = noise(100'000, 1);
    ByteBuffer gap(window.begin() + 777, window.end());
    EXPECT_EQ(copied(match_gap(gap, window)), gap.size());
    EXPECT_EQ(match_gap(gap, window).size(), 1u);
}

TEST(GapMatch, CopiesAllButAChangedByte) {
    const ByteBuffer window = noise(100'000, 2);
    for (const std::size_t at : {200u, 50'000u, 99'800u}) {
        ByteBuffer gap = window;
        gap[at] ^= 1;
        const std::vector<GapPiece> pieces = match_gap(gap, window);
        EXPECT_EQ(pieces.size(), 3u);
        EXPECT_EQ(copied(pieces), gap.size() - 1) << at;
        EXPECT_TRUE(is_worthwhile(pieces, gap.size()));
    }
}

TEST(GapMatch, OverlooksNoCopyOfTheSmallestLength) {
    const ByteBuffer window = noise(4096, 3);
    for (std::size_t from = 0; from < 64; ++from) {
        ByteBuffer gap = noise(500, 4);
        std::copy_n(window.begin() + static_cast<std::ptrdiff_t>(1000 + from), kCopyMin, gap.begin() + 200);
        EXPECT_GE(copied(match_gap(gap, window)), kCopyMin) << from;
    }
}

TEST(GapMatch, FindsNothingInStrangeBytes) {
    const ByteBuffer gap = noise(50'000, 5);
    const std::vector<GapPiece> pieces = match_gap(gap, noise(50'000, 6));
    EXPECT_EQ(copied(pieces), 0u);
    EXPECT_FALSE(is_worthwhile(pieces, gap.size()));
    EXPECT_TRUE(match_gap({}, gap).empty());
    EXPECT_EQ(match_gap(gap, {}).size(), 1u);
}

TEST(GapMatch, CrumbsAreNotWorthwhile) {
    const ByteBuffer window = noise(64 * 1024, 7);
    ByteBuffer gap;
    for (std::size_t at = 0; at + 200 < window.size(); at += 200) {
        append(gap, ByteView(window).subspan(at, 100));
        append(gap, noise(100, at));
    }
    EXPECT_FALSE(is_worthwhile(match_gap(gap, window), gap.size()));
}

}  // namespace
}  // namespace satchel::store
