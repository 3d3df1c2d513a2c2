// Taking in what another site offers of a lane. States:
//
//     nothing --begin--> gathering --add*--> gathering --finish--> nothing, head moved
//                                                      \--------> nothing, all as before
//
// finish() works in one transaction, from the cheap question to the dear one: signatures and the way back to
// our head first, so that nobody but an editor makes this site hash and read trees.
#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/site_catalogue.hpp"

namespace satchel::catalogue {

namespace {

Error no_descendant(const std::string& lane) {
    return fail(ErrorCode::kRefused, lane,
                "the history that is offered does not descend from the one held here",
                "ask the office which of the two is right", "rollback or fork");
}

Error nothing_begun() {
    return fail(ErrorCode::kUsage, "catalogue", "no lane was begun", "report this to the makers of satchel");
}

}  // namespace

Result<void> SiteCatalogue::begin_accept(std::string_view lane, const GitId& offered_head) {
    quarantine_.reset();
    SATCHEL_TRY_VOID(LaneRules::of(trust_, lane));
    SATCHEL_TRY(quarantine_, Quarantine::begin(database_, *objects_, std::string(lane), offered_head));
    return {};
}

Result<void> SiteCatalogue::add_batch(ByteView batch) {
    if (!quarantine_) return nothing_begun();
    Result<Batch> decoded = Batch::decode(batch);
    const Result<void> added =
        decoded.has_value() ? quarantine_->add(*decoded) : Result<void>(decoded.error());
    if (added.has_value()) return {};
    SATCHEL_TRY_VOID(quarantine_->clear());
    quarantine_.reset();
    return added;
}

Result<Accepted> SiteCatalogue::finish_accept() {
    if (!quarantine_) return nothing_begun();
    const std::unique_ptr<Quarantine> quarantine = std::move(quarantine_);
    Result<Accepted> accepted = accept(*quarantine);
    const Result<void> cleared = quarantine->clear();
    if (accepted.has_value() && !cleared.has_value()) return cleared.error();
    return accepted;
}

Result<Accepted> SiteCatalogue::accept(Quarantine& quarantine) {
    SATCHEL_TRY(LaneRules rules, LaneRules::of(trust_, quarantine.lane()));
    SATCHEL_TRY(const std::optional<LaneHead> head, head_of(quarantine.lane()));
    if (head) {
        SATCHEL_TRY(const bool is_behind, is_ancestor(quarantine.offered_head(), head->head));
        if (is_behind) return Accepted{.already_newer = true};
    }
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY(std::vector<GitId> commits, new_commits(rules, quarantine, head));
    std::reverse(commits.begin(), commits.end());
    SATCHEL_TRY_VOID(check_new_commits(rules, quarantine, head, commits));
    SATCHEL_TRY(const std::uint64_t objects, quarantine.keep_settled());
    const LaneHead moved = {quarantine.lane(), quarantine.offered_head(),
                            (head ? head->height : 0) + commits.size()};
    SATCHEL_TRY_VOID(move_head(head, moved));
    SATCHEL_TRY_VOID(transaction.commit());
    return Accepted{commits.size(), objects, false};
}

// From the offered head back to ours, newest first; every signature is checked on the way.
Result<std::vector<GitId>> SiteCatalogue::new_commits(LaneRules& rules, Quarantine& quarantine,
                                                      const std::optional<LaneHead>& head) {
    std::vector<GitId> commits;
    std::optional<GitId> at = quarantine.offered_head();
    while (at) {
        if (head && *at == head->head) return commits;
        if (head) {
            SATCHEL_TRY(const bool is_kept, objects_->contains(*at));
            if (is_kept) return no_descendant(quarantine.lane());
        }
        SATCHEL_TRY(const GitObject object, quarantine.get(*at, GitType::kCommit));
        SATCHEL_TRY(const Commit commit, parse_commit(*at, object.data));
        SATCHEL_TRY_VOID(rules.check_signature(*at, commit));
        commits.push_back(*at);
        at = commit.parent;
    }
    if (head) return no_descendant(quarantine.lane());
    return commits;
}

Result<void> SiteCatalogue::check_new_commits(const LaneRules& rules, Quarantine& quarantine,
                                              const std::optional<LaneHead>& head,
                                              const std::vector<GitId>& oldest_first) {
    Digest parent_digest = lane_origin(network_, quarantine.lane());
    std::optional<GitId> parent_tree;
    if (head) {
        SATCHEL_TRY(const Commit known, commit_at(head->head));
        SATCHEL_TRY(parent_digest, quarantine.settle_commit(head->head));
        parent_tree = known.tree;
    }
    for (const GitId& id : oldest_first) {
        SATCHEL_TRY(const GitObject object, quarantine.get(id, GitType::kCommit));
        SATCHEL_TRY(const Commit commit, parse_commit(id, object.data));
        SATCHEL_TRY(const Digest tree_digest, quarantine.settle_tree(commit.tree));
        if (commit.parent_digest != parent_digest || commit.tree_digest.digest != tree_digest)
            return fail(ErrorCode::kRefused, to_hex(id),
                        "a commit of the lane does not fit its content or its parent",
                        "get the catalogue from the hub or another stick");
        SATCHEL_TRY_VOID(rules.check_documents(quarantine, parent_tree, commit.tree));
        SATCHEL_TRY(parent_digest, quarantine.settle_commit(id));
        parent_tree = commit.tree;
    }
    return {};
}

}  // namespace satchel::catalogue
