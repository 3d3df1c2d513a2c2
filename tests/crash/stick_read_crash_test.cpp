// A village whose power is cut while it reads a stick: the catalogue alone, and catalogue and courses.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/exchange/haves.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::Tree;

class StickRead : public CrashCase {
  public:
    StickRead(std::string name, Tree village) : name_(std::move(name)), village_(std::move(village)) {
        TwoDisks disks = start(false);
        hub_folder_ = files_of_hub(*disks.stick);
        {
            FixedWorld world(30);
            promises_.assign(1, promise_of(*must(site::Site::open(*disks.box, world.world()))));
        }
        run(disks, [] {});
        FixedWorld world(30);
        expected_ = finish(*must(site::Site::open(*disks.box, world.world())), *disks.stick);
    }

    [[nodiscard]] std::string name() const override { return name_; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box, stick = fat_options();
        box.syncs_are_lies = stick.syncs_are_lies = syncs_are_lies;
        if (!promises_.empty()) promises_.resize(1);
        return {disk_of(village_, box), disk_of(crash_county().stick_after, stick)};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(31);
        const auto village = must(site::Site::open(*disks.box, world.world()));
        const auto promise_more = [&] {
            promises_.push_back(promise_of(*village));
            acknowledged();
        };
        Watcher watcher(*village, promises_.front().picture, promise_more);
        must(stick::read_stick(*village, *disks.stick, watcher));
        promise_more();
        answered_at_ = promises_.size() - 1;
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(32);
        const auto village = must(site::Site::open(*found.box, world.world()));
        require_sound(*village);
        require_kept(*village, promises_.at(static_cast<std::size_t>(acknowledgements)));
        require(files_of_hub(*found.stick) == hub_folder_, "the village touched what the hub wrote");
        if (static_cast<std::size_t>(acknowledgements) == answered_at_ && answered_at_ > 0) {
            require(have_at_hub(*found.stick) == expected_.have,
                    "the answer was acknowledged and does not reach the hub");
        }
        const Outcome outcome = finish(*village, *found.stick);
        require(outcome.picture == expected_.picture, "ends otherwise: " + support::text_of(outcome.picture));
        require(outcome.courses == expected_.courses, "what is checked out differs");
        require(outcome.have == expected_.have, "the hub learns otherwise of the village");
    }

  private:
    struct Outcome {
        Picture picture;
        std::map<std::string, Files> courses;
        std::optional<exchange::Have> have;  // of the village, as the hub has it after the stick came back
    };

    // Whatever a person could have seen while the stick was read counts as promised.
    class Watcher : public Progress {
      public:
        Watcher(site::Site& site, Picture last, std::function<void()> seen_more)
            : site_(site), last_(std::move(last)), seen_more_(std::move(seen_more)) {}
        Result<void> update(const ProgressUpdate&) override {
            if (site_.database().in_transaction() || site_.store().uncommitted_bytes() > 0) return {};
            Picture now = picture_of(site_);
            if (now == last_) return {};
            last_ = std::move(now);
            seen_more_();
            return {};
        }

      private:
        site::Site& site_;
        Picture last_;
        std::function<void()> seen_more_;
    };

    static Files files_of_hub(SimDisk& stick) {
        return files_below(stick, stick::site_folder(crash_county().hub_id));
    }

    // What the hub learns of the village when the stick comes back. Depends on the stick alone, and many
    // crash states differ in the box only.
    const std::optional<exchange::Have>& have_at_hub(const SimDisk& stick) {
        const Digest hash = simulations::image_hash(stick);
        if (const auto known = haves_.find(hash); known != haves_.end()) return known->second;
        FixedWorld world(33);
        const auto disk = disk_of(crash_county().hub_after);
        const auto hub = must(site::Site::open(*disk, world.world()));
        const auto copy =
            simulations::image(stick, {});  // the answer must not come onto the stick that is judged
        read_stick(*hub, *copy);
        std::optional<exchange::Have> have =
            must(exchange::peer_have(hub->replica(), crash_county().east_id));
        if (have) have->sequence = 0;  // how often it was said does not matter
        return haves_[hash] = std::move(have);
    }

    Outcome finish(site::Site& village, SimDisk& stick) {
        const stick::ReadReport report = read_stick(village, stick);
        require_nothing_refused(report);
        require(report.damaged_count == 0, "the stick is called damaged when it is read again");
        require(report.answered, "the village does not answer when the stick is read again");
        require_store_sound(village);
        return {picture_of(village), checkouts(village), have_at_hub(stick)};
    }

    const std::string name_;
    const Tree village_;
    Files hub_folder_;
    std::vector<Promise> promises_;
    std::size_t answered_at_ = 0;
    Outcome expected_;
    std::map<Digest, std::optional<exchange::Have>> haves_;
};

// The village as it is, but subscribed to nothing: a stick brings it the catalogue only.
Tree village_without_subscription() {
    FixedWorld world(35);
    const auto disk = disk_of(crash_county().east);
    {
        const auto village = must(site::Site::open(*disk, world.world()));
        must(village->unsubscribe({"all", ""}));
    }
    return disk->tree();
}

void expect_no_violation(StickRead& work) {
    const Explored explored = explore(work, options_for(crash_states_wanted() / 4));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, crash_states_wanted() / 4);
}

void expect_caught_when_syncs_are_lies(StickRead& work) {
    const Explored explored = explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true});
    print_table_row(explored);
    EXPECT_GT(explored.violations, 0u);
}

TEST(CatalogueAcceptCrash, NeverTakesAHeadBackAndFinishesWhenRunAgain) {
    StickRead work("catalogue accept", village_without_subscription());
    expect_no_violation(work);
}

TEST(CatalogueAcceptCrash, IsCaughtWhenSyncsAreLies) {
    StickRead work("catalogue accept", village_without_subscription());
    expect_caught_when_syncs_are_lies(work);
}

TEST(StickReadCrash, LosesNoChunkThatWasTakenAndFinishesWhenRunAgain) {
    StickRead work("stick read", crash_county().east);
    expect_no_violation(work);
}

TEST(StickReadCrash, IsCaughtWhenSyncsAreLies) {
    StickRead work("stick read", crash_county().east);
    expect_caught_when_syncs_are_lies(work);
}

}  // namespace
}  // namespace satchel
