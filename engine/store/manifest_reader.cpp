#include <algorithm>

#include "engine/store/manifest.hpp"
#include "engine/store/manifest_node.hpp"

namespace satchel::store {

namespace {

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "manifest", "the bytes are damaged",
                "fetch it again from a stick or another site", detail);
}

Result<ManifestNode> load(const ObjectSource& source, const ChunkId& id) {
    SATCHEL_TRY(const ByteBuffer bytes, source(id));
    return decode_manifest_node(bytes);
}

// Every entry must lie in a folder that has an entry of its own: so a file never stands where a folder is.
class Folders {
  public:
    bool admit(const ManifestEntry& entry) {
        std::erase_if(
            open_, [&](const std::string& folder) { return entry.path >= folder + '0'; });  // '0' follows '/'
        const std::size_t slash = entry.path.rfind('/');
        const bool known = slash == std::string::npos ||
                           std::find(open_.begin(), open_.end(), entry.path.substr(0, slash)) != open_.end();
        if (entry.type == EntryType::kDirectory) open_.push_back(entry.path);
        return known;
    }

  private:
    std::vector<std::string> open_;  // folders that entries may still follow for
};

class Walk {
  public:
    Walk(const ObjectSource& source, const std::function<Result<void>(const ManifestEntry&)>& each,
         const std::function<Result<bool>(const ChunkId&)>& node)
        : source_(source), each_(each), node_(node) {}

    Result<void> visit(const ChunkId& id, int level_above, const std::string* last_path) {
        if (node_) {
            SATCHEL_TRY(const bool enter, node_(id));
            if (!enter) return {};
        }
        SATCHEL_TRY(const ManifestNode node, load(source_, id));
        if (level_above >= 0 && node.level != level_above - 1)
            return damaged("a node stands on a wrong level");
        for (const ManifestEntry& entry : node.entries) {
            if (entry.path <= last_) return damaged("paths do not ascend");
            last_ = entry.path;
            if (!node_ && !folders_.admit(entry)) return damaged("an entry lies in no folder");
            SATCHEL_TRY_VOID(each_(entry));
        }
        for (const ManifestChild& child : node.children)
            SATCHEL_TRY_VOID(visit(child.node, node.level, &child.last_path));
        const std::string* last_here = !node.entries.empty()    ? &node.entries.back().path
                                       : !node.children.empty() ? &node.children.back().last_path
                                                                : nullptr;
        if (last_path != nullptr && (last_here == nullptr || *last_here != *last_path))
            return damaged("a node ends at another path than its parent says");
        return {};
    }

  private:
    const ObjectSource& source_;
    const std::function<Result<void>(const ManifestEntry&)>& each_;
    const std::function<Result<bool>(const ChunkId&)>& node_;
    std::string last_;
    Folders folders_;
};

}  // namespace

Result<void> ManifestReader::for_each(const std::function<Result<void>(const ManifestEntry&)>& each,
                                      const std::function<Result<bool>(const ChunkId&)>& node) {
    return Walk(source_, each, node).visit(root_, -1, nullptr);
}

Result<std::optional<ManifestEntry>> ManifestReader::find(std::string_view path) {
    ChunkId at = root_;
    int level_above = -1;
    while (true) {
        SATCHEL_TRY(const ManifestNode node, load(source_, at));
        if (level_above >= 0 && node.level != level_above - 1)
            return damaged("a node stands on a wrong level");
        level_above = node.level;
        if (node.level == 0) {
            const auto entry =
                std::find_if(node.entries.begin(), node.entries.end(),
                             [&](const ManifestEntry& candidate) { return candidate.path == path; });
            return entry == node.entries.end() ? std::optional<ManifestEntry>() : std::optional(*entry);
        }
        const auto child =
            std::find_if(node.children.begin(), node.children.end(),
                         [&](const ManifestChild& candidate) { return candidate.last_path >= path; });
        if (child == node.children.end()) return std::optional<ManifestEntry>();
        at = child->node;
    }
}

}  // namespace satchel::store
