// The scenario `clones`: one hub and two or three villages whose folders are copied onto other boxes and put
// back to older copies at any moment, with lines and sticks in any order, cuts and power losses in between.
// Then all that still lives meets the hub until nothing moves.
//
// What is promised for an event that was acknowledged:
//   - The hub counts it exactly once if it survived on the disk of any box that lives at the end, or had
//     reached the hub or another box, or lay on a stick that was written to the end and came to the hub.
//   - An event that existed only on a disk which was then overwritten is gone with that disk, as with a fire:
//     nothing else held it. It may be at the hub (a contact that was cut may have brought it), once.
//   - An event whose acknowledgement the power cut off may be there or not; if it is, once.
//   - A hub that is put back itself forgets what only it held. What boxes still hold comes again by line; by
//     stick it may not, because the boxes know it as acknowledged.
//
// Checkers: durability, exactly-once, branches (each end of a fork has a head of its own at the hub, and the
// report counts both), noticed (a copy knows that it is one), convergence, integrity, progress. The same
// seed gives the same trace.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "simulations/network.hpp"

namespace satchel::simulations {

struct ClonesOptions {
    std::uint64_t seed = 1;
    bool syncs_are_lies = false;                     // a planted fault, to see that the checkers see
    bool forget_a_peer = false;                      // another: one box is never healed
    std::function<void(const std::string&)> told{};  // gets each line of the trace
};

struct ClonesResult {
    Digest trace{};
    std::uint64_t recorded = 0, contacts = 0, cut = 0, stick_visits = 0, power_cuts = 0, copies = 0,
                  restores = 0, branches = 0, heal_rounds = 0;
    std::uint64_t events = 0;  // that had to be at the hub
    std::uint64_t gone = 0;    // acknowledged, and overwritten before anybody else held them
    std::uint64_t lost = 0, doubled = 0;
    std::vector<Violation> violations;  // at most kViolationsMax
};

ClonesResult simulate_clones(const ClonesOptions& options);

}  // namespace satchel::simulations
