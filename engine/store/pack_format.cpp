#include "engine/store/pack_format.hpp"

#include <algorithm>
#include <array>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/store/numbered_name.hpp"
#include "engine/store/record.hpp"

namespace satchel::store {

namespace {

constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kMustUnderstand = 1;
constexpr std::size_t kChecksumSize = 8;  // first bytes of a BLAKE2b-256
constexpr std::size_t kStepBytes = 1024 * kIndexRowSize;

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "pack", "the bytes are damaged",
                "fetch it again from a stick or another site", detail);
}

Error newer(std::string detail) {
    return fail(ErrorCode::kUnsupported, "pack", "it was written by a newer program",
                "update satchel on this box", std::move(detail));
}

// Header and tail are blocks of 64 bytes in every version, and end in eight bytes of their hash: so damage
// is never taken for a newer version.
void close_block(ByteBuffer& out, std::size_t size) {
    SATCHEL_CHECK(out.size() <= size - kChecksumSize);
    out.resize(size - kChecksumSize);
    const Digest digest = hash_of(out);
    out.insert(out.end(), digest.begin(), digest.begin() + kChecksumSize);
}

bool block_checks(ByteView block) {
    const Digest digest = hash_of(block.first(block.size() - kChecksumSize));
    return equal(block.last(kChecksumSize), ByteView(digest).first(kChecksumSize));
}

Section read_section(Reader& rows) {
    Section section;
    section.type = rows.u16();
    section.must_understand = (rows.u16() & kMustUnderstand) != 0;
    section.offset = rows.u64();
    section.size = rows.u64();
    section.hash = rows.digest();
    return section;
}

// Sections follow each other without gaps up to the table; so records end where the first one begins.
Result<PackTrailer> decode_table(ByteView table, std::uint64_t table_offset) {
    PackTrailer trailer;
    bool has_index = false;
    std::uint64_t at = 0;
    for (Reader rows(table); rows.left() > 0;) {
        const Section section = read_section(rows);
        if (trailer.sections.empty()) at = trailer.records_end = section.offset;
        if (section.offset != at || section.offset < kPackHeaderSize || section.offset > table_offset ||
            section.size > table_offset - section.offset)
            return damaged("a section does not lie where it should");
        at += section.size;
        if (section.type == kSectionIndex) {
            if (has_index || section.size % kIndexRowSize != 0) return damaged("the index is not whole");
            has_index = true;
            trailer.index = section;
        } else if (section.must_understand) {
            return newer("section " + std::to_string(section.type));
        }
        trailer.sections.push_back(section);
    }
    if (at != table_offset) return damaged("a section does not lie where it should");
    if (!has_index) return damaged("the pack has no index");
    return trailer;
}

}  // namespace

ByteBuffer encode(const PackHeader& header) {
    ByteBuffer out;
    Writer(out).raw("SPAK").u16(kVersion).u16(kPackHeaderSize).u32(header.number).u32(0).raw(header.affinity);
    close_block(out, kPackHeaderSize);
    return out;
}

Result<PackHeader> decode_pack_header(ByteView bytes) {
    if (bytes.size() < kPackHeaderSize) return damaged("no whole header");
    const ByteView block = bytes.first(kPackHeaderSize);
    Reader reader(block);
    if (text_of(reader.raw(4)) != "SPAK") return damaged("not a pack");
    if (!block_checks(block)) return damaged("the header's checksum does not match");
    const std::uint16_t version = reader.u16();
    if (version != kVersion) return newer("pack version " + std::to_string(version));
    const std::uint16_t size = reader.u16();
    PackHeader header;
    header.number = reader.u32();
    const std::uint32_t flags = reader.u32();
    header.affinity = reader.digest();
    if (size != kPackHeaderSize || flags != 0) return newer("pack flags");
    return header;
}

ByteBuffer encode_trailer(const std::vector<Section>& sections, std::uint64_t table_offset, PackId& id) {
    SATCHEL_CHECK(!sections.empty() && sections.size() <= kSectionsMax);
    ByteBuffer table;
    Writer rows(table);
    for (const Section& section : sections) {
        rows.u16(section.type).u16(section.must_understand ? kMustUnderstand : 0);
        rows.u64(section.offset).u64(section.size).raw(section.hash);
    }
    id.digest = hash_of(table);
    ByteBuffer tail;
    Writer writer(tail);
    writer.raw("SPKT").u16(kVersion).u16(static_cast<std::uint16_t>(sections.size()));
    writer.u64(table_offset).raw(id.view());
    close_block(tail, kPackTailSize);
    append(table, tail);
    return table;
}

