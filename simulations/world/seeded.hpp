// A small generator that gives the same numbers on every platform (SplitMix64; Steele, Lea, Flood 2014).
#pragma once

#include <cstdint>

#include "engine/base/bytes.hpp"

namespace satchel::simulations {

class Seeded {
  public:
    explicit Seeded(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    // From 0 to count - 1; the slight bias towards small numbers does no harm here.
    std::uint64_t below(std::uint64_t count) { return count == 0 ? 0 : next() % count; }

    void fill(MutableBytes bytes) {
        for (std::size_t i = 0; i < bytes.size();) {
            const std::uint64_t word = next();
            for (unsigned shift = 0; shift < 64 && i < bytes.size(); shift += 8, ++i)
                bytes[i] = static_cast<std::uint8_t>(word >> shift);
        }
    }

  private:
    std::uint64_t state_;
};

}  // namespace satchel::simulations
