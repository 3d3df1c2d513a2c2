// Time, as lent by the world. The wall clock of a village box may stand still, jump or start in 1970:
// nothing that trust or durability rests on may depend on it.
#pragma once

#include <compare>
#include <cstdint>

namespace satchel::env {

struct Instant {
    std::int64_t unix_ms = 0;
    friend auto operator<=>(const Instant&, const Instant&) = default;
};

class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant wall() = 0;
    virtual std::uint64_t steady_ms() = 0;  // never goes back while the process lives
};

}  // namespace satchel::env
