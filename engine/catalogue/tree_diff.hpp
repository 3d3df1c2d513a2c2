// What differs between two trees, folder by folder; equal folders are passed over unread.
// Private to engine/catalogue.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/catalogue/tree.hpp"

namespace satchel::catalogue {

struct TreeChanges {
    // A folder of documents (path ends in '/') that is not the same: before or after is empty if it was or is
    // not there.
    std::function<Result<void>(const std::string& path, const Tree& before, const Tree& after)> on_folder;
    std::function<Result<void>(const std::string& path, const std::optional<GitId>& before,
                               const std::optional<GitId>& after)>
        on_document;
};

// In order of names. kRefused for a tree deeper than kTreeDepthMax.
Result<void> compare_trees(ObjectSource& source, const std::optional<GitId>& before,
                           const std::optional<GitId>& after, const TreeChanges& changes);

// Where a receiver stands: the tree of the commit before, and that of the commit it is known to hold.
struct Bases {
    std::optional<GitId> before;
    std::optional<GitId> known;
};
struct KnownFolder {
    GitId id{};
    Tree tree;
};
// The objects below and with `tree` that stand at the same place in no base, folders before their content.
// With a folder comes what `known` has in its place, if anything.
Result<void> for_each_new_object(
    ObjectSource& source, const GitId& tree, const Bases& bases,
    const std::function<Result<void>(const GitObject&, const std::optional<KnownFolder>& known)>& each);

}  // namespace satchel::catalogue
