#include "tests/support/crash_harness.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "simulations/world/seeded.hpp"

namespace satchel::support {

namespace {

using simulations::CrashBudget;
using simulations::CrashPlan;
using simulations::Fate;
using simulations::Seeded;
using simulations::SimDisk;

constexpr std::size_t kStatesInGate = 1'200;
constexpr std::size_t kStatesInSoak = 24'000;

struct PairPlan {
    CrashPlan box;
    CrashPlan stick;
};

CrashPlan nothing_applied(const SimDisk& disk) {
    return {std::vector<Fate>(disk.pending().size(), Fate::kLost), 0};
}

TwoDisks found_after(const TwoDisks& disks, const PairPlan& plan) {
    return {simulations::image(*disks.box, plan.box), simulations::image(*disks.stick, plan.stick)};
}

Digest hash_of_both(const TwoDisks& disks) {
    const Digest box = simulations::image_hash(*disks.box);
    const Digest stick = simulations::image_hash(*disks.stick);
    return Hasher().update(box).update(stick).finish();
}

std::vector<PairPlan> systematic_pairs(const TwoDisks& disks, const ExploreOptions& options) {
    const CrashBudget budget{.singles_max = options.singles_max,
                             .damaged_singles = options.damaged_singles,
                             .random_mixes = 0,
                             .seed = options.seed};
    std::vector<PairPlan> pairs;
    for (const CrashPlan& plan : simulations::systematic_plans(*disks.box, budget))
        pairs.push_back({plan, {}});
    if (disks.stick->pending().empty()) return pairs;
    for (const CrashPlan& plan : simulations::systematic_plans(*disks.stick, budget))
        pairs.push_back({{}, plan});
    pairs.push_back({nothing_applied(*disks.box), {}});
    pairs.push_back({nothing_applied(*disks.box), nothing_applied(*disks.stick)});
    return pairs;
}

class Explorer {
  public:
    Explorer(CrashCase& work, const ExploreOptions& options) : work_(work), options_(options) {
        explored_.name = work.name();
    }

    Explored run() {
        const auto begun = std::chrono::steady_clock::now();
        run_once(0);
        // Random mixes: as many at each moment as spread the rest evenly. A run that brings nothing new ends
        // it.
        wanted_ = std::max(options_.states, distinct_.size() + options_.states / 4);
        for (std::uint64_t number = 1; distinct_.size() < wanted_; ++number) {
            const std::size_t before = distinct_.size();
            mixes_ = 1 + (wanted_ - before) / explored_.moments;
            run_once(number);
            if (distinct_.size() == before) break;
        }
        explored_.states = distinct_.size();
        explored_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        return std::move(explored_);
    }

  private:
    void run_once(std::uint64_t number) {
        run_number_ = number;
        acknowledgements_ = 0;
        moment_ = 0;
        TwoDisks disks = work_.start(options_.syncs_are_lies);
        const auto look = [&](SimDisk&) { look_at(disks); };
        disks.box->on_sync = look;
        disks.stick->on_sync = look;
        work_.run(disks, [&] {
            ++acknowledgements_;
            look_at(disks);
        });
        explored_.moments = moment_;
    }

    void look_at(const TwoDisks& disks) {
        ++moment_;
        if (options_.syncs_are_lies && explored_.violations > 0) return;  // caught: that is all that is asked
        if (run_number_ == 0) {
            for (const PairPlan& plan : systematic_pairs(disks, options_)) judge(disks, plan);
            return;
        }
        Seeded seeds(options_.seed + run_number_ * 1'000'003 + moment_);
        for (std::size_t i = 0; i < mixes_ && distinct_.size() < wanted_; ++i) {
            const PairPlan plan{simulations::random_plan(*disks.box, seeds.next()),
                                simulations::random_plan(*disks.stick, seeds.next())};
            judge(disks, plan);
        }
    }

    void judge(const TwoDisks& disks, const PairPlan& plan) {
        TwoDisks found = found_after(disks, plan);
        if (!is_new(found)) return;
        const std::string where = "moment " + std::to_string(moment_) + ", box " + describe(plan.box) +
                                  "; stick " + describe(plan.stick);
        if (++judged_count_ % options_.crash_again_every == 0) crash_again(found, where);
        note(found, where);
    }

    // An image may be met again when more was acknowledged: then it is judged again, and counted once.
    bool is_new(const TwoDisks& found) {
        const Digest hash = hash_of_both(found);
        distinct_.insert(hash);
        return judged_.insert({acknowledgements_, hash}).second;
    }

    // Cuts the power off once more while the found disks recover and the operation runs on them again.
    void crash_again(const TwoDisks& found, const std::string& where) {
        Seeded random(options_.seed + judged_count_);
        TwoDisks again = found.copy();
        // Half of the cuts come soon, where recovery is; the others anywhere in the operation.
        const std::uint64_t operations = random.below(random.below(2) == 0 ? 24 : 240);
        again.box->set_crash_after(operations);
        try {
            work_.judge(again, acknowledgements_);
        } catch (const std::exception&) {
            // The disk went away: that is the crash.
        }
        const PairPlan plan{simulations::random_plan(*again.box, random.next()),
                            simulations::random_plan(*again.stick, random.next())};
        TwoDisks found_again = found_after(again, plan);
        if (!is_new(found_again)) return;
        ++explored_.crashed_again;
        note(found_again, where + "; and again after " + std::to_string(operations) + " operations, box " +
                              describe(plan.box) + "; stick " + describe(plan.stick));
    }

    void note(TwoDisks& found, const std::string& where) {
        try {
            work_.judge(found, acknowledgements_);
        } catch (const std::exception& wrong) {
            if (++explored_.violations == 1)
                explored_.first_violation = std::string(wrong.what()) + " (" + where + ")";
        }
    }

    CrashCase& work_;
    const ExploreOptions options_;
    Explored explored_;
    std::set<Digest> distinct_;
    std::set<std::pair<int, Digest>> judged_;
    std::uint64_t run_number_ = 0;
    std::size_t wanted_ = 0;  // distinct states
    std::size_t mixes_ = 0;   // at each moment of this run
    std::size_t moment_ = 0;
    std::size_t judged_count_ = 0;
    int acknowledgements_ = 0;
};

}  // namespace

TwoDisks TwoDisks::copy() const { return {simulations::image(*box, {}), simulations::image(*stick, {})}; }

Explored explore(CrashCase& work, const ExploreOptions& options) { return Explorer(work, options).run(); }

void print_table_row(const Explored& explored) {
    std::printf("%-34s %8s %8s %14s %11s %10s\n", "operation", "moments", "states", "crashed again",
                "violations", "ms/state");
    std::printf("%-34s %8zu %8zu %14zu %11zu %10.1f\n", explored.name.c_str(), explored.moments,
                explored.states, explored.crashed_again, explored.violations,
                explored.seconds * 1000 / static_cast<double>(explored.states == 0 ? 1 : explored.states));
}

std::size_t crash_states_wanted() {
    if (const char* wanted = std::getenv("SATCHEL_CRASH_STATES")) return std::strtoull(wanted, nullptr, 10);
    return std::getenv("SATCHEL_SOAK") != nullptr ? kStatesInSoak : kStatesInGate;
}

ExploreOptions options_for(std::size_t states) {
    ExploreOptions options;
    options.states = states;
    options.damaged_singles = crash_states_wanted() > kStatesInGate;
    return options;
}

}  // namespace satchel::support
