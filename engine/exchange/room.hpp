// Room on the box's disk for what a site wants, lent by the site: exchange asks, and never counts bytes of
// the disk itself.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.hpp"

namespace satchel::exchange {

class RoomPort {
  public:
    virtual ~RoomPort() = default;
    // Bytes that may still be added to the packs.
    virtual Result<std::uint64_t> available() = 0;
    // What would be available at most if all went that may go for this course; nothing goes. Costs a walk
    // over all that is kept.
    virtual Result<std::uint64_t> potential(const std::string& for_course) = 0;
    // Of that, bytes that only this course may take: of an older edition of it, which people see until then.
    virtual Result<std::uint64_t> stand_in_bytes(const std::string& course) = 0;
    // Lets go of what the site's policy allows, whole editions at a time, until `bytes` are available or
    // nothing more may go. Returns what is available then.
    virtual Result<std::uint64_t> make_room(std::uint64_t bytes, const std::string& for_course) = 0;
};

}  // namespace satchel::exchange
