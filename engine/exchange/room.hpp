// Room on the box's disk for what a site wants, lent by the site: exchange asks, and never counts bytes of
// the disk itself.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/base/result.hpp"

namespace satchel::exchange {

class RoomPort {
  public:
    virtual ~RoomPort() = default;
    // Bytes that may still be added to the packs.
    virtual Result<std::uint64_t> available() = 0;

    struct Potential {
        std::uint64_t bytes = 0;  // that would be available if all went that may go for any course
        // Bytes that go for one course alone: of an older edition of it, which people see until then.
        std::map<std::string, std::uint64_t> stand_ins;
        std::map<std::string, std::uint64_t>
            held;  // of each course, bytes of the largest edition that is here
    };
    // What room could be made; nothing goes. Costs a walk over all that is kept, if that changed since the
    // last one.
    virtual Result<Potential> potential() = 0;
    // Likewise if the stand-in of this course went, too: exact, and a walk each time.
    virtual Result<std::uint64_t> potential_for(const std::string& course) = 0;
    // Lets go of what the site's policy allows, whole editions at a time, until `bytes` are available or
    // nothing more may go. Returns what is available then.
    virtual Result<std::uint64_t> make_room(std::uint64_t bytes, const std::string& for_course) = 0;
};

}  // namespace satchel::exchange
