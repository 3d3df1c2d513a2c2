// Many digests at once are the digests one by one, whatever the lengths and however many.
#include "engine/base/hash_many.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "engine/base/encoding.hpp"
#include "tests/engine/base/noise.hpp"

namespace satchel {
namespace {

std::vector<Digest> one_by_one(const std::vector<ByteView>& inputs) {
    std::vector<Digest> digests;
    for (const ByteView input : inputs) digests.push_back(hash_of(input));
    return digests;
}

std::vector<Digest> at_once(const std::vector<ByteView>& inputs) {
    std::vector<Digest> digests(inputs.size());
    hash_many(inputs, digests);
    return digests;
}

TEST(HashMany, AgreesAtEveryLengthAroundABlock) {
    const ByteBuffer bytes = noise(1000, 1);
    std::vector<ByteView> inputs;
    for (std::size_t size = 0; size <= 400; ++size) inputs.push_back(ByteView(bytes).subspan(size, size));
    EXPECT_EQ(at_once(inputs), one_by_one(inputs));
}

TEST(HashMany, AgreesForAnyCountOfInputs) {
    const ByteBuffer bytes = noise(70'000, 2);
    for (std::size_t count = 0; count <= 9; ++count) {
        const std::vector<ByteView> inputs(count, ByteView(bytes));
        EXPECT_EQ(at_once(inputs), one_by_one(inputs)) << count;
    }
}

TEST(HashMany, HashesNothingToTheDigestOfNothing) {
    EXPECT_EQ(to_hex(at_once({ByteView(), ByteView()})[1]),
              "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

RC_GTEST_PROP(HashMany, AgreesForRandomLengths, ()) {
    const auto lengths =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 5000));
    const ByteBuffer bytes = noise(10'000, *rc::gen::arbitrary<std::uint64_t>());
    std::vector<ByteView> inputs;
    for (std::size_t i = 0; i < lengths.size(); ++i)
        inputs.push_back(ByteView(bytes).subspan(i * 37 % 5000, lengths[i]));
    RC_ASSERT(at_once(inputs) == one_by_one(inputs));
}

}  // namespace
}  // namespace satchel
