// What the store knows of each pack: the table `pack`, and of sealed ones what a look-up needs, in memory.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/database/database.hpp"
#include "engine/store/pack_format.hpp"

namespace satchel::store {

// A county's store of 20 TB has 312,500 packs. Of each, 20 bytes are held: at most 20 MiB, 0.3 MiB at a
// village.
inline constexpr std::size_t kPacksMax = 1u << 20;

// Of a sealed pack.
struct PackFacts {
    std::uint32_t number = 0;
    std::uint32_t rows = 0;      // of its index
    std::uint32_t index_at = 0;  // where that begins
    std::uint32_t base = 0;      // how many rows the packs before it have: its first bit in a map of all rows
    bool has_forgotten = false;
};

enum class PackState : std::int64_t { kOpen = 0, kSealed = 1, kDropped = 2 };

// A row of the table.
struct PackRow {
    std::uint32_t number = 0;
    PackState state = PackState::kOpen;
    std::optional<PackId> id;    // of a sealed pack
    std::uint64_t bytes = 0;     // of its records; of the whole pack if it is sealed
    std::uint32_t rows = 0;      // of its index
    std::uint64_t index_at = 0;  // 0: not indexed yet
    std::uint64_t chunks = 0;    // that are not forgotten; with their bytes
    std::uint64_t stored = 0;
    std::uint64_t raw = 0;
    std::uint64_t lost = 0;  // chunks that were committed and were gone when the pack was opened
};

class PackList {
  public:
    explicit PackList(database::Database& database) : database_(database) {}

    // The table, by number; `each` does not change it.
    Result<void> for_each(const std::function<Result<void>(const PackRow&)>& each);
    Result<PackRow> read(std::uint32_t number);     // only its number if the table has no such row
    Result<void> write(const PackRow& row);         // into the table
    Result<void> remove_row(std::uint32_t number);  // from the table

    // A chunk of the pack is no longer wanted there. Two rows: who forgets has a transaction.
    Result<void> forget(std::uint32_t number, const IndexRow& row, bool is_counted);
    Result<std::vector<std::uint32_t>> forgotten_places(std::uint32_t number);  // ascending
    Result<bool> is_forgotten(const PackFacts& facts, std::uint32_t place);
    Result<void> load_forgotten();  // which packs have any

    void clear() {
        sealed_.clear();
        rows_ = 0;
    }
    // kTooLarge beyond kPacksMax.
    Result<void> add(const PackRow& sealed);
    void drop(std::uint32_t number);
    [[nodiscard]] PackFacts* find(std::uint32_t number);
    [[nodiscard]] const std::vector<PackFacts>& sealed() const { return sealed_; }

  private:
    database::Database& database_;
    std::vector<PackFacts> sealed_;  // by number
    std::uint32_t rows_ = 0;         // bits given to packs so far
};

}  // namespace satchel::store
