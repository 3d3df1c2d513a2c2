// What the world lends to an engine besides disks. Borrowed: it must outlive whoever holds it.
#pragma once

#include "engine/base/hash.hpp"
#include "engine/env/clock.hpp"
#include "engine/env/offload.hpp"
#include "engine/env/random.hpp"

namespace satchel::env {

struct World {
    Clock& clock;
    Random& random;
    Offload& offload;
    Digest machine{};  // of the box's hardware, so that a copied folder is noticed; zero: not known
};

}  // namespace satchel::env
