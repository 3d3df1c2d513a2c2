#include "engine/env/os/clock.hpp"

#include <chrono>

namespace satchel::env::os {

namespace {

template <typename ClockType>
std::int64_t milliseconds_now() {
    const auto since_start = ClockType::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count();
}

}  // namespace

Instant SystemClock::wall() { return Instant{milliseconds_now<std::chrono::system_clock>()}; }

std::uint64_t SystemClock::steady_ms() {
    return static_cast<std::uint64_t>(milliseconds_now<std::chrono::steady_clock>());
}

}  // namespace satchel::env::os
