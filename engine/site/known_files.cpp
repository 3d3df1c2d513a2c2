#include "engine/site/known_files.hpp"

#include <algorithm>

#include "engine/base/hash.hpp"

namespace satchel::site {

namespace {

constexpr std::size_t kReadStep = 1024 * 1024;
constexpr std::size_t kNotedMax =
    100'000;  // of one publish: about 10 MiB; more are cut afresh when they move
constexpr std::int64_t kKnownFilesMax = 500'000;  // about 60 MiB of site.db; the oldest go first

Result<Digest> digest_of(env::File& file, std::uint64_t size) {
    Hasher hasher;
    ByteBuffer step(kReadStep);
    for (std::uint64_t at = 0; at < size;) {
        SATCHEL_TRY(const std::size_t got, file.read_at(at, step));
        if (got == 0) break;  // it shrank; the digest then fits nothing that is known
        hasher.update(ByteView(step).first(got));
        at += got;
    }
    return hasher.finish();
}

}  // namespace

Result<std::optional<store::FileContent>> KnownFiles::find(env::File& file, std::uint64_t size) {
    SATCHEL_TRY(database::Statement by_size,
                database_.prepare("SELECT 1 FROM known_file WHERE size = ? LIMIT 1"));
    by_size.bind(1, static_cast<std::int64_t>(size));
    SATCHEL_TRY(const bool size_is_known, by_size.step());
    if (!size_is_known) return std::optional<store::FileContent>();
    SATCHEL_TRY(const Digest digest, digest_of(file, size));
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT object, place FROM known_file WHERE digest = ? AND size = ?"));
    select.bind_blob(1, digest).bind(2, static_cast<std::int64_t>(size));
    SATCHEL_TRY(const bool found, select.step());
    if (!found || select.blob(0).size() != sizeof(Digest)) return std::optional<store::FileContent>();
    ChunkId object;
    std::copy_n(select.blob(0).begin(), object.digest.size(), object.digest.begin());
    store::FileContent content = store::RecipeContent{object};
    if (!select.is_null(1))
        content = store::Extent{object, static_cast<std::uint32_t>(select.integer(1)),
                                static_cast<std::uint32_t>(size)};
    return std::optional(content);
}

Result<void> KnownFiles::note(env::File& file, std::uint64_t size, const store::FileContent& content) {
    if (size == 0 || noted_.size() == kNotedMax) return {};
    SATCHEL_TRY(const Digest digest, digest_of(file, size));
    noted_.push_back({digest, size, content});
    return {};
}

Result<void> KnownFiles::save() {
    if (noted_.empty()) return {};
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY(database::Statement insert,
                database_.prepare(
                    "INSERT OR REPLACE INTO known_file (digest, size, object, place) VALUES (?, ?, ?, ?)"));
    for (const Row& row : noted_) {
        insert.bind_blob(1, row.digest).bind(2, static_cast<std::int64_t>(row.size));
        if (const auto* extent = std::get_if<store::Extent>(&row.content))
            insert.bind_blob(3, extent->chunk.view()).bind(4, std::int64_t{extent->offset});
        else if (const auto* recipe = std::get_if<store::RecipeContent>(&row.content))
            insert.bind_blob(3, recipe->recipe.view()).bind_null(4);
        SATCHEL_TRY_VOID(insert.run());
    }
    SATCHEL_TRY(
        database::Statement trim,
        database_.prepare("DELETE FROM known_file WHERE rowid <= (SELECT max(rowid) FROM known_file) - ?"));
    trim.bind(1, kKnownFilesMax);
    SATCHEL_TRY_VOID(trim.run());
    SATCHEL_TRY_VOID(transaction.commit());
    noted_.clear();
    return {};
}

}  // namespace satchel::site
