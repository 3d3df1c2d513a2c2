#include "simulations/world/sim_world.hpp"

namespace satchel::simulations {

void SimClock::advance(std::uint64_t ms) {
    constexpr std::int64_t kMillion = 1'000'000;
    steady_ms_ += ms;
    drift_left_ += static_cast<std::int64_t>(ms) * drift_ppm_;
    wall_ms_ += static_cast<std::int64_t>(ms) + drift_left_ / kMillion;
    drift_left_ %= kMillion;
}

}  // namespace satchel::simulations
