#include "engine/store/structure.hpp"

#include <algorithm>
#include <optional>

#include "engine/base/encoding.hpp"

namespace satchel::store {

namespace {

using Cuts = std::vector<std::uint64_t>;

constexpr std::uint32_t kLocalHeader = 0x04034B50;
constexpr std::uint32_t kDirectoryEntry = 0x02014B50;
constexpr std::uint32_t kDirectoryEnd = 0x06054B50;
constexpr std::size_t kLocalHeaderSize = 30;
constexpr std::size_t kDirectoryEndSize = 22;
constexpr std::size_t kCommentMax = 0xFFFF;
constexpr std::size_t kBoxesMax = 1024;  // at the top: a fragmented film has two a fragment

// Fewer bytes where the file ends.
Result<ByteBuffer> bytes_at(env::File& source, std::uint64_t offset, std::size_t size) {
    ByteBuffer bytes(size);
    SATCHEL_TRY(const std::size_t got, source.read_at(offset, bytes));
    bytes.resize(got);
    return bytes;
}

void add_part(Cuts& cuts, std::uint64_t begin, std::uint64_t end) {
    if (end - begin < kPartMin || cuts.size() >= 2 * kPartsMax) return;
    cuts.push_back(begin);
    cuts.push_back(end);
}

// -- zip --------------------------------------------------------------------------------------------

struct Directory {
    std::uint64_t offset = 0;
    std::size_t size = 0;
};

// The end record stands last, before a comment of any length. Larger packages (zip64) are not looked into.
Result<std::optional<Directory>> find_directory(env::File& source, std::uint64_t size) {
    const auto tail_size =
        static_cast<std::size_t>(std::min<std::uint64_t>(size, kDirectoryEndSize + kCommentMax));
    SATCHEL_TRY(const ByteBuffer tail, bytes_at(source, size - tail_size, tail_size));
    for (std::size_t i = tail.size(); i >= kDirectoryEndSize; --i) {
        Reader reader(ByteView(tail).subspan(i - kDirectoryEndSize));
        if (reader.u32() != kDirectoryEnd) continue;
        reader.raw(8);  // disks and counts of entries
        const std::uint32_t bytes = reader.u32();
        const std::uint32_t offset = reader.u32();
        if (bytes > kZipDirectoryMax || std::uint64_t{offset} + bytes > size)
            return std::optional<Directory>();
        return std::optional(Directory{offset, bytes});
    }
    return std::optional<Directory>();
}

// The data of a member stands behind its local header, whose length only the header itself tells.
Result<void> add_member(env::File& source, std::uint64_t header_at, std::uint64_t data_size,
                        std::uint64_t end, Cuts& cuts) {
    if (data_size < kPartMin || header_at >= end) return {};
    SATCHEL_TRY(const ByteBuffer header, bytes_at(source, header_at, kLocalHeaderSize));
    Reader reader(header);
    if (reader.u32() != kLocalHeader) return {};
    reader.raw(22);
    const std::uint64_t behind_names = std::uint64_t{reader.u16()} + reader.u16();
    const std::uint64_t begin = header_at + kLocalHeaderSize + behind_names;
    if (reader.ok() && begin + data_size <= end) add_part(cuts, begin, begin + data_size);
    return {};
}

Result<Cuts> zip_cuts(env::File& source, std::uint64_t size) {
    Cuts cuts;
    SATCHEL_TRY(const std::optional<Directory> directory, find_directory(source, size));
    if (!directory) return cuts;
    SATCHEL_TRY(const ByteBuffer entries, bytes_at(source, directory->offset, directory->size));
    Reader reader(entries);
    for (std::size_t i = 0; i < kPartsMax && reader.u32() == kDirectoryEntry; ++i) {
        reader.raw(16);
        const std::uint32_t data_size = reader.u32();
        reader.raw(4);  // unpacked size
        const std::size_t behind = std::size_t{reader.u16()} + reader.u16() + reader.u16();
        reader.raw(8);
        const std::uint32_t header_at = reader.u32();
        reader.raw(behind);
        if (!reader.ok()) break;
        SATCHEL_TRY_VOID(add_member(source, header_at, data_size, directory->offset, cuts));
    }
    return cuts;
}

// -- boxes ------------------------------------------------------------------------------------------

std::uint64_t big_endian(ByteView bytes) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
}

Result<Cuts> box_cuts(env::File& source, std::uint64_t size) {
    constexpr std::size_t kHeaderSize = 8, kLongHeaderSize = 16;
    Cuts cuts;
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < kBoxesMax && at < size; ++i) {
        SATCHEL_TRY(const ByteBuffer header, bytes_at(source, at, kLongHeaderSize));
        if (header.size() < kHeaderSize) break;
        std::uint64_t length = big_endian(ByteView(header).first(4));
        std::size_t header_size = kHeaderSize;
        if (length == 1 && header.size() == kLongHeaderSize) {
            length = big_endian(ByteView(header).subspan(8));
            header_size = kLongHeaderSize;
        } else if (length == 0) {
            length = size - at;
        }
        if (length < header_size || length > size - at) break;
        if (text_of(ByteView(header).subspan(4, 4)) == "mdat") add_part(cuts, at + header_size, at + length);
        at += length;
    }
    return cuts;
}

}  // namespace

Result<std::vector<std::uint64_t>> structure_cuts(env::File& source, std::uint64_t size) {
    if (size <= kPartMin) return Cuts();
    SATCHEL_TRY(const ByteBuffer head, bytes_at(source, 0, 8));
    if (head.size() < 8) return Cuts();
    Cuts cuts;
    if (Reader(head).u32() == kLocalHeader) {
        SATCHEL_TRY(cuts, zip_cuts(source, size));
    } else if (text_of(ByteView(head).subspan(4)) == "ftyp") {
        SATCHEL_TRY(cuts, box_cuts(source, size));
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::erase_if(cuts, [size](std::uint64_t cut) { return cut == 0 || cut >= size; });
    return cuts;
}

}  // namespace satchel::store
