// What two sites hand each other besides chunks: small signed summaries and the catalogue's parcels
// (schemas/freight.md). The same bytes ride on a stick or a link.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/catalogue/catalogue.hpp"
#include "engine/trust/root.hpp"

namespace satchel::exchange {

inline constexpr std::size_t kLanesMax = 64;
inline constexpr std::size_t kEditionsInHaveMax = 65'536;
inline constexpr std::size_t kSubscriptionsMax = 1024;
inline constexpr std::size_t kFreightMax = 2 * 1024 * 1024;

using EditionMark = std::array<std::uint8_t, 16>;  // first half of a manifest's id
[[nodiscard]] EditionMark mark_of(const ChunkId& manifest);

struct Subscription {
    std::string kind;   // all, course, theme, audience, producer
    std::string value;  // empty for all
    friend auto operator<=>(const Subscription&, const Subscription&) = default;
};

// What a site holds and wants. Signed by the site; the higher sequence replaces the lower.
struct Have {
    NetworkId network;
    trust::PublicKey site;
    std::uint64_t sequence = 0;
    std::uint32_t root_version = 0;
    std::vector<catalogue::LaneHead> heads;
    std::vector<EditionMark> complete;  // ascending
    std::vector<Subscription> subscriptions;
    friend bool operator==(const Have&, const Have&) = default;
};
[[nodiscard]] ByteBuffer encode(const Have& have, const trust::SigningKey& key);
Result<Have> decode_have(ByteView bytes);  // kRefused where the signature fails

// Signed word that a volume was read.
struct Receipt {
    NetworkId network;
    trust::PublicKey site;
    std::uint64_t sequence = 0;
    SiteId writer;
    std::array<std::uint8_t, 16> stick{};
    std::uint32_t volume = 0;
    std::uint64_t bytes = 0;  // of the volume
    std::uint64_t chunks_taken = 0;
    std::uint64_t damaged = 0;  // stretches that were not whole
    friend bool operator==(const Receipt&, const Receipt&) = default;
};
[[nodiscard]] ByteBuffer encode(const Receipt& receipt, const trust::SigningKey& key);
Result<Receipt> decode_receipt(ByteView bytes);

struct Roots {
    std::vector<trust::SignedRoot> chain;
};
struct LaneBegin {
    std::string lane;
    catalogue::GitId head{};
};
struct LaneBatch {
    ByteBuffer objects;  // of the lane that was begun
};
struct LaneEnd {};
struct HaveParcel {
    ByteBuffer have;
};
struct ReceiptParcel {
    ByteBuffer receipt;
};
struct SegmentParcel {
    ByteBuffer segment;  // of any site's records
};
struct AcknowledgementParcel {
    ByteBuffer statement;
};

// One freight record's payload.
using Parcel = std::variant<Roots, LaneBegin, LaneBatch, LaneEnd, catalogue::SignedReview, HaveParcel,
                            ReceiptParcel, SegmentParcel, AcknowledgementParcel>;
[[nodiscard]] ByteBuffer encode(const Parcel& parcel);
Result<Parcel> decode_parcel(ByteView bytes);

}  // namespace satchel::exchange
