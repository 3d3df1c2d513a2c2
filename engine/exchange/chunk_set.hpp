// A set of chunk ids in the database's temporary storage: on disk, not in memory, and gone at close. Each
// id carries a small number whose meaning is the owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/ids.hpp"
#include "engine/database/database.hpp"

namespace satchel::exchange {

class ChunkSet {
  public:
    // `name`: a plain word; a set of the same name in the same database is emptied.
    static Result<ChunkSet> create(database::Database& database, const std::string& name,
                                   bool ordered = false);
    Result<bool> insert(const ChunkId& id, std::int64_t value = 0);  // false: it was there (value unchanged)
    // Sets the id's value where that is more; returns what it was, 0 if it was not there.
    Result<std::int64_t> raise(const ChunkId& id, std::int64_t value);
    Result<std::optional<std::int64_t>> find(const ChunkId& id);
    Result<bool> contains(const ChunkId& id);
    Result<void> erase(const ChunkId& id);
    // The first `count_max` ids, by value. Slow unless the set was created with `ordered`.
    using Each = std::function<Result<void>(const ChunkId& id, std::int64_t value)>;
    Result<void> for_first(std::size_t count_max, const Each& each);
    Result<bool> meets(const ChunkSet& other);  // some id is in both; both of the same database
    Result<void> clear();
    Result<std::uint64_t> size();

  private:
    ChunkSet(std::string table, database::Database& database, database::Statement insert,
             database::Statement find, database::Statement erase)
        : table_(std::move(table)),
          database_(&database),
          insert_(std::move(insert)),
          find_(std::move(find)),
          erase_(std::move(erase)) {}
    std::string table_;
    database::Database* database_;
    database::Statement insert_, find_, erase_;
};

}  // namespace satchel::exchange
