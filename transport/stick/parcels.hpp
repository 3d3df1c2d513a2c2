// What a site puts into its freight, and what it does with freight that comes. Private to transport/stick.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/site/site.hpp"
#include "transport/stick/carry.hpp"

namespace satchel::stick {

// The newest have of another site, as it came last.
Result<std::optional<exchange::Have>> peer_have(site::Site& site, const SiteId& peer);

using TakeParcel = std::function<Result<void>(const exchange::Parcel&)>;

// What the office says and sites with these haves may lack: roots and catalogue.
Result<void> news_for(site::Site& site, const std::vector<std::optional<exchange::Have>>& haves,
                      const TakeParcel& take);
// What sites say: reviews, this site's have, the haves of others, receipts. Both are deterministic: equal
// state gives equal parcels.
Result<void> answers_of(site::Site& site, const TakeParcel& take);

// Writes answers_of() to this site's own folder, in place of what an earlier answer left there.
Result<void> write_answer(site::Site& site, env::Disk& stick);

// Freight comes in three rounds over all volumes, since what a later one is judged by an earlier one brings,
// in whatever volume it lies: roots say who may edit, lanes which editions and sites there are.
enum class FreightRound { kRoots, kLanes, kSayings };
inline constexpr FreightRound kFreightRounds[] = {FreightRound::kRoots, FreightRound::kLanes,
                                                  FreightRound::kSayings};

// Takes the parcels of one round. A parcel that trust does not allow goes into `refused` and changes nothing.
class FreightGate {
  public:
    // `freight_damaged`: earlier rounds found broken freight. What is then unknown here may just not have
    // come through, so it is no refusal by trust; the damage itself is reported.
    FreightGate(site::Site& site, ReadReport& report, FreightRound round, bool freight_damaged)
        : site_(site), report_(report), round_(round), freight_damaged_(freight_damaged) {}
    Result<void> take(const exchange::Parcel& parcel);
    void drop_unfinished() { lane_open_ = false; }  // the volume ended or was damaged inside a lane

  private:
    [[nodiscard]] static FreightRound round_of(const exchange::Parcel& parcel);
    Result<void> take_roots(const exchange::Roots& roots);
    Result<void> take_have(const ByteBuffer& bytes);
    Result<void> take_receipt(const ByteBuffer& bytes);
    Result<void> finish_lane();
    Result<void> note(Result<void> result);  // refusals and damage are noted, failures of this site returned
    Result<bool> is_heard(const trust::PublicKey& key, const NetworkId& network, const char* what);
    site::Site& site_;
    ReadReport& report_;
    const FreightRound round_;
    const bool freight_damaged_;
    bool lane_open_ = false;
};

// This site's have as of now; a new sequence number only when something changed.
Result<ByteBuffer> own_have(site::Site& site);

// Remembers a receipt that this site made; not again if the newest one of this volume says the same damage
// and nothing was taken since.
Result<void> add_own_receipt(site::Site& site, exchange::Receipt receipt);

}  // namespace satchel::stick
