// What a site lacks of a lane: for each commit it does not know, the commit, and the trees and documents that
// stand neither in its parent nor in the commit that the site is at. A tree travels as an edit of the one
// that the site has in its place, where that is shorter. A document that was gone and comes back may travel
// twice.
#include <algorithm>

#include "engine/catalogue/object_batch.hpp"
#include "engine/catalogue/site_catalogue.hpp"
#include "engine/catalogue/tree_edit.hpp"

namespace satchel::catalogue {

namespace {

struct Wanted {
    GitId id{};
    GitId tree{};
};

}  // namespace

Result<void> SiteCatalogue::export_objects(std::string_view lane, const std::optional<GitId>& known,
                                           const std::function<Result<void>(ByteView batch)>& sink) {
    SATCHEL_TRY(const std::optional<LaneHead> head, head_of(lane));
    if (!head)
        return fail(ErrorCode::kNotFound, std::string(lane), "nothing of this lane is here",
                    "read a stick that carries it");
    std::vector<Wanted> commits;
    std::optional<GitId> at = head->head;
    while (at && at != known) {
        SATCHEL_TRY(const Commit commit, commit_at(*at));
        commits.push_back({*at, commit.tree});
        at = commit.parent;
    }
    Bases bases;
    if (at) {
        SATCHEL_TRY(const Commit base, commit_at(*at));
        bases = {base.tree, base.tree};
    }
    BatchWriter writer(sink);
    const auto add = [&writer](const GitObject& object,
                               const std::optional<KnownFolder>& there) -> Result<void> {
        if (!there) return writer.add(object.type, object.data);
        SATCHEL_TRY(const Tree tree, parse_tree(there->id, object.data));
        const ByteBuffer edit = make_tree_edit(there->id, there->tree, tree);
        return edit.size() < object.data.size() ? writer.add_tree_edit(edit)
                                                : writer.add(object.type, object.data);
    };
    for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) {
        SATCHEL_TRY(const GitObject object, kept_.get(commit->id, GitType::kCommit));
        SATCHEL_TRY_VOID(writer.add(object.type, object.data));
        SATCHEL_TRY_VOID(for_each_new_object(kept_, commit->tree, bases, add));
        bases.before = commit->tree;
    }
    return writer.finish();
}

}  // namespace satchel::catalogue
