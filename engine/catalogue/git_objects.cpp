#include "engine/catalogue/git_objects.hpp"

#include <git2.h>

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::catalogue {

static_assert(static_cast<int>(GitType::kCommit) == GIT_OBJECT_COMMIT);
static_assert(static_cast<int>(GitType::kTree) == GIT_OBJECT_TREE);
static_assert(static_cast<int>(GitType::kBlob) == GIT_OBJECT_BLOB);

std::optional<GitType> git_type_of(std::uint64_t number) {
    if (number < 1 || number > 3) return std::nullopt;
    return static_cast<GitType>(number);
}

GitId git_id_of(GitType type, ByteView data) {
    git_oid oid;
    const void* bytes = data.empty() ? static_cast<const void*>("") : data.data();
    SATCHEL_CHECK(git_odb_hash(&oid, bytes, data.size(), static_cast<git_object_t>(type)) == 0);
    GitId id;
    std::copy_n(static_cast<const unsigned char*>(oid.id), id.size(), id.begin());
    return id;
}

std::optional<GitId> git_id_from_bytes(ByteView bytes) {
    GitId id;
    if (bytes.size() != id.size()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), id.begin());
    return id;
}

std::optional<GitId> git_id_from_hex(std::string_view text) {
    const std::optional<ByteBuffer> bytes = from_hex(text);
    return bytes ? git_id_from_bytes(*bytes) : std::nullopt;
}

Error object_is_damaged(const GitId& id, std::string detail) {
    return fail(ErrorCode::kDamaged, to_hex(id), "an object of the catalogue is damaged",
                "run `satchel repair`", std::move(detail));
}

Result<ObjectTable> ObjectTable::open(database::Database& database, const std::string& table) {
    SATCHEL_TRY(database::Statement find,
                database.prepare("SELECT type, size, digest, data FROM " + table + " WHERE oid = ?"));
    SATCHEL_TRY(database::Statement digest,
                database.prepare("SELECT type, digest FROM " + table + " WHERE oid = ?"));
    SATCHEL_TRY(
        database::Statement insert,
        database.prepare("INSERT INTO " + table +
                         " (oid, type, size, digest, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"));
    return ObjectTable(database, std::move(find), std::move(digest), std::move(insert));
}

namespace {

std::optional<Digest> digest_from(ByteView bytes) {
    Digest digest;
    if (bytes.size() != digest.size()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
}

}  // namespace

Result<std::optional<GitObject>> ObjectTable::find(const GitId& id) {
    find_.bind_blob(1, id);
    SATCHEL_TRY(const bool there, find_.step());
    if (!there) return std::optional<GitObject>();
    const std::optional<GitType> type = git_type_of(static_cast<std::uint64_t>(find_.integer(0)));
    const ByteView data = find_.blob(3);
    const bool fits = type && static_cast<std::uint64_t>(find_.integer(1)) == data.size();
    std::optional<GitObject> object;
    if (fits) object = GitObject{*type, digest_from(find_.blob(2)), ByteBuffer(data.begin(), data.end())};
    find_.reset();
    if (!fits) return object_is_damaged(id, "type or size");
    return object;
}

Result<std::optional<Digest>> ObjectTable::digest(const GitId& id, GitType type) {
    digest_.bind_blob(1, id);
    SATCHEL_TRY(const bool there, digest_.step());
    std::optional<Digest> digest;
    if (there && digest_.integer(0) == static_cast<std::int64_t>(type)) digest = digest_from(digest_.blob(1));
    if (there) digest_.reset();
    return digest;
}

Result<bool> ObjectTable::contains(const GitId& id) {
    digest_.bind_blob(1, id);
    SATCHEL_TRY(const bool there, digest_.step());
    if (there) digest_.reset();
    return there;
}

Result<bool> ObjectTable::insert(const GitId& id, GitType type, const std::optional<Digest>& digest,
                                 ByteView data) {
    insert_.bind_blob(1, id)
        .bind(2, static_cast<std::int64_t>(type))
        .bind(3, static_cast<std::int64_t>(data.size()));
    if (digest)
        insert_.bind_blob(4, *digest);
    else
        insert_.bind_null(4);
    insert_.bind_blob(5, data);
    SATCHEL_TRY_VOID(insert_.run());
    return database_->rows_changed() > 0;
}

Result<GitObject> ObjectSource::get(const GitId& id, GitType type) {
    SATCHEL_TRY(std::optional<GitObject> object, find(id));
    if (!object)
        return fail(ErrorCode::kNotFound, to_hex(id), "part of the lane's history is missing",
                    "read a stick that was written for this site, or for all sites");
    if (object->type != type)
        return fail(ErrorCode::kRefused, to_hex(id), "the lane's history holds what does not belong there",
                    "get the catalogue from the hub or another stick", "an object of another type");
    return std::move(*object);
}

}  // namespace satchel::catalogue
