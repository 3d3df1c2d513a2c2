#include "engine/env/os/random.hpp"

#include <sodium.h>

#include "engine/base/check.hpp"

namespace satchel::env::os {

// A box without a source of randomness must not make keys: there is nothing sound to go on with.
SystemRandom::SystemRandom() { SATCHEL_CHECK(sodium_init() >= 0); }

void SystemRandom::fill(MutableBytes bytes) { randombytes_buf(bytes.data(), bytes.size()); }

}  // namespace satchel::env::os
