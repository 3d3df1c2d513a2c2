#include "engine/catalogue/tree.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::catalogue {

namespace {

constexpr std::string_view kFileMode = "100644";
constexpr std::string_view kTreeMode = "40000";
constexpr std::string_view kDomain("satchel/tree/v1\0", 16);

// Git sorts names as if those of trees ended in a slash.
std::string sort_key(const TreeEntry& entry) { return entry.is_tree ? entry.name + '/' : entry.name; }

Error foreign_tree(const GitId& id, const char* detail) {
    return fail(ErrorCode::kRefused, to_hex(id), "the lane's history holds what does not belong there",
                "get the catalogue from the hub or another stick", detail);
}

bool is_allowed_name(std::string_view name) {
    return !name.empty() && name.size() <= kTreeNameMax && name.find('/') == std::string_view::npos;
}

}  // namespace

Result<Tree> parse_tree(const GitId& id, ByteView data) {
    constexpr std::size_t kIdSize = sizeof(GitId);
    Tree tree;
    std::string_view rest = text_of(data);
    while (!rest.empty()) {
        const std::size_t space = rest.find(' ');
        const std::size_t end = space == std::string_view::npos ? space : rest.find('\0', space);
        if (end == std::string_view::npos || rest.size() - end - 1 < kIdSize)
            return foreign_tree(id, "cut off");
        const std::string_view mode = rest.substr(0, space);
        TreeEntry entry;
        entry.is_tree = mode == kTreeMode;
        entry.name = rest.substr(space + 1, end - space - 1);
        std::copy_n(bytes_of(rest).begin() + static_cast<std::ptrdiff_t>(end + 1), kIdSize, entry.id.begin());
        if (!entry.is_tree && mode != kFileMode) return foreign_tree(id, "neither plain file nor folder");
        if (!is_allowed_name(entry.name)) return foreign_tree(id, "name");
        if (!tree.empty() && (sort_key(tree.back()) >= sort_key(entry) || tree.back().name == entry.name))
            return foreign_tree(id, "order");
        tree.push_back(std::move(entry));
        rest.remove_prefix(end + 1 + kIdSize);
    }
    if (tree.empty()) return foreign_tree(id, "an empty folder");
    return tree;
}

ByteBuffer encode_tree(Tree tree) {
    std::sort(tree.begin(), tree.end(),
              [](const TreeEntry& a, const TreeEntry& b) { return sort_key(a) < sort_key(b); });
    ByteBuffer bytes;
    Writer writer(bytes);
    for (const TreeEntry& entry : tree)
        writer.raw(entry.is_tree ? kTreeMode : kFileMode).raw(" ").raw(entry.name).u8(0).raw(entry.id);
    return bytes;
}

const TreeEntry* find_entry(const Tree& tree, std::string_view name) {
    const auto found =
        std::find_if(tree.begin(), tree.end(), [&](const TreeEntry& entry) { return entry.name == name; });
    return found == tree.end() ? nullptr : &*found;
}

Digest tree_digest(const Tree& tree, const std::vector<Digest>& children) {
    ByteBuffer bytes;
    Writer writer(bytes);
    writer.raw(kDomain);
    for (std::size_t at = 0; at < tree.size(); ++at)
        writer.u32(tree[at].is_tree ? 040000u : 0100644u).sized(tree[at].name).raw(children[at]);
    return hash_of(bytes);
}

Result<Tree> read_tree(ObjectSource& source, const GitId& id) {
    SATCHEL_TRY(const GitObject object, source.get(id, GitType::kTree));
    return parse_tree(id, object.data);
}

Result<std::optional<GitId>> find_blob(ObjectSource& source, const GitId& root, std::string_view path) {
    GitId at = root;
    while (true) {
        SATCHEL_TRY(const Tree tree, read_tree(source, at));
        const std::size_t slash = path.find('/');
        const TreeEntry* entry = find_entry(tree, path.substr(0, slash));
        if (entry == nullptr || entry->is_tree != (slash != std::string_view::npos))
            return std::optional<GitId>();
        if (!entry->is_tree) return std::optional(entry->id);
        at = entry->id;
        path.remove_prefix(slash + 1);
    }
}

}  // namespace satchel::catalogue
