// Reads the records of a pack one after the other, over damaged ones to the next that is whole.
#pragma once

#include <functional>
#include <optional>

#include "engine/store/pack_format.hpp"
#include "engine/store/record.hpp"

namespace satchel::store {

// Bytes of a pack. Of records that end before `sure_end`, which were committed, only the headers are read.
struct Stretch {
    std::uint64_t from = 0;  // where a record must begin
    std::uint64_t end = 0;
    std::uint64_t sure_end = 0;
};
// Calls `each` for every whole record of the stretch; each but those that are sure was opened and hashed.
// Returns where the last whole one ends, `from` if there is none. kUnsupported: a record of a newer program
// stands there. Memory: one record.
Result<std::uint64_t> scan_records(env::File& file, const Stretch& stretch,
                                   const std::function<Result<void>(const IndexRow&)>& each);

// Where the magic of a record stands next, from byte `from` on; `end` if nowhere.
Result<std::uint64_t> find_record_magic(env::File& file, std::uint64_t from, std::uint64_t end);

// Header and payload of the record at `place`, shorter where the file ends. kDamaged: longer than any record.
Result<ByteBuffer> read_record_at(env::File& file, std::uint64_t place, std::uint32_t stored_size);

// The record at `place`, opened and hashed; none if what stands there is not whole. kUnsupported as above.
struct WholeRecord {
    RecordHeader header;
    ByteBuffer plain;
};
Result<std::optional<WholeRecord>> whole_record_at(env::File& file, std::uint64_t place);

}  // namespace satchel::store
