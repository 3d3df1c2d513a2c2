#include <algorithm>
#include <limits>

#include "engine/store/ingest.hpp"

namespace satchel::store {

Result<std::vector<Extent>> extents_of(Store& store, const FileContent& content) {
    if (const auto* extent = std::get_if<Extent>(&content)) return std::vector{*extent};
    const auto* recipe = std::get_if<RecipeContent>(&content);
    if (recipe == nullptr) return std::vector<Extent>();
    SATCHEL_TRY(const ByteBuffer bytes, store.read(recipe->recipe));
    SATCHEL_TRY(Recipe decoded, decode_recipe(bytes));
    return std::move(decoded.extents);
}

Result<void> read_content(Store& store, const FileContent& content, std::uint64_t offset,
                          std::uint64_t length, const std::function<Result<void>(ByteView)>& sink) {
    SATCHEL_TRY(const std::vector<Extent> extents, extents_of(store, content));
    return read_extents(store, extents, offset, length, sink);
}

Result<void> read_extents(Store& store, std::span<const Extent> extents, std::uint64_t offset,
                          std::uint64_t length, const std::function<Result<void>(ByteView)>& sink) {
    const std::uint64_t end = length > std::numeric_limits<std::uint64_t>::max() - offset
                                  ? std::numeric_limits<std::uint64_t>::max()
                                  : offset + length;
    std::uint64_t start = 0;  // of the extent at hand, in the file
    ChunkId loaded_id;
    ByteBuffer loaded;
    for (const Extent& extent : extents) {
        const std::uint64_t extent_start = start;
        start += extent.length;
        if (start <= offset) continue;
        if (extent_start >= end) return {};
        if (loaded.empty() || loaded_id != extent.chunk) {
            SATCHEL_TRY(loaded, store.read(extent.chunk));
            loaded_id = extent.chunk;
        }
        if (std::uint64_t{extent.offset} + extent.length > loaded.size())
            return fail(ErrorCode::kDamaged, "recipe", "the bytes are damaged",
                        "fetch it again from a stick or another site",
                        "an extent passes the end of its chunk");
        const std::uint64_t from = std::max(offset, extent_start);
        const std::uint64_t to = std::min(end, start);
        const ByteView bytes =
            ByteView(loaded).subspan(static_cast<std::size_t>(extent.offset + (from - extent_start)),
                                     static_cast<std::size_t>(to - from));
        SATCHEL_TRY_VOID(sink(bytes));
    }
    if (start < end)
        return fail(ErrorCode::kDamaged, "recipe", "the bytes are damaged",
                    "fetch it again from a stick or another site", "the recipe is shorter than its file");
    return {};
}

}  // namespace satchel::store
