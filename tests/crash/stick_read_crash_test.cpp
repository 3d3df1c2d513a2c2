// A village whose power is cut while it reads a stick: the catalogue alone, and catalogue, courses, records
// of another village and the hub's word of which it holds.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/exchange/haves.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::Tree;

struct Trees {
    Tree village, stick;
    Tree hub;  // that the stick comes back to
};

class StickRead : public CrashCase {
  public:
    StickRead(std::string name, Trees trees) : name_(std::move(name)), trees_(std::move(trees)) {
        TwoDisks disks = start(false);
        hub_folder_ = files_of_hub(*disks.stick);
        {
            FixedWorld world(30);
            const auto village = must(site::Site::open(*disks.box, world.world()));
            promises_.assign(1, {promise_of(*village), counted_at(*village)});
        }
        run(disks, [] {});
        FixedWorld world(30);
        expected_ = finish(*must(site::Site::open(*disks.box, world.world())), *disks.stick);
    }

    [[nodiscard]] std::string name() const override { return name_; }
    // Without a stop: so many records count at the village, and at the hub once the stick is back.
    [[nodiscard]] std::pair<std::size_t, std::size_t> records_in_the_end() const {
        return {expected_.counted.size(), expected_.at_hub.counted.size()};
    }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box, stick = fat_options();
        box.syncs_are_lies = stick.syncs_are_lies = syncs_are_lies;
        if (!promises_.empty()) promises_.resize(1);
        return {disk_of(trees_.village, box), disk_of(trees_.stick, stick)};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(31);
        const auto village = must(site::Site::open(*disks.box, world.world()));
        const auto promise_more = [&] {
            promises_.push_back({promise_of(*village), counted_at(*village)});
            acknowledged();
        };
        Watcher watcher(*village, promises_.front().site.picture, promise_more);
        must(stick::read_stick(*village, *disks.stick, watcher));
        promise_more();
        answered_at_ = promises_.size() - 1;
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(32);
        const auto village = must(site::Site::open(*found.box, world.world()));
        require_sound(*village);
        const Seen& seen = promises_.at(static_cast<std::size_t>(acknowledgements));
        require_kept(*village, seen.site);
        const std::set<std::string> counted = counted_at(*village);
        require(std::includes(counted.begin(), counted.end(), seen.counted.begin(), seen.counted.end()),
                "a record that was counted is gone");
        require(files_of_hub(*found.stick) == hub_folder_, "the village touched what the hub wrote");
        if (static_cast<std::size_t>(acknowledgements) == answered_at_ && answered_at_ > 0) {
            require(at_hub(*found.stick) == expected_.at_hub,
                    "the answer was acknowledged and does not reach the hub");
        }
        const Outcome outcome = finish(*village, *found.stick);
        require(outcome.picture == expected_.picture, "ends otherwise: " + support::text_of(outcome.picture));
        require(outcome.courses == expected_.courses, "what is checked out differs");
        require(outcome.counted == expected_.counted, "other records count");
        require(outcome.carried == expected_.carried, "other segments are carried on");
        require(outcome.at_hub == expected_.at_hub, "the hub learns otherwise of the village");
    }

  private:
    // What the hub has of the village after the stick came back, and counts then.
    struct AtHub {
        std::optional<exchange::Have> have;
        std::set<std::string> counted;
        friend bool operator==(const AtHub&, const AtHub&) = default;
    };
    struct Outcome {
        Picture picture;
        std::map<std::string, Files> courses;
        std::set<std::string> counted;
        std::size_t carried = 0;  // segments that no hub is known to hold
        AtHub at_hub;
    };
    // What a person could have seen at some moment.
    struct Seen {
        Promise site;
        std::set<std::string> counted;
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
    const AtHub& at_hub(const SimDisk& stick) {
        const Digest hash = simulations::image_hash(stick);
        if (const auto known = at_hub_.find(hash); known != at_hub_.end()) return known->second;
        FixedWorld world(33);
        const auto disk = disk_of(trees_.hub);
        const auto hub = must(site::Site::open(*disk, world.world()));
        const auto copy =
            simulations::image(stick, {});  // the answer must not come onto the stick that is judged
        read_stick(*hub, *copy);
        std::optional<exchange::Have> have =
            must(exchange::peer_have(hub->replica(), crash_county().east_id));
        if (have) have->sequence = 0;  // how often it was said does not matter
        return at_hub_[hash] = {std::move(have), counted_at(*hub)};
    }

    Outcome finish(site::Site& village, SimDisk& stick) {
        const stick::ReadReport report = read_stick(village, stick);
        require_nothing_refused(report);
        require(report.damaged_count == 0, "the stick is called damaged when it is read again");
        require(report.answered, "the village does not answer when the stick is read again");
        require_store_sound(village);
        require_records_sound(village);
        std::size_t carried = 0;
        must(village.replica().records->for_each_unacknowledged([&](ByteView) -> Result<bool> {
            ++carried;
            return true;
        }));
        return {picture_of(village), checkouts(village), counted_at(village), carried, at_hub(stick)};
    }

    const std::string name_;
    const Trees trees_;
    Files hub_folder_;
    std::vector<Seen> promises_;
    std::size_t answered_at_ = 0;
    Outcome expected_;
    std::map<Digest, AtHub> at_hub_;
};

