// The box's own clocks.
#pragma once

#include "engine/env/clock.hpp"

namespace satchel::env::os {

class SystemClock : public Clock {
  public:
    Instant wall() override;
    std::uint64_t steady_ms() override;
};

}  // namespace satchel::env::os
