// A recipe says how one file is made: extents of chunks, in order (schemas/recipe.md). It is a store
// object; a file that is one whole chunk, or empty, needs none.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"
#include "engine/store/chunker.hpp"
#include "engine/store/record.hpp"

namespace satchel::store {

struct Extent {
    ChunkId chunk;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    friend bool operator==(const Extent&, const Extent&) = default;
};

inline constexpr std::size_t kRecipeExtentsMax = 65'536;  // 16 GiB of media, 4 GiB of other files
inline constexpr std::uint64_t kFileBytesMax =
    kRecipeExtentsMax * std::uint64_t{kObjectMax};  // no recipe makes more

struct Recipe {
    ChunkClass chunk_class = ChunkClass::kSmall;
    std::vector<Extent> extents;
    friend bool operator==(const Recipe&, const Recipe&) = default;
    [[nodiscard]] std::uint64_t size() const;
};

[[nodiscard]] ByteBuffer encode(const Recipe& recipe);  // canonical
Result<Recipe> decode_recipe(ByteView bytes);           // refuses what encode would not write

// The content of one file in a manifest.
struct EmptyContent {
    friend bool operator==(const EmptyContent&, const EmptyContent&) = default;
};
struct RecipeContent {
    ChunkId recipe;
    friend bool operator==(const RecipeContent&, const RecipeContent&) = default;
};
using FileContent = std::variant<EmptyContent, Extent, RecipeContent>;  // Extent: all of it lies in one chunk

}  // namespace satchel::store
