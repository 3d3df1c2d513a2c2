#include "engine/exchange/holdings.hpp"

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/lacks.hpp"

namespace satchel::exchange {

Result<std::vector<Subscription>> subscriptions(database::Database& database) {
    SATCHEL_TRY(database::Statement select,
                database.prepare("SELECT kind, value FROM subscription ORDER BY kind, value"));
    std::vector<Subscription> all;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return all;
        all.push_back({std::string(select.text(0)), std::string(select.text(1))});
    }
}

namespace {

std::string lapsed_key(const ChunkId& manifest) { return "lapsed/" + to_hex(manifest.view()); }

}  // namespace

Result<void> note_complete(database::Database& database, const ChunkId& manifest) {
    SATCHEL_TRY_VOID(database::remove_meta(database, lapsed_key(manifest)));
    SATCHEL_TRY(database::Statement insert,
                database.prepare("INSERT OR REPLACE INTO holding (manifest, complete) VALUES (?, 1)"));
    insert.bind_blob(1, manifest.view());
    return insert.run();
}

Result<bool> is_complete(database::Database& database, const ChunkId& manifest) {
    SATCHEL_TRY(database::Statement select,
                database.prepare("SELECT 1 FROM holding WHERE manifest = ? AND complete = 1"));
    select.bind_blob(1, manifest.view());
    return select.step();
}

Result<void> forget_holding(database::Database& database, const ChunkId& manifest) {
    SATCHEL_TRY_VOID(database::remove_meta(database, lapsed_key(manifest)));
    SATCHEL_TRY(database::Statement remove, database.prepare("DELETE FROM holding WHERE manifest = ?"));
    remove.bind_blob(1, manifest.view());
    return remove.run();
}

Result<void> note_lapsed(database::Database& database, const ChunkId& manifest) {
    SATCHEL_TRY_VOID(forget_holding(database, manifest));
    return database::set_meta(database, lapsed_key(manifest), {});
}

Result<bool> has_lapsed(database::Database& database, const ChunkId& manifest) {
    SATCHEL_TRY(const std::optional<ByteBuffer> noted, database::meta(database, lapsed_key(manifest)));
    return noted.has_value();
}

Result<void> forget_lapsed(database::Database& database) {
    return database.run("DELETE FROM meta WHERE key >= 'lapsed/' AND key < 'lapsed0'");
}

Result<bool> is_pinned(database::Database& database, std::string_view course) {
    SATCHEL_TRY(const std::optional<ByteBuffer> pinned,
                database::meta(database, std::string(kPinPrefix) + std::string(course)));
    return pinned.has_value();
}

Result<void> recheck_holdings(const Replica& replica) {
    return replica.catalogue.for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        const ChunkId& manifest = state.edition.manifest;
        SATCHEL_TRY(const bool known, is_complete(replica.database, manifest));
        if (!known) return {};
        const Result<Missing> missing = count_missing(replica.store, manifest);
        if (!missing.has_value()) return is_unreadable(missing.error()) ? Result<void>() : missing.error();
        return missing->objects == 0 ? Result<void>() : forget_holding(replica.database, manifest);
    });
}

namespace {
// What has a list that can't be read is not; the others are looked at all the same.
Result<bool> is_whole_here(store::Store& store, const ChunkId& manifest) {
    const Result<Missing> missing = count_missing(store, manifest);
    if (missing.has_value()) return missing->objects == 0;
    return is_unreadable(missing.error()) ? Result<bool>(false) : missing.error();
}
}  // namespace

Result<void> find_holdings(const Replica& replica, Progress& progress) {
    std::uint64_t done = 0;
    return replica.catalogue.for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        const catalogue::Edition& edition = state.edition;
        SATCHEL_TRY_VOID(progress.update(
            {.stage = "checking what is complete", .item = edition.course, .items_done = ++done}));
        SATCHEL_TRY(const bool is_whole, is_whole_here(replica.store, edition.manifest));
        return is_whole ? note_complete(replica.database, edition.manifest) : Result<void>();
    });
}

Result<void> refresh_holdings(const Replica& replica, Progress& progress, const BecameComplete& became) {
    SATCHEL_TRY(const std::vector<Subscription> subscribed, subscriptions(replica.database));
    std::uint64_t done = 0;
    return replica.catalogue.for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        const catalogue::Edition& edition = state.edition;
        SATCHEL_TRY_VOID(progress.update(
            {.stage = "checking what is complete", .item = edition.course, .items_done = ++done}));
        if (!state.is_current) return {};
        SATCHEL_TRY(const bool known, is_complete(replica.database, edition.manifest));
        if (known) return {};
        SATCHEL_TRY(const bool pinned, is_pinned(replica.database, edition.course));
        if (!pinned && !is_meant(subscribed, edition)) return {};
        SATCHEL_TRY(const bool is_whole, is_whole_here(replica.store, edition.manifest));
        if (!is_whole) return {};
        SATCHEL_TRY_VOID(note_complete(replica.database, edition.manifest));
        became(edition);
        return {};
    });
}

}  // namespace satchel::exchange
