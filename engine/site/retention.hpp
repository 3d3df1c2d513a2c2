// What a site keeps, what may go when room is needed, and how much of the disk its store may take.
// Private to engine/site.
//
// Policy. At a village: what is pinned and what is subscribed to stays; complete editions that nobody here
// subscribes to may go, and editions that a newer one replaced go first. A hub is where others fetch from: it
// lets nothing go by itself, and old editions only when it is told to.
#pragma once

#include <functional>

#include "engine/exchange/room.hpp"
#include "engine/site/site_state.hpp"

namespace satchel::site {

struct HeldEdition {
    std::string course;
    std::uint32_t number = 0;
    ChunkId manifest;
    std::uint64_t bytes = 0;
    Claim claim = Claim::kSubscribed;
};
// Every edition of which something is to stay here, in the order of the catalogue.
Result<void> for_each_held(Site::State& state,
                           const std::function<Result<void>(const HeldEdition& edition)>& each);

// The edition keeps nothing here from now on; a collection gives its bytes back.
Result<void> let_go(Site::State& state, const HeldEdition& edition);

Result<StoreLimits> load_limits(Site::State& state);

// Reports what nothing keeps, and gives it back to the disk unless `only_look`.
Result<CollectReport> collect(Site::State& state, Progress& progress, bool only_look);

// Adds to `holders` what could go for `bytes` more than what goes by itself.
Result<void> find_holders(Site::State& state, std::uint64_t bytes, std::vector<RoomHolder>& holders);

class SiteRoom final : public exchange::RoomPort {
  public:
    explicit SiteRoom(Site::State& state) : state_(state) {}
    Result<std::uint64_t> available() override;
    Result<std::uint64_t> make_room(std::uint64_t bytes) override;

  private:
    Result<std::uint64_t> let_go_of(Claim claim, std::uint64_t bytes);
    Site::State& state_;
};

}  // namespace satchel::site
