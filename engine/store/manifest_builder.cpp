// Method. The table of files is cut into nodes where a hash of the last path says so, and the list of nodes
// into nodes again, up to one root: a prolly tree (Noms, Dolt). A node's border depends on paths alone, so a
// file whose content changes sends its leaf (about 64 entries) and the nodes above it, and the same entries
// give the same tree, whatever editions came before.
#include "engine/base/check.hpp"
#include "engine/store/manifest.hpp"
#include "engine/store/manifest_node.hpp"

namespace satchel::store {

struct ManifestBuilder::Level {
    ManifestNode node;
    [[nodiscard]] std::size_t count() const { return node.entries.size() + node.children.size(); }
};

namespace {

// Puts the node away and returns how its parent names it.
Result<ManifestChild> put_node(Store& store, const ManifestNode& node) {
    ManifestChild child;
    if (!node.entries.empty()) child.last_path = node.entries.back().path;
    if (!node.children.empty()) child.last_path = node.children.back().last_path;
    SATCHEL_TRY(const Placed placed, store.put(encode(node)));
    child.node = placed.id;
    return child;
}

}  // namespace

ManifestBuilder::ManifestBuilder(Store& store) : store_(store) {}
ManifestBuilder::~ManifestBuilder() = default;

Result<void> ManifestBuilder::add(const ManifestEntry& entry) {
    SATCHEL_TRY_VOID(check_path(entry.path));
    SATCHEL_CHECK(entry.path > last_path_);
    last_path_ = entry.path;
    if (levels_.empty()) levels_.emplace_back();
    levels_[0].node.entries.push_back(entry);
    bool ended = levels_[0].count() == kNodeItemsMax || ends_node(0, entry.path);
    for (std::size_t level = 0; ended; ++level) {
        SATCHEL_TRY(ManifestChild child, put_node(store_, levels_[level].node));
        levels_[level].node = ManifestNode{static_cast<int>(level), {}, {}};
        if (level + 1 == levels_.size()) {
            levels_.emplace_back();
            levels_.back().node.level = static_cast<int>(level + 1);
        }
        Level& parent = levels_[level + 1];
        const bool at_top = level + 2 == static_cast<std::size_t>(kManifestLevelsMax);
        if (at_top && parent.count() + 1 == kNodeItemsMax)
            return fail(ErrorCode::kTooLarge, entry.path, "a course can hold no more files than this",
                        "split the folder into several courses");
        ended =
            !at_top && (parent.count() + 1 == kNodeItemsMax || ends_node(parent.node.level, child.last_path));
        parent.node.children.push_back(std::move(child));
    }
    return {};
}

Result<ChunkId> ManifestBuilder::finish() {
    if (levels_.empty()) levels_.emplace_back();
    for (std::size_t level = 0;; ++level) {
        ManifestNode& node = levels_[level].node;
        const bool is_top = level + 1 == levels_.size();
        // A single child needs no parent above it.
        if (is_top && node.level > 0 && node.children.size() == 1) return node.children.front().node;
        const bool is_empty = levels_[level].count() == 0;
        if (is_empty && !is_top) continue;
        SATCHEL_TRY(ManifestChild child, put_node(store_, node));
        if (is_top) return child.node;
        levels_[level + 1].node.children.push_back(std::move(child));
    }
}

}  // namespace satchel::store
