// A hub's signed word that it holds feeds up to their heads: only then may others stop carrying them
// (schemas/freight.md).
#pragma once

#include <vector>

#include "engine/base/encoding.hpp"
#include "engine/exchange/records_port.hpp"
#include "engine/trust/keys.hpp"

namespace satchel::exchange {

inline constexpr std::size_t kAcknowledgedFeedsMax = 4096;  // of one statement: some 400 KB

struct AcknowledgedFeed {
    SiteId site;
    std::vector<FeedHead> heads;  // ascending
    friend bool operator==(const AcknowledgedFeed&, const AcknowledgedFeed&) = default;
};
inline constexpr std::size_t kAcknowledgedHeadsMax =
    64;  // of one feed: so many branches are somebody's attack

struct Acknowledgement {
    NetworkId network;
    trust::PublicKey hub;
    std::uint64_t sequence = 0;  // the higher one replaces the lower, feed by feed
    std::vector<AcknowledgedFeed> feeds;
    friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};
// One head as it stands in a statement; a short input turns the reader bad.
[[nodiscard]] FeedHead read_head(Reader& reader);

[[nodiscard]] ByteBuffer encode(const Acknowledgement& acknowledgement, const trust::SigningKey& key);
Result<Acknowledgement> decode_acknowledgement(ByteView bytes);  // kRefused where the signature fails

}  // namespace satchel::exchange
