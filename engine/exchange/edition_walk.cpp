#include "engine/exchange/edition_walk.hpp"

#include <optional>

namespace satchel::exchange {

namespace {

Result<void> walk_recipe_extents(store::Store& store, const ChunkId& recipe, const EachExtent& each) {
    SATCHEL_TRY(const ByteBuffer bytes, store.read(recipe));
    SATCHEL_TRY(const store::Recipe decoded, store::decode_recipe(bytes));
    for (const store::Extent& extent : decoded.extents) SATCHEL_TRY_VOID(each(extent));
    return {};
}

// Extents of one chunk that follow each other, as files that share one do, are one visit.
EachExtent visit_of(const Visit& visit) {
    return
        [&visit, previous = std::optional<ChunkId>()](const store::Extent& extent) mutable -> Result<void> {
            if (previous == extent.chunk) return {};
            previous = extent.chunk;
            SATCHEL_TRY_VOID(visit(extent.chunk, ObjectKind::kContent));
            return {};
        };
}

}  // namespace

Result<void> walk_recipe(store::Store& store, const ChunkId& recipe, const Visit& visit) {
    return walk_recipe_extents(store, recipe, visit_of(visit));
}

Result<void> walk_extents(store::Store& store, const ChunkId& node, const Visit& visit,
                          const EachExtent& each) {
    store::ManifestReader reader([&store](const ChunkId& id) { return store.read(id); }, node);
    const auto each_entry = [&](const store::ManifestEntry& entry) -> Result<void> {
        if (const auto* extent = std::get_if<store::Extent>(&entry.content)) return each(*extent);
        const auto* content = std::get_if<store::RecipeContent>(&entry.content);
        if (content == nullptr) return {};
        SATCHEL_TRY(const bool enter, visit(content->recipe, ObjectKind::kRecipe));
        return enter ? walk_recipe_extents(store, content->recipe, each) : Result<void>();
    };
    return reader.for_each(each_entry, [&visit](const ChunkId& id) { return visit(id, ObjectKind::kNode); });
}

Result<void> walk_edition(store::Store& store, const ChunkId& node, const Visit& visit) {
    return walk_extents(store, node, visit, visit_of(visit));
}

Result<Missing> count_missing(store::Store& store, const ChunkId& manifest) {
    Missing missing;
    SATCHEL_TRY_VOID(walk_edition(store, manifest, [&](const ChunkId& id, ObjectKind kind) -> Result<bool> {
        SATCHEL_TRY(const bool here, store.contains(id));
        if (here) return true;
        missing.objects += 1;
        if (kind != ObjectKind::kContent) missing.nodes_and_recipes += 1;
        return false;
    }));
    return missing;
}

}  // namespace satchel::exchange
