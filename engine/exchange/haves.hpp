// Haves and receipts as a site keeps them: its own, which it signs, and those that came from others.
#pragma once

#include <functional>
#include <optional>

#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

inline constexpr std::size_t kReceiptsKept = 256;  // of each site: enough for a year of weekly visits

// This site's have as of now; a new sequence number only when something changed.
Result<ByteBuffer> own_have(const Replica& replica);

// A have that this site signed comes back, already judged. One that it does not know of says that this box
// was put back to an older state, or is one of two copies: its next have goes beyond that number, so that it
// is heard. Returns whether it was one.
Result<bool> outnumber_own_have(const Replica& replica, const Have& have, ByteView bytes);

// The newest have of another site, as it came last: none if there is none.
Result<std::optional<ByteBuffer>> peer_have_bytes(const Replica& replica, const SiteId& peer);
Result<std::optional<Have>> peer_have(const Replica& replica, const SiteId& peer);

// Remembers a receipt that this site made; not again if the newest one of this volume says the same damage
// and nothing was taken since.
Result<void> add_own_receipt(const Replica& replica, Receipt receipt);

// Whether these very bytes are kept already, or are older than what is kept: judging them again costs a
// signature check each, and a stick holds thousands.
Result<bool> is_known_have(const Replica& replica, ByteView bytes);
Result<bool> is_known_receipt(const Replica& replica, ByteView bytes);

// A have or receipt of another site, already judged: kept if it is newer. Returns whether it was new.
Result<bool> keep_have(const Replica& replica, const Have& have, ByteView bytes);
Result<bool> keep_receipt(const Replica& replica, const Receipt& receipt, ByteView bytes);

using EachBlob = std::function<Result<void>(ByteView bytes)>;
Result<void> for_each_peer_have(const Replica& replica, const EachBlob& each);  // by site
Result<void> for_each_receipt(const Replica& replica, const EachBlob& each);    // by site and sequence
Result<void> for_each_receipt_of(
    const Replica& replica, const SiteId& site,
    const std::function<Result<void>(std::uint64_t sequence, ByteView bytes)>& each);  // by sequence

}  // namespace satchel::exchange
