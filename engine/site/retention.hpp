// What a site keeps, what may go when room is needed, and how much of the disk its store may take.
// Private to engine/site.
//
// Policy. At a village: what is pinned and what is subscribed to stays; editions that a newer one replaced
// and complete ones that nobody here subscribes to may go when that makes enough room, and not before. A
// stand-in, which people see until the current edition of its course is whole, goes for that one alone. A hub
// is where others fetch from: it lets nothing go by itself, and old editions only when it is told to.
#pragma once

#include <functional>
#include <optional>
#include <set>

#include "engine/exchange/room.hpp"
#include "engine/site/site_state.hpp"

namespace satchel::site {

struct HeldEdition {
    std::string course;
    std::uint32_t number = 0;
    ChunkId manifest;
    std::uint64_t bytes = 0;
    Claim claim = Claim::kSubscribed;
    bool is_stand_in = false;  // old, and shown while the current one is on its way
};
// Every edition of which something is to stay here, in the order of the catalogue.
Result<void> for_each_held(Site::State& state,
                           const std::function<Result<void>(const HeldEdition& edition)>& each);

// Takes those out of `going` whose files another edition has that may not go: they are the same objects.
// Returns one that keeps such files.
Result<std::optional<HeldEdition>> leave_what_others_keep(
    Site::State& state, std::vector<HeldEdition>& going,
    const std::function<bool(const HeldEdition& edition)>& may_go);

// It is whole here and stays, though an older edition of the same files was dropped once.
Result<void> note_published(Site::State& state, const ChunkId& manifest);

// The editions keep nothing here from now on, all of them or none; a collection gives their bytes back.
Result<void> let_go(Site::State& state, const std::vector<HeldEdition>& editions);

Result<StoreLimits> load_limits(Site::State& state);

struct CollectPlan {
    bool only_look = false;
    std::uint64_t room_wanted = 0;  // until so much is available, more of the packs are written again
    // In need of room: these go if their list of files is damaged, and it is not known what they keep. A look
    // takes them for gone.
    std::function<bool(const HeldEdition& edition)> goes_if_damaged = {};
    // For a look only: as if these were not kept.
    std::function<bool(const HeldEdition& edition)> as_if_gone = {};
    bool reckons_stand_ins = false;  // among these: each by itself, and the others as if they were kept
};
// Reports what nothing keeps, and gives it back to the disk. kDamaged, where it is not known what the kept
// editions are made of: nothing goes then. A look goes on, and tells it in the report.
Result<CollectReport> collect(Site::State& state, Progress& progress, const CollectPlan& plan);

// Bytes that may still be added to the packs.
Result<std::uint64_t> available_room(Site::State& state);

// Adds to `holders` what a person could let go for so many bytes.
Result<void> find_holders(Site::State& state, std::uint64_t bytes, std::vector<RoomHolder>& holders);

class SiteRoom final : public exchange::RoomPort {
  public:
    explicit SiteRoom(Site::State& state) : state_(state) {}
    Result<std::uint64_t> available() override { return available_room(state_); }
    Result<Potential> potential() override;
    Result<std::uint64_t> potential_for(const std::string& course) override;
    Result<std::uint64_t> make_room(std::uint64_t bytes, const std::string& for_course) override;

  private:
    [[nodiscard]] bool may_go(const HeldEdition& edition, const std::string& for_course) const;
    using MayGo = std::function<bool(const HeldEdition& edition)>;
    Result<std::vector<HeldEdition>> choose(std::uint64_t bytes, const MayGo& may_go_for_it,
                                            bool counts_dead);
    Result<std::vector<HeldEdition>> next_to_go(const std::set<ChunkId>& going, const MayGo& may_go_for_it,
                                                std::uint64_t bytes);
    Result<Digest> fingerprint();
    Site::State& state_;
    struct Reckoned {
        Digest of{};  // what it depends on
        Potential freeable;
    };
    std::optional<Reckoned> reckoned_;
};

}  // namespace satchel::site
