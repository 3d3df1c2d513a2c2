// One node of a manifest (schemas/manifest.md): a leaf of entries or a list of children.
#pragma once

#include <string>
#include <vector>

#include "engine/store/manifest.hpp"

namespace satchel::store {

inline constexpr std::size_t kNodeItemsMax = 128;
inline constexpr int kManifestLevelsMax = 8;

struct ManifestChild {
    std::string last_path;  // of the subtree
    ChunkId node;
    friend bool operator==(const ManifestChild&, const ManifestChild&) = default;
};

struct ManifestNode {
    int level = 0;                        // 0: a leaf
    std::vector<ManifestEntry> entries;   // of a leaf
    std::vector<ManifestChild> children;  // of the others
    friend bool operator==(const ManifestNode&, const ManifestNode&) = default;
};

[[nodiscard]] ByteBuffer encode(const ManifestNode& node);
Result<ManifestNode> decode_manifest_node(ByteView bytes);  // refuses what encode would not write

// Whether a node ends behind an item with this last path.
[[nodiscard]] bool ends_node(int level, std::string_view last_path);

}  // namespace satchel::store
