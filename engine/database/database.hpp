// site.db: SQLite on the lent disk. WAL with synchronous=FULL and exclusive locking, so no shared memory
// is needed; opening fails unless SQLite answers that it really is in WAL mode.
//
// One connection, one thread. Statements and transactions must not outlive their database.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/bytes.hpp"
#include "engine/base/result.hpp"
#include "engine/database/statement_cache.hpp"
#include "engine/env/disk.hpp"
#include "engine/env/world.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace satchel::database {

class Database;
class RowKeeper;
class RowWatch;

// A prepared statement. Columns count from 0, parameters from 1. Views returned by blob() and text() live
// until the next step() or reset(). Binding copies what it is given.
class Statement {
  public:
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&& other) noexcept;
    ~Statement();

    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, std::string_view text);
    Statement& bind_blob(int parameter, ByteView bytes);
    Statement& bind_null(int parameter);

    Result<bool> step();  // true: a row is there; false: done
    Result<void> run();   // step to the end, then reset: for statements without rows
    void reset();         // keeps nothing bound

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] ByteView blob(int column) const;
    [[nodiscard]] bool is_null(int column) const;

  private:
    friend class Database;
    Statement(Database* database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}
    Result<bool> step_once();
    void give_back();
    Database* database_;
    sqlite3_stmt* handle_;
};

class Database {
  public:
    // Opens `path` on `disk`, or creates it, and brings its schema to kSchemaVersion in one transaction.
    // kUnsupported: written by a newer program. kDamaged: not a database, or one that SQLite refuses.
    static Result<std::unique_ptr<Database>> open(env::Disk& disk, env::World world, std::string_view path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<Statement> prepare(std::string_view sql);
    Result<void> run(std::string_view sql);           // one or more statements without parameters
    Result<void> check_integrity();                   // kDamaged with SQLite's first complaint
    [[nodiscard]] std::int64_t rows_changed() const;  // by the last statement
    // Goes up with every row that this process changes: differs when something may be new.
    [[nodiscard]] std::uint64_t changes_made() const;
    [[nodiscard]] bool in_transaction() const;

    // From here on every change of a kept row is told to `keeper`, which is borrowed (kept_rows.hpp).
    Result<void> keep_rows_with(RowKeeper& keeper);
    Result<void> tell_kept_rows();  // all of them, in the caller's transaction
    void stop_keeping();

  private:
    friend class Statement;
    friend class Transaction;
    struct Vfs;
    Result<void> execute(std::string_view sql);
    [[nodiscard]] bool asks_for_transaction();
    Database() = default;
    [[nodiscard]] Error last_error() const;
    Result<std::int64_t> read_version();
    Result<void> enter_wal_mode();
    Result<void> migrate(std::int64_t version);
    std::unique_ptr<Vfs> vfs_;
    sqlite3* handle_ = nullptr;
    StatementCache statements_;
    std::string about_;
    std::unique_ptr<RowWatch> watch_;  // none: nobody keeps rows
};

// BEGIN IMMEDIATE ... COMMIT; rolls back unless committed. Transactions do not nest (CHECKed).
class Transaction {
  public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();  // returns only when the commit would survive a power cut

  private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

inline constexpr int kSchemaVersion = 5;

}  // namespace satchel::database
