// Any prefix of what was written to a stick is usable, and any two sticks lead to the same end in any order.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "engine/exchange/edition_walk.hpp"
#include "simulations/world/crash_images.hpp"
#include "tests/support/crash_county.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::CrashPlan;
using simulations::SimDisk;
using simulations::Tree;

// Writes a new stick until it is pulled after `operations` changes and syncs.
std::unique_ptr<SimDisk> write_until_pulled(const Tree& hub_tree, std::uint64_t operations) {
    FixedWorld world(50);
    const auto hub_disk = disk_of(hub_tree);
    const auto hub = must(site::Site::open(*hub_disk, world.world()));
    auto stick_disk = std::make_unique<SimDisk>(fat_options());
    stick_disk->set_crash_after(operations);
    NoProgress silent;
    const auto written = stick::write_stick(*hub, *stick_disk, {}, silent);
    require(written.has_value() || written.error().code == ErrorCode::kIo,
            "a pulled stick gives another error");
    return stick_disk;
}

std::uint64_t operations_of(const Tree& hub_tree) {
    const auto whole = write_until_pulled(hub_tree, std::numeric_limits<std::uint64_t>::max());
    return whole->operations();
}

std::uint64_t some_cut(const Tree& hub_tree) {
    static const std::uint64_t kBefore = operations_of(crash_county().hub_before);
    static const std::uint64_t kAfter = operations_of(crash_county().hub_after);
    return *rc::gen::inRange<std::uint64_t>(0,
                                            (&hub_tree == &crash_county().hub_before ? kBefore : kAfter) + 1);
}

bool holds_satchel(SimDisk& disk) { return must(env::exists(disk, "SATCHEL")); }

struct Village {
    FixedWorld world{51};
    std::unique_ptr<SimDisk> disk = disk_of(crash_county().west);
    std::unique_ptr<site::Site> site = must(site::Site::open(*disk, world.world()));

    // On a copy, so that the order of readers does not matter.
    void read(const SimDisk& stick_disk) const {
        const auto copy = simulations::image(stick_disk, {});
        if (!holds_satchel(*copy)) return;
        require_nothing_refused(read_stick(*site, *copy));
    }
    [[nodiscard]] std::uint64_t missing() const {
        std::uint64_t objects = 0;
        must(site->catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
            if (state.is_current)
                objects += must(exchange::count_missing(site->store(), state.edition.manifest)).objects;
            return {};
        }));
        return objects;
    }
};

Picture picture_at_hub() {
    FixedWorld world(52);
    const auto disk = disk_of(crash_county().hub_after);
    return picture_of(*must(site::Site::open(*disk, world.world())));
}

RC_GTEST_PROP(Stick, GivesAllThatIsOnAPrefixOfItsWrites, ()) {
    const Tree& hub_tree = crash_county().hub_after;
    const auto stick_disk = simulations::image(*write_until_pulled(hub_tree, some_cut(hub_tree)), {});
    const std::set<ChunkId> there =
        holds_satchel(*stick_disk) ? all_chunks_on(*stick_disk) : std::set<ChunkId>();
    const Village village;
    village.read(*stick_disk);
    for (const ChunkId& id : there) RC_ASSERT(must(village.site->store().contains(id)));
    require_sound(*village.site);

    // The same stick, gone on with.
    FixedWorld world(53);
    const auto hub_disk = disk_of(hub_tree);
    const auto hub = must(site::Site::open(*hub_disk, world.world()));
    const stick::WriteReport written = write_stick(*hub, *stick_disk);
    RC_ASSERT(written.chunks_there == there.size());
    village.read(*stick_disk);
    RC_ASSERT(village.missing() == 0u);
    RC_ASSERT(picture_of(*village.site).heads == picture_at_hub().heads);
}

RC_GTEST_PROP(Stick, ThatLostItsPowerHarmsNoVillageAndIsMended, ()) {
    const Tree& hub_tree = crash_county().hub_after;
    const auto pulled = write_until_pulled(hub_tree, some_cut(hub_tree));
    const CrashPlan plan = simulations::random_plan(*pulled, *rc::gen::arbitrary<std::uint64_t>());
    const auto stick_disk = simulations::image(*pulled, plan);
    const Village village;
    village.read(*stick_disk);
    require_sound(*village.site);
    FixedWorld world(54);
    const auto hub_disk = disk_of(hub_tree);
    write_stick(*must(site::Site::open(*hub_disk, world.world())), *stick_disk);
    village.read(*stick_disk);
    RC_ASSERT(village.missing() == 0u);
    RC_ASSERT(picture_of(*village.site).heads == picture_at_hub().heads);
}

RC_GTEST_PROP(Stick, AndAnotherLeadToTheSameEndInAnyOrder, ()) {
    const CrashCounty& county = crash_county();
    const auto one = write_until_pulled(county.hub_before, some_cut(county.hub_before));
    const auto two = write_until_pulled(county.hub_after, some_cut(county.hub_after));
    const Village first, second;
    first.read(*one);
    first.read(*two);
    second.read(*two);
    second.read(*one);
    if (*rc::gen::arbitrary<bool>()) second.read(*two);
    RC_ASSERT(support::text_of(picture_of(*first.site)) == support::text_of(picture_of(*second.site)));
    RC_ASSERT(first.missing() == second.missing());

    const auto whole = write_until_pulled(county.hub_after, std::numeric_limits<std::uint64_t>::max());
    first.read(*whole);
    second.read(*whole);
    RC_ASSERT(picture_of(*first.site) == picture_of(*second.site));
    RC_ASSERT(first.missing() == 0u);
    RC_ASSERT(checkouts(*first.site) == checkouts(*second.site));
}

}  // namespace
}  // namespace satchel
