#include "engine/records/segment.hpp"

#include <string_view>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/store/codec.hpp"

namespace satchel::records {

namespace {

constexpr std::string_view kMagic = "SSEG";
constexpr std::uint16_t kVersion = 1;
constexpr std::string_view kDomain = "satchel/segment/v1";
constexpr std::size_t kSaltSize = 16;

enum class PartKind : std::uint8_t { kOpen = 0, kSealed = 1 };
enum class PartCodec : std::uint8_t { kRaw = 0, kZstd = 1 };

struct PartEntry {
    PartKind kind = PartKind::kOpen;
    PartCodec codec = PartCodec::kRaw;
    Digest addressee{};  // zero for the open part
    std::uint32_t raw_size = 0;
    std::uint32_t stored_size = 0;
    Digest commitment{};  // hash of salt and stored bytes; the open part has no salt
};

Error damaged(std::string detail) {
    return fail(ErrorCode::kDamaged, "segment", "the bytes are damaged",
                "fetch it again from a stick or another site", std::move(detail));
}

ByteBuffer to_be_signed(const NetworkId& network, ByteView header) {
    ByteBuffer bytes(network.digest.begin(), network.digest.end());
    append(bytes, header);
    return bytes;
}

ByteBuffer encode_header(const Segment& segment, const PartEntry& open) {
    ByteBuffer out;
    Writer writer(out);
    writer.raw(kMagic).u16(kVersion).u16(0);
    writer.raw(segment.site.digest).u32(segment.incarnation.number).raw(segment.incarnation.tag);
    writer.u64(segment.first).u32(static_cast<std::uint32_t>(segment.events.size()));
    writer.u64(static_cast<std::uint64_t>(segment.closed_ms));
    writer.raw(segment.previous.value_or(SegmentId{}).digest);
    writer.u8(1);
    writer.u8(static_cast<std::uint8_t>(open.kind)).u8(static_cast<std::uint8_t>(open.codec));
    writer.u32(open.raw_size).u32(open.stored_size).raw(open.commitment);
    return out;
}

Result<PartEntry> read_part(Reader& reader) {
    PartEntry part;
    const std::uint8_t kind = reader.u8();
    const std::uint8_t codec = reader.u8();
    if (reader.ok() && (kind > 1 || codec > 1))
        return fail(ErrorCode::kUnsupported, "segment", "it was written by a newer program",
                    "update satchel on this box");
    part.kind = static_cast<PartKind>(kind);
    part.codec = static_cast<PartCodec>(codec);
    if (part.kind == PartKind::kSealed) part.addressee = reader.digest();
    part.raw_size = reader.u32();
    part.stored_size = reader.u32();
    part.commitment = reader.digest();
    const bool fits =
        part.codec == PartCodec::kRaw ? part.raw_size == part.stored_size : part.stored_size < part.raw_size;
    if (!reader.ok() || !fits || part.stored_size > kSegmentMax || part.raw_size > kSegmentMax)
        return damaged("impossible part");
    return part;
}

Result<std::vector<ByteBuffer>> read_events(ByteView plain, std::uint32_t count) {
    Reader reader(plain);
    std::vector<ByteBuffer> events;
    events.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const ByteView event = reader.sized(kEventMax);
        if (!reader.ok()) return damaged("cut off in an event");
        SATCHEL_TRY_VOID(decode_event(event));
        events.emplace_back(event.begin(), event.end());
    }
    if (!reader.at_end()) return damaged("bytes behind the events");
    return events;
}

struct Header {
    Segment segment;
    std::uint32_t count = 0;
    std::vector<PartEntry> parts;
    std::size_t size = 0;
};

Result<Header> read_header(ByteView bytes) {
    Reader reader(bytes);
    Header header;
    Segment& segment = header.segment;
    if (satchel::text_of(reader.raw(kMagic.size())) != kMagic) return damaged("no segment");
    const std::uint16_t version = reader.u16();
    const std::uint16_t flags = reader.u16();
    if (reader.ok() && (version != kVersion || flags != 0))
        return fail(ErrorCode::kUnsupported, "segment", "it was written by a newer program",
                    "update satchel on this box");
    segment.site.digest = reader.digest();
    segment.incarnation.number = reader.u32();
    const ByteView tag = reader.raw(segment.incarnation.tag.size());
    if (reader.ok()) std::copy(tag.begin(), tag.end(), segment.incarnation.tag.begin());
    segment.first = reader.u64();
    header.count = reader.u32();
    segment.closed_ms = static_cast<std::int64_t>(reader.u64());
    const SegmentId previous{reader.digest()};
    if (!previous.is_zero()) segment.previous = previous;
    const std::uint8_t parts = reader.u8();
    if (!reader.ok() || parts == 0 || parts > kPartsMax) return damaged("cut off in the header");
    for (std::uint8_t i = 0; i < parts; ++i) {
        SATCHEL_TRY(const PartEntry part, read_part(reader));
        if ((i == 0) != (part.kind == PartKind::kOpen)) return damaged("the open part is not the first");
        header.parts.push_back(part);
    }
    header.size = bytes.size() - reader.left();
    constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 62;
    const bool numbers_fit = segment.first >= 1 && segment.first < kNumberMax && header.count >= 1 &&
                             header.count <= kEventsPerSegmentMax && segment.incarnation.number >= 1;
    if (!numbers_fit || (segment.first == 1) != !segment.previous) return damaged("impossible numbers");
    return header;
}

// The part's stored bytes; empty if it was deleted, which only a sealed one may be.
Result<ByteView> take_part(Reader& reader, const PartEntry& part) {
    const std::uint8_t present = reader.u8();
    if (!reader.ok() || present > 1) return damaged("cut off before a part");
    if (present == 0)
        return part.kind == PartKind::kSealed ? Result<ByteView>(ByteView()) : damaged("no open part");
    Hasher hasher;
    if (part.kind == PartKind::kSealed) hasher.update(reader.raw(kSaltSize));
    const ByteView stored = reader.raw(part.stored_size);
    if (!reader.ok()) return damaged("cut off in a part");
    hasher.update(stored);
    if (hasher.finish() != part.commitment) return damaged("a part is not what was signed");
    return stored;
}

}  // namespace

