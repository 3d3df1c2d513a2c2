#include "engine/database/statement_cache.hpp"

#include <sqlite3.h>

namespace satchel::database {

sqlite3_stmt* StatementCache::take(std::string_view sql) {
    for (auto kept = kept_.rbegin(); kept != kept_.rend(); ++kept) {
        if (sqlite3_sql(*kept) != sql) continue;
        sqlite3_stmt* const statement = *kept;
        kept_.erase(std::next(kept).base());
        return statement;
    }
    return nullptr;
}

void StatementCache::give_back(sqlite3_stmt* statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (kept_.size() >= kStatementsKeptMax) {
        sqlite3_finalize(kept_.front());
        kept_.erase(kept_.begin());
    }
    kept_.push_back(statement);
}

void StatementCache::clear() {
    for (sqlite3_stmt* statement : kept_) sqlite3_finalize(statement);
    kept_.clear();
}

}  // namespace satchel::database
