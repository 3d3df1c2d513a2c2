// A village whose power is cut while room is made for what a stick brings: whenever that is, what it keeps is
// there, it tells of no edition as complete that misses something, and the same stick is read to its end.
#include <gtest/gtest.h>

#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/holdings.hpp"
#include "tests/support/crash_harness.hpp"
#include "tests/support/site_checks.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::Tree;

constexpr std::uint64_t kKiB = 1024;

struct Full {
    Tree village, stick;
};

void publish_film(site::Site& hub, const std::string& course, std::size_t bytes, std::uint64_t seed) {
    SimDisk folder;
    write_files(folder, {{course + "/film.bin", noise(bytes, seed)}});
    publish(hub, folder);
}

// The village wants what comes, and has room for it only where the course goes that nobody wants, and what an
// older edition of another holds.
const Full& full_village() {
    static const Full made = [] {
        FixedWorld world(61);
        SimDisk hub_disk, village_disk;
        const auto hub = found_hub(hub_disk, world.world());
        const auto village = join_village(*hub, village_disk, world.world(), "east");
        publish_film(*hub, "film", 150 * kKiB, 1);
        publish_film(*hub, "unloved", 500 * kKiB, 2);
        SimDisk stick(fat_options());
        write_stick(*hub, stick);
        read_stick(*village, stick);
        publish_film(*hub, "film", 150 * kKiB, 3);
        write_stick(*hub, stick);
        read_stick(*village, stick);
        must(village->unsubscribe({"all", ""}));
        for (const char* const course : {"film", "wanted"}) must(village->subscribe({"course", course}));
        site::StoreLimits limits = must(village->limits());
        limits.store_max = must(village->store().stats()).pack_bytes + 50 * kKiB;
        must(village->set_limits(limits));
        publish_film(*hub, "wanted", 300 * kKiB, 4);
        write_stick(*hub, stick);
        return Full{village_disk.tree(), stick.tree()};
    }();
    return made;
}

class MakingRoom : public CrashCase {
  public:
    [[nodiscard]] std::string name() const override { return "making room"; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box;
        box.syncs_are_lies = syncs_are_lies;
        return {disk_of(full_village().village, box), disk_of(full_village().stick, fat_options())};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(62);
        const auto village = must(site::Site::open(*disks.box, world.world()));
        read_stick(*village, *disks.stick);
        acknowledged();
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(63);
        const auto village = must(site::Site::open(*found.box, world.world()));
        require_sound(*village);
        require_told_rightly(*village);
        require(is_complete(*village, "film"), "what is kept is gone");
        require(acknowledgements == 0 || is_complete(*village, "wanted"), "what was taken is gone");
        read_stick(*village, *found.stick);
        require_sound(*village);
        require_told_rightly(*village);
        for (const char* const course : {"film", "wanted"})
            require(is_complete(*village, course), std::string(course) + " is not complete in the end");
        require(!is_complete(*village, "unloved"), "nothing went, so this tries nothing");
    }

  private:
    static bool is_complete(site::Site& village, const std::string& course) {
        return must(village.why(course)).state == site::WhyState::kComplete;
    }
    static void require_told_rightly(site::Site& village) {
        must(village.catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
            const ChunkId& manifest = state.edition.manifest;
            const bool is_told = must(exchange::is_complete(village.database(), manifest));
            const bool is_whole = must(exchange::count_missing(village.store(), manifest)).objects == 0;
            require(!is_told || is_whole, state.edition.course + " is told as complete, and is not");
            return {};
        }));
    }
};

TEST(RoomCrash, NothingThatIsKeptGoesAndTheStickIsReadToItsEnd) {
    MakingRoom work;
    ExploreOptions options = options_for(crash_states_wanted() / 12);
    if (!options.damaged_singles) options.singles_max = 2;  // time: a soak gives each pending write its fates
    const Explored explored = explore(work, options);
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, crash_states_wanted() / 12);
}

TEST(RoomCrash, IsCaughtWhenSyncsAreLies) {
    MakingRoom work;
    const Explored explored = explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true});
    print_table_row(explored);
    EXPECT_GT(explored.violations, 0u);
}

}  // namespace
}  // namespace satchel
