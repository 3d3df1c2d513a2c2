// Notices changes of kept rows by temporary triggers. Private to engine/database.
//
// A statement outside a transaction that would change one is refused by the trigger; the database then
// carries it out once more in a transaction of its own (take_needs_transaction).
#pragma once

#include <optional>
#include <utility>

#include "engine/database/kept_rows.hpp"

struct sqlite3;
struct sqlite3_context;
struct sqlite3_value;

namespace satchel::database {

class RowWatch {
  public:
    explicit RowWatch(RowKeeper& keeper) : keeper_(&keeper) {}
    RowWatch(const RowWatch&) = delete;
    RowWatch& operator=(const RowWatch&) = delete;

    Result<void> begin(Database& database, sqlite3* handle);
    Result<void> tell_all(Database& database);  // every kept row, as if it were put just now
    Result<void> before_commit();
    void after_commit();
    void after_rollback();
    void detach() { keeper_ = nullptr; }  // changes are told to nobody any more
    [[nodiscard]] bool take_needs_transaction() { return std::exchange(needs_transaction_, false); }
    [[nodiscard]] std::optional<Error> take_failure() { return std::exchange(failure_, std::nullopt); }

  private:
    static void on_row(sqlite3_context* context, int count, sqlite3_value** values);
    Result<void> hand_over();
    RowKeeper* keeper_;
    sqlite3* handle_ = nullptr;
    ByteBuffer rows_;
    bool touched_ = false;  // since the transaction began
    bool needs_transaction_ = false;
    std::optional<Error> failure_;
};

}  // namespace satchel::database
