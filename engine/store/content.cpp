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
    const auto damaged = [](const char* detail) {
        return fail(ErrorCode::kDamaged, "recipe", "the bytes are damaged",
                    "fetch it again from a stick or another site", detail);
    };
    // The chunks that the range touches, each with the extents that stand one after the other in it.
    struct Run {
        std::uint64_t start;  // in the file
        std::size_t first, count;
    };
    std::vector<ChunkId> chunks;
    std::vector<Run> runs;
    std::uint64_t start = 0;
    for (std::size_t i = 0; i < extents.size() && start < end; start += extents[i].length, ++i) {
        if (start + extents[i].length <= offset) continue;
        if (!chunks.empty() && chunks.back() == extents[i].chunk) {
            runs.back().count += 1;
            continue;
        }
        chunks.push_back(extents[i].chunk);
        runs.push_back({start, i, 1});
    }
    SATCHEL_TRY_VOID(store.read_each(chunks, [&](std::size_t index, ByteView chunk) -> Result<void> {
        std::uint64_t at = runs[index].start;
        for (const Extent& extent : extents.subspan(runs[index].first, runs[index].count)) {
            if (std::uint64_t{extent.offset} + extent.length > chunk.size())
                return damaged("an extent passes the end of its chunk");
            const std::uint64_t from = std::max(offset, at);
            const std::uint64_t to = std::min(end, at + extent.length);
            SATCHEL_TRY_VOID(sink(chunk.subspan(static_cast<std::size_t>(extent.offset + (from - at)),
                                                static_cast<std::size_t>(to - from))));
            at += extent.length;
        }
        return {};
    }));
    if (start < end) return damaged("the recipe is shorter than its file");
    return {};
}

}  // namespace satchel::store
