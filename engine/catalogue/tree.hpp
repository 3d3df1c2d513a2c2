// A git tree as the catalogue allows it, and its TreeDigest. Private to engine/catalogue.
//
// libgit2 reads trees leniently (any order, any mode); foreign trees are therefore read here and refused
// unless they are what git itself would write: entries in git's order, each name once, plain files and
// folders only, nothing empty.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/catalogue/git_objects.hpp"

namespace satchel::catalogue {

inline constexpr std::size_t kTreeNameMax = 128;  // the longest is a site's: 64 hex digits and .json
inline constexpr std::size_t kTreeDepthMax = 6;   // courses/x/y/z/HASH16/000001.json

struct TreeEntry {
    bool is_tree = false;
    std::string name;
    GitId id{};
    friend bool operator==(const TreeEntry&, const TreeEntry&) = default;
};
using Tree = std::vector<TreeEntry>;

Result<Tree> parse_tree(const GitId& id,
                        ByteView data);           // kRefused for all that the catalogue does not allow
[[nodiscard]] ByteBuffer encode_tree(Tree tree);  // puts the entries in git's order
[[nodiscard]] const TreeEntry* find_entry(const Tree& tree, std::string_view name);

// BLAKE2b-256 over "satchel/tree/v1", NUL, and for each entry in git's order: u32 mode (0100644 or 040000),
// sized name, digest of the child.
[[nodiscard]] Digest tree_digest(const Tree& tree, const std::vector<Digest>& children);

Result<Tree> read_tree(ObjectSource& source, const GitId& id);
// The blob at `path`, if there is one.
Result<std::optional<GitId>> find_blob(ObjectSource& source, const GitId& root, std::string_view path);

}  // namespace satchel::catalogue
