// The kernel's randomness, through libsodium.
#pragma once

#include "engine/env/random.hpp"

namespace satchel::env::os {

class SystemRandom : public Random {
  public:
    SystemRandom();
    void fill(MutableBytes bytes) override;
};

}  // namespace satchel::env::os