Result<PackTrailer> read_trailer(env::File& file) {
    const auto none = [] {
        return fail(ErrorCode::kNotFound, "pack", "the pack is not sealed",
                    "nothing to do: it is still being filled");
    };
    SATCHEL_TRY(const std::uint64_t size, file.size());
    if (size < kPackHeaderSize + kPackTailSize) return none();
    if (size > kPackBytesMax) return damaged("larger than any pack");
    ByteBuffer tail(kPackTailSize);
    SATCHEL_TRY(const std::size_t got, file.read_at(size - kPackTailSize, tail));
    if (got != tail.size() || text_of(ByteView(tail).first(4)) != "SPKT" || !block_checks(tail))
        return none();
    Reader reader(tail);
    reader.raw(4);
    const std::uint16_t version = reader.u16();
    if (version != kVersion) return newer("trailer version " + std::to_string(version));
    const std::uint16_t count = reader.u16();
    const std::uint64_t table_offset = reader.u64();
    const PackId id{reader.digest()};
    const std::uint64_t table_size = std::uint64_t{count} * kSectionRowSize;
    if (count == 0 || count > kSectionsMax || table_offset < kPackHeaderSize || table_offset > size ||
        table_offset + table_size != size - kPackTailSize)
        return damaged("the trailer's table does not lie where it should");
    ByteBuffer table(static_cast<std::size_t>(table_size));
    SATCHEL_TRY(const std::size_t table_got, file.read_at(table_offset, table));
    if (table_got != table.size() || hash_of(table) != id.digest)
        return damaged("the trailer's table does not hash to its id");
    SATCHEL_TRY(PackTrailer trailer, decode_table(table, table_offset));
    trailer.id = id;
    return trailer;
}

void put_index_row(ByteBuffer& out, const IndexRow& row) {
    Writer(out).raw(row.id.view()).u32(row.place).u32(row.stored_size).u32(row.raw_size);
}

namespace {

IndexRow read_row(Reader& reader) {
    IndexRow row;
    row.id.digest = reader.digest();
    row.place = reader.u32();
    row.stored_size = reader.u32();
    row.raw_size = reader.u32();
    return row;
}

Result<void> for_each_row(env::File& file, const Section& section, Hasher& hasher,
                          const std::function<Result<void>(const IndexRow&)>& each) {
    ByteBuffer step;
    for (std::uint64_t at = 0; at < section.size; at += step.size()) {
        step.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kStepBytes, section.size - at)));
        SATCHEL_TRY(const std::size_t got, file.read_at(section.offset + at, step));
        if (got != step.size()) return damaged("the index is not whole");
        hasher.update(step);
        for (Reader reader(step); reader.left() > 0;) SATCHEL_TRY_VOID(each(read_row(reader)));
    }
    return {};
}

}  // namespace

IndexRow index_row_of(ByteView bytes) {
    Reader reader(bytes);
    return read_row(reader);
}

Result<void> read_index(env::File& file, const PackTrailer& trailer,
                        const std::function<Result<void>(const IndexRow&)>& each) {
    bool sound = true;
    std::optional<ChunkId> last;
    Hasher hasher;
    SATCHEL_TRY_VOID(for_each_row(file, trailer.index, hasher, [&](const IndexRow& row) -> Result<void> {
        const std::uint64_t end = std::uint64_t{row.place} + kRecordHeaderSize + row.stored_size;
        sound = sound && row.place >= kPackHeaderSize && end <= trailer.records_end &&
                row.stored_size <= kObjectMax && row.raw_size <= kObjectMax && (!last || *last < row.id);
        last = row.id;
        return {};
    }));
    if (hasher.finish() != trailer.index.hash) return damaged("the index does not match its hash");
    if (!sound) return damaged("the index has impossible rows");
    Hasher again;
    SATCHEL_TRY_VOID(for_each_row(file, trailer.index, again, each));
    const bool is_same = again.finish() == trailer.index.hash;
    return is_same ? Result<void>() : damaged("the disk gave other bytes when the index was read again");
}

std::string pack_name(std::uint32_t number) { return numbered_name(number, ".pack"); }
std::optional<std::uint32_t> pack_number_of(std::string_view name) { return number_in(name, ".pack"); }

}  // namespace satchel::store
