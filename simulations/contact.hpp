// One conversation of two simulated sites over a line in virtual time: it has a rate and a delay, loses,
// doubles and reorders messages, and is cut.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "engine/exchange/session.hpp"
#include "simulations/world/seeded.hpp"

namespace satchel::simulations {

struct LineOptions {
    std::int64_t latency_ms = 300;
    std::uint64_t bytes_per_second = 250'000;    // 2 Mbit/s
    std::int64_t up_for_ms = 600'000;            // then the line is gone
    std::uint64_t cut_after_bytes = UINT64_MAX;  // both ways together
    unsigned loss_percent = 0, twice_percent = 0, reorder_percent = 0;
    std::uint64_t seed = 1;
    // Told of each message that an end (0 or 1) hands to the line, whether it arrives or not.
    std::function<void(std::size_t side, ByteView message)> said{};
};

struct LineEnd {
    exchange::Replica replica;
    exchange::Wants& wants;
};

struct ContactResult {
    bool done = false;  // both ends said that nothing is left
    std::uint64_t bytes = 0;
    std::int64_t lasted_ms = 0;
    std::optional<Error> broken;  // an end gave up: its peer lied, or its own disk failed
    exchange::SessionReport reports[2];
};

// Runs from greeting to end or cut. `now_ms`: true time at its begin.
ContactResult converse(const LineEnd& one, const LineEnd& other, std::int64_t now_ms,
                       const LineOptions& options);

}  // namespace satchel::simulations
