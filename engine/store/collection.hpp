// Collecting: what nothing keeps any more is given back to the disk. The caller names every object that must
// stay, and then lets packs go one at a time; what is dropped half-way is simply begun again.
//
// Room beside what is there: what stays of one pack is written before the pack goes: half of it at most, in
// need seven eighths.
//
// Exempt besides what is named: everything that was put, or was answered to be here, since the collection
// began. Only the placement of an object that counts is kept; older ones are dead.
//
// Memory: two bits a row of the index (1.1 MB for 4.4 million chunks) and 40 bytes a pack.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"

namespace satchel::store {

class Collection {
  public:
    virtual ~Collection() = default;

    struct Kept {
        bool is_here = false;
        bool is_new = false;      // false: it was kept before
        std::uint64_t bytes = 0;  // of its record in the pack
    };
    // kDamaged, of an object that names others: it may lie in a pack that is missing or was cut off, and
    // nothing is known of what it names. Who sweeps then takes what is whole. Content is not here then, and
    // the pack stays.
    virtual Result<Kept> keep(const ChunkId& id, bool names_others = true) = 0;

    // Why nothing may go now, whatever is kept: sweep() ends with it.
    [[nodiscard]] virtual std::optional<Error> hindrance() const = 0;

    // How much of a pack must be dead for the rest to be written again. In need of room a byte that is freed
    // may cost seven that are written.
    enum class Thrift : std::uint8_t { kHalfDead = 2, kEighthDead = 8 };

    struct Garbage {
        std::uint64_t dead_bytes = 0;      // of records that nothing keeps
        std::uint64_t freeable_bytes = 0;  // what sweeping gives back to the disk: dead records stay in packs
                                           // that are too much alive
        std::uint64_t packs = 0;           // that will go
    };
    virtual Result<Garbage> garbage(Thrift thrift = Thrift::kHalfDead) = 0;

    struct Swept {
        std::uint64_t freed = 0;  // bytes given back to the disk by this step, less what was moved
        std::uint64_t moved = 0;  // bytes of records that were written again
        std::uint64_t room_lacking =
            0;  // a pack stays, because the disk has not so much free to move its rest
        bool is_last = false;
    };
    // Lets one pack go: first those wholly dead, then those dead enough, the deadest first.
    virtual Result<Swept> sweep(Thrift thrift = Thrift::kHalfDead) = 0;
};

}  // namespace satchel::store
