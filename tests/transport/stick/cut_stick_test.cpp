// A volume that was cut off between two records, or is gone, is told: its writer's head says what was there.
#include <gtest/gtest.h>

#include "engine/store/record.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel::stick {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimWorld;

class CutStick : public testing::Test {
  protected:
    void SetUp() override {
        hub_ = found_hub(hub_disk_, hub_world_.world());
        village_ = join_village(*hub_, village_disk_, village_world_.world(), "east");
        write_files(source_, {{"rice/film.bin", noise(300'000, 1)}, {"trees/page.html", noise(90'000, 2)}});
        publish(*hub_, source_);
        support::write_stick(*hub_, stick_);
    }

    [[nodiscard]] std::string volume() const { return volume_path(site_folder(hub_->self().id), 1); }

    // Where the last record that is a chunk begins.
    std::uint64_t last_chunk() {
        const auto reader = must(VolumeReader::open(stick_, volume()));
        std::uint64_t place = 0;
        while (const auto record = must(reader->next([](std::uint64_t, const Error&) {})))
            if (record->header.type == store::RecordType::kChunk) place = record->place;
        return place;
    }

    SimDisk hub_disk_, village_disk_, source_, stick_;
    SimWorld hub_world_{1}, village_world_{2};
    std::unique_ptr<site::Site> hub_, village_;
};

TEST_F(CutStick, IsToldAndUsedUpToThere) {
    const std::uint64_t place = last_chunk();
    ASSERT_GT(place, 0u);
    must(must(stick_.open(volume(), env::OpenMode::kWrite))->truncate(place));
    const ReadReport report = support::read_stick(*village_, stick_);
    EXPECT_EQ(report.damaged_count, 1u);
    ASSERT_EQ(report.damaged.size(), 1u);
    EXPECT_EQ(report.damaged.front().place, place);
    EXPECT_EQ(report.damaged.front().error.code, ErrorCode::kDamaged);
    EXPECT_GT(report.chunks, 0u);
    NoProgress silent;
    const std::vector<ShownFolder> shown = must(show_stick(stick_, silent));
    std::uint64_t damaged = 0;
    for (const ShownFolder& folder : shown)
        for (const ShownVolume& each : folder.volumes) damaged += each.damaged;
    EXPECT_EQ(damaged, 1u);
}

TEST_F(CutStick, IsToldWhenAWholeVolumeIsGone) {
    must(stick_.remove_file(volume()));
    const ReadReport report = support::read_stick(*village_, stick_);
    EXPECT_EQ(report.damaged_count, 1u);
    EXPECT_EQ(report.chunks, 0u);
}

TEST_F(CutStick, IsWholeWhenNothingWasCut) {
    EXPECT_EQ(support::read_stick(*village_, stick_).damaged_count, 0u);
    EXPECT_EQ(support::read_stick(*village_, stick_).damaged_count, 0u);
    EXPECT_EQ(support::read_stick(*hub_, stick_).damaged_count, 0u);
}

TEST_F(CutStick, ANewEditionOfACourseThatWasCompleteIsToldWhenItIsCompleteToo) {
    EXPECT_EQ(support::read_stick(*village_, stick_).completed, (std::vector<std::string>{"rice", "trees"}));
    support::read_stick(*hub_, stick_);
    write_files(source_, {{"rice/film.bin", noise(300'000, 3)}});
    publish(*hub_, source_);
    support::write_stick(*hub_, stick_);
    EXPECT_EQ(support::read_stick(*village_, stick_).completed, std::vector<std::string>{"rice"});
}

}  // namespace
}  // namespace satchel::stick
