// What tells this box from another one of its make.
#pragma once

#include "engine/base/hash.hpp"

namespace satchel::env::os {

// Hash of the board's serial number, else of the smallest address of its network devices; zero if it has
// neither. Neither lies on the disk, so it does not go along when a disk is copied.
[[nodiscard]] Digest machine_digest();

}  // namespace satchel::env::os
