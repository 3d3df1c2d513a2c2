#include "engine/store/manifest_node.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::store {

namespace {

constexpr std::string_view kMagic = "SMNF";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kLeafMask = 63;      // a leaf ends behind one path in 64
constexpr std::uint8_t kInteriorMask = 31;  // an interior node behind one in 32

enum ContentKind : std::uint8_t { kEmptyKind = 0, kExtentKind = 1, kRecipeKind = 2 };

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "manifest", "the bytes are damaged",
                "fetch it again from a stick or another site", detail);
}

std::size_t shared_prefix(std::string_view a, std::string_view b) {
    const std::size_t most = std::min(a.size(), b.size());
    std::size_t shared = 0;
    while (shared < most && a[shared] == b[shared]) ++shared;
    return shared;
}

void put_path(Writer& writer, std::string_view previous, std::string_view path) {
    const std::size_t shared = shared_prefix(previous, path);
    writer.varint(shared).sized(path.substr(shared));
}

bool get_path(Reader& reader, const std::string& previous, std::string& path) {
    const std::uint64_t shared = reader.varint();
    const std::string_view rest = text_of(reader.sized(kPathMax));
    if (!reader.ok() || shared > previous.size() || shared + rest.size() > kPathMax) return false;
    path = previous.substr(0, static_cast<std::size_t>(shared)) + std::string(rest);
    return shared == shared_prefix(previous, path);
}

void put_content(Writer& writer, const ManifestEntry& entry) {
    if (const auto* extent = std::get_if<Extent>(&entry.content)) {
        writer.u8(kExtentKind).raw(extent->chunk.view()).varint(extent->offset);
    } else if (const auto* recipe = std::get_if<RecipeContent>(&entry.content)) {
        writer.u8(kRecipeKind).raw(recipe->recipe.view());
    } else {
        writer.u8(kEmptyKind);
    }
}

bool get_content(Reader& reader, ManifestEntry& entry) {
    switch (reader.u8()) {
        case kEmptyKind:
            entry.content = EmptyContent{};
            return entry.size == 0;
        case kExtentKind: {
            Extent extent;
            extent.chunk.digest = reader.digest();
            const std::uint64_t offset = reader.varint();
            if (entry.size == 0 || entry.size > kObjectMax || offset > kObjectMax - entry.size) return false;
            extent.offset = static_cast<std::uint32_t>(offset);
            extent.length = static_cast<std::uint32_t>(entry.size);
            entry.content = extent;
            return true;
        }
        case kRecipeKind:
            entry.content = RecipeContent{ChunkId{reader.digest()}};
            return entry.size != 0;
        default:
            return false;
    }
}

bool get_entry(Reader& reader, const ManifestEntry* previous, ManifestEntry& entry) {
    static const std::string kNone;
    if (!get_path(reader, previous ? previous->path : kNone, entry.path)) return false;
    const std::uint8_t type = reader.u8();
    const std::uint64_t mode = reader.varint();
    const auto base = static_cast<std::uint64_t>(previous ? previous->mtime_ns : 0);
    entry.mtime_ns = static_cast<std::int64_t>(base + static_cast<std::uint64_t>(reader.zigzag()));
    if (!reader.ok() || type < 1 || type > 2 || mode > 0777) return false;
    entry.type = static_cast<EntryType>(type);
    entry.mode = static_cast<std::uint32_t>(mode);
    if (entry.type == EntryType::kDirectory) return true;
    entry.size = reader.varint();
    if (entry.size > kFileBytesMax) return false;
    return get_content(reader, entry) && reader.ok();
}

}  // namespace

ByteBuffer encode(const ManifestNode& node) {
    ByteBuffer out;
    Writer writer(out);
    writer.raw(kMagic).u8(kVersion).u8(static_cast<std::uint8_t>(node.level));
    std::string_view previous;
    std::uint64_t previous_mtime = 0;
    for (const ManifestEntry& entry : node.entries) {
        put_path(writer, previous, entry.path);
        const auto mtime = static_cast<std::uint64_t>(entry.mtime_ns);
        writer.u8(static_cast<std::uint8_t>(entry.type)).varint(entry.mode);
        writer.zigzag(static_cast<std::int64_t>(mtime - previous_mtime));
        if (entry.type == EntryType::kFile) {
            writer.varint(entry.size);
            put_content(writer, entry);
        }
        previous = entry.path;
        previous_mtime = mtime;
    }
    for (const ManifestChild& child : node.children) {
        put_path(writer, previous, child.last_path);
        writer.raw(child.node.view());
        previous = child.last_path;
    }
    return out;
}

Result<ManifestNode> decode_manifest_node(ByteView bytes) {
    Reader reader(bytes);
    if (text_of(reader.raw(kMagic.size())) != kMagic) return damaged("not a manifest node");
    const std::uint8_t version = reader.u8();
    const std::uint8_t level = reader.u8();
    if (!reader.ok()) return damaged("cut off");
    if (version != kVersion)
        return fail(ErrorCode::kUnsupported, "manifest", "it was written by a newer program",
                    "update satchel on this box");
    if (level >= kManifestLevelsMax) return damaged("too many levels");
    ManifestNode node;
    node.level = level;
    std::string last;
    while (reader.left() > 0) {
        if (node.entries.size() + node.children.size() == kNodeItemsMax)
            return damaged("too many entries in a node");
        std::string path;
        if (level == 0) {
            ManifestEntry entry;
            if (!get_entry(reader, node.entries.empty() ? nullptr : &node.entries.back(), entry))
                return damaged("an entry is not whole");
            if (!check_path(entry.path).has_value())
                return damaged("an entry has a path that must not be written");
            path = entry.path;
            node.entries.push_back(std::move(entry));
        } else {
            ManifestChild child;
            if (!get_path(reader, last, child.last_path)) return damaged("a child is not whole");
            child.node.digest = reader.digest();
            if (!reader.ok() || child.last_path.empty()) return damaged("a child is not whole");
            path = child.last_path;
            node.children.push_back(std::move(child));
        }
        if (path <= last) return damaged("paths do not ascend");
        last = std::move(path);
    }
    if (level > 0 && node.children.empty()) return damaged("a node without children");
    return node;
}

bool ends_node(int level, std::string_view last_path) {
    const Digest digest = hash_of(bytes_of(last_path));
    return level == 0 ? (digest[0] & kLeafMask) == 0
                      : (digest[static_cast<std::size_t>(level)] & kInteriorMask) == 0;
}

}  // namespace satchel::store
