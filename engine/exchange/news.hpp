// What a site has to say to others, as freight parcels. Equal state gives equal parcels.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

// Records of one site on one stick: years of a village. The oldest go first, so more sticks bring the rest.
inline constexpr std::size_t kRecordsOnStickMax = 64 * 1024 * 1024;

using TakeParcel = std::function<Result<void>(const Parcel&)>;

// The chain of roots from `version` on, in parcels that are far smaller than a record may be.
Result<void> roots_from(const Replica& replica, std::uint32_t version, const TakeParcel& take);

// What the office says and sites with these haves may lack: roots and catalogue.
Result<void> news_for(const Replica& replica, const std::vector<std::optional<Have>>& haves,
                      const TakeParcel& take);

// What sites say: reviews, this site's have, the haves of others, receipts, records that no hub has
// acknowledged; a hub its acknowledgements.
Result<void> answers_of(const Replica& replica, const TakeParcel& take);

}  // namespace satchel::exchange
