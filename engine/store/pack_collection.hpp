// The Collection over a PackStore. Private to engine/store.
#pragma once

#include <set>
#include <vector>

#include "engine/store/collection.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

class PackCollection final : public Collection {
  public:
    static Result<std::unique_ptr<PackCollection>> begin(PackStore& store);
    ~PackCollection() override;

    Result<Kept> keep(const ChunkId& id, bool names_others) override;
    [[nodiscard]] std::optional<Error> hindrance() const override;
    Result<Garbage> garbage(Thrift thrift) override;
    Result<Swept> sweep(Thrift thrift) override;

    // The store answers that this is here, or appends it: so it stays. What it is made of is not known yet,
    // so it counts as kept only when keep() names it.
    void exempt(const PackStore::Place& place);

  private:
    struct Pack {
        std::uint32_t number = 0;
        std::uint32_t base = 0;  // its first bit
        std::uint32_t rows = 0;
        std::uint64_t bytes = 0;         // of the file
        std::uint64_t record_bytes = 0;  // of it: records
        std::uint64_t kept_bytes = 0;    // of these: of records that stay; may count some twice
        [[nodiscard]] bool is_dead() const { return kept_bytes == 0; }
        void keep_whole() { kept_bytes = std::max({kept_bytes, record_bytes, std::uint64_t{1}}); }
        [[nodiscard]] bool is_worth_moving(Thrift thrift) const {
            return is_dead_enough(record_bytes, kept_bytes, thrift);
        }
    };

    explicit PackCollection(PackStore& store) : store_(store) {}
    static bool is_dead_enough(std::uint64_t bytes, std::uint64_t kept, Thrift thrift) {
        return kept < bytes && (bytes - kept) * static_cast<std::uint64_t>(thrift) >= bytes;
    }
    Result<void> list_packs();
    [[nodiscard]] Pack* find(std::uint32_t number);
    Kept note(const PackStore::Place& place, std::vector<std::uint64_t>& bits, std::set<ChunkId>& open);
    [[nodiscard]] bool stays(std::uint64_t bit) const;
    [[nodiscard]] std::uint64_t open_bytes_to_sweep() const;
    Result<bool> seal_if_dead_enough(Thrift thrift);
    Result<Swept> drop_dead();
    Result<std::optional<Swept>> move_one(Thrift thrift);
    Result<std::uint64_t> move_kept(const Pack& pack);
    Result<std::vector<IndexRow>> kept_rows(const Pack& pack);

    PackStore& store_;
    std::vector<Pack> packs_;            // sealed when the collection began, by number
    std::vector<std::uint64_t> kept_;    // a bit a row: keep() named it
    std::vector<std::uint64_t> exempt_;  // likewise: it was put or answered to be here
    std::uint64_t bit_count_ = 0;
    std::set<ChunkId> open_kept_, open_exempt_;  // of the pack that is filled: kPackRowsMax at most
    std::uint64_t open_kept_bytes_ = 0;
};

}  // namespace satchel::store
