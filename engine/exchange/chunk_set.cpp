#include "engine/exchange/chunk_set.hpp"

#include <algorithm>

namespace satchel::exchange {

Result<ChunkSet> ChunkSet::create(database::Database& database, const std::string& name, bool ordered) {
    const std::string table = "temp.set_" + name;
    SATCHEL_TRY_VOID(database.run("CREATE TEMP TABLE IF NOT EXISTS set_" + name +
                                  " (id BLOB PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID"));
    SATCHEL_TRY_VOID(database.run("DELETE FROM " + table));
    if (ordered)
        SATCHEL_TRY_VOID(
            database.run("CREATE INDEX IF NOT EXISTS temp.order_" + name + " ON set_" + name + " (value)"));
    SATCHEL_TRY(database::Statement insert,
                database.prepare("INSERT OR IGNORE INTO " + table + " (id, value) VALUES (?, ?)"));
    SATCHEL_TRY(database::Statement find, database.prepare("SELECT value FROM " + table + " WHERE id = ?"));
    SATCHEL_TRY(database::Statement erase, database.prepare("DELETE FROM " + table + " WHERE id = ?"));
    return ChunkSet(table, database, std::move(insert), std::move(find), std::move(erase));
}

Result<bool> ChunkSet::insert(const ChunkId& id, std::int64_t value) {
    insert_.bind_blob(1, id.view()).bind(2, value);
    SATCHEL_TRY_VOID(insert_.run());
    return database_->rows_changed() > 0;
}

Result<std::int64_t> ChunkSet::raise(const ChunkId& id, std::int64_t value) {
    SATCHEL_TRY(const std::optional<std::int64_t> before, find(id));
    if (before.value_or(0) >= value) return before.value_or(0);
    if (before) SATCHEL_TRY_VOID(erase(id));
    SATCHEL_TRY_VOID(insert(id, value));
    return before.value_or(0);
}

Result<std::optional<std::int64_t>> ChunkSet::find(const ChunkId& id) {
    find_.bind_blob(1, id.view());
    SATCHEL_TRY(const bool found, find_.step());
    const std::optional<std::int64_t> value = found ? std::optional(find_.integer(0)) : std::nullopt;
    find_.reset();
    return value;
}

Result<bool> ChunkSet::contains(const ChunkId& id) {
    SATCHEL_TRY(const std::optional<std::int64_t> value, find(id));
    return value.has_value();
}

Result<void> ChunkSet::erase(const ChunkId& id) {
    erase_.bind_blob(1, id.view());
    return erase_.run();
}

Result<void> ChunkSet::for_first(std::size_t count_max, const Each& each) {
    SATCHEL_TRY(database::Statement select,
                database_->prepare("SELECT id, value FROM " + table_ + " ORDER BY value LIMIT ?"));
    select.bind(1, static_cast<std::int64_t>(count_max));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        ChunkId id;
        const ByteView bytes = select.blob(0);
        if (bytes.size() == id.digest.size()) std::copy(bytes.begin(), bytes.end(), id.digest.begin());
        SATCHEL_TRY_VOID(each(id, select.integer(1)));
    }
}

Result<bool> ChunkSet::meets(const ChunkSet& other) {
    SATCHEL_TRY(database::Statement select, database_->prepare("SELECT 1 FROM " + other.table_ + " JOIN " +
                                                               table_ + " USING (id) LIMIT 1"));
    return select.step();
}

Result<void> ChunkSet::clear() { return database_->run("DELETE FROM " + table_); }

Result<std::uint64_t> ChunkSet::size() {
    SATCHEL_TRY(database::Statement count, database_->prepare("SELECT count(*) FROM " + table_));
    SATCHEL_TRY_VOID(count.step());
    return static_cast<std::uint64_t>(count.integer(0));
}

}  // namespace satchel::exchange
