// The log that records live in: every event of this site before it is acknowledged, every segment made here
// or taken from others, each a record of its own (schemas/feed-log.md). site.db only says where they lie.
//
//   feed.log                        appended to
//   feed-00001.log feed-00002.log   full ones, oldest first; never written again
//
// Durability: what was appended is sure when sync() returned. Crash points: a torn tail is cut off at open; a
// full log gets its number by one rename, and a missing feed.log is begun anew.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/env/disk.hpp"
#include "engine/store/record.hpp"

namespace satchel::records {

inline constexpr std::uint64_t kLogTargetBytes = 64ull * 1024 * 1024;

struct LogPlace {
    std::uint32_t log = 1;
    std::uint64_t at = 0;
    std::uint32_t size = 0;  // of the whole record
};
struct LogEnd {
    std::uint32_t log = 1;
    std::uint64_t bytes = 0;
    friend auto operator<=>(const LogEnd&, const LogEnd&) = default;
};

class FeedLog {
  public:
    FeedLog(env::Disk& disk, std::uint64_t target_bytes = kLogTargetBytes)
        : disk_(disk), target_bytes_(target_bytes) {}

    // Once, before all else. Calls `each` for every whole record that begins at or behind `from`, then cuts
    // off what is torn at the end, unless the disk does not give all of it. Damage before the end, and what
    // is not given, is passed over; `damaged` counts it.
    using Each = std::function<Result<void>(const LogPlace&, store::RecordType, ByteView plain)>;
    Result<void> open(const LogEnd& from, const Each& each);

    // An error of append or sync is final: nothing more is written until the log is opened again.
    Result<LogPlace> append(store::RecordType type, ByteView plain);
    Result<void> sync();
    Result<ByteBuffer> read(const LogPlace& place);  // the plain bytes; kDamaged names log and place

    [[nodiscard]] const LogEnd& end() const { return end_; }
    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

  private:
    [[nodiscard]] std::string path_of(std::uint32_t log) const;
    Result<void> scan(std::uint32_t log, std::uint64_t from, const Each& each);
    Result<void> pass_holes(std::uint64_t size);
    Result<void> begin_next();
    Result<env::File*> reading(std::uint32_t log);
    template <typename T>
    Result<T> poison(Result<T> result);

    env::Disk& disk_;
    const std::uint64_t target_bytes_;
    std::unique_ptr<env::File> file_;  // the one that is appended to
    LogEnd end_;
    std::uint64_t synced_ = 0;
    std::uint64_t damaged_ = 0;
    bool has_holes_ = false;  // the disk did not give all of the open log
    bool goes_on_in_next_sector_ = false;
    bool name_unsure_ = false;
    std::optional<Error> broken_;
    std::unique_ptr<env::File> read_file_;
    std::uint32_t read_log_ = 0;
};

}  // namespace satchel::records
