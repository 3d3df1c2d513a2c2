// Records of other sites on their way: what this site carries for them until the hubs have it (decision
// 0016). They lie apart from the records of its own scope, count in no report here, and may be lost, for
// their authors have them.
#pragma once

#include <functional>
#include <map>
#include <span>

#include "engine/database/database.hpp"
#include "engine/exchange/records_port.hpp"
#include "engine/records/segment.hpp"

namespace satchel::exchange {

inline constexpr std::uint64_t kCustodyMax = 32ull * 1024 * 1024;     // bytes, of all sites
inline constexpr std::uint64_t kCustodyFeedMax = 1ull * 1024 * 1024;  // of one, so that none fills it
inline constexpr std::size_t kCustodyHeldMax = 64;                    // segments in memory until commit()

struct CustodyUse {
    std::uint64_t sites = 0;
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
};

class Custody {
  public:
    explicit Custody(database::Database& database) : database_(database) {}  // borrowed

    // Takes a verified segment. False: it is here, has no room, or does not go on from what is here of its
    // branch. Sure after commit(), which comes by itself after kCustodyHeldMax.
    Result<bool> put(const records::OpenedSegment& opened, ByteView segment);
    Result<void> commit();

    Result<bool> has(const SegmentId& id);
    Result<std::vector<FeedHead>> heads_of(const SiteId& site);  // ascending
    Result<std::map<SiteId, std::vector<FeedHead>>> feeds();
    // What a holder of `known` lacks, oldest first; `sink` returns false to stop.
    Result<void> segments_after(const SiteId& site, std::span<const SegmentId> known,
                                const std::function<Result<bool>(const SegmentId&, ByteView)>& sink);
    // The hubs have all of the site's feed up to these heads. In the caller's transaction; after commit().
    Result<void> drop_up_to(const SiteId& site, std::span<const FeedHead> heads);
    Result<bool> has_room();  // for a whole segment more
    Result<CustodyUse> use();

  private:
    struct Held {
        records::OpenedSegment opened;
        ByteBuffer bytes;
    };
    Result<bool> goes_on(const records::Segment& segment);
    Result<std::uint64_t> bytes_of(const SiteId* site);
    Result<void> insert(const Held& held);

    database::Database& database_;
    std::map<SegmentId, Held> held_;
};

}  // namespace satchel::exchange
