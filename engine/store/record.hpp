// The record: one self-checking unit of bytes, the same in packs and on sticks (schemas/record.md).
// 56-byte header, then the payload. The header's checksum makes lengths trustworthy, so a reader never
// searches byte by byte; the payload's checksum finds damage without decoding; the id finds lies.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/bytes.hpp"
#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"

namespace satchel::store {

enum class RecordType : std::uint8_t {
    kChunk = 1,        // a store object: id = hash of its plain bytes
    kCommit = 2,       // sticks: what stands before it is complete and signed
    kFreight = 3,      // sticks: a batch of catalogue objects, roots, reviews, haves or receipts
    kEvent = 4,        // feed.log: an event of this site that no segment holds yet
    kSegment = 5,      // feed.log: a signed segment
    kIncarnation = 6,  // feed.log: this site's feed begins anew
    kKept = 7,         // keep.log: rows of site.db that exist nowhere else
};

enum class Codec : std::uint8_t { kRaw = 0, kZstd = 1 };

// The payload is masked with the record's id: in the logs of a site stands what others chose, and where
// damage hides a header the next record is searched by its magic. So none can be laid into what is recorded.
inline constexpr std::uint16_t kMasked = 1;

inline constexpr std::size_t kRecordHeaderSize = 56;
inline constexpr std::size_t kObjectMax = 4 * 1024 * 1024;  // plain bytes of any store object

struct RecordHeader {
    RecordType type = RecordType::kChunk;
    Codec codec = Codec::kRaw;
    std::uint16_t flags = 0;  // kMasked or none; unknown bits refuse the record
    std::uint32_t stored_size = 0;
    std::uint32_t raw_size = 0;
    std::uint32_t payload_crc = 0;  // CRC-32C
    Digest id{};
};

// Appends header and payload. Compresses with zstd level 3 where a sample says that it pays; masks what
// stands in logs: types from kEvent. `id` is the hash of `plain`, for callers that know it already.
void encode_record(ByteBuffer& out, RecordType type, ByteView plain);
void encode_record(ByteBuffer& out, RecordType type, ByteView plain, const Digest& id);

// A record whose payload was made ahead, so that many can be made at once. Borrows `plain`.
struct PreparedRecord {
    RecordHeader header;
    ByteView plain;
    std::optional<ByteBuffer> made;  // where compressing pays, or the payload is masked
    [[nodiscard]] ByteView payload() const { return made ? ByteView(*made) : plain; }
};
// Touches nothing but its arguments: fit for Offload jobs. `id` is the hash of `plain`.
[[nodiscard]] PreparedRecord prepare_record(RecordType type, ByteView plain, const Digest& id);
[[nodiscard]] std::array<std::uint8_t, kRecordHeaderSize> encode_header(const RecordHeader& header);

// kDamaged: not a record, wrong checksum, impossible length. kUnsupported: unknown type, codec or flag.
Result<RecordHeader> decode_header(ByteView bytes);
// Header and payload: both checksums and the length, without decoding.
Result<RecordHeader> check_record(ByteView record);
// The plain bytes of a payload that check_record() has passed; their hash is not checked. A view of the
// record, or of `unpacked`.
Result<ByteView> unpack_payload(const RecordHeader& header, ByteView record, ByteBuffer& unpacked);
// `record`: header and payload together. Checks both checksums, decodes, checks raw size and that the bytes
// hash to the id.
Result<ByteBuffer> open_record(ByteView record);

}  // namespace satchel::store
