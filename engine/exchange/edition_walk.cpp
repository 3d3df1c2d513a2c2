#include "engine/exchange/edition_walk.hpp"

namespace satchel::exchange {

Result<void> walk_recipe(store::Store& store, const ChunkId& recipe, const Visit& visit) {
    SATCHEL_TRY(const ByteBuffer bytes, store.read(recipe));
    SATCHEL_TRY(const store::Recipe decoded, store::decode_recipe(bytes));
    const ChunkId* previous = nullptr;
    for (const store::Extent& extent : decoded.extents) {
        const bool repeated = previous != nullptr && *previous == extent.chunk;
        previous = &extent.chunk;
        if (!repeated) SATCHEL_TRY_VOID(visit(extent.chunk, ObjectKind::kContent));
    }
    return {};
}

Result<void> walk_edition(store::Store& store, const ChunkId& node, const Visit& visit) {
    store::ManifestReader reader([&store](const ChunkId& id) { return store.read(id); }, node);
    const auto each_entry = [&](const store::ManifestEntry& entry) -> Result<void> {
        if (const auto* extent = std::get_if<store::Extent>(&entry.content)) {
            SATCHEL_TRY_VOID(visit(extent->chunk, ObjectKind::kContent));
        } else if (const auto* content = std::get_if<store::RecipeContent>(&entry.content)) {
            SATCHEL_TRY(const bool enter, visit(content->recipe, ObjectKind::kRecipe));
            if (enter) SATCHEL_TRY_VOID(walk_recipe(store, content->recipe, visit));
        }
        return {};
    };
    return reader.for_each(each_entry, [&visit](const ChunkId& id) { return visit(id, ObjectKind::kNode); });
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
