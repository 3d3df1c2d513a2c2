#include "engine/exchange/freight.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::exchange {

namespace {

constexpr std::uint16_t kVersion = 1;
constexpr std::string_view kHaveDomain = "satchel/have/v1";
constexpr std::string_view kReceiptDomain = "satchel/receipt/v1";
constexpr std::size_t kLaneNameMax = 64;
constexpr std::size_t kSignaturesMax = 64;

Error damaged(const char* what) {
    return fail(ErrorCode::kDamaged, what, "the freight is not whole or not in its format",
                "write the stick again from its source");
}

Error newer(const char* what) {
    return fail(ErrorCode::kUnsupported, what, "it was written by a newer program",
                "update satchel on this box");
}

void put_signature(ByteBuffer& out, const trust::Signature& signature) { append(out, signature.bytes); }

// Splits the signature off, checks it under `domain` with the key that stands at `key_offset`.
Result<ByteView> signed_body(ByteView bytes, std::string_view magic, std::string_view domain,
                             const char* what) {
    constexpr std::size_t kKeyOffset = 4 + 2 + 32;
    trust::Signature signature;
    if (bytes.size() < kKeyOffset + 32 + signature.bytes.size()) return damaged(what);
    if (text_of(bytes.first(4)) != magic) return damaged(what);
    Reader version(bytes.subspan(4, 2));
    if (version.u16() != kVersion) return newer(what);
    const ByteView body = bytes.first(bytes.size() - signature.bytes.size());
    const ByteView tail = bytes.last(signature.bytes.size());
    std::copy(tail.begin(), tail.end(), signature.bytes.begin());
    Reader key_reader(body.subspan(kKeyOffset, 32));
    const trust::PublicKey key{key_reader.digest()};
    if (!trust::verify(key, domain, body, signature))
        return fail(ErrorCode::kRefused, what, "the signature does not hold",
                    "write the stick again from its source");
    return body.subspan(4 + 2);
}

void put_lane_name(Writer& writer, std::string_view lane) { writer.sized(lane); }

std::string get_lane_name(Reader& reader) { return std::string(text_of(reader.sized(kLaneNameMax))); }

catalogue::GitId get_git_id(Reader& reader) {
    catalogue::GitId id{};
    const ByteView bytes = reader.raw(id.size());
    if (bytes.size() == id.size()) std::copy(bytes.begin(), bytes.end(), id.begin());
    return id;
}

}  // namespace

EditionMark mark_of(const ChunkId& manifest) {
    EditionMark mark;
    std::copy_n(manifest.digest.begin(), mark.size(), mark.begin());
    return mark;
}

ByteBuffer encode(const Have& have, const trust::SigningKey& key) {
    SATCHEL_CHECK(have.site == key.public_key());
    SATCHEL_CHECK(std::is_sorted(have.complete.begin(), have.complete.end()));
    ByteBuffer out;
    Writer writer(out);
    writer.raw("SHAV").u16(kVersion).raw(have.network.view()).raw(have.site.view());
    writer.u64(have.sequence).u32(have.root_version);
    writer.varint(have.heads.size());
    for (const catalogue::LaneHead& head : have.heads) {
        put_lane_name(writer, head.lane);
        writer.raw(head.head).u64(head.height);
    }
    writer.varint(have.complete.size());
    for (const EditionMark& mark : have.complete) writer.raw(mark);
    writer.varint(have.subscriptions.size());
    for (const Subscription& subscription : have.subscriptions)
        writer.sized(subscription.kind).sized(subscription.value);
    put_signature(out, key.sign(kHaveDomain, out));
    return out;
}

