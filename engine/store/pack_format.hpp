// The bytes of a pack around its records: header in front, trailer behind (schemas/pack.md).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"
#include "engine/env/disk.hpp"

namespace satchel::store {

inline constexpr std::size_t kPackHeaderSize = 64;
inline constexpr std::size_t kPackTailSize = 64;
inline constexpr std::size_t kSectionRowSize = 52;
inline constexpr std::size_t kSectionsMax = 64;
// What flash rewrites as a whole: a power cut may spoil all of a block that is being written, also what was
// synced in it before. So nothing is written into a block that holds something committed.
inline constexpr std::uint64_t kPackBlockSize = 4096;
[[nodiscard]] constexpr std::uint64_t next_block(std::uint64_t place) {
    return (place + kPackBlockSize - 1) / kPackBlockSize * kPackBlockSize;
}
inline constexpr std::uint64_t kPackBytesMax =
    1024ull * 1024 * 1024;  // so that places fit 32 bits, with room
inline constexpr std::uint16_t kSectionIndex = 1;

struct PackHeader {
    std::uint32_t number = 0;
    Digest affinity{};  // which course or group the pack was opened for; zero: mixed
    friend bool operator==(const PackHeader&, const PackHeader&) = default;
};
[[nodiscard]] ByteBuffer encode(const PackHeader& header);
Result<PackHeader> decode_pack_header(ByteView bytes);  // kDamaged, kUnsupported

struct Section {
    std::uint16_t type = 0;
    bool must_understand = false;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    Digest hash{};
    friend bool operator==(const Section&, const Section&) = default;
};

struct PackTrailer {
    PackId id;                      // hash of the table
    std::uint64_t records_end = 0;  // where the first section begins
    Section index;
    std::vector<Section> sections;  // all of them, in order, without gaps
};
// Table and tail, to be written behind the sections at `table_offset`.
[[nodiscard]] ByteBuffer encode_trailer(const std::vector<Section>& sections, std::uint64_t table_offset,
                                        PackId& id);
// kNotFound: the file does not end in a trailer. kDamaged: it does, but the trailer is not whole.
// kUnsupported: a newer version, or a section that must be understood and is not.
Result<PackTrailer> read_trailer(env::File& file);

// One row of the index section: 44 bytes, sorted by id.
struct IndexRow {
    ChunkId id;
    std::uint32_t place = 0;
    std::uint32_t stored_size = 0;
    std::uint32_t raw_size = 0;
    friend bool operator==(const IndexRow&, const IndexRow&) = default;
};
inline constexpr std::size_t kIndexRowSize = 44;
void put_index_row(ByteBuffer& out, const IndexRow& row);
// One row, unchecked.
[[nodiscard]] IndexRow index_row_of(ByteView bytes);  // of kIndexRowSize
// Checks hash, order and bounds of all rows first, then calls `each` in order. Memory: one step.
Result<void> read_index(env::File& file, const PackTrailer& trailer,
                        const std::function<Result<void>(const IndexRow&)>& each);

[[nodiscard]] std::string pack_name(std::uint32_t number);  // "0000002a.pack"
[[nodiscard]] std::optional<std::uint32_t> pack_number_of(std::string_view name);

}  // namespace satchel::store
