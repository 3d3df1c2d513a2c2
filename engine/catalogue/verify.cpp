// Everything again from the objects. First each object's two names from its bytes (a tree's digest from those
// of its parts, which are checked in their own rows), then each lane from its first commit to its head.
#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/site_catalogue.hpp"

namespace satchel::catalogue {

namespace {

Result<Digest> digest_again(ObjectTable& objects, const GitId& id, const GitObject& object) {
    if (object.type != GitType::kTree) return hash_of(object.data);
    SATCHEL_TRY(const Tree tree, parse_tree(id, object.data));
    std::vector<Digest> children;
    for (const TreeEntry& entry : tree) {
        SATCHEL_TRY(const std::optional<Digest> child,
                    objects.digest(entry.id, entry.is_tree ? GitType::kTree : GitType::kBlob));
        if (!child) return object_is_damaged(entry.id, "missing");
        children.push_back(*child);
    }
    return tree_digest(tree, children);
}

}  // namespace

Result<void> SiteCatalogue::verify_objects() {
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT oid FROM git_object ORDER BY rowid"));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        const std::optional<GitId> id = git_id_from_bytes(select.blob(0));
        if (!id) return object_is_damaged({}, "an id of another size");
        SATCHEL_TRY(const std::optional<GitObject> object, objects_->find(*id));
        if (!object || git_id_of(object->type, object->data) != *id)
            return object_is_damaged(*id, "other bytes");
        SATCHEL_TRY(const Digest digest, digest_again(*objects_, *id, *object));
        if (digest != object->digest) return object_is_damaged(*id, "digest");
    }
}

Result<std::uint64_t> SiteCatalogue::verify_lane(const LaneHead& head) {
    SATCHEL_TRY(LaneRules rules, LaneRules::of(trust_, head.lane));
    std::vector<GitId> commits;
    for (std::optional<GitId> at = head.head; at;) {
        SATCHEL_TRY(const Commit commit, commit_at(*at));
        SATCHEL_TRY_VOID(rules.check_past_signature(*at, commit));
        commits.push_back(*at);
        at = commit.parent;
    }
    std::reverse(commits.begin(), commits.end());
    Digest parent_digest = lane_origin(network_, head.lane);
    std::optional<GitId> parent_tree;
    for (const GitId& id : commits) {
        SATCHEL_TRY(const Commit commit, commit_at(id));
        SATCHEL_TRY(const std::optional<Digest> tree, objects_->digest(commit.tree, GitType::kTree));
        SATCHEL_TRY(const std::optional<Digest> own, objects_->digest(id, GitType::kCommit));
        if (!tree || !own || commit.parent_digest != parent_digest || commit.tree_digest.digest != *tree)
            return fail(ErrorCode::kRefused, to_hex(id),
                        "a commit of the lane does not fit its content or its parent",
                        "get the catalogue from the hub or another stick");
        SATCHEL_TRY_VOID(rules.check_documents(kept_, parent_tree, commit.tree));
        parent_digest = *own;
        parent_tree = commit.tree;
    }
    if (commits.size() != head.height) return object_is_damaged(head.head, "height");
    return commits.size();
}

Result<std::uint64_t> SiteCatalogue::verify() {
    SATCHEL_TRY_VOID(verify_objects());
    SATCHEL_TRY(const std::vector<LaneHead> lanes, heads());
    std::uint64_t commits = 0;
    for (const LaneHead& lane : lanes) {
        SATCHEL_TRY(const std::uint64_t found, verify_lane(lane));
        SATCHEL_TRY(const std::uint64_t ratchet, trust_.ratchet("lane/" + lane.lane + "/height"));
        if (ratchet != lane.height) return object_is_damaged(lane.head, "ratchet");
        commits += found;
    }
    return commits;
}

}  // namespace satchel::catalogue