Result<Have> decode_have(ByteView bytes) {
    SATCHEL_TRY(const ByteView body, signed_body(bytes, "SHAV", kHaveDomain, "have"));
    Reader reader(body);
    Have have;
    have.network.digest = reader.digest();
    have.site.digest = reader.digest();
    have.sequence = reader.u64();
    have.root_version = reader.u32();
    const std::uint64_t lanes = reader.varint();
    if (lanes > kLanesMax) return damaged("have");
    for (std::uint64_t i = 0; i < lanes && reader.ok(); ++i) {
        catalogue::LaneHead head;
        head.lane = get_lane_name(reader);
        head.head = get_git_id(reader);
        head.height = reader.u64();
        have.heads.push_back(std::move(head));
    }
    const std::uint64_t editions = reader.varint();
    if (editions > kEditionsInHaveMax || editions * sizeof(EditionMark) > reader.left())
        return damaged("have");
    for (std::uint64_t i = 0; i < editions; ++i) {
        EditionMark mark;
        const ByteView raw = reader.raw(mark.size());
        std::copy(raw.begin(), raw.end(), mark.begin());
        if (!have.complete.empty() && have.complete.back() >= mark) return damaged("have");
        have.complete.push_back(mark);
    }
    const std::uint64_t subscriptions = reader.varint();
    if (subscriptions > kSubscriptionsMax) return damaged("have");
    for (std::uint64_t i = 0; i < subscriptions && reader.ok(); ++i) {
        Subscription subscription;
        subscription.kind = text_of(reader.sized(32));
        subscription.value = text_of(reader.sized(catalogue::kCourseIdMax));
        have.subscriptions.push_back(std::move(subscription));
    }
    if (!reader.at_end()) return damaged("have");
    return have;
}

ByteBuffer encode(const Receipt& receipt, const trust::SigningKey& key) {
    SATCHEL_CHECK(receipt.site == key.public_key());
    ByteBuffer out;
    Writer writer(out);
    writer.raw("SRCP").u16(kVersion).raw(receipt.network.view()).raw(receipt.site.view());
    writer.u64(receipt.sequence).raw(receipt.writer.view()).raw(receipt.stick).u32(receipt.volume);
    writer.u64(receipt.bytes).u64(receipt.chunks_taken).u64(receipt.damaged);
    put_signature(out, key.sign(kReceiptDomain, out));
    return out;
}

Result<Receipt> decode_receipt(ByteView bytes) {
    SATCHEL_TRY(const ByteView body, signed_body(bytes, "SRCP", kReceiptDomain, "receipt"));
    Reader reader(body);
    Receipt receipt;
    receipt.network.digest = reader.digest();
    receipt.site.digest = reader.digest();
    receipt.sequence = reader.u64();
    receipt.writer.digest = reader.digest();
    const ByteView stick = reader.raw(receipt.stick.size());
    if (stick.size() == receipt.stick.size()) std::copy(stick.begin(), stick.end(), receipt.stick.begin());
    receipt.volume = reader.u32();
    receipt.bytes = reader.u64();
    receipt.chunks_taken = reader.u64();
    receipt.damaged = reader.u64();
    if (!reader.at_end()) return damaged("receipt");
    return receipt;
}

namespace {

enum class Kind : std::uint8_t {
    kRoots = 1,
    kLaneBegin,
    kLaneBatch,
    kLaneEnd,
    kReview,
    kHave,
    kReceipt,
    kSegment,
    kAcknowledgement
};

struct Encoder {
    ByteBuffer& out;
    Writer writer{out};

