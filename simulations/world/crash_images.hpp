// The disks that a program may find after a power cut.
//
// Method: at a moment, each pending operation of a SimDisk gets a fate; applying them in order to what is
// sure gives an image. The fates that most often show a bug come first: all applied, none, each single one
// applied, lost, torn or garbled (Mohan et al., OSDI 2018: few reordered writes suffice); then mixes drawn
// from a seed. Images are told apart by hash, so that counts mean distinct states.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/base/hash.hpp"
#include "simulations/world/sim_disk.hpp"

namespace satchel::simulations {

inline constexpr std::uint64_t kSectorBytes = 512;  // what a medium writes as a whole, at best

enum class Fate {
    kApplied,
    kLost,
    kTorn,       // a write: its first sectors only; a FAT name: an entry of length 0; others: lost
    kGarbage,    // a write: its bytes are there, with other values; others: applied
    kScattered,  // a write: each sector applied, lost or garbled; others: applied
};

struct CrashPlan {
    std::vector<Fate> fates;  // of the pending operations in order; kApplied for those beyond
    std::uint64_t seed = 0;   // of places and garbage
};

// What is damaged depends on the disk's state and the plan alone.
[[nodiscard]] std::unique_ptr<SimDisk> image(const SimDisk& disk, const CrashPlan& plan);

// Over names and contents as a program sees them.
[[nodiscard]] Digest image_hash(const SimDisk& disk);

struct CrashBudget {
    std::size_t singles_max =
        64;                       // operations that get fates of their own; evenly spread when there are more
    bool damaged_singles = true;  // each single one also torn and garbled, not only applied and lost
    std::size_t random_mixes = 8;
    std::uint64_t seed = 1;
};

// All, none, each single one applied, lost, torn, garbled.
[[nodiscard]] std::vector<CrashPlan> systematic_plans(const SimDisk& disk, const CrashBudget& budget);
[[nodiscard]] CrashPlan random_plan(const SimDisk& disk, std::uint64_t seed);

// Visits each image within the budget whose hash is not in `seen` yet, and adds it there.
void for_each_image(const SimDisk& disk, const CrashBudget& budget, std::set<Digest>& seen,
                    const std::function<void(SimDisk& image, const CrashPlan& plan)>& visit);

// "seed 7: 12 pending, not applied: 3 torn, 5 lost", to find a failing image again.
[[nodiscard]] std::string describe(const CrashPlan& plan);

}  // namespace satchel::simulations
