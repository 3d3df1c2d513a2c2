// Any folder that can be carried arrives as it was, and each edition moves its new chunks only.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/support/crash_county.hpp"
#include "tests/support/random_courseware.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

// A hub and a village that know each other, opened from one state each time.
struct Road {
    FixedWorld hub_world{40}, village_world{41};
    std::unique_ptr<SimDisk> hub_disk = disk_of(crash_county().hub_founded);
    std::unique_ptr<SimDisk> village_disk = disk_of(crash_county().west);
    std::unique_ptr<site::Site> hub = must(site::Site::open(*hub_disk, hub_world.world()));
    std::unique_ptr<site::Site> village = must(site::Site::open(*village_disk, village_world.world()));

    void publish_all(env::Disk& folder) const {
        const site::PublishReport report = publish(*hub, folder);
        require(report.skipped_count == 0, "something was left out");
    }
    stick::WriteReport write_for_village(SimDisk& stick_disk) const {
        NoProgress silent;
        stick::WriteOptions options;
        options.sites = {"west"};
        return must(stick::write_stick(*hub, stick_disk, options, silent));
    }
};

// All current editions' objects.
std::set<ChunkId> objects_current(site::Site& site) {
    std::set<ChunkId> objects;
    must(site.catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        if (state.is_current) objects.merge(objects_of(site, state.edition.manifest));
        return {};
    }));
    return objects;
}

std::uint64_t chunks_in_store(site::Site& site) { return must(site.store().stats()).chunks; }

RC_GTEST_PROP(Courseware, ArrivesAsItWas, ()) {
    const Files files = *gen_courseware();
    SimDisk folder, stick_disk(fat_options()), target;
    write_files(folder, files);
    set_attributes_at_random(folder, "");
    const Road road;
    road.publish_all(folder);
    road.write_for_village(stick_disk);
    read_stick(*road.village, stick_disk);
    for (const env::EntryInfo& course : must(folder.list(""))) {
        NoProgress silent;
        must(road.village->checkout(course.name, target, course.name, silent));
        RC_ASSERT(listing_of(target, course.name) == listing_of(folder, course.name));
    }
    require_sound(*road.village);
}

RC_GTEST_PROP(Courseware, MovesOnlyTheNewChunksOfEachEdition, ()) {
    Files files = *gen_courseware();
    const Road road;
    std::set<ChunkId> held;
    const int editions = *rc::gen::inRange(2, 5);
    for (int number = 0; number < editions; ++number) {
        SimDisk folder, stick_disk(fat_options());
        write_files(folder, files);
        road.publish_all(folder);
        const std::set<ChunkId> current = objects_current(*road.hub);
        std::set<ChunkId> lacked;
        std::set_difference(current.begin(), current.end(), held.begin(), held.end(),
                            std::inserter(lacked, lacked.end()));

        const stick::WriteReport written = road.write_for_village(stick_disk);
        RC_ASSERT(all_chunks_on(stick_disk) == lacked);
        RC_ASSERT(written.chunks == lacked.size());
        const std::uint64_t before = chunks_in_store(*road.village);
        const stick::ReadReport taken = read_stick(*road.village, stick_disk);
        RC_ASSERT(taken.chunks == lacked.size());
        RC_ASSERT(chunks_in_store(*road.village) == before + lacked.size());
        read_stick(*road.hub, stick_disk);  // the village's answer

        // Said twice, carried once: nothing more goes on a stick, and nothing is taken again.
        SimDisk second_stick(fat_options());
        RC_ASSERT(road.write_for_village(second_stick).chunks == 0u);
        RC_ASSERT(read_stick(*road.village, stick_disk).chunks == 0u);
        held.insert(current.begin(), current.end());
        files = edit_at_random(files);
    }
}

}  // namespace
}  // namespace satchel
