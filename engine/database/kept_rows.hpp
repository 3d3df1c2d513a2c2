// The rows of site.db that exist nowhere else (schemas/keep-log.md). Whatever changes one of them tells it to
// a keeper inside the same transaction, and the keeper makes it sure before the transaction is.
#pragma once

#include <span>

#include "engine/base/bytes.hpp"
#include "engine/base/result.hpp"

namespace satchel::database {

class Database;

// Rows of one transaction that are held in memory; more are handed to the keeper before its end.
inline constexpr std::size_t kKeptRowsHeldMax = 256 * 1024;
// The largest row: a have or a root document with its names.
inline constexpr std::size_t kKeptRowMax = 2 * 1024 * 1024;

class RowKeeper {
  public:
    virtual ~RowKeeper() = default;
    virtual Result<void> take(ByteView rows) = 0;  // whole rows; need not be sure yet
    virtual Result<void> settle() = 0;             // what this transaction told is sure when this returns
    virtual void committed() = 0;                  // after settle(): the transaction is sure
    virtual void rolled_back() = 0;                // what was taken since the last commit never happened
};

struct KeptTable {
    const char* name;
    std::span<const char* const> columns;  // those of the key first
    std::size_t key_columns;
    const char* only;  // SQL over `row.` that says which rows are kept
};
std::span<const KeptTable> kept_tables();

// Carries out what a keeper was told, in its order: each row put whole, or removed by its key. kDamaged if
// the bytes are no rows, kUnsupported for tables or columns that this program does not know.
Result<void> apply_kept_rows(Database& database, ByteView rows);

}  // namespace satchel::database
