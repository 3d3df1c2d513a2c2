#include "engine/catalogue/quarantine.hpp"

#include "engine/base/encoding.hpp"
#include "engine/catalogue/tree_edit.hpp"

namespace satchel::catalogue {

namespace {

constexpr char kTable[] = "temp.offered_object";

Error missing(const GitId& id) {
    return fail(ErrorCode::kNotFound, to_hex(id), "part of the lane's history is missing",
                "read a stick that was written for this site, or for all sites");
}

}  // namespace

Result<std::unique_ptr<Quarantine>> Quarantine::begin(database::Database& database, ObjectTable& kept,
                                                      std::string lane, const GitId& offered_head) {
    SATCHEL_TRY_VOID(database.run(
        "CREATE TEMP TABLE IF NOT EXISTS offered_object (oid BLOB PRIMARY KEY, type INTEGER NOT NULL, "
        "size INTEGER NOT NULL, digest BLOB, data BLOB NOT NULL, settled INTEGER NOT NULL DEFAULT 0)"));
    SATCHEL_TRY(ObjectTable offered, ObjectTable::open(database, kTable));
    SATCHEL_TRY(database::Statement settle,
                database.prepare("UPDATE temp.offered_object SET digest = ?, settled = 1 WHERE oid = ?"));
    std::unique_ptr<Quarantine> made(
        new Quarantine(database, kept, std::move(offered), std::move(settle), std::move(lane), offered_head));
    SATCHEL_TRY_VOID(made->clear());
    return made;
}

Result<void> Quarantine::clear() { return database_.run("DELETE FROM temp.offered_object"); }

Result<void> Quarantine::add(const Batch& batch) {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    for (const PlainObject& object : batch.objects())
        SATCHEL_TRY_VOID(object.is_edit ? add_edit(object.data) : add(object.type, object.data));
    return transaction.commit();
}

Result<void> Quarantine::add(GitType type, ByteView data) {
    objects_ += 1;
    bytes_ += data.size();
    if (objects_ > kObjectsAcceptMax || bytes_ > kQuarantineBytesMax)
        return fail(ErrorCode::kTooLarge, lane_, "the lane brings more than one transfer may",
                    "get the catalogue from the hub or another stick");
    const GitId id = git_id_of(type, data);
    SATCHEL_TRY(const bool is_kept, kept_.contains(id));
    if (is_kept) return {};
    const std::optional<Digest> digest = type == GitType::kTree ? std::nullopt : std::optional(hash_of(data));
    SATCHEL_TRY_VOID(offered_.insert(id, type, digest, data));
    return {};
}

// Batches come in any order, so an edit is of a tree that was kept before.
Result<void> Quarantine::add_edit(ByteView bytes) {
    SATCHEL_TRY(const TreeEdit edit, decode_tree_edit(bytes));
    KeptObjects kept(kept_);
    SATCHEL_TRY(Tree base, read_tree(kept, edit.base));
    SATCHEL_TRY(const ByteBuffer tree, apply(edit, std::move(base)));
    return add(GitType::kTree, tree);
}

Result<std::optional<GitObject>> Quarantine::find(const GitId& id) {
    SATCHEL_TRY(std::optional<GitObject> object, kept_.find(id));
    if (object) return object;
    return offered_.find(id);
}

Result<void> Quarantine::mark(const GitId& id, const Digest& digest) {
    settle_.bind_blob(1, digest).bind_blob(2, id);
    return settle_.run();
}

Result<Digest> Quarantine::settle_blob(const GitId& id) {
    SATCHEL_TRY(const std::optional<Digest> known, kept_.digest(id, GitType::kBlob));
    if (known) return *known;
    SATCHEL_TRY(const std::optional<Digest> offered, offered_.digest(id, GitType::kBlob));
    if (!offered) return missing(id);
    SATCHEL_TRY_VOID(mark(id, *offered));
    return *offered;
}

Result<Digest> Quarantine::settle_commit(const GitId& id) {
    SATCHEL_TRY(const std::optional<Digest> known, kept_.digest(id, GitType::kCommit));
    if (known) return *known;
    SATCHEL_TRY(const std::optional<Digest> offered, offered_.digest(id, GitType::kCommit));
    if (!offered) return missing(id);
    SATCHEL_TRY_VOID(mark(id, *offered));
    return *offered;
}

Result<Digest> Quarantine::settle_tree(const GitId& id) { return settle_tree(id, 0); }

Result<Digest> Quarantine::settle_tree(const GitId& id, std::size_t depth) {
    SATCHEL_TRY(std::optional<Digest> digest, kept_.digest(id, GitType::kTree));
    if (!digest) {
        SATCHEL_TRY(digest, offered_.digest(id, GitType::kTree));
    }
    if (digest) return *digest;
    if (depth >= kTreeDepthMax)
        return fail(ErrorCode::kRefused, to_hex(id), "the lane's history holds what does not belong there",
                    "get the catalogue from the hub or another stick", "too many levels");
    SATCHEL_TRY(const Tree tree, read_tree(*this, id));
    std::vector<Digest> children;
    for (const TreeEntry& entry : tree) {
        SATCHEL_TRY(const Digest child,
                    entry.is_tree ? settle_tree(entry.id, depth + 1) : settle_blob(entry.id));
        children.push_back(child);
    }
    const Digest made = tree_digest(tree, children);
    SATCHEL_TRY_VOID(mark(id, made));
    return made;
}

Result<std::uint64_t> Quarantine::keep_settled() {
    SATCHEL_TRY_VOID(database_.run(
        "INSERT INTO git_object (oid, type, size, digest, data) "
        "SELECT oid, type, size, digest, data FROM temp.offered_object WHERE settled = 1 ORDER BY rowid"));
    return static_cast<std::uint64_t>(database_.rows_changed());
}

}  // namespace satchel::catalogue
