// The bytes of a run: a sorted part of the index of all packs (schemas/index-run.md).
//
// A row says that a chunk whose id begins with 56 certain bits has a row in the index of a pack. A row costs
// 14 bytes and its share of a page's checksum, the filter 10 bits, the fences 32 bits a page: 15.3 bytes on
// disk, and 1.27 in memory, where filter and fences are held. Both must stay below 16 and 1.5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"

namespace satchel::store {

struct RunRow {
    std::uint64_t key = 0;   // the first 56 bits of the chunk's id, as a number
    std::uint32_t pack = 0;  // its number
    std::uint32_t slot = 0;  // the row's number in the pack's index
    friend auto operator<=>(const RunRow&, const RunRow&) = default;
};
[[nodiscard]] std::uint64_t key_of(const ChunkId& id);

inline constexpr std::size_t kRunHeaderSize = 64;
inline constexpr std::size_t kRunRowSize = 14;
inline constexpr std::size_t kRunPageSize = 4096;
inline constexpr std::size_t kRunPageRows = 292;  // a checksum and these fill a page but for four bytes
inline constexpr std::uint32_t kSlotsMax = 1u << 24;
inline constexpr std::uint64_t kRunRowsMax = 1ull << 31;  // 500 TB of courseware; so that pages fit 32 bits
inline constexpr std::uint64_t kFilterBitsPerRow = 10;
inline constexpr std::size_t kFilterBlockSize = 64;  // one line of a processor's cache

struct RunHeader {
    std::uint32_t number = 0;
    std::uint32_t pack_low = 0;   // all rows are of packs with numbers from here ...
    std::uint32_t pack_high = 0;  // ... to here
    std::uint32_t filter_blocks = 0;
    std::uint64_t rows = 0;
    std::uint32_t filter_crc = 0;
    std::uint32_t fences_crc = 0;
    friend bool operator==(const RunHeader&, const RunHeader&) = default;

    [[nodiscard]] std::uint64_t pages() const { return (rows + kRunPageRows - 1) / kRunPageRows; }
    [[nodiscard]] std::uint64_t pages_at() const;
    [[nodiscard]] std::size_t bytes_in(std::uint64_t page) const;  // checksum and rows
    [[nodiscard]] std::uint64_t fences_at() const;
    [[nodiscard]] std::uint64_t file_size() const { return fences_at() + pages() * 4; }
};
[[nodiscard]] ByteBuffer encode(const RunHeader& header);
// kDamaged, also for another version: a run of a newer program is made again from the packs like a damaged
// one.
Result<RunHeader> decode_run_header(ByteView bytes);

// Rows of one page, behind the checksum of the page's number and them.
void put_run_page(ByteBuffer& out, std::uint64_t page, const std::vector<RunRow>& rows);
Result<void> read_run_page(ByteView bytes, std::uint64_t page, std::vector<RunRow>& rows);  // kDamaged
// Appends the rows of one key, without making rows of the others.
Result<void> find_in_run_page(ByteView bytes, std::uint64_t page, std::uint64_t key,
                              std::vector<RunRow>& into);  // kDamaged

// The filter: blocks of 512 bits in the order of the keys, so that who writes rows in order writes blocks in
// order. A key sets six bits of one block. (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom
// Filters, WEA 2007.)
[[nodiscard]] std::uint32_t filter_blocks_for(std::uint64_t rows);
[[nodiscard]] std::uint32_t filter_block_of(std::uint64_t key, std::uint32_t blocks);
void set_in_block(std::uint8_t* block, std::uint64_t key);
[[nodiscard]] bool is_in_block(const std::uint8_t* block, std::uint64_t key);

// What a page's fence keeps of the key of its first row.
[[nodiscard]] constexpr std::uint32_t fence_of(std::uint64_t key) {
    return static_cast<std::uint32_t>(key >> 24);
}

[[nodiscard]] std::string run_name(std::uint32_t number);  // "0000002a.run"
[[nodiscard]] std::optional<std::uint32_t> run_number_of(std::string_view name);

}  // namespace satchel::store
