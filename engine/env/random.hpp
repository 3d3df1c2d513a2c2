// Randomness, as lent by the world: the kernel's on a box, seeded in tests.
#pragma once

#include "engine/base/bytes.hpp"

namespace satchel::env {

class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(MutableBytes bytes) = 0;
};

}  // namespace satchel::env
