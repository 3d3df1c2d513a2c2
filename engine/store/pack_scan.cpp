// Method. A whole record says where the next one begins, or zeros up to the next block; so does a header that
// is whole before a payload that is not. Where no header stands, the next one is searched by its magic. A
// found header may be part of some object's bytes: its length counts only if its payload proves it.
#include "engine/store/pack_scan.hpp"

#include <algorithm>

namespace satchel::store {

namespace {

constexpr std::string_view kRecordMagic = "SREC";
constexpr std::size_t kSearchStep = 64 * 1024;
// Objects can be made of headers that prove false, each of which costs a reading; damage makes none.
constexpr std::size_t kFalseHeadersMax = 256;

// The next block if only zeros stand before it: so a commit ends. Else `at`.
Result<std::uint64_t> behind_padding(env::File& file, std::uint64_t at, std::uint64_t end) {
    const std::uint64_t block = next_block(at);
    if (block > end) return at;
    ByteBuffer between(static_cast<std::size_t>(block - at));
    SATCHEL_TRY(const std::size_t got, file.read_at(at, between));
    const bool is_padding =
        std::all_of(between.begin(), between.end(), [](std::uint8_t byte) { return byte == 0; });
    return got == between.size() && is_padding ? block : at;
}

}  // namespace

Result<std::uint64_t> find_record_magic(env::File& file, std::uint64_t from, std::uint64_t end) {
    ByteBuffer step;
    for (std::uint64_t at = from; at + kRecordMagic.size() <= end; at += kSearchStep) {
        step.resize(static_cast<std::size_t>(
            std::min<std::uint64_t>(kSearchStep + kRecordMagic.size() - 1, end - at)));
        SATCHEL_TRY(const std::size_t got, file.read_at(at, step));
        const std::size_t found = text_of(ByteView(step).first(got)).find(kRecordMagic);
        if (found != std::string_view::npos) return at + found;
    }
    return end;
}

Result<ByteBuffer> read_record_at(env::File& file, std::uint64_t place, std::uint32_t stored_size) {
    if (stored_size > kObjectMax)
        return fail(ErrorCode::kDamaged, "record", "the bytes are damaged",
                    "fetch it again from a stick or another site", "impossible length");
    ByteBuffer record(kRecordHeaderSize + stored_size);
    SATCHEL_TRY(const std::size_t got, file.read_at(place, record));
    record.resize(got);
    return record;
}

Result<std::optional<WholeRecord>> whole_record_at(env::File& file, std::uint64_t place) {
    ByteBuffer record(kRecordHeaderSize);
    SATCHEL_TRY(const std::size_t got, file.read_at(place, record));
    const Result<RecordHeader> header = decode_header(ByteView(record).first(got));
    if (!header.has_value()) {
        if (header.error().code == ErrorCode::kUnsupported) return header.error();
        return std::optional<WholeRecord>();
    }
    SATCHEL_TRY(record, read_record_at(file, place, header->stored_size));
    if (record.size() < kRecordHeaderSize + header->stored_size) return std::optional<WholeRecord>();
    Result<ByteBuffer> plain = open_record(record);
    if (!plain.has_value()) return std::optional<WholeRecord>();
    return std::optional(WholeRecord{*header, std::move(*plain)});
}

Result<std::uint64_t> scan_records(env::File& file, const Stretch& stretch,
                                   const std::function<Result<void>(const IndexRow&)>& each) {
    std::uint64_t at = stretch.from;
    std::uint64_t whole_end = stretch.from;
    bool is_sure = true;  // a record must begin at `at`; false: it was found by searching
    std::size_t false_headers = 0;
    ByteBuffer head(kRecordHeaderSize);
    while (at + kRecordHeaderSize <= stretch.end && false_headers < kFalseHeadersMax) {
        SATCHEL_TRY(const std::size_t got, file.read_at(at, head));
        const Result<RecordHeader> header = decode_header(ByteView(head).first(got));
        const bool is_newer = !header.has_value() && header.error().code == ErrorCode::kUnsupported;
        if (is_sure && is_newer) return header.error();
        const std::uint64_t behind =
            header.has_value() ? at + kRecordHeaderSize + header->stored_size : stretch.end;
        if (header.has_value() && header->type == RecordType::kChunk && behind <= stretch.end) {
            bool is_whole = is_sure && behind <= stretch.sure_end;
            if (!is_whole) {
                SATCHEL_TRY(const ByteBuffer record, read_record_at(file, at, header->stored_size));
                is_whole = open_record(record).has_value();
            }
            if (is_whole) {
                const auto place = static_cast<std::uint32_t>(at);
                SATCHEL_TRY_VOID(each({ChunkId{header->id}, place, header->stored_size, header->raw_size}));
                is_sure = true;
            }
            if (is_sure) {
                at = behind;
                if (is_whole) whole_end = at;
                continue;
            }
            ++false_headers;
        }
        if (is_sure && !header.has_value()) {
            SATCHEL_TRY(const std::uint64_t block, behind_padding(file, at, stretch.end));
            if (block != at) {
                at = block;
                continue;
            }
        }
        is_sure = false;
        SATCHEL_TRY(at, find_record_magic(file, at + 1, stretch.end));
    }
    return whole_end;
}

}  // namespace satchel::store
