// Records of other sites on their way: what this site carries for them until the hubs have it (decision
// 0016). They lie apart from the records of its own scope, count in no report here, and may be lost, for
// their authors have them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>

#include "engine/database/database.hpp"
#include "engine/exchange/records_port.hpp"
#include "engine/records/segment.hpp"

namespace satchel::exchange {

inline constexpr std::uint64_t kCustodyMax = 32ull * 1024 * 1024;     // bytes, of all sites
inline constexpr std::uint64_t kCustodyFeedMax = 1ull * 1024 * 1024;  // of one, so that none fills it
inline constexpr std::size_t kCustodyBranchesMax =
    16;  // of one site: so often was its box copied or put back
inline constexpr std::size_t kCustodySitesSummed = 1024;  // whose sums are in memory
inline constexpr std::size_t kCustodyHeldMax = 64;        // segments in memory until commit()

struct CustodyUse {
    std::uint64_t sites = 0;
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
};

class Custody {
  public:
    explicit Custody(database::Database& database) : database_(database) {}  // borrowed

    // Takes a verified segment. False: it is here, has no room, is one branch too many of its site, or does
    // not go on where its branch ends here. Sure after commit(), which comes by itself after kCustodyHeldMax.
    Result<bool> put(const records::OpenedSegment& opened, ByteView segment);
    Result<void> commit();

    Result<bool> has(const SegmentId& id);
    // The end of each branch, ascending.
    Result<std::vector<FeedHead>> heads_of(const SiteId& site);
    Result<std::map<SiteId, std::vector<FeedHead>>> feeds();
    // What a holder of `known` lacks, each branch oldest first; `sink` returns false to stop.
    Result<void> segments_after(const SiteId& site, std::span<const SegmentId> known,
                                const std::function<Result<bool>(const SegmentId&, ByteView)>& sink);
    // The hubs have all of the site's feed up to these heads. In the caller's transaction, if there is one;
    // then commit() comes before.
    Result<void> drop_up_to(const SiteId& site, std::span<const FeedHead> heads);
    Result<void> drop_all_of(const SiteId& site);
    Result<bool> has_room();  // for a whole segment more
    Result<CustodyUse> use();

  private:
    struct Held {
        records::OpenedSegment opened;
        ByteBuffer bytes;
    };
    struct OfSite {
        std::uint64_t bytes = 0;
        std::vector<FeedHead> heads;  // one a branch
    };
    Result<OfSite*> load(const SiteId& site);
    Result<std::uint64_t> total();
    Result<void> insert(const Held& held);
    void forget_sums();

    database::Database& database_;
    std::map<SegmentId, Held> held_;
    // What the table and held_ sum up to, as far as it was asked for.
    std::map<SiteId, OfSite> of_site_;
    std::optional<std::uint64_t> total_;
};

}  // namespace satchel::exchange
