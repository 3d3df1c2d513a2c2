// Inputs that come in pieces of any lengths, side by side, have the digests that they have alone.
#include "engine/base/hasher_row.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/engine/base/noise.hpp"

namespace satchel {
namespace {

constexpr std::size_t kInputs = HasherRow::kInputs;

TEST(HasherRow, AgreesAtEveryLengthAroundABlock) {
    const ByteBuffer bytes = noise(400, 1);
    HasherRow row;
    for (std::size_t size = 0; size <= 400; ++size) {
        row.begin(size % kInputs);
        std::array<ByteView, kInputs> pieces;
        pieces[size % kInputs] = ByteView(bytes).first(size);
        row.update(pieces);
        EXPECT_EQ(row.finish(size % kInputs), hash_of(ByteView(bytes).first(size))) << size;
    }
}

// One input ends and begins anew while its neighbours go on.
RC_GTEST_PROP(HasherRow, AgreesForPiecesOfAnyLength, ()) {
    const ByteBuffer bytes = noise(3000, *rc::gen::arbitrary<std::uint64_t>());
    HasherRow row;
    std::array<ByteBuffer, kInputs> whole;
    for (std::size_t i = 0; i < kInputs; ++i) row.begin(i);
    const auto steps = *rc::gen::inRange(1, 12);
    for (int step = 0; step < steps; ++step) {
        std::array<ByteView, kInputs> pieces;
        for (std::size_t i = 0; i < kInputs; ++i) {
            const auto from = *rc::gen::inRange<std::size_t>(0, 1000);
            pieces[i] =
                ByteView(bytes).subspan(from, *rc::gen::element<std::size_t>(0, 1, 127, 128, 129, 256, 700));
            append(whole[i], pieces[i]);
        }
        row.update(pieces);
        const auto ending = *rc::gen::inRange<std::size_t>(0, 2 * kInputs);
        if (ending >= kInputs) continue;
        RC_ASSERT(row.finish(ending) == hash_of(whole[ending]));
        row.begin(ending);
        whole[ending].clear();
    }
    for (std::size_t i = 0; i < kInputs; ++i) RC_ASSERT(row.finish(i) == hash_of(whole[i]));
}

}  // namespace
}  // namespace satchel
