// Statements that are not in use, kept for the next time their text is prepared: reading SQL costs several
// times what most of our statements do.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

struct sqlite3_stmt;

namespace satchel::database {

inline constexpr std::size_t kStatementsKeptMax = 64;  // of a few KiB each; the one used longest ago goes

class StatementCache {
  public:
    StatementCache() = default;
    ~StatementCache() { clear(); }
    StatementCache(const StatementCache&) = delete;
    StatementCache& operator=(const StatementCache&) = delete;

    [[nodiscard]] sqlite3_stmt* take(std::string_view sql);  // none: null
    void give_back(sqlite3_stmt* statement);                 // reset, with nothing bound
    void clear();

  private:
    std::vector<sqlite3_stmt*> kept_;  // the one used last at the end
};

}  // namespace satchel::database
