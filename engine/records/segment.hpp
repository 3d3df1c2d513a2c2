// A segment: a batch of one site's events under one signature, chained by hash to the one before it
// (schemas/segment.md). It has an open part and room for parts that are sealed to one addressee each; the
// signed header holds only their hashes, so a sealed part can be deleted and the chain still holds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/records/event.hpp"
#include "engine/trust/keys.hpp"

namespace satchel::records {

using SegmentId = HashId<struct SegmentIdTag>;  // hash of the signed header

inline constexpr std::size_t kEventsPerSegmentMax = 256;
inline constexpr std::size_t kSegmentMax = 256 * 1024;   // all of it: a message or a log frame holds one
inline constexpr std::size_t kOpenPartMax = 192 * 1024;  // unpacked; leaves room for sealed parts
inline constexpr std::size_t kPartsMax = 8;

// A feed begins anew after a clone or a restore was noticed: numbers then start again, and both branches
// count.
struct Incarnation {
    std::uint32_t number = 0;
    std::array<std::uint8_t, 16> tag{};  // chance: two clones may take the same number
    friend auto operator<=>(const Incarnation&, const Incarnation&) = default;
};

struct Segment {
    trust::PublicKey site;
    Incarnation incarnation;
    std::uint64_t first = 1;            // number of the first event
    std::int64_t closed_ms = 0;         // by the site's clock
    std::optional<SegmentId> previous;  // none: the first of this incarnation
    std::vector<ByteBuffer> events;     // encoded, as they came
    std::size_t sealed_parts = 0;       // that this program cannot read; kept with the bytes
};

struct SealedSegment {
    SegmentId id;
    ByteBuffer bytes;
};
// CHECKs that the events fit the limits.
[[nodiscard]] SealedSegment encode(const Segment& segment, const NetworkId& network,
                                   const trust::SigningKey& key);

struct OpenedSegment {
    SegmentId id;
    Segment segment;
};
// Checks form, limits, signature, hashes and every event. kDamaged, kUnsupported, kTooLarge, kRefused.
Result<OpenedSegment> open_segment(ByteView bytes, const NetworkId& network);

// Whose feed it says that it is of; unverified. kDamaged, kUnsupported.
Result<SiteId> site_of_segment(ByteView bytes);

}  // namespace satchel::records
