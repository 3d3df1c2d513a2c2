#include "engine/exchange/acknowledgement.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::exchange {

namespace {

constexpr std::string_view kMagic = "SACK";
constexpr std::uint16_t kVersion = 1;
constexpr std::string_view kDomain = "satchel/acknowledgement/v1";

Error damaged() {
    return fail(ErrorCode::kDamaged, "acknowledgement", "the bytes are damaged",
                "fetch it again from a stick or another site");
}

}  // namespace

FeedHead read_head(Reader& reader) {
    FeedHead head;
    head.incarnation_number = reader.u32();
    const ByteView tag = reader.raw(head.incarnation_tag.size());
    if (reader.ok()) std::copy(tag.begin(), tag.end(), head.incarnation_tag.begin());
    head.next_sequence = reader.u64();
    head.head = SegmentId{reader.digest()};
    return head;
}

ByteBuffer encode(const Acknowledgement& acknowledgement, const trust::SigningKey& key) {
    ByteBuffer out;
    Writer writer(out);
    writer.raw(kMagic).u16(kVersion).raw(acknowledgement.network.view()).raw(acknowledgement.hub.view());
    writer.u64(acknowledgement.sequence).varint(acknowledgement.feeds.size());
    for (const AcknowledgedFeed& feed : acknowledgement.feeds) {
        writer.raw(feed.site.view()).varint(feed.heads.size());
        for (const FeedHead& head : feed.heads)
            writer.u32(head.incarnation_number)
                .raw(head.incarnation_tag)
                .u64(head.next_sequence)
                .raw(head.head.view());
    }
    const trust::Signature signature = key.sign(kDomain, out);
    writer.raw(signature.bytes);
    return out;
}

Result<Acknowledgement> decode_acknowledgement(ByteView bytes) {
    trust::Signature signature;
    if (bytes.size() < signature.bytes.size()) return damaged();
    const ByteView body = bytes.first(bytes.size() - signature.bytes.size());
    const ByteView tail = bytes.last(signature.bytes.size());
    std::copy(tail.begin(), tail.end(), signature.bytes.begin());
    Reader reader(body);
    if (text_of(reader.raw(kMagic.size())) != kMagic) return damaged();
    if (reader.u16() != kVersion && reader.ok())
        return fail(ErrorCode::kUnsupported, "acknowledgement", "it was written by a newer program",
                    "update satchel on this box");
    Acknowledgement read;
    read.network = NetworkId{reader.digest()};
    read.hub = trust::PublicKey{reader.digest()};
    read.sequence = reader.u64();
    const std::uint64_t feeds = reader.varint();
    if (!reader.ok() || feeds > kAcknowledgedFeedsMax) return damaged();
    for (std::uint64_t i = 0; i < feeds; ++i) {
        AcknowledgedFeed feed;
        feed.site = SiteId{reader.digest()};
        const std::uint64_t heads = reader.varint();
        if (!reader.ok() || heads > kAcknowledgedHeadsMax) return damaged();
        for (std::uint64_t j = 0; j < heads; ++j) feed.heads.push_back(read_head(reader));
        if (!reader.ok() || !std::is_sorted(feed.heads.begin(), feed.heads.end())) return damaged();
        read.feeds.push_back(std::move(feed));
    }
    if (!reader.at_end()) return damaged();
    if (!trust::verify(read.hub, kDomain, body, signature))
        return fail(ErrorCode::kRefused, "acknowledgement", "the signature does not hold",
                    "fetch it again from a stick or another site");
    return read;
}

}  // namespace satchel::exchange
