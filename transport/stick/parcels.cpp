#include "transport/stick/parcels.hpp"

namespace satchel::stick {

FreightRound round_of(const exchange::Parcel& parcel) {
    if (std::holds_alternative<exchange::Roots>(parcel)) return FreightRound::kRoots;
    const bool of_a_lane = std::holds_alternative<exchange::LaneBegin>(parcel) ||
                           std::holds_alternative<exchange::LaneBatch>(parcel) ||
                           std::holds_alternative<exchange::LaneEnd>(parcel);
    return of_a_lane ? FreightRound::kLanes : FreightRound::kSayings;
}

}  // namespace satchel::stick
