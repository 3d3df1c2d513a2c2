// Room on the box's disk for what a site wants, lent by the site: exchange asks, and never counts bytes of
// the disk itself.
#pragma once

#include <cstdint>

#include "engine/base/result.hpp"

namespace satchel::exchange {

class RoomPort {
  public:
    virtual ~RoomPort() = default;
    // Bytes that may still be added to the packs.
    virtual Result<std::uint64_t> available() = 0;
    // Lets go of what the site's policy allows, whole editions at a time, until `bytes` are available or
    // nothing more may go. Returns what is available then.
    virtual Result<std::uint64_t> make_room(std::uint64_t bytes) = 0;
};

}  // namespace satchel::exchange
