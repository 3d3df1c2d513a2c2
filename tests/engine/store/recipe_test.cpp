// Recipes: round trips, refusals and golden vectors (schemas/recipe.md).
#include "engine/store/recipe.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

ChunkId chunk_of(std::uint8_t fill) {
    ChunkId id;
    id.digest.fill(fill);
    return id;
}

Recipe example_recipe() {
    Recipe recipe;
    recipe.chunk_class = ChunkClass::kMedia;
    recipe.extents = {{chunk_of(0x11), 0, 200'000}, {chunk_of(0x22), 300, 77},
                      {chunk_of(0x33), 0, 131'072}, {chunk_of(0x33), 0, 131'072},
                      {chunk_of(0x33), 0, 131'072}, {chunk_of(0x11), 0, 1}};
    return recipe;
}

ErrorCode refusal_of(ByteView bytes) {
    const Result<Recipe> recipe = decode_recipe(bytes);
    EXPECT_FALSE(recipe.has_value());
    return recipe.has_value() ? ErrorCode::kFailed : recipe.error().code;
}

// One group of a recipe, as a liar would write it.
struct Group {
    std::uint64_t tag = 0;
    std::uint64_t length = 1;
    std::uint64_t offset = 0;
    std::uint8_t chunk = 0x11;
};
ByteBuffer recipe_of(const std::vector<Group>& groups) {
    ByteBuffer out;
    Writer(out).raw("SRCI").u8(1).u8(1);
    for (const Group& group : groups) {
        Writer(out).varint(group.tag).raw(chunk_of(group.chunk).view()).varint(group.length);
        if ((group.tag & 1) != 0) Writer(out).varint(group.offset);
    }
    return out;
}

TEST(Recipe, GoldenVectorsDecodeAndAreEncodedAgain) {
    const ByteBuffer golden = vector_file("vectors/recipe/media.bin");
    EXPECT_EQ(must(decode_recipe(golden)), example_recipe());
    EXPECT_EQ(to_hex(encode(example_recipe())), to_hex(golden));
    EXPECT_EQ(example_recipe().size(), 200'000u + 77 + 3 * 131'072 + 1);
    const ByteBuffer empty = vector_file("vectors/recipe/empty.bin");
    EXPECT_EQ(must(decode_recipe(empty)), Recipe{});
    EXPECT_EQ(to_hex(encode(Recipe{})), to_hex(empty));
    EXPECT_EQ(refusal_of(vector_file("vectors/recipe/not-canonical.bin")), ErrorCode::kDamaged);
}

RC_GTEST_PROP(Recipe, SurvivesARoundTrip, (const std::vector<std::uint8_t>& picks)) {
    Recipe recipe;
    for (const std::uint8_t pick : picks) {
        const std::uint32_t offset = pick % 3 == 0 ? 0 : pick * 1000u;
        const Extent extent{chunk_of(pick % 5), offset, 1u + pick % 7};
        recipe.extents.insert(recipe.extents.end(), 1 + pick % 4, extent);
    }
    const ByteBuffer bytes = encode(recipe);
    RC_ASSERT(must(decode_recipe(bytes)) == recipe);
}

RC_GTEST_PROP(Recipe, WhatIsDecodedIsEncodedToTheSameBytes, ()) {
    ByteBuffer bytes = encode(example_recipe());
    for (int changes = *rc::gen::inRange(1, 4); changes > 0; --changes)
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<std::uint8_t>();
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    const Result<Recipe> recipe = decode_recipe(bytes);
    if (recipe.has_value()) RC_ASSERT(encode(*recipe) == bytes);
}

TEST(Recipe, RefusesEveryCutButBetweenExtents) {
    const ByteBuffer good = encode(example_recipe());
    std::size_t whole = 0;
    for (std::size_t size = 0; size < good.size(); ++size) {
        const Result<Recipe> recipe = decode_recipe(ByteView(good).first(size));
        if (!recipe.has_value()) {
            EXPECT_EQ(recipe.error().code, ErrorCode::kDamaged);
            continue;
        }
        ++whole;
        EXPECT_EQ(encode(*recipe).size(), size);
    }
    EXPECT_EQ(whole, 4u);  // none of them has the id of the whole, which is what protects a recipe
}

TEST(Recipe, RefusesWhatItWouldNotWrite) {
    EXPECT_TRUE(decode_recipe(recipe_of({{.tag = 0}, {.tag = 1, .offset = 5}})).has_value());
    EXPECT_EQ(refusal_of(recipe_of({{.tag = 1, .offset = 0}})), ErrorCode::kDamaged);
    EXPECT_EQ(refusal_of(recipe_of({{.tag = 0}, {.tag = 0}})), ErrorCode::kDamaged);
    EXPECT_EQ(refusal_of(recipe_of({{.tag = 0, .length = 0}})), ErrorCode::kDamaged);
}

TEST(Recipe, RefusesExtentsOutsideAnyChunk) {
    EXPECT_TRUE(decode_recipe(recipe_of({{.tag = 1, .length = kObjectMax - 5, .offset = 5}})).has_value());
    EXPECT_EQ(refusal_of(recipe_of({{.tag = 1, .length = kObjectMax - 4, .offset = 5}})),
              ErrorCode::kDamaged);
    EXPECT_EQ(refusal_of(recipe_of({{.tag = 0, .length = kObjectMax + 1}})), ErrorCode::kDamaged);
    EXPECT_EQ(refusal_of(recipe_of({{.tag = 1, .length = 1, .offset = ~std::uint64_t{0}}})),
              ErrorCode::kDamaged);
}

TEST(Recipe, RefusesMoreExtentsThanAnyFileHas) {
    const std::uint64_t most = (kRecipeExtentsMax - 1) << 1;
    EXPECT_EQ(must(decode_recipe(recipe_of({{.tag = most}}))).extents.size(), kRecipeExtentsMax);
    EXPECT_EQ(refusal_of(recipe_of({{.tag = most + 2}})), ErrorCode::kDamaged);
    EXPECT_EQ(refusal_of(recipe_of({{.tag = most}, {.tag = 0, .chunk = 9}})), ErrorCode::kDamaged);
    EXPECT_EQ(refusal_of(recipe_of({{.tag = ~std::uint64_t{0} - 1}})), ErrorCode::kDamaged);
}

TEST(Recipe, TellsWhatIsNewerFromDamage) {
    for (const std::size_t at : {4u, 5u}) {
        ByteBuffer newer = encode(example_recipe());
        newer[at] = 3;
        EXPECT_EQ(refusal_of(newer), ErrorCode::kUnsupported);
    }
    ByteBuffer other = encode(example_recipe());
    other[0] = 'X';
    EXPECT_EQ(refusal_of(other), ErrorCode::kDamaged);
}

}  // namespace
}  // namespace satchel::store
