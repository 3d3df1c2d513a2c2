// The scenario `county-week`: a hub, a second hub and villages for some days of virtual time, with lines that
// come and go, two technicians with sticks, power cuts, torn and stale sticks, clocks that step, a box that
// is copied and one that is put back to a backup. Then everything is healed, and all must be there, once,
// everywhere.
//
// Checkers, by the promises of docs/architecture.md: integrity, durability, convergence, exactly-once,
// bounds, progress. The same seed gives the same trace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulations/network.hpp"

namespace satchel::simulations {

struct WeekOptions {
    std::uint64_t seed = 1;
    int sites = 20;  // hubs and all
    int days = 7;
    bool syncs_are_lies = false;  // a planted fault, to see that the checkers see
    bool forget_a_peer = false;   // another: one village is never healed
};

struct WeekResult {
    Digest trace{};
    std::uint64_t recorded = 0, contacts = 0, cut = 0, stick_visits = 0, power_cuts = 0, editions = 0,
                  heal_rounds = 0;
    std::vector<Violation> violations;  // at most kViolationsMax
};

WeekResult simulate_week(const WeekOptions& options);

}  // namespace satchel::simulations
