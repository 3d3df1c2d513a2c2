// Freight on a stick: in which order it is taken, and the answer that is written back. Private to
// transport/stick.
#pragma once

#include "engine/exchange/freight.hpp"
#include "engine/site/site.hpp"

namespace satchel::stick {

// Writes what this site says to its own folder, in place of what an earlier answer left there.
Result<void> write_answer(site::Site& site, env::Disk& stick);

// Freight comes in three rounds over all volumes, since what a later one is judged by an earlier one brings,
// in whatever volume it lies: roots say who may edit, lanes which editions and sites there are.
enum class FreightRound { kRoots, kLanes, kSayings };
inline constexpr FreightRound kFreightRounds[] = {FreightRound::kRoots, FreightRound::kLanes,
                                                  FreightRound::kSayings};
[[nodiscard]] FreightRound round_of(const exchange::Parcel& parcel);

}  // namespace satchel::stick
