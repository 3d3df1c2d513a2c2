// A hub whose power is cut while it publishes edition 2 over edition 1.
#include <gtest/gtest.h>

#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;

// The folder of courseware is only read: it needs no crash.
class Publish : public CrashCase {
  public:
    Publish() {
        TwoDisks disks = start(false);
        run(disks, [] {});
        FixedWorld world(10);
        expected_ = finish(*must(site::Site::open(*disks.box, world.world())), *disks.box);
    }

    [[nodiscard]] std::string name() const override { return "publish"; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions options;
        options.syncs_are_lies = syncs_are_lies;
        TwoDisks disks{disk_of(crash_county().hub_before, options), std::make_unique<SimDisk>()};
        promises_.assign(1, first_promise());
        return disks;
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(10);
        const auto hub = must(site::Site::open(*disks.box, world.world()));
        const auto folder = disk_of(crash_county().courseware);
        publish(*hub, *folder, 1);
        promises_.push_back(promise_of(*hub));
        acknowledged();
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(11);
        const auto hub = must(site::Site::open(*found.box, world.world()));
        require_sound(*hub);
        require_kept(*hub, promises_.at(static_cast<std::size_t>(acknowledgements)));
        const Outcome outcome = finish(*hub, *found.box);
        require(outcome.picture == expected_.picture, "ends otherwise: " + support::text_of(outcome.picture));
        require(outcome.courses == expected_.courses, "what is checked out differs");
        for (const auto& [path, content] : expected_.mirror) {
            const auto file = outcome.mirror.find(path);
            require(file != outcome.mirror.end() && file->second == content, "the mirror differs in " + path);
        }
    }

  private:
    struct Outcome {
        Picture picture;
        std::map<std::string, Files> courses;
        Files mirror;
    };

    static const Promise& first_promise() {
        static const Promise kPromise = [] {
            FixedWorld world(12);
            const auto disk = disk_of(crash_county().hub_before);
            return promise_of(*must(site::Site::open(*disk, world.world())));
        }();
        return kPromise;
    }

    // The same command again, then the reviews that make the new editions current.
    static Outcome finish(site::Site& hub, SimDisk& box) {
        const auto folder = disk_of(crash_county().courseware);
        publish(hub, *folder, 1);
        const Files mirror = files_below(box, "catalogue.git");
        review_everything(hub);
        NoProgress silent;
        must(hub.refresh_holdings(silent));
        require_store_sound(hub);
        return {picture_of(hub), checkouts(hub), mirror};
    }

    std::vector<Promise> promises_;
    Outcome expected_;
};

TEST(PublishCrash, LosesNothingThatWasPublishedAndFinishesWhenRunAgain) {
    Publish work;
    const Explored explored = explore(work, options_for(crash_states_wanted() / 4));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, crash_states_wanted() / 4);
}

// Known to be bad: a judge that finds nothing here sees nothing at all.
TEST(PublishCrash, IsCaughtWhenSyncsAreLies) {
    Publish work;
    const Explored explored = explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true});
    print_table_row(explored);
    EXPECT_GT(explored.violations, 0u);
}

}  // namespace
}  // namespace satchel
