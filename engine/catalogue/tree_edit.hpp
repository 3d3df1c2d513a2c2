// A tree told by what differs from one that the receiver holds (schemas/catalogue.md): its other entries, and
// the names that are gone. A tree of 16 entries shrinks from 460 bytes to 45. Private to engine/catalogue.
#pragma once

#include "engine/catalogue/tree.hpp"

namespace satchel::catalogue {

[[nodiscard]] ByteBuffer make_tree_edit(const GitId& base_id, const Tree& base, const Tree& tree);

struct TreeEdit {
    GitId base{};
    std::vector<std::string> gone;
    Tree put;
};
Result<TreeEdit> decode_tree_edit(ByteView bytes);
// The bytes of the tree that the edit makes; whether they are a tree that the catalogue allows, parse_tree
// tells.
Result<ByteBuffer> apply(const TreeEdit& edit, Tree base);

}  // namespace satchel::catalogue
