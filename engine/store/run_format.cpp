#include "engine/store/run_format.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/store/crc32c.hpp"
#include "engine/store/numbered_name.hpp"

namespace satchel::store {

namespace {

constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kChecksumSize = 8;  // first bytes of a BLAKE2b-256
constexpr unsigned kFilterProbes = 6;
constexpr std::size_t kRunKeySize = 7;

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "index", "the bytes are damaged",
                "nothing is lost: `satchel store rebuild-index` mends it", detail);
}

std::uint32_t page_crc(std::uint64_t page, ByteView rows) {
    ByteBuffer number;
    Writer(number).u32(static_cast<std::uint32_t>(page));
    return crc32c(rows, crc32c(number));
}

// Visits the six places of a key in its block; they come from all bits of the key, so also from those that
// the choice of the block left over.
template <typename Visit>
void for_each_probe(std::uint64_t key, const Visit& visit) {
    std::uint64_t mixed = key * 0x9E3779B97F4A7C15ull;
    mixed ^= mixed >> 32;
    for (unsigned probe = 0; probe < kFilterProbes; ++probe, mixed >>= 9) visit(mixed & 511);
}

}  // namespace

std::uint64_t key_of(const ChunkId& id) {
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < 7; ++i) key = key << 8 | id.digest[i];
    return key;
}

std::uint64_t RunHeader::pages_at() const {
    const std::uint64_t end = kRunHeaderSize + std::uint64_t{filter_blocks} * kFilterBlockSize;
    return (end + kRunPageSize - 1) / kRunPageSize * kRunPageSize;
}

std::size_t RunHeader::bytes_in(std::uint64_t page) const {
    return 4 + kRunRowSize * static_cast<std::size_t>(
                                 std::min<std::uint64_t>(kRunPageRows, rows - page * kRunPageRows));
}

std::uint64_t RunHeader::fences_at() const { return pages_at() + pages() * kRunPageSize; }

ByteBuffer encode(const RunHeader& header) {
    ByteBuffer out;
    Writer writer(out);
    writer.raw("SRUN").u16(kVersion).u16(kRunHeaderSize).u32(header.number);
    writer.u32(header.pack_low).u32(header.pack_high).u32(header.filter_blocks).u64(header.rows);
    writer.u32(header.filter_crc).u32(header.fences_crc);
    out.resize(kRunHeaderSize - kChecksumSize);
    const Digest digest = hash_of(out);
    append(out, ByteView(digest).first(kChecksumSize));
    return out;
}

Result<RunHeader> decode_run_header(ByteView bytes) {
    if (bytes.size() < kRunHeaderSize) return damaged("no whole header");
    const ByteView block = bytes.first(kRunHeaderSize);
    const Digest digest = hash_of(block.first(kRunHeaderSize - kChecksumSize));
    if (!equal(block.last(kChecksumSize), ByteView(digest).first(kChecksumSize)))
        return damaged("the header's checksum does not match");
    Reader reader(block);
    const bool is_run = text_of(reader.raw(4)) == "SRUN";
    if (!is_run || reader.u16() != kVersion || reader.u16() != kRunHeaderSize)
        return damaged("not a run of this version");
    RunHeader header;
    header.number = reader.u32();
    header.pack_low = reader.u32();
    header.pack_high = reader.u32();
    header.filter_blocks = reader.u32();
    header.rows = reader.u64();
    header.filter_crc = reader.u32();
    header.fences_crc = reader.u32();
    if (header.rows == 0 || header.rows > kRunRowsMax || header.filter_blocks == 0)
        return damaged("the header says what cannot be");
    return header;
}

