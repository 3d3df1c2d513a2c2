// Walks the store objects that make up an edition, parents before what they name: manifest nodes, recipes,
// content chunks. The one walk that serves wanting, sending, counting and collecting.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/store/manifest.hpp"

namespace satchel::exchange {

enum class ObjectKind : std::uint8_t { kNode = 1, kRecipe = 2, kContent = 3 };

// Tells whether to go into the object (of nodes and recipes: it must be here then). An object that occurs
// twice is visited twice.
using Visit = std::function<Result<bool>(const ChunkId& id, ObjectKind kind)>;

// `node`: the edition's manifest, or any node below it. What a list or a recipe names that is_unreadable() is
// not known: who walks to take or to give goes on with the next edition then, and verify tells of it.
Result<void> walk_edition(store::Store& store, const ChunkId& node, const Visit& visit);
// The same with each extent of content in place of its chunk; `visit` gets nodes and recipes only.
using EachExtent = std::function<Result<void>(const store::Extent& extent)>;
Result<void> walk_extents(store::Store& store, const ChunkId& node, const Visit& visit,
                          const EachExtent& each);
Result<void> walk_recipe(store::Store& store, const ChunkId& recipe, const Visit& visit);

// What of an edition is not here. What a missing node or recipe names is not counted yet.
struct Missing {
    std::uint64_t objects = 0;
    std::uint64_t nodes_and_recipes = 0;
};
Result<Missing> count_missing(store::Store& store, const ChunkId& manifest);

}  // namespace satchel::exchange
