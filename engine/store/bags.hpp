// Small files side by side in one chunk (a bag): so that they are compressed together, and cost one record
// instead of hundreds. Each is an extent of its bag. Private to the engine; a bag is a chunk like any other.
#pragma once

#include <memory>
#include <vector>

#include "engine/env/offload.hpp"
#include "engine/store/recipe.hpp"
#include "engine/store/store.hpp"

namespace satchel::store {

inline constexpr std::size_t kBaggedMax = 32 * 1024 - 1;       // larger files are chunks of their own
inline constexpr std::size_t kBagMax = 96 * 1024;              // what is read at most for the smallest file
inline constexpr std::size_t kBagsBytesMax = 2 * 1024 * 1024;  // bags that are hashed and packed together

class Bags {
  public:
    Bags(Store& store, env::Offload& offload);

    // Whether one more file has room; else put_all() comes first.
    [[nodiscard]] bool has_room(std::size_t size) const;
    // The file's number until put_all(). Neither empty nor larger than kBaggedMax.
    std::size_t add(ByteView file);
    [[nodiscard]] ByteView bytes_of(std::size_t number) const;

    struct Put {
        std::vector<Extent> places;  // by number
        std::uint64_t new_chunks = 0;
        std::uint64_t new_stored_bytes = 0;
    };
    // Puts all bags into the store, in order, whatever the parallelism; none is left.
    Result<Put> put_all();

  private:
    struct File {
        std::size_t bag;
        std::size_t begin;  // in bytes_
        std::size_t size;
    };
    Store& store_;
    env::Offload& offload_;
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::size_t used_ = 0;
    std::vector<std::size_t> bags_;  // where each begins
    std::vector<File> files_;
};

}  // namespace satchel::store
