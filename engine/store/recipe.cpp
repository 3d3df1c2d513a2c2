#include "engine/store/recipe.hpp"

#include "engine/base/encoding.hpp"

namespace satchel::store {

namespace {

constexpr std::string_view kMagic = "SRCI";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kHasOffset =
    1;  // lowest bit of a group's tag; the rest is how often it stands, less one

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "recipe", "the bytes are damaged",
                "fetch it again from a stick or another site", detail);
}

}  // namespace

std::uint64_t Recipe::size() const {
    std::uint64_t total = 0;
    for (const Extent& extent : extents) total += extent.length;
    return total;
}

ByteBuffer encode(const Recipe& recipe) {
    ByteBuffer out;
    Writer writer(out);
    writer.raw(kMagic).u8(kVersion).u8(static_cast<std::uint8_t>(recipe.chunk_class));
    for (std::size_t at = 0; at < recipe.extents.size();) {
        const Extent& extent = recipe.extents[at];
        std::size_t end = at + 1;
        while (end < recipe.extents.size() && recipe.extents[end] == extent) ++end;
        writer.varint((end - at - 1) << 1 | (extent.offset != 0 ? kHasOffset : 0));
        writer.raw(extent.chunk.view()).varint(extent.length);
        if (extent.offset != 0) writer.varint(extent.offset);
        at = end;
    }
    return out;
}

Result<Recipe> decode_recipe(ByteView bytes) {
    Reader reader(bytes);
    if (text_of(reader.raw(kMagic.size())) != kMagic) return damaged("not a recipe");
    const std::uint8_t version = reader.u8();
    const std::uint8_t chunk_class = reader.u8();
    if (!reader.ok()) return damaged("cut off");
    if (version != kVersion || chunk_class < 1 || chunk_class > 2)
        return fail(ErrorCode::kUnsupported, "recipe", "it was written by a newer program",
                    "update satchel on this box");
    Recipe recipe;
    recipe.chunk_class = static_cast<ChunkClass>(chunk_class);
    while (reader.left() > 0) {
        const std::uint64_t tag = reader.varint();
        Extent extent;
        extent.chunk.digest = reader.digest();
        const std::uint64_t length = reader.varint();
        const std::uint64_t offset = (tag & kHasOffset) != 0 ? reader.varint() : 0;
        const std::uint64_t times = (tag >> 1) + 1;
        if (!reader.ok()) return damaged("cut off");
        if (length == 0 || length > kObjectMax || offset > kObjectMax - length)
            return damaged("an extent lies outside any chunk");
        if ((tag & kHasOffset) != 0 && offset == 0) return damaged("not in canonical form");
        if (times > kRecipeExtentsMax - recipe.extents.size()) return damaged("too many extents");
        extent.length = static_cast<std::uint32_t>(length);
        extent.offset = static_cast<std::uint32_t>(offset);
        if (!recipe.extents.empty() && recipe.extents.back() == extent)
            return damaged("not in canonical form");
        recipe.extents.insert(recipe.extents.end(), static_cast<std::size_t>(times), extent);
    }
    return recipe;
}

}  // namespace satchel::store
