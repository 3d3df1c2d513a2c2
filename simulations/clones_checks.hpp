// What the scenario `clones` keeps of its boxes, and the checkers of what they then count.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/records/records.hpp"
#include "simulations/lines.hpp"
#include "simulations/network.hpp"

namespace satchel::simulations {

inline constexpr std::size_t kHub = 0;  // its place among boxes and sites

struct CloneBox {
    std::unique_ptr<SimSite> site;
    std::size_t who =
        0;  // the hub or one of the villages, as the network names them; several boxes may be it
    LineId line = 0;
    Serials held{};     // acknowledged, and counted here by what happened to this disk
    Serials waiting{};  // came by stick, and may count only once what the hub acknowledged before is here
    Digest begun_on{};  // the machine that its incarnation began on
    records::Incarnation incarnation{};
};

struct ClonesPast {
    Lines lines;
    std::vector<LineId> roots;                     // of each site
    std::vector<std::unique_ptr<CloneBox>> boxes;  // the hub, the villages, copies
    std::map<std::int64_t, std::size_t> who_said;  // also what was not acknowledged
};

class ClonesChecks {
  public:
    // Keeps both.
    ClonesChecks(ClonesPast& past, Findings& findings) : past_(past), findings_(findings) {}

    // What this box must count by what happened to it, it does; nothing twice.
    void check_held(CloneBox& box);
    // Returns how many events are counted more than once.
    std::uint64_t check_once(CloneBox& box, const std::multiset<std::int64_t>& counted);
    // The report's sums are those of what is counted.
    void check_report(CloneBox& hub, const Serials& there);
    // Each end of a fork lies in a chain with a head of its own, and no head stands over two ends. Returns
    // how many ends the site's fork has; 0: there is none.
    std::uint64_t check_branches(std::size_t who, const Serials& there);
    // The box counts of its own site what the hub does, holds the same heads, and all of it is whole.
    void check_box(CloneBox& box, const Serials& there);
    // Two boxes that ran on from one state do not go on under one incarnation once both have met the hub.
    void check_noticed();

  private:
    using Chains = std::map<records::SegmentId, std::set<LineId>>;
    Result<Chains> chains_of(const SiteId& site);
    SiteId id_of(std::size_t who);
    [[nodiscard]] std::string said_on(const std::set<LineId>& lines, const Serials& there) const;
    [[nodiscard]] site::Site& hub() const { return past_.boxes[kHub]->site->site(); }

    ClonesPast& past_;
    Findings& findings_;
};

}  // namespace satchel::simulations
