// What a reader calls damage, and what it does not call so.
#include <gtest/gtest.h>

#include "simulations/world/crash_images.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel::stick {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::SimWorld;

// The stick was pulled while this site wrote its answer.
TEST(ReadStick, CallsABrokenVolumeOfItsOwnNoDamage) {
    SimDisk hub_disk, village_disk, stick_disk({.profile = simulations::SimDiskOptions::kFat});
    SimWorld hub_world(1), village_world(2);
    const auto hub = found_hub(hub_disk, hub_world.world());
    const auto village = join_village(*hub, village_disk, village_world.world(), "east");
    support::write_stick(*hub, stick_disk);
    must(prepare_stick(stick_disk, village->self().id));
    must(stick_disk.open(volume_path(site_folder(village->self().id), 1), env::OpenMode::kCreateNew));

    const ReadReport report = support::read_stick(*village, stick_disk);
    EXPECT_EQ(report.damaged_count, 0u);
    EXPECT_TRUE(report.answered);
    EXPECT_EQ(support::read_stick(*hub, stick_disk).haves, 1u);
}

// The same in the folder of another site is damage: something that was written for us did not arrive.
TEST(ReadStick, CallsABrokenVolumeOfAnotherSiteDamage) {
    SimDisk hub_disk, village_disk, stick_disk({.profile = simulations::SimDiskOptions::kFat});
    SimWorld hub_world(1), village_world(2);
    const auto hub = found_hub(hub_disk, hub_world.world());
    const auto village = join_village(*hub, village_disk, village_world.world(), "east");
    support::write_stick(*hub, stick_disk);
    must(stick_disk.open(volume_path(site_folder(hub->self().id), 9), env::OpenMode::kCreateNew));
    EXPECT_EQ(support::read_stick(*village, stick_disk).damaged_count, 1u);
}

// Where the catalogue is broken, what follows it speaks of sites and editions that are unknown here: that is
// the damage's doing, and no forgery.
TEST(ReadStick, CallsNothingForgedThatIsOnlyDamaged) {
    SimDisk hub_disk, village_disk, stick_disk({.profile = simulations::SimDiskOptions::kFat}), folder;
    SimWorld hub_world(1);
    const auto hub = found_hub(hub_disk, hub_world.world());
    {
        SimWorld village_world(2);
        must(join_village(*hub, village_disk, village_world.world(), "east")->status());
    }
    write_files(folder, {{"rice/page.txt", "sow in April\n"}});
    publish(*hub, folder, 1);
    const auto review =
        must(hub->review_of("rice", catalogue::Verdict::kApprove, catalogue::ReviewRole::kContent));
    must(hub->sign_review(review, must(hub->own_reviewer_key())));
    support::write_stick(*hub, stick_disk);

    const std::string volume = volume_path(site_folder(hub->self().id), 1);
    const std::uint64_t size = must(stick_disk.stat(volume)).size;
    for (std::uint64_t at = 0; at < size; at += 61) {
        const auto village_copy = simulations::image(village_disk, {});
        const auto damaged_stick = simulations::image(stick_disk, {});
        damaged_stick->flip_bit(volume, at, 3);
        SimWorld world(3);
        const auto village = must(site::Site::open(*village_copy, world.world()));
        const ReadReport report = support::read_stick(*village, *damaged_stick);
        EXPECT_TRUE(report.refused.empty()) << "byte " << at << ": " << report.refused.front().reason.text();
    }
}

struct Box {
    SimDisk disk;
    SimWorld world;
    std::unique_ptr<site::Site> site;
    explicit Box(std::uint64_t seed) : world(seed) {}
};

// A stick that carries what this site says, and nothing of the office.
std::unique_ptr<SimDisk> answer_of(Box& box, site::Site& hub) {
    auto stick_disk = std::make_unique<SimDisk>(SimDiskOptions{.profile = SimDiskOptions::kFat});
    must(prepare_stick(*stick_disk, hub.self().id));
    EXPECT_TRUE(support::read_stick(*box.site, *stick_disk).answered);
    return stick_disk;
}

TEST(ReadStick, KeepsAReviewThatComesBeforeItsEdition) {
    Box hub(1), east(2), west(3);
    hub.site = found_hub(hub.disk, hub.world.world());
    east.site = join_village(*hub.site, east.disk, east.world.world(), "east");
    west.site = join_village(*hub.site, west.disk, west.world.world(), "west");
    SimDisk folder, without_review({.profile = SimDiskOptions::kFat}),
        with_review({.profile = SimDiskOptions::kFat});
    write_files(folder, {{"rice/page.txt", "sow in April\n"}});
    publish(*hub.site, folder, 1);
    support::write_stick(*hub.site, without_review);
    const auto review =
        must(hub.site->review_of("rice", catalogue::Verdict::kApprove, catalogue::ReviewRole::kContent));
    must(hub.site->sign_review(review, must(hub.site->own_reviewer_key())));
    support::write_stick(*hub.site, with_review);
    support::read_stick(*east.site, with_review);

    const ReadReport early = support::read_stick(*west.site, *answer_of(east, *hub.site));
    EXPECT_TRUE(early.refused.empty());
    EXPECT_EQ(early.reviews, 1u);
    support::read_stick(*west.site, without_review);
    const auto current = must(west.site->catalogue().current_edition("rice"));
    ASSERT_TRUE(current.has_value());
    EXPECT_EQ(current->approvals, 1u);
}

TEST(ReadStick, RefusesNoHaveOfASiteThatJoinedLater) {
    Box hub(1), east(2), west(3);
    hub.site = found_hub(hub.disk, hub.world.world());
    east.site = join_village(*hub.site, east.disk, east.world.world(), "east");
    SimDisk old_stick({.profile = SimDiskOptions::kFat}), new_stick({.profile = SimDiskOptions::kFat});
    support::write_stick(*hub.site, old_stick);
    support::read_stick(*east.site, old_stick);
    west.site = join_village(*hub.site, west.disk, west.world.world(), "west");
    const auto answer = answer_of(west, *hub.site);
    const ReadReport early = support::read_stick(*east.site, *answer);
    EXPECT_TRUE(early.refused.empty());
    EXPECT_EQ(early.haves, 0u);
    support::write_stick(*hub.site, new_stick);
    support::read_stick(*east.site, new_stick);
    EXPECT_EQ(support::read_stick(*east.site, *answer).haves, 1u);
}

}  // namespace
}  // namespace satchel::stick