SealedSegment encode(const Segment& segment, const NetworkId& network, const trust::SigningKey& key) {
    SATCHEL_CHECK(!segment.events.empty() && segment.events.size() <= kEventsPerSegmentMax);
    ByteBuffer plain;
    Writer events(plain);
    for (const ByteBuffer& event : segment.events) events.sized(event);
    SATCHEL_CHECK(plain.size() <= kOpenPartMax);
    const std::optional<ByteBuffer> packed = store::compress_if_it_pays(plain);
    const ByteView stored = packed ? ByteView(*packed) : ByteView(plain);
    PartEntry open;
    open.codec = packed ? PartCodec::kZstd : PartCodec::kRaw;
    open.raw_size = static_cast<std::uint32_t>(plain.size());
    open.stored_size = static_cast<std::uint32_t>(stored.size());
    open.commitment = hash_of(stored);
    SealedSegment out;
    out.bytes = encode_header(segment, open);
    out.id = SegmentId{hash_of(out.bytes)};
    const trust::Signature signature = key.sign(kDomain, to_be_signed(network, out.bytes));
    Writer(out.bytes).raw(signature.bytes).u8(1).raw(stored);
    return out;
}

Result<OpenedSegment> open_segment(ByteView bytes, const NetworkId& network) {
    if (bytes.size() > kSegmentMax)
        return fail(ErrorCode::kTooLarge, "segment", "this is larger than it may be",
                    "split it into smaller parts");
    SATCHEL_TRY(Header header, read_header(bytes));
    Reader reader(bytes.subspan(header.size));
    trust::Signature signature;
    const ByteView signed_with = reader.raw(signature.bytes.size());
    if (!reader.ok()) return damaged("cut off in the signature");
    std::copy(signed_with.begin(), signed_with.end(), signature.bytes.begin());
    const ByteView header_bytes = bytes.first(header.size);
    if (!trust::verify(header.segment.site, kDomain, to_be_signed(network, header_bytes), signature))
        return fail(ErrorCode::kRefused, "segment", "the signature does not hold",
                    "write the stick again from its source");
    SATCHEL_TRY(const ByteView stored, take_part(reader, header.parts.front()));
    ByteBuffer plain(stored.begin(), stored.end());
    if (header.parts.front().codec == PartCodec::kZstd) {
        SATCHEL_TRY(plain, store::decompress(stored, header.parts.front().raw_size));
    }
    SATCHEL_TRY(header.segment.events, read_events(plain, header.count));
    for (std::size_t i = 1; i < header.parts.size(); ++i)
        SATCHEL_TRY_VOID(take_part(reader, header.parts[i]));
    if (!reader.at_end()) return damaged("bytes behind the last part");
    header.segment.sealed_parts = header.parts.size() - 1;
    return OpenedSegment{SegmentId{hash_of(header_bytes)}, std::move(header.segment)};
}

Result<SiteId> site_of_segment(ByteView bytes) {
    SATCHEL_TRY(const Header header, read_header(bytes));
    return trust::site_id_of(header.segment.site);
}

}  // namespace satchel::records
