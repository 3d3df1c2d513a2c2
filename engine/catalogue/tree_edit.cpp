#include "engine/catalogue/tree_edit.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::catalogue {

namespace {

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "catalogue", "the freight is not whole or not in its format",
                "write the stick again from its source", detail);
}

GitId get_id(Reader& reader) { return git_id_from_bytes(reader.raw(sizeof(GitId))).value_or(GitId{}); }

}  // namespace

ByteBuffer make_tree_edit(const GitId& base_id, const Tree& base, const Tree& tree) {
    std::vector<std::string_view> gone;
    for (const TreeEntry& entry : base)
        if (find_entry(tree, entry.name) == nullptr) gone.push_back(entry.name);
    ByteBuffer bytes;
    Writer writer(bytes);
    writer.raw(base_id).varint(gone.size());
    for (const std::string_view name : gone) writer.sized(name);
    for (const TreeEntry& entry : tree) {
        const TreeEntry* old_entry = find_entry(base, entry.name);
        if (old_entry != nullptr && *old_entry == entry) continue;
        writer.u8(entry.is_tree ? 1 : 0).sized(entry.name).raw(entry.id);
    }
    return bytes;
}

Result<TreeEdit> decode_tree_edit(ByteView bytes) {
    Reader reader(bytes);
    TreeEdit edit;
    edit.base = get_id(reader);
    const std::uint64_t gone = reader.varint();
    for (std::uint64_t at = 0; at < gone && reader.ok(); ++at)
        edit.gone.emplace_back(text_of(reader.sized(kTreeNameMax)));
    while (reader.ok() && !reader.at_end()) {
        const std::uint8_t kind = reader.u8();
        if (kind > 1) return damaged("kind of an entry");
        TreeEntry entry;
        entry.is_tree = kind == 1;
        entry.name = text_of(reader.sized(kTreeNameMax));
        entry.id = get_id(reader);
        edit.put.push_back(std::move(entry));
    }
    if (!reader.ok()) return damaged("edit of a tree");
    return edit;
}

Result<ByteBuffer> apply(const TreeEdit& edit, Tree base) {
    for (const std::string& name : edit.gone) {
        const auto removed = std::remove_if(base.begin(), base.end(),
                                            [&](const TreeEntry& entry) { return entry.name == name; });
        if (removed == base.end()) return damaged("a name that is not there");
        base.erase(removed, base.end());
    }
    for (const TreeEntry& put : edit.put) {
        const auto same_name = std::find_if(base.begin(), base.end(),
                                            [&](const TreeEntry& entry) { return entry.name == put.name; });
        if (same_name == base.end())
            base.push_back(put);
        else
            *same_name = put;
    }
    ByteBuffer bytes = encode_tree(std::move(base));
    if (bytes.size() > kObjectBytesMax) return damaged("size of a tree");
    return bytes;
}

}  // namespace satchel::catalogue
