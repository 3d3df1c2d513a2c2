// The last of a disk's room, which content may not take.
//
// Content grows until the disk is full; what a site says of itself must still find room then, and so must the
// database, without which not even a lesson could be played. So whoever writes content asks first.
//
// Cost: the disk is asked once for each kAskEveryBytes of content.
#pragma once

#include "engine/env/disk.hpp"

namespace satchel::env {

// For 16 MiB of SQLite's log (database.cpp) and as much again for records: some 50,000 viewings.
inline constexpr std::uint64_t kReserveBytes = 32ull * 1024 * 1024;

class Reserve {
  public:
    // What is allowed at once; so much may others have taken of the reserve before that is noticed.
    static constexpr std::uint64_t kAskEveryBytes = 4ull * 1024 * 1024;

    // `disk` is borrowed.
    explicit Reserve(Disk& disk, std::uint64_t bytes = kReserveBytes) : disk_(disk), bytes_(bytes) {}

    // Before so many bytes more of content are written to the file of this name. kNoSpace: only the reserve
    // is left. Nothing is spoilt then: it may be asked again, and says yes when there is room.
    Result<void> allow(std::uint64_t content_bytes, std::string_view path);

  private:
    Disk& disk_;
    const std::uint64_t bytes_;
    std::uint64_t allowed_ = 0;  // before the disk is asked again
};

}  // namespace satchel::env
