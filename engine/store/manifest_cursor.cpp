#include "engine/store/manifest.hpp"
#include "engine/store/manifest_node.hpp"

namespace satchel::store {

struct ManifestCursor::Step {
    ManifestNode node;
    std::size_t next = 0;
};

ManifestCursor::ManifestCursor(ObjectSource source, const ChunkId& root)
    : source_(std::move(source)), root_(root) {}
ManifestCursor::ManifestCursor(ManifestCursor&& other) noexcept = default;
ManifestCursor& ManifestCursor::operator=(ManifestCursor&& other) noexcept = default;
ManifestCursor::~ManifestCursor() = default;

Result<void> ManifestCursor::enter(const ChunkId& id, int level_above) {
    SATCHEL_TRY(const ByteBuffer bytes, source_(id));
    SATCHEL_TRY(ManifestNode node, decode_manifest_node(bytes));
    if (level_above >= 0 && node.level != level_above - 1)
        return fail(ErrorCode::kDamaged, "manifest", "the bytes are damaged",
                    "fetch it again from a stick or another site", "a node stands on a wrong level");
    steps_.push_back({std::move(node), 0});
    return {};
}

Result<const ManifestEntry*> ManifestCursor::next() {
    if (!is_begun_) SATCHEL_TRY_VOID(enter(root_, -1));
    is_begun_ = true;
    while (!steps_.empty()) {
        Step& step = steps_.back();
        if (step.next < step.node.entries.size()) return &step.node.entries[step.next++];
        if (step.next < step.node.children.size()) {
            const ChunkId child = step.node.children[step.next++].node;
            SATCHEL_TRY_VOID(enter(child, step.node.level));
        } else {
            steps_.pop_back();
        }
    }
    return nullptr;
}

bool has_same_entries(const ObjectSource& source, const ChunkId& one, const ChunkId& other) {
    ManifestCursor ones(source, one), others(source, other);
    while (true) {
        const Result<const ManifestEntry*> mine = ones.next();
        const Result<const ManifestEntry*> yours = others.next();
        if (!mine.has_value() || !yours.has_value()) return false;
        if (*mine == nullptr || *yours == nullptr) return *mine == *yours;
        if (**mine != **yours) return false;
    }
}

}  // namespace satchel::store