// The village as it is, but subscribed to nothing: a stick brings it the catalogue only.
Trees village_without_subscription() {
    FixedWorld world(35);
    const auto disk = disk_of(crash_county().east);
    {
        const auto village = must(site::Site::open(*disk, world.world()));
        must(village->unsubscribe({"all", ""}));
    }
    return {disk->tree(), crash_county().stick_after, crash_county().hub_after};
}

// The village has recorded, the hub has its records from the stick and says so there; another village has put
// its own beside them. Since then the village has recorded more.
Trees village_with_records() {
    FixedWorld east_world(36), hub_world(37), west_world(38);
    const auto stick = disk_of(crash_county().stick_after, fat_options());
    const auto east_disk = disk_of(crash_county().east), hub_disk = disk_of(crash_county().hub_after),
               west_disk = disk_of(crash_county().west);
    {
        const auto east = must(site::Site::open(*east_disk, east_world.world()));
        must(east->records().record({viewing_of(1)}));
        must(east->records().close_segment());
        must(east->records().record({viewing_of(2)}));
        must(east->records().close_segment());
        const auto hub = must(site::Site::open(*hub_disk, hub_world.world()));
        accept_all(*hub, segments_of(*east, east->self().id));
        write_stick(*hub, *stick);
        const auto west = must(site::Site::open(*west_disk, west_world.world()));
        read_stick(*west, *stick);  // so it knows whose place it is to hold its records
        must(west->records().record({viewing_of(11)}));
        must(west->records().close_segment());
        must(west->records().record({viewing_of(12)}));
        write_stick(*west, *stick);
        must(east->records().record({viewing_of(3)}));
    }
    return {east_disk->tree(), stick->tree(), hub_disk->tree()};
}

void expect_no_violation(StickRead& work) {
    ExploreOptions options = options_for(crash_states_wanted() / 4);
    if (!options.damaged_singles) options.singles_max = 4;  // time: a soak gives each pending write its fates
    const Explored explored = explore(work, options);
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

TEST(StickReadCrash, LosesNothingThatWasTakenAndFinishesWhenRunAgain) {
    StickRead work("stick read", village_with_records());
    EXPECT_EQ(work.records_in_the_end(), (std::pair<std::size_t, std::size_t>(3, 5)));
    expect_no_violation(work);
}

TEST(StickReadCrash, IsCaughtWhenSyncsAreLies) {
    StickRead work("stick read", village_with_records());
    expect_caught_when_syncs_are_lies(work);
}

}  // namespace
}  // namespace satchel
