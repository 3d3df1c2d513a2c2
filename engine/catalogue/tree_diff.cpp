#include "engine/catalogue/tree_diff.hpp"

#include <map>

#include "engine/base/encoding.hpp"

namespace satchel::catalogue {

namespace {

Error too_deep(const std::string& path) {
    return fail(ErrorCode::kRefused, path, "the lane's history holds what does not belong there",
                "get the catalogue from the hub or another stick", "too many levels");
}

struct Sides {
    const TreeEntry* before = nullptr;
    const TreeEntry* after = nullptr;
};

std::optional<GitId> id_if(const TreeEntry* entry, bool is_tree) {
    if (entry == nullptr || entry->is_tree != is_tree) return std::nullopt;
    return entry->id;
}

Result<Tree> read_if_any(ObjectSource& source, const std::optional<GitId>& id) {
    if (!id) return Tree();
    return read_tree(source, *id);
}

struct Comparison {
    ObjectSource& source;
    const TreeChanges& changes;

    Result<void> folder(const std::string& path, const std::optional<GitId>& before,
                        const std::optional<GitId>& after, std::size_t depth) {
        if (before == after) return {};
        if (depth > kTreeDepthMax - 1) return too_deep(path);
        SATCHEL_TRY(const Tree old_tree, read_if_any(source, before));
        SATCHEL_TRY(const Tree new_tree, read_if_any(source, after));
        if (changes.on_folder) SATCHEL_TRY_VOID(changes.on_folder(path, old_tree, new_tree));
        std::map<std::string_view, Sides> by_name;
        for (const TreeEntry& entry : old_tree) by_name[entry.name].before = &entry;
        for (const TreeEntry& entry : new_tree) by_name[entry.name].after = &entry;
        for (const auto& [name, sides] : by_name) {
            if (sides.before != nullptr && sides.after != nullptr && *sides.before == *sides.after) continue;
            const std::string child = path + std::string(name);
            const std::optional<GitId> old_blob = id_if(sides.before, false);
            const std::optional<GitId> new_blob = id_if(sides.after, false);
            if (old_blob != new_blob) SATCHEL_TRY_VOID(changes.on_document(child, old_blob, new_blob));
            SATCHEL_TRY_VOID(
                folder(child + '/', id_if(sides.before, true), id_if(sides.after, true), depth + 1));
        }
        return {};
    }
};

struct Newness {
    ObjectSource& source;
    const std::function<Result<void>(const GitObject&, const std::optional<KnownFolder>&)>& each;

    Result<void> folder(const GitId& id, const Bases& bases, std::size_t depth) {
        if (bases.before == id || bases.known == id) return {};
        if (depth > kTreeDepthMax - 1) return too_deep(to_hex(id));
        SATCHEL_TRY(const GitObject object, source.get(id, GitType::kTree));
        SATCHEL_TRY(const Tree tree, parse_tree(id, object.data));
        SATCHEL_TRY(const Tree before, read_if_any(source, bases.before));
        std::optional<KnownFolder> known;
        if (bases.known) {
            SATCHEL_TRY(Tree known_tree, read_tree(source, *bases.known));
            known = KnownFolder{*bases.known, std::move(known_tree)};
        }
        SATCHEL_TRY_VOID(each(object, known));
        for (const TreeEntry& entry : tree) {
            const TreeEntry* in_before = find_entry(before, entry.name);
            const TreeEntry* in_known = known ? find_entry(known->tree, entry.name) : nullptr;
            const bool is_there =
                (in_before != nullptr && *in_before == entry) || (in_known != nullptr && *in_known == entry);
            if (is_there) continue;
            if (entry.is_tree) {
                SATCHEL_TRY_VOID(
                    folder(entry.id, {id_if(in_before, true), id_if(in_known, true)}, depth + 1));
            } else {
                SATCHEL_TRY(const GitObject blob, source.get(entry.id, GitType::kBlob));
                SATCHEL_TRY_VOID(each(blob, std::nullopt));
            }
        }
        return {};
    }
};

}  // namespace

Result<void> compare_trees(ObjectSource& source, const std::optional<GitId>& before,
                           const std::optional<GitId>& after, const TreeChanges& changes) {
    return Comparison{source, changes}.folder("", before, after, 0);
}

Result<void> for_each_new_object(
    ObjectSource& source, const GitId& tree, const Bases& bases,
    const std::function<Result<void>(const GitObject&, const std::optional<KnownFolder>& known)>& each) {
    return Newness{source, each}.folder(tree, bases, 0);
}

}  // namespace satchel::catalogue