void put_run_page(ByteBuffer& out, std::uint64_t page, const std::vector<RunRow>& rows) {
    SATCHEL_CHECK(!rows.empty() && rows.size() <= kRunPageRows);
    const std::size_t start = out.size();
    out.resize(start + 4);
    for (const RunRow& row : rows) {
        for (int shift = 48; shift >= 0; shift -= 8)
            out.push_back(static_cast<std::uint8_t>(row.key >> shift));
        Writer(out).u32(row.pack).u16(static_cast<std::uint16_t>(row.slot));
        out.push_back(static_cast<std::uint8_t>(row.slot >> 16));
    }
    const std::uint32_t crc = page_crc(page, ByteView(out).subspan(start + 4));
    for (std::size_t i = 0; i < 4; ++i) out[start + i] = static_cast<std::uint8_t>(crc >> (8 * i));
}

namespace {

// The rows of a page that checks.
Result<ByteView> checked_rows(ByteView bytes, std::uint64_t page) {
    Reader reader(bytes);
    const std::uint32_t crc = reader.u32();
    const ByteView rows = bytes.subspan(std::min<std::size_t>(4, bytes.size()));
    if (crc != page_crc(page, rows)) return damaged("a page's checksum does not match");
    return rows;
}

std::uint64_t key_at(ByteView rows, std::size_t number) {
    std::uint64_t key = 0;
    for (const std::uint8_t byte : rows.subspan(number * kRunRowSize, kRunKeySize)) key = key << 8 | byte;
    return key;
}

RunRow row_at(ByteView rows, std::size_t number) {
    Reader reader(rows.subspan(number * kRunRowSize + kRunKeySize, kRunRowSize - kRunKeySize));
    RunRow row{key_at(rows, number), reader.u32(), reader.u16()};
    row.slot |= std::uint32_t{reader.u8()} << 16;
    return row;
}

}  // namespace

Result<void> read_run_page(ByteView bytes, std::uint64_t page, std::vector<RunRow>& rows) {
    rows.clear();
    SATCHEL_TRY(const ByteView checked, checked_rows(bytes, page));
    for (std::size_t i = 0; i < checked.size() / kRunRowSize; ++i) rows.push_back(row_at(checked, i));
    return {};
}

Result<void> find_in_run_page(ByteView bytes, std::uint64_t page, std::uint64_t key,
                              std::vector<RunRow>& into) {
    SATCHEL_TRY(const ByteView rows, checked_rows(bytes, page));
    const std::size_t count = rows.size() / kRunRowSize;
    std::size_t first = 0;
    for (std::size_t size = count; size > 0;) {
        const std::size_t half = size / 2;
        const bool is_before = key_at(rows, first + half) < key;
        first += is_before ? half + 1 : 0;
        size = is_before ? size - half - 1 : half;
    }
    for (; first < count && key_at(rows, first) == key; ++first) into.push_back(row_at(rows, first));
    return {};
}

std::uint32_t filter_blocks_for(std::uint64_t rows) {
    const std::uint64_t bits = kFilterBlockSize * 8;
    return static_cast<std::uint32_t>(
        std::max<std::uint64_t>(1, (rows * kFilterBitsPerRow + bits - 1) / bits));
}

std::uint32_t filter_block_of(std::uint64_t key, std::uint32_t blocks) {
    return static_cast<std::uint32_t>((key >> 24) * blocks >> 32);
}

void set_in_block(std::uint8_t* block, std::uint64_t key) {
    for_each_probe(key, [&](std::uint64_t bit) {
        block[bit / 8] = static_cast<std::uint8_t>(block[bit / 8] | 1u << bit % 8);
    });
}

bool is_in_block(const std::uint8_t* block, std::uint64_t key) {
    bool all = true;
    for_each_probe(key, [&](std::uint64_t bit) {
        const std::uint32_t byte = block[bit / 8];
        all = all && (byte >> bit % 8 & 1u) != 0;
    });
    return all;
}

std::string run_name(std::uint32_t number) { return numbered_name(number, ".run"); }
std::optional<std::uint32_t> run_number_of(std::string_view name) { return number_in(name, ".run"); }

}  // namespace satchel::store
