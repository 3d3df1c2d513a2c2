// Crash states of one operation on a whole site: the box's own disk and the stick it works on (or the disk of
// the site it speaks with) lose power at the same moment, and what then lies on the two is judged.
//
// Method: the operation runs on two simulated disks. At each sync of either, and whenever it acknowledges
// something, the disks that a power cut could leave there are built: in the first run all combinations that
// CrashMonkey's experience calls for (all pending writes applied, none, each single one applied or lost; in a
// soak also torn and garbled), in later runs mixes drawn from a seed, until enough distinct states were seen.
// Some of the states are crashed once more while the operation is run again on them. States are told apart by
// the hash of both images.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "simulations/world/crash_images.hpp"

namespace satchel::support {

struct TwoDisks {
    std::unique_ptr<simulations::SimDisk> box;
    std::unique_ptr<simulations::SimDisk> stick;

    // Both as a program sees them now.
    [[nodiscard]] TwoDisks copy() const;
};

class CrashCase {
  public:
    virtual ~CrashCase() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    // New disks, as they are before the operation; all of it is sure.
    virtual TwoDisks start(bool syncs_are_lies) = 0;
    // The operation. Calls `acknowledged` whenever it has promised more than before, and once it is done.
    virtual void run(TwoDisks& disks, const std::function<void()>& acknowledged) = 0;
    // Throws what is wrong with disks that were found after `acknowledgements` calls; may change them.
    virtual void judge(TwoDisks& found, int acknowledgements) = 0;
};

struct ExploreOptions {
    std::size_t states = 250;            // distinct ones to see; a quarter of them at least from random mixes
    std::size_t singles_max = 1'000;     // pending writes that meet a fate of their own at each moment
    bool damaged_singles = false;        // of these each also torn and garbled, not only applied and lost
    std::size_t crash_again_every = 16;  // each so many-th state is also crashed while it recovers
    bool syncs_are_lies = false;
    std::uint64_t seed = 1;
};

struct Explored {
    std::string name;
    std::size_t moments = 0;        // syncs and acknowledgements of one run
    std::size_t states = 0;         // distinct
    std::size_t crashed_again = 0;  // of these: cut off a second time
    std::size_t violations = 0;
    std::string first_violation;
    double seconds = 0;
};
Explored explore(CrashCase& work, const ExploreOptions& options);

// One row of the table; with its head, since each test may run in a process of its own.
void print_table_row(const Explored& explored);

// How many distinct states four operations together are to see, each other one a share of it:
// SATCHEL_CRASH_STATES, else 24,000 in a soak (SATCHEL_SOAK=1), else 1,200.
[[nodiscard]] std::size_t crash_states_wanted();
// The options for an operation that is to see this part of them.
[[nodiscard]] ExploreOptions options_for(std::size_t states);

}  // namespace satchel::support
