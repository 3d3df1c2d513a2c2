// The gate through which freight of other sites comes in: what trust allows is kept, what it does not is
// noted.
#pragma once

#include <vector>

#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"
#include "engine/exchange/scope.hpp"

namespace satchel::exchange {

inline constexpr std::size_t kRefusedMax = 1000;  // refusals that are listed; more say nothing new

struct FreightTaken {
    std::uint64_t commits = 0;  // catalogue commits accepted
    std::uint64_t reviews = 0;
    std::uint64_t haves = 0;
    std::uint64_t receipts = 0;
    std::uint64_t segments = 0;  // of records
    std::uint64_t acknowledgements = 0;
    std::vector<Error> refused;  // freight that trust did not allow
};

// Takes parcels one by one; a lane's stand together. A parcel that trust does not allow goes into `refused`
// and changes nothing.
class FreightGate {
  public:
    // `freight_damaged`: freight is known to be broken elsewhere. What is then unknown here may just not have
    // come through, so it is no refusal by trust; the damage itself is reported.
    FreightGate(const Replica& replica, FreightTaken& taken, bool freight_damaged)
        : replica_(replica), taken_(taken), freight_damaged_(freight_damaged) {}
    Result<void> take(const Parcel& parcel);
    void drop_unfinished() { lane_open_ = false; }  // what follows does not belong to the lane any more

  private:
    Result<void> take_roots(const Roots& roots);
    Result<void> take_have(const ByteBuffer& bytes);
    Result<void> take_receipt(const ByteBuffer& bytes);
    Result<void> take_segment(const ByteBuffer& bytes);
    Result<void> take_acknowledgement(const ByteBuffer& bytes);
    Result<void> finish_lane();
    Result<void> note(Result<void> result);  // refusals and damage are noted, failures of this site returned
    Result<bool> is_heard(const trust::PublicKey& key, const NetworkId& network, const char* what);
    Replica replica_;
    FreightTaken& taken_;
    const bool freight_damaged_;
    bool lane_open_ = false;
    std::optional<SiteTree> tree_;  // read when the first segment comes
};

}  // namespace satchel::exchange