    void operator()(const Roots& roots) {
        writer.u8(static_cast<std::uint8_t>(Kind::kRoots)).varint(roots.chain.size());
        for (const trust::SignedRoot& root : roots.chain) {
            writer.sized(root.document).varint(root.signatures.size());
            for (const std::string& signature : root.signatures) writer.sized(signature);
        }
    }
    void operator()(const LaneBegin& begin) {
        writer.u8(static_cast<std::uint8_t>(Kind::kLaneBegin));
        put_lane_name(writer, begin.lane);
        writer.raw(begin.head);
    }
    void operator()(const LaneBatch& batch) {
        writer.u8(static_cast<std::uint8_t>(Kind::kLaneBatch)).raw(batch.objects);
    }
    void operator()(const LaneEnd&) { writer.u8(static_cast<std::uint8_t>(Kind::kLaneEnd)); }
    void operator()(const catalogue::SignedReview& review) {
        writer.u8(static_cast<std::uint8_t>(Kind::kReview)).sized(review.statement).sized(review.signature);
    }
    void operator()(const HaveParcel& parcel) {
        writer.u8(static_cast<std::uint8_t>(Kind::kHave)).raw(parcel.have);
    }
    void operator()(const ReceiptParcel& parcel) {
        writer.u8(static_cast<std::uint8_t>(Kind::kReceipt)).raw(parcel.receipt);
    }
    void operator()(const SegmentParcel& parcel) {
        writer.u8(static_cast<std::uint8_t>(Kind::kSegment)).raw(parcel.segment);
    }
    void operator()(const AcknowledgementParcel& parcel) {
        writer.u8(static_cast<std::uint8_t>(Kind::kAcknowledgement)).raw(parcel.statement);
    }
};

Result<Parcel> decode_roots(Reader& reader) {
    Roots roots;
    const std::uint64_t count = reader.varint();
    if (count > trust::kRootVersionMax) return damaged("roots");
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        trust::SignedRoot root;
        const ByteView document = reader.sized(trust::kRootDocumentMax);
        root.document.assign(document.begin(), document.end());
        const std::uint64_t signatures = reader.varint();
        if (signatures > kSignaturesMax) return damaged("roots");
        for (std::uint64_t s = 0; s < signatures && reader.ok(); ++s)
            root.signatures.emplace_back(text_of(reader.sized(trust::kArmorMax)));
        roots.chain.push_back(std::move(root));
    }
    if (!reader.at_end()) return damaged("roots");
    return Parcel(std::move(roots));
}

Result<Parcel> decode_review_parcel(Reader& reader) {
    catalogue::SignedReview review;
    const ByteView statement = reader.sized(catalogue::kReviewStatementMax);
    review.statement.assign(statement.begin(), statement.end());
    review.signature = text_of(reader.sized(trust::kArmorMax));
    if (!reader.at_end()) return damaged("review");
    return Parcel(std::move(review));
}

ByteBuffer rest_of(Reader& reader) {
    const ByteView rest = reader.raw(reader.left());
    return {rest.begin(), rest.end()};
}

}  // namespace

ByteBuffer encode(const Parcel& parcel) {
    ByteBuffer out;
    std::visit(Encoder{out}, parcel);
    return out;
}

Result<Parcel> decode_parcel(ByteView bytes) {
    if (bytes.empty() || bytes.size() > kFreightMax) return damaged("freight");
    Reader reader(bytes);
    const std::uint8_t kind = reader.u8();
    switch (static_cast<Kind>(kind)) {
        case Kind::kRoots:
            return decode_roots(reader);
        case Kind::kLaneBegin: {
            LaneBegin begin;
            begin.lane = get_lane_name(reader);
            begin.head = get_git_id(reader);
            if (!reader.at_end()) return damaged("catalogue");
            return Parcel(std::move(begin));
        }
        case Kind::kLaneBatch:
            return Parcel(LaneBatch{rest_of(reader)});
        case Kind::kLaneEnd:
            if (!reader.at_end()) return damaged("catalogue");
            return Parcel(LaneEnd{});
        case Kind::kReview:
            return decode_review_parcel(reader);
        case Kind::kHave:
            return Parcel(HaveParcel{rest_of(reader)});
        case Kind::kReceipt:
            return Parcel(ReceiptParcel{rest_of(reader)});
        case Kind::kSegment:
            return Parcel(SegmentParcel{rest_of(reader)});
        case Kind::kAcknowledgement:
            return Parcel(AcknowledgementParcel{rest_of(reader)});
    }
    return newer("freight");
}

}  // namespace satchel::exchange
