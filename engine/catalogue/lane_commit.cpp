// An editor's change: new documents into the head's tree, one signed commit, the head moved, in one
// transaction. Only trees on the way to a changed document are read and written, whatever the lane's size.
#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/catalogue/site_catalogue.hpp"

namespace satchel::catalogue {

namespace {

// The holder's name as git can keep it: an author may hold no angle brackets and not be empty.
std::string author_name(std::string name) {
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '<' || c == '>'; }, ' ');
    const bool has_letter = name.find_first_not_of(" .,:;\"\\'") != std::string::npos;
    return has_letter ? name : "editor";
}

Result<std::string> checked_message(std::string_view text, const Digest& tree, const Digest& parent) {
    std::string message = message_with_trailers(text, tree, parent);
    if (message.starts_with('\n'))
        return fail(ErrorCode::kUsage, "message", "the message is empty", "say what changes");
    if (message.size() > kMessageMax)
        return fail(ErrorCode::kTooLarge, "message", "the message is too long", "say it in fewer words");
    return message;
}

Result<void> check_paths(const std::vector<DocumentChange>& changes) {
    for (const DocumentChange& change : changes)
        if (!env::is_valid_path(change.path) || change.path.empty())
            return fail(ErrorCode::kUsage, change.path, "the path leads out of its folder",
                        "use a path inside the folder");
    return {};
}

}  // namespace

Result<CommitInfo> SiteCatalogue::commit(std::string_view lane, const trust::SigningKey& editor,
                                         std::string_view message,
                                         const std::vector<DocumentChange>& changes) {
    SATCHEL_TRY(LaneRules rules, LaneRules::of(trust_, lane));
    const trust::KeyHolder* holder = find_holder(rules.lane().editors, editor.public_key());
    if (holder == nullptr)
        return fail(ErrorCode::kRefused, std::string(lane), "this key is no editor of the lane",
                    "sign with an editor's key, or ask the office for a new root");
    SATCHEL_TRY_VOID(check_paths(changes));
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY(const std::optional<LaneHead> head, head_of(lane));
    std::optional<GitId> old_tree;
    std::optional<GitId> parent;
    Digest parent_digest = lane_origin(network_, lane);
    if (head) {
        SATCHEL_TRY(const Commit known, commit_at(head->head));
        SATCHEL_TRY(const std::optional<Digest> digest, objects_->digest(head->head, GitType::kCommit));
        if (!digest) return object_is_damaged(head->head, "digest");
        parent = head->head;
        parent_digest = *digest;
        old_tree = known.tree;
    }

    GitRepository::Changes blobs;
    for (const DocumentChange& change : changes) {
        blobs[change.path] = std::nullopt;
        if (change.content) {
            SATCHEL_TRY(blobs[change.path], git_->write_blob(bytes_of(*change.content)));
        }
    }
    SATCHEL_TRY(const std::optional<GitId> tree, git_->write_tree(old_tree, blobs));
    if (tree == old_tree)
        return fail(ErrorCode::kUsage, std::string(lane), "nothing would change", "change a document first");
    SATCHEL_TRY_VOID(rules.check_documents(kept_, old_tree, tree));
    SATCHEL_CHECK(tree.has_value());  // the rules let nobody take out the last document
    SATCHEL_TRY(const std::optional<Digest> tree_digest, objects_->digest(*tree, GitType::kTree));
    if (!tree_digest) return object_is_damaged(*tree, "digest");

    SATCHEL_TRY(const std::string text, checked_message(message, *tree_digest, parent_digest));
    const std::int64_t now_s = std::max<std::int64_t>(world_.clock.wall().unix_ms / 1000, 0);
    const Author author = {author_name(holder->holder), now_s, rules.root().utc_offset_minutes};
    SATCHEL_TRY(const std::string content, git_->commit_content(*tree, parent, author, text));
    SATCHEL_TRY(const GitId id,
                git_->write_commit(content, trust::ssh_sign(editor, kCommitNamespace, bytes_of(content))));
    SATCHEL_TRY(const Commit made, commit_at(id));
    SATCHEL_TRY_VOID(rules.check_signature(id, made));
    SATCHEL_TRY_VOID(move_head(head, {std::string(lane), id, (head ? head->height : 0) + 1}));
    SATCHEL_TRY_VOID(transaction.commit());
    return CommitInfo{id, made.subject, holder->holder, made.time_s};
}

}  // namespace satchel::catalogue
