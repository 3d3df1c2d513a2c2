// A hub whose power is cut while it takes the records of two villages from a stick and answers on it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::Tree;

// A village reads the stick, records, and writes it: two segments and what was open.
Tree village_records(const Tree& village, SimDisk& stick, int first) {
    FixedWorld world(90);
    const auto disk = disk_of(village);
    {
        const auto site = must(site::Site::open(*disk, world.world()));
        read_stick(*site, stick);
        for (int i = 0; i < 2; ++i) {
            must(site->records().record({viewing_of(first + i)}));
            must(site->records().close_segment());
        }
        must(site->records().record({viewing_of(first + 2)}));
        write_stick(*site, stick);
    }
    return disk->tree();
}

class StickRecords : public CrashCase {
  public:
    StickRecords() {
        const auto stick = disk_of(crash_county().stick_after, fat_options());
        east_ = village_records(crash_county().east, *stick, 1);
        village_records(crash_county().west, *stick, 11);
        stick_ = stick->tree();
        TwoDisks disks = start(false);
        {
            FixedWorld world(91);
            before_ = promise_of(*must(site::Site::open(*disks.box, world.world())));
        }
        run(disks, [] {});
        FixedWorld world(91);
        expected_ = finish(*must(site::Site::open(*disks.box, world.world())), *disks.stick);
    }

    [[nodiscard]] std::string name() const override { return "records from a stick"; }
    // Without a stop: so many records count at the hub.
    [[nodiscard]] std::size_t counted_in_the_end() const { return expected_.counted.size(); }
    // And so many segments the east village still carries once the stick is back.
    [[nodiscard]] std::size_t carried_in_the_end() const { return expected_.carried; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box, stick = fat_options();
        box.syncs_are_lies = stick.syncs_are_lies = syncs_are_lies;
        promised_.assign(1, {});
        return {disk_of(crash_county().hub_after, box), disk_of(stick_, stick)};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(92);
        const auto hub = must(site::Site::open(*disks.box, world.world()));
        const auto promise = [&] {
            promised_.push_back(counted_at(*hub));
            acknowledged();
        };
        read_stick(*hub, *disks.stick);
        promise();
        write_stick(*hub, *disks.stick);
        promise();
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(93);
        const auto hub = must(site::Site::open(*found.box, world.world()));
        require_sound(*hub);
        require_kept(*hub, before_);
        const std::set<std::string> counted = counted_at(*hub);
        for (const std::string& id : promised_.at(static_cast<std::size_t>(acknowledgements)))
            require(counted.contains(id), "a record that was taken is gone: " + id);
        require_held_where_acknowledged(*hub, *found.stick);
        const Outcome outcome = finish(*hub, *found.stick);
        require(outcome.counted == expected_.counted, "other records count");
        require(outcome.carried == expected_.carried, "the village carries others than the hub lacks");
    }

  private:
    struct Outcome {
        std::set<std::string> counted;
        std::size_t carried = 0;
    };

    // How many segments a village that reads this stick still has to carry to a hub.
    std::size_t carried_after(const SimDisk& stick) {
        const Digest hash = simulations::image_hash(stick);
        if (const auto known = carried_.find(hash); known != carried_.end()) return known->second;
        FixedWorld world(94);
        const auto disk = disk_of(east_);
        const auto east = must(site::Site::open(*disk, world.world()));
        const auto copy = simulations::image(stick, {});  // no answer comes onto the stick that is judged
        read_stick(*east, *copy);
        std::size_t carried = 0;
        must(east->replica().records->for_each_unacknowledged([&](ByteView) -> Result<bool> {
            ++carried;
            return true;
        }));
        return carried_[hash] = carried;
    }

    // What the stick frees a village from carrying, the hub holds.
    void require_held_where_acknowledged(site::Site& hub, const SimDisk& stick) {
        constexpr std::size_t kSegments = 3;
        require(carried_after(stick) + segments_of(hub, crash_county().east_id).size() >= kSegments,
                "the hub's word is on the stick, and it does not hold the records");
    }

    Outcome finish(site::Site& hub, SimDisk& stick) {
        require_nothing_refused(read_stick(hub, stick));
        require_store_sound(hub);
        require_records_sound(hub);
        write_stick(hub, stick);
        return {counted_at(hub), carried_after(stick)};
    }

    Tree east_, stick_;
    Promise before_;
    std::vector<std::set<std::string>> promised_;
    std::map<Digest, std::size_t> carried_;
    Outcome expected_;
};

TEST(StickRecordsCrash, TheHubHoldsWhatItAcknowledgesAndFinishesWhenRunAgain) {
    StickRecords work;
    EXPECT_EQ(work.counted_in_the_end(), 6u);
    EXPECT_EQ(work.carried_in_the_end(), 0u);
    ExploreOptions options = options_for(crash_states_wanted() / 8);
    if (!options.damaged_singles) options.singles_max = 2;  // time: a soak gives each its fates
    const Explored explored = explore(work, options);
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, crash_states_wanted() / 8);
}

TEST(StickRecordsCrash, IsCaughtWhenSyncsAreLies) {
    StickRecords work;
    EXPECT_GT(explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true}).violations, 0u);
}

}  // namespace
}  // namespace satchel
