#include "engine/store/record.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/base/mask.hpp"
#include "engine/store/codec.hpp"
#include "engine/store/crc32c.hpp"

namespace satchel::store {

namespace {

constexpr auto kRecordTypeMax = static_cast<std::uint8_t>(RecordType::kKept);

constexpr std::uint32_t kMagic = 0x43455253;  // "SREC"
constexpr std::size_t kHeaderCrcAt = 4;
constexpr std::size_t kHeaderCrcFrom = 8;

bool stands_in_logs(RecordType type) { return type >= RecordType::kEvent; }

Error damaged(const char* what, std::string detail = {}) {
    return fail(ErrorCode::kDamaged, what, "the bytes are damaged",
                "fetch it again from a stick or another site", std::move(detail));
}

}  // namespace

void encode_record(ByteBuffer& out, RecordType type, ByteView plain) {
    encode_record(out, type, plain, hash_of(plain));
}

void encode_record(ByteBuffer& out, RecordType type, ByteView plain, const Digest& id) {
    const PreparedRecord record = prepare_record(type, plain, id);
    out.reserve(out.size() + kRecordHeaderSize + record.payload().size());
    append(out, encode_header(record.header));
    append(out, record.payload());
}

PreparedRecord prepare_record(RecordType type, ByteView plain, const Digest& id) {
    SATCHEL_CHECK(plain.size() <= kObjectMax);
    PreparedRecord record;
    record.plain = plain;
    record.made = compress_if_it_pays(plain);
    record.header.type = type;
    record.header.codec = record.made ? Codec::kZstd : Codec::kRaw;
    if (stands_in_logs(type)) {
        record.header.flags = kMasked;
        if (!record.made) record.made.emplace(plain.begin(), plain.end());
        mask(*record.made, id);
    }
    record.header.stored_size = static_cast<std::uint32_t>(record.payload().size());
    record.header.raw_size = static_cast<std::uint32_t>(plain.size());
    record.header.payload_crc = crc32c(record.payload());
    record.header.id = id;
    return record;
}

std::array<std::uint8_t, kRecordHeaderSize> encode_header(const RecordHeader& header) {
    ByteBuffer out;
    out.reserve(kRecordHeaderSize);
    Writer writer(out);
    writer.u32(kMagic).u32(0);
    writer.u8(static_cast<std::uint8_t>(header.type))
        .u8(static_cast<std::uint8_t>(header.codec))
        .u16(header.flags);
    writer.u32(header.stored_size).u32(header.raw_size).u32(header.payload_crc).raw(header.id);
    SATCHEL_CHECK(out.size() == kRecordHeaderSize);
    std::array<std::uint8_t, kRecordHeaderSize> bytes;
    std::copy(out.begin(), out.end(), bytes.begin());
    const std::uint32_t crc = crc32c(ByteView(bytes).subspan(kHeaderCrcFrom));
    for (std::size_t i = 0; i < 4; ++i) bytes[kHeaderCrcAt + i] = static_cast<std::uint8_t>(crc >> (8 * i));
    return bytes;
}

Result<RecordHeader> decode_header(ByteView bytes) {
    if (bytes.size() < kRecordHeaderSize) return damaged("record", "cut off in the header");
    Reader reader(bytes.first(kRecordHeaderSize));
    const std::uint32_t magic = reader.u32();
    const std::uint32_t crc = reader.u32();
    if (magic != kMagic || crc != crc32c(bytes.subspan(kHeaderCrcFrom, kRecordHeaderSize - kHeaderCrcFrom)))
        return damaged("record", "no valid header");
    RecordHeader header;
    const std::uint8_t type = reader.u8();
    const std::uint8_t codec = reader.u8();
    header.flags = reader.u16();
    header.stored_size = reader.u32();
    header.raw_size = reader.u32();
    header.payload_crc = reader.u32();
    header.id = reader.digest();
    header.type = static_cast<RecordType>(type);
    header.codec = static_cast<Codec>(codec);
    if (header.stored_size > kObjectMax || header.raw_size > kObjectMax)
        return damaged("record", "impossible length");
    const bool is_flag_known = header.flags == 0 || (header.flags == kMasked && stands_in_logs(header.type));
    const bool known = type >= 1 && type <= kRecordTypeMax && codec <= 1 && is_flag_known;
    if (!known)
        return fail(ErrorCode::kUnsupported, "record", "it was written by a newer program",
                    "update satchel on this box");
    // What zstd doesn't shorten is stored raw: so nobody fills a disk with long frames of short objects.
    const bool fits = header.codec == Codec::kRaw ? header.stored_size == header.raw_size
                                                  : header.stored_size < header.raw_size;
    if (!fits) return damaged("record", "impossible length");
    return header;
}

Result<RecordHeader> check_record(ByteView record) {
    SATCHEL_TRY(const RecordHeader header, decode_header(record));
    const ByteView payload = record.subspan(kRecordHeaderSize);
    if (payload.size() != header.stored_size) return damaged("record", "cut off in the payload");
    if (crc32c(payload) != header.payload_crc)
        return damaged("record", "the payload's checksum does not match");
    return header;
}

Result<ByteView> unpack_payload(const RecordHeader& header, ByteView record, ByteBuffer& unpacked) {
    ByteView payload = record.subspan(kRecordHeaderSize);
    ByteBuffer unmasked;
    if (header.flags == kMasked) {
        unmasked.assign(payload.begin(), payload.end());
        mask(unmasked, header.id);
        payload = unmasked;
    }
    if (header.codec == Codec::kZstd) {
        SATCHEL_TRY(unpacked, decompress(payload, header.raw_size));
        return ByteView(unpacked);
    }
    if (header.flags != kMasked) return payload;
    unpacked = std::move(unmasked);
    return ByteView(unpacked);
}

Result<ByteBuffer> open_record(ByteView record) {
    SATCHEL_TRY(const RecordHeader header, check_record(record));
    ByteBuffer unpacked;
    SATCHEL_TRY(const ByteView plain, unpack_payload(header, record, unpacked));
    if (hash_of(plain) != header.id) return damaged("record", "the bytes do not hash to their id");
    if (plain.data() != unpacked.data()) unpacked.assign(plain.begin(), plain.end());
    return unpacked;
}

}  // namespace satchel::store
