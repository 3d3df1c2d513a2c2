#include "engine/database/meta.hpp"

#include "engine/base/encoding.hpp"

namespace satchel::database {

Result<std::optional<ByteBuffer>> meta(Database& database, std::string_view key) {
    SATCHEL_TRY(Statement select, database.prepare("SELECT value FROM meta WHERE key = ?"));
    select.bind(1, key);
    SATCHEL_TRY(const bool found, select.step());
    if (!found) return std::optional<ByteBuffer>();
    const ByteView value = select.blob(0);
    return std::optional(ByteBuffer(value.begin(), value.end()));
}

Result<void> set_meta(Database& database, std::string_view key, ByteView value) {
    SATCHEL_TRY(Statement upsert, database.prepare("INSERT INTO meta (key, value) VALUES (?1, ?2) "
                                                   "ON CONFLICT (key) DO UPDATE SET value = ?2"));
    upsert.bind(1, key).bind_blob(2, value);
    return upsert.run();
}

Result<void> remove_meta(Database& database, std::string_view key) {
    SATCHEL_TRY(Statement remove, database.prepare("DELETE FROM meta WHERE key = ?"));
    remove.bind(1, key);
    return remove.run();
}

Result<std::uint64_t> next_number(Database& database, std::string_view key) {
    SATCHEL_TRY(const std::optional<ByteBuffer> last, meta(database, key));
    std::uint64_t number = 1;
    if (last) {
        Reader reader(*last);
        number = reader.u64() + 1;
    }
    ByteBuffer encoded;
    Writer(encoded).u64(number);
    SATCHEL_TRY_VOID(set_meta(database, key, encoded));
    return number;
}

}  // namespace satchel::database
