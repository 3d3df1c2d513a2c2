#include "engine/database/kept_rows.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/encoding.hpp"
#include "engine/database/database.hpp"
#include "engine/database/row_watch.hpp"

namespace satchel::database {

namespace {

constexpr const char* kMeta[] = {"key", "value"};
constexpr const char* kRatchet[] = {"name", "value"};
constexpr const char* kRoot[] = {"version", "document", "signatures"};
constexpr const char* kSite[] = {"id", "name", "role", "parent", "signing_key", "sealing_key", "state"};
constexpr const char* kGrant[] = {"request", "grant_text", "expires_ms"};
constexpr const char* kReview[] = {"course",  "edition",   "reviewer_key", "holder",
                                   "verdict", "statement", "signature"};
constexpr const char* kHave[] = {"site", "sequence", "have"};
constexpr const char* kReceipt[] = {"site", "sequence", "receipt"};
constexpr const char* kSubscription[] = {"kind", "value"};
constexpr const char* kAcknowledgement[] = {"hub", "site", "sequence", "statement"};

// What records/, link/ and declined/ note in meta is found anew; keep/ is about the keeping. Of the roster
// only this site's own row: the lanes tell the others, but a site knows itself by its grant before it has
// seen a lane.
constexpr char kMetaOnly[] =
    "row.key NOT GLOB 'keep/*' AND row.key NOT GLOB 'records/*' AND row.key NOT GLOB 'link/*' "
    "AND row.key NOT GLOB 'repair/*' AND row.key NOT GLOB 'declined/*'";
constexpr char kOwnOnly[] = "row.id = (SELECT value FROM main.meta WHERE key = 'site')";
constexpr char kAll[] = "1";

constexpr KeptTable kTables[] = {
    {"meta", kMeta, 1, kMetaOnly},
    {"ratchet", kRatchet, 1, kAll},
    {"root", kRoot, 1, kAll},
    {"site", kSite, 1, kOwnOnly},
    {"issued_grant", kGrant, 1, kAll},
    {"review", kReview, 3, kAll},
    {"peer_have", kHave, 1, kAll},
    {"receipt", kReceipt, 2, kAll},
    {"subscription", kSubscription, 2, kAll},
    {"acknowledgement", kAcknowledgement, 2, kAll},
};

enum class Change : std::uint8_t { kPut = 1, kRemove = 2 };
enum class ValueType : std::uint8_t { kNull = 0, kInteger = 1, kText = 2, kBlob = 3 };

void put_value(Writer& to, sqlite3_value* value) {
    const auto bytes = [value](const void* data) {
        return ByteView(static_cast<const std::uint8_t*>(data),
                        static_cast<std::size_t>(sqlite3_value_bytes(value)));
    };
    switch (sqlite3_value_type(value)) {
        case SQLITE_INTEGER:
            to.u8(static_cast<std::uint8_t>(ValueType::kInteger)).zigzag(sqlite3_value_int64(value));
            return;
        case SQLITE_TEXT:
            to.u8(static_cast<std::uint8_t>(ValueType::kText)).sized(bytes(sqlite3_value_text(value)));
            return;
        case SQLITE_BLOB:
            to.u8(static_cast<std::uint8_t>(ValueType::kBlob)).sized(bytes(sqlite3_value_blob(value)));
            return;
        default:
            to.u8(static_cast<std::uint8_t>(ValueType::kNull));
    }
}

std::string list_of(std::span<const char* const> columns, const std::string& before) {
    std::string list;
    for (const char* column : columns) list += (list.empty() ? "" : ", ") + before + column;
    return list;
}

// "row." stands for what a trigger calls NEW or OLD, or for the table itself.
std::string with_row(std::string condition, const std::string& name) {
    constexpr std::string_view kRow = "row.";
    for (std::size_t at = condition.find(kRow); at != std::string::npos; at = condition.find(kRow, at))
        condition.replace(at, kRow.size(), name);
    return condition;
}

std::string call(const KeptTable& table, Change change, const std::string& row) {
    const auto columns = change == Change::kPut ? table.columns : table.columns.first(table.key_columns);
    return "satchel_kept(" + std::to_string(static_cast<int>(change)) + ", '" + table.name + "', " +
           list_of(columns, row) + ")";
}

// A row that is written as it was is no news.
std::string differs(const KeptTable& table) {
    std::string any;
    for (const char* column : table.columns)
        any += (any.empty() ? "" : " OR ") + ("OLD." + std::string(column)) + " IS NOT NEW." + column;
    return " AND (" + any + ")";
}

std::string trigger(const KeptTable& table, const std::string& event, Change change, const std::string& row) {
    return "CREATE TEMP TRIGGER IF NOT EXISTS kept_" + std::string(table.name) + "_" + event + " AFTER " +
           event + " ON main." + table.name + " WHEN " + with_row(table.only, row) +
           (event == "UPDATE" ? differs(table) : std::string()) + " BEGIN SELECT " +
           call(table, change, row) + "; END;";
}

struct Value {
    ValueType type = ValueType::kNull;
    std::int64_t integer = 0;
    ByteView bytes;
};

Value read_value(Reader& from) {
    Value value;
    value.type = static_cast<ValueType>(from.u8());
    if (value.type == ValueType::kInteger) value.integer = from.zigzag();
    if (value.type == ValueType::kText || value.type == ValueType::kBlob)
        value.bytes = from.sized(kKeptRowMax);
    return value;
}

std::string statement_for(const KeptTable& table, Change change, std::size_t count) {
    if (change == Change::kPut) {
        std::string marks = "?";
        for (std::size_t i = 1; i < count; ++i) marks += ", ?";
        return "INSERT OR REPLACE INTO main." + std::string(table.name) + " (" +
               list_of(table.columns.first(count), "") + ") VALUES (" + marks + ")";
    }
    std::string where;
    for (const char* key : table.columns.first(table.key_columns))
        where += (where.empty() ? "" : " AND ") + std::string(key) + " = ?";
    return "DELETE FROM main." + std::string(table.name) + " WHERE " + where;
}

Result<void> apply(Database& database, const KeptTable& table, Change change, std::span<const Value> values) {
    SATCHEL_TRY(Statement statement, database.prepare(statement_for(table, change, values.size())));
    int parameter = 0;
    for (const Value& value : values) {
        ++parameter;
        switch (value.type) {
            case ValueType::kNull:
                statement.bind_null(parameter);
                break;
            case ValueType::kInteger:
                statement.bind(parameter, value.integer);
                break;
            case ValueType::kText:
                statement.bind(parameter, text_of(value.bytes));
                break;
            case ValueType::kBlob:
                statement.bind_blob(parameter, value.bytes);
        }
    }
    return statement.run();
}

}  // namespace

std::span<const KeptTable> kept_tables() { return kTables; }

Result<void> apply_kept_rows(Database& database, ByteView rows) {
    const auto damaged = [] {
        return fail(ErrorCode::kDamaged, "keep.log", "the bytes are damaged",
                    "fetch it again from a stick or another site", "no row");
    };
    const auto newer = [](std::string detail) {
        return fail(ErrorCode::kUnsupported, "keep.log", "this site was written by a newer program",
                    "update satchel on this box", std::move(detail));
    };
    Reader reader(rows);
    while (reader.ok() && reader.left() > 0) {
        const auto change = static_cast<Change>(reader.u8());
        const std::string_view name = text_of(reader.sized(64));
        const std::uint64_t count = reader.varint();
        if (!reader.ok() || (change != Change::kPut && change != Change::kRemove)) return damaged();
        const auto* const table = std::find_if(std::begin(kTables), std::end(kTables),
                                               [&](const KeptTable& one) { return one.name == name; });
        if (table == std::end(kTables)) return newer(std::string(name));
        if (count > table->columns.size()) return newer(std::string(name) + ": more columns");
        if (change == Change::kPut ? count < table->key_columns : count != table->key_columns)
            return damaged();
        std::vector<Value> values;
        for (std::uint64_t i = 0; i < count; ++i) {
            values.push_back(read_value(reader));
            if (values.back().type > ValueType::kBlob) return damaged();
        }
        if (!reader.ok()) return damaged();
        SATCHEL_TRY_VOID(apply(database, *table, change, values));
    }
    return reader.ok() ? Result<void>() : damaged();
}

// -- RowWatch: called by the triggers -----------------------------------------------------------------

void RowWatch::on_row(sqlite3_context* context, int count, sqlite3_value** values) {
    auto& watch = *static_cast<RowWatch*>(sqlite3_user_data(context));
    sqlite3_result_null(context);
    if (watch.keeper_ == nullptr) return;
    if (sqlite3_get_autocommit(watch.handle_) != 0) {
        watch.needs_transaction_ = true;
        sqlite3_result_error(context, "kept rows change in transactions only", -1);
        return;
    }
    Writer row(watch.rows_);
    row.u8(static_cast<std::uint8_t>(sqlite3_value_int(values[0])));
    row.sized(std::string_view(reinterpret_cast<const char*>(sqlite3_value_text(values[1])),
                               static_cast<std::size_t>(sqlite3_value_bytes(values[1]))));
    row.varint(static_cast<std::uint64_t>(count - 2));
    for (int i = 2; i < count; ++i) put_value(row, values[i]);
    watch.touched_ = true;
    if (watch.rows_.size() < kKeptRowsHeldMax) return;
    const Result<void> taken = watch.hand_over();
    if (taken.has_value()) return;
    watch.failure_ = taken.error();
    sqlite3_result_error(context, "the keeper of rows failed", -1);
}

Result<void> RowWatch::begin(Database& database, sqlite3* handle) {
    handle_ = handle;
    constexpr int kAnyCount = -1;
    if (sqlite3_create_function_v2(handle, "satchel_kept", kAnyCount, SQLITE_UTF8, this, &RowWatch::on_row,
                                   nullptr, nullptr, nullptr) != SQLITE_OK)
        return fail(ErrorCode::kFailed, "site.db", "the database refused a statement",
                    "report this to the makers of satchel", "function");
    for (const KeptTable& table : kTables) {
        SATCHEL_TRY_VOID(database.run(trigger(table, "INSERT", Change::kPut, "NEW.")));
        SATCHEL_TRY_VOID(database.run(trigger(table, "UPDATE", Change::kPut, "NEW.")));
        SATCHEL_TRY_VOID(database.run(trigger(table, "DELETE", Change::kRemove, "OLD.")));
    }
    return {};
}

Result<void> RowWatch::tell_all(Database& database) {
    touched_ = true;  // an empty database is news too
    for (const KeptTable& table : kTables) {
        const std::string name = "main." + std::string(table.name);
        SATCHEL_TRY(
            Statement select,
            database.prepare("SELECT " + call(table, Change::kPut, std::string(table.name) + ".") + " FROM " +
                             name + " WHERE " + with_row(table.only, std::string(table.name) + ".")));
        for (;;) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) break;
        }
    }
    return {};
}

Result<void> RowWatch::hand_over() {
    if (rows_.empty()) return {};
    SATCHEL_TRY_VOID(keeper_->take(rows_));
    rows_.clear();
    return {};
}

Result<void> RowWatch::before_commit() {
    if (!touched_) return {};
    SATCHEL_TRY_VOID(hand_over());
    return keeper_->settle();
}

void RowWatch::after_commit() {
    if (touched_) keeper_->committed();
    touched_ = false;
}

void RowWatch::after_rollback() {
    if (touched_) keeper_->rolled_back();
    touched_ = false;
    rows_.clear();
}

}  // namespace satchel::database
