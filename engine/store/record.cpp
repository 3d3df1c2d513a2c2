#include "engine/store/record.hpp"

#include <isa-l/crc.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::store {

namespace {

constexpr std::uint32_t kMagic = 0x43455253;  // "SREC"
constexpr std::size_t kHeaderCrcAt = 4;
constexpr std::size_t kHeaderCrcFrom = 8;

constexpr int kZstdLevel = 3;                    // higher levels cost ten times as much on media, for nothing
constexpr std::size_t kSampleBytes = 16 * 1024;  // what is tried before a large object is compressed
constexpr std::size_t kSampledFrom = 4 * kSampleBytes;
constexpr std::size_t kWorthwhileSaving = 32;  // at least 1/32 must be saved, else reading fast counts more

std::uint32_t crc32c(ByteView bytes) {
    // ISA-L takes no const and an int length; it only reads, and no record is near that long.
    auto* data = const_cast<std::uint8_t*>(bytes.data());
    return ~crc32_iscsi(data, static_cast<int>(bytes.size()), 0xffffffffu);
}

using Compressor = std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)>;

// One context a thread: making one costs more than compressing a small object.
ZSTD_CCtx* compressor() {
    thread_local const Compressor context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    SATCHEL_CHECK(context != nullptr);
    return context.get();
}

ZSTD_DCtx* decompressor() {
    thread_local const Decompressor context = [] {
        Decompressor fresh(ZSTD_createDCtx(), ZSTD_freeDCtx);
        SATCHEL_CHECK(fresh != nullptr);
        ZSTD_DCtx_setParameter(fresh.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
        return fresh;
    }();
    return context.get();
}

// The compressed bytes, or none where they save too little.
std::optional<ByteBuffer> compress(ByteView plain) {
    ByteBuffer out(ZSTD_compressBound(plain.size()));
    const std::size_t size =
        ZSTD_compressCCtx(compressor(), out.data(), out.size(), plain.data(), plain.size(), kZstdLevel);
    if (ZSTD_isError(size) != 0 || size + plain.size() / kWorthwhileSaving >= plain.size())
        return std::nullopt;
    out.resize(size);
    return out;
}

std::optional<ByteBuffer> compress_if_it_pays(ByteView plain) {
    if (plain.size() >= kSampledFrom) {
        const bool head_pays = compress(plain.first(kSampleBytes)).has_value();
        if (!head_pays && !compress(plain.subspan(plain.size() / 2, kSampleBytes))) return std::nullopt;
    }
    return compress(plain);
}

Error damaged(const char* what, std::string detail = {}) {
    return fail(ErrorCode::kDamaged, what, "the bytes are damaged",
                "fetch it again from a stick or another site", std::move(detail));
}

void put_header(ByteBuffer& out, const RecordHeader& header) {
    const std::size_t start = out.size();
    Writer writer(out);
    writer.u32(kMagic).u32(0);
    writer.u8(static_cast<std::uint8_t>(header.type))
        .u8(static_cast<std::uint8_t>(header.codec))
        .u16(header.flags);
    writer.u32(header.stored_size).u32(header.raw_size).u32(header.payload_crc).raw(header.id);
    SATCHEL_CHECK(out.size() - start == kRecordHeaderSize);
    const std::uint32_t crc = crc32c(ByteView(out).subspan(start + kHeaderCrcFrom));
    for (std::size_t i = 0; i < 4; ++i)
        out[start + kHeaderCrcAt + i] = static_cast<std::uint8_t>(crc >> (8 * i));
}

bool begins_as_zstd(ByteView payload) {
    constexpr std::array<std::uint8_t, 4> kZstdMagic = {0x28, 0xb5, 0x2f, 0xfd};
    return payload.size() >= kZstdMagic.size() && equal(payload.first(kZstdMagic.size()), kZstdMagic);
}

// RFC 8878, 3.1.1.1: a frame that is not a single segment names its window behind the descriptor.
bool window_is_small_enough(ByteView frame) {
    constexpr std::size_t kDescriptorAt = 4;
    constexpr std::uint8_t kSingleSegment = 0x20;
    constexpr int kWindowLogMin = 10;
    if (frame.size() < kDescriptorAt + 2) return false;
    if ((frame[kDescriptorAt] & kSingleSegment) != 0) return true;  // the content is the window
    return kWindowLogMin + (frame[kDescriptorAt + 1] >> 3) <= kZstdWindowLogMax;
}

// Exactly one frame that tells its size; what it tells is compared before anything is allocated for it.
// Skippable frames and those of zstd before 1.0, which libraries still unpack, are none.
Result<ByteBuffer> decompress(ByteView payload, std::uint32_t raw_size) {
    if (!begins_as_zstd(payload)) return damaged("record", "not a zstd frame");
    if (ZSTD_getFrameContentSize(payload.data(), payload.size()) != raw_size)
        return damaged("record", "the compressed size does not fit the header");
    if (ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size())
        return damaged("record", "more or less than one compressed frame");
    if (!window_is_small_enough(payload))
        return damaged("record", "the compressed frame's window is too large");
    ByteBuffer plain(raw_size);
    const std::size_t size =
        ZSTD_decompressDCtx(decompressor(), plain.data(), plain.size(), payload.data(), payload.size());
    if (ZSTD_isError(size) != 0 || size != plain.size())
        return damaged("record", "the compressed bytes do not unpack");
    return plain;
}

}  // namespace

void encode_record(ByteBuffer& out, RecordType type, ByteView plain) {
    encode_record(out, type, plain, hash_of(plain));
}

void encode_record(ByteBuffer& out, RecordType type, ByteView plain, const Digest& id) {
    SATCHEL_CHECK(plain.size() <= kObjectMax);
    const std::optional<ByteBuffer> packed = compress_if_it_pays(plain);
    const ByteView payload = packed ? ByteView(*packed) : plain;
    RecordHeader header;
    header.type = type;
    header.codec = packed ? Codec::kZstd : Codec::kRaw;
    header.stored_size = static_cast<std::uint32_t>(payload.size());
    header.raw_size = static_cast<std::uint32_t>(plain.size());
    header.payload_crc = crc32c(payload);
    header.id = id;
    out.reserve(out.size() + kRecordHeaderSize + payload.size());
    put_header(out, header);
    append(out, payload);
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
    const bool known = type >= 1 && type <= 3 && codec <= 1 && header.flags == 0;
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

Result<ByteBuffer> open_record(ByteView record) {
    SATCHEL_TRY(const RecordHeader header, check_record(record));
    const ByteView payload = record.subspan(kRecordHeaderSize);
    ByteBuffer plain;
    switch (header.codec) {
        case Codec::kRaw:
            plain.assign(payload.begin(), payload.end());
            break;
        case Codec::kZstd: {
            SATCHEL_TRY(plain, decompress(payload, header.raw_size));
            break;
        }
    }
    if (hash_of(plain) != header.id) return damaged("record", "the bytes do not hash to their id");
    return plain;
}

}  // namespace satchel::store
