// A hub whose power is cut while it writes a stick; the stick is a FAT one and loses its power as well.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::Tree;

class StickWrite : public CrashCase {
  public:
    StickWrite(std::string name, Tree stick) : name_(std::move(name)), stick_(std::move(stick)) {
        TwoDisks disks = start(false);
        if (must(env::exists(*disks.stick, "SATCHEL"))) {
            chunks_before_ = all_chunks_on(*disks.stick);
            folders_of_others_ = folders_but_of_hub(*disks.stick);
        }
        run(disks, [] {});
        FixedWorld world(20);
        expected_ = finish(*must(site::Site::open(*disks.box, world.world())), *disks.stick);
    }

    [[nodiscard]] std::string name() const override { return name_; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box, stick = fat_options();
        box.syncs_are_lies = stick.syncs_are_lies = syncs_are_lies;
        return {disk_of(crash_county().hub_after, box), disk_of(stick_, stick)};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(20);
        const auto hub = must(site::Site::open(*disks.box, world.world()));
        write_stick(*hub, *disks.stick);
        acknowledged();
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(21);
        const auto hub = must(site::Site::open(*found.box, world.world()));
        require_sound(*hub);
        require_kept(*hub, promise_of_hub());
        if (must(env::exists(*found.stick, "SATCHEL"))) require_stick_usable(*found.stick, acknowledgements);
        const Outcome outcome = finish(*hub, *found.stick);
        require(outcome.chunks == expected_.chunks, "other chunks are on the stick");
        require(outcome.village == expected_.village,
                "a village gets otherwise: " + support::text_of(outcome.village));
        require(outcome.courses == expected_.courses, "what a village checks out differs");
    }

  private:
    struct Outcome {
        std::set<ChunkId> chunks;
        Picture village;
        std::map<std::string, Files> courses;
    };

    static const Promise& promise_of_hub() {
        static const Promise kPromise = [] {
            FixedWorld world(22);
            const auto disk = disk_of(crash_county().hub_after);
            return promise_of(*must(site::Site::open(*disk, world.world())));
        }();
        return kPromise;
    }

    static Files folders_but_of_hub(SimDisk& stick) {
        const std::string own = stick::site_folder(crash_county().hub_id) + "/";
        Files others;
        for (const auto& [path, content] : files_below(stick, "SATCHEL"))
            if (!("SATCHEL/" + path).starts_with(own) && path != "README.TXT") others[path] = content;
        return others;
    }

    // What lay on the stick and is needed still lies there; what the head names is there; a village that
    // reads the stick as it is takes no harm.
    void require_stick_usable(SimDisk& stick, int acknowledgements) {
        require(folders_but_of_hub(stick) == folders_of_others_, "what another site wrote was touched");
        const std::set<ChunkId> there = all_chunks_on(stick);
        for (const ChunkId& id : expected_.chunks)
            require(there.count(id) > 0 || (acknowledgements == 0 && chunks_before_.count(id) == 0),
                    "a chunk that was on the stick is gone");
        int damaged_slots = 0;
        const std::string folder = stick::site_folder(crash_county().hub_id);
        if (must(env::exists(stick, folder))) {
            const std::optional<stick::Head> head = must(stick::read_head(stick, folder, damaged_slots));
            require(head.has_value() || (acknowledgements == 0 && chunks_before_.empty()),
                    "the head is gone");
            if (head)
                for (const stick::HeadVolume& volume : head->volumes)
                    require(must(stick.stat(stick::volume_path(folder, volume.number))).size >=
                                volume.committed_bytes,
                            "the head names bytes that are not there");
        }
        const Outcome& village = read_by_village(stick);
        if (acknowledgements > 0)
            require(village.village == expected_.village,
                    "the stick was acknowledged, and a village gets otherwise");
    }

    // What a village that had nothing gets from this stick. Depends on the stick alone, and many crash states
    // differ in the box only.
    const Outcome& read_by_village(const SimDisk& stick) {
        const Digest hash = simulations::image_hash(stick);
        if (const auto known = readings_.find(hash); known != readings_.end()) return known->second;
        FixedWorld world(23);
        const auto disk = disk_of(crash_county().west);
        const auto west = must(site::Site::open(*disk, world.world()));
        const auto copy =
            simulations::image(stick, {});  // the answer must not come onto the stick that is judged
        const stick::ReadReport report = read_stick(*west, *copy);
        require_nothing_refused(report);
        require_store_sound(*west);
        return readings_[hash] = {{}, picture_of(*west), checkouts(*west)};
    }

    // The same command again, and what the stick is then good for.
    Outcome finish(site::Site& hub, SimDisk& stick) {
        write_stick(hub, stick);
        NoProgress silent;
        for (const stick::ShownFolder& folder : must(stick::show_stick(stick, silent)))
            for (const stick::ShownVolume& volume : folder.volumes)
                require(volume.damaged == 0, volume.file + " is damaged after it was written again");
        Outcome outcome = read_by_village(stick);
        outcome.chunks = all_chunks_on(stick);
        return outcome;
    }

    const std::string name_;
    const Tree stick_;
    std::set<ChunkId> chunks_before_;
    Files folders_of_others_;
    Outcome expected_;
    std::map<Digest, Outcome> readings_;
};

void expect_no_violation(StickWrite& work, std::size_t states) {
    const Explored explored = explore(work, options_for(states));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, states);
}

TEST(StickWriteCrash, KeepsAnOlderStickUsableAndFinishesWhenRunAgain) {
    StickWrite work("stick write over an older edition", crash_county().stick_before);
    expect_no_violation(work, crash_states_wanted() / 8);
}

TEST(StickWriteCrash, LeavesANewStickUsableAndFinishesWhenRunAgain) {
    StickWrite work("stick write to a new stick", Tree());
    expect_no_violation(work, crash_states_wanted() / 8);
}

TEST(StickWriteCrash, IsCaughtWhenSyncsAreLies) {
    StickWrite work("stick write over an older edition", crash_county().stick_before);
    const Explored explored = explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true});
    print_table_row(explored);
    EXPECT_GT(explored.violations, 0u);
}

}  // namespace
}  // namespace satchel
