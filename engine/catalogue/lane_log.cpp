#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/site_catalogue.hpp"

namespace satchel::catalogue {

namespace {

// Who wrote a commit, by the key that signed it: the name in the commit is only what its writer says.
std::string author_of(const std::vector<trust::Root>& newest_first, std::string_view lane_name,
                      const Commit& commit) {
    const Result<trust::PublicKey> signer =
        trust::ssh_verify(commit.signature, kCommitNamespace, bytes_of(commit.signed_bytes));
    if (!signer.has_value()) return commit.author;
    for (const trust::Root& root : newest_first) {
        const trust::Lane* lane = root.lane(lane_name);
        const trust::KeyHolder* holder = lane != nullptr ? find_holder(lane->editors, *signer) : nullptr;
        if (holder != nullptr) return holder->holder;
    }
    return commit.author;
}

LaneHead head_from(const database::Statement& row) {
    return {std::string(row.text(0)), git_id_from_bytes(row.blob(1)).value_or(GitId{}),
            static_cast<std::uint64_t>(row.integer(2))};
}

}  // namespace

Result<std::vector<LaneHead>> SiteCatalogue::heads() {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT name, head, height FROM lane ORDER BY name"));
    std::vector<LaneHead> heads;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return heads;
        heads.push_back(head_from(select));
    }
}

Result<std::optional<LaneHead>> SiteCatalogue::head_of(std::string_view lane) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT name, head, height FROM lane WHERE name = ?"));
    select.bind(1, lane);
    SATCHEL_TRY(const bool row, select.step());
    return row ? std::optional(head_from(select)) : std::nullopt;
}

Result<bool> SiteCatalogue::knows(const GitId& object) { return objects_->contains(object); }

Result<Commit> SiteCatalogue::commit_at(const GitId& id) {
    SATCHEL_TRY(const GitObject object, kept_.get(id, GitType::kCommit));
    return parse_commit(id, object.data);
}

Result<bool> SiteCatalogue::is_ancestor(const GitId& commit, const GitId& head) {
    if (commit == head) return true;
    SATCHEL_TRY(const bool is_kept, objects_->contains(commit));
    if (!is_kept) return false;
    std::optional<GitId> at = head;
    while (at && *at != commit) {
        SATCHEL_TRY(const Commit here, commit_at(*at));
        at = here.parent;
    }
    return at.has_value();
}

Result<void> SiteCatalogue::log(std::string_view lane, std::size_t commits_max,
                                const std::function<Result<void>(const CommitInfo&)>& each) {
    SATCHEL_TRY(const std::optional<LaneHead> head, head_of(lane));
    if (!head)
        return fail(ErrorCode::kNotFound, std::string(lane), "nothing of this lane is here",
                    "read a stick that carries it");
    SATCHEL_TRY(const std::vector<trust::SignedRoot> accepted, trust_.roots(1));
    std::vector<trust::Root> roots;
    for (const trust::SignedRoot& root : accepted) {
        SATCHEL_TRY(trust::Root decoded, trust::decode_root(root.document));
        roots.push_back(std::move(decoded));
    }
    std::reverse(roots.begin(), roots.end());
    std::optional<GitId> at = head->head;
    for (std::size_t shown = 0; at && shown < commits_max; ++shown) {
        SATCHEL_TRY(const Commit commit, commit_at(*at));
        SATCHEL_TRY_VOID(each({*at, commit.subject, author_of(roots, lane, commit), commit.time_s}));
        at = commit.parent;
    }
    return {};
}

}  // namespace satchel::catalogue
