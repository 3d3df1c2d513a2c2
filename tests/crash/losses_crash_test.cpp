// A village whose power is cut while it gives up what it lost: whenever that is, it tells of no edition as
// complete that misses something, and the next stick makes it whole.
#include <gtest/gtest.h>

#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/holdings.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;

constexpr char kPack[] = "packs/00000001.pack";

class GivingUp : public CrashCase {
  public:
    [[nodiscard]] std::string name() const override { return "giving up what is lost"; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box;
        box.syncs_are_lies = syncs_are_lies;
        TwoDisks disks{disk_of(crash_county().east, box),
                       disk_of(crash_county().stick_before, fat_options())};
        const std::uint64_t size = must(disks.box->stat(kPack)).size;
        damage(*disks.box, size);
        return disks;
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(51);
        const auto village = must(site::Site::open(*disks.box, world.world()));
        given_up_ = give_up(*village);
        acknowledged();
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(52);
        const auto village = must(site::Site::open(*found.box, world.world()));
        // What has a name is told rightly from the first moment on, all else once it was looked.
        if (has_names() || acknowledgements > 0) editions_told_rightly(*village);
        give_up(*village);
        editions_told_rightly(*village);
        NoProgress silent;
        must(stick::read_stick(*village, *found.stick, silent));
        require(editions_told_rightly(*village) == 0, "the stick did not bring all");
        require_sound(*village);
    }

    [[nodiscard]] std::uint64_t given_up() const { return given_up_; }

  protected:
    [[nodiscard]] virtual bool has_names() const { return true; }
    virtual void damage(SimDisk& box, std::uint64_t pack_size) {
        for (const std::uint64_t part : {3u, 5u, 7u}) box.flip_bit(kPack, pack_size * part / 10, 3);
    }

  private:
    static std::uint64_t give_up(site::Site& village) {
        site::Findings findings;
        must(village.store().verify([&](const store::Damage& damage) { findings.add(damage); },
                                    [](std::uint64_t, std::uint64_t) {}));
        NoProgress silent;
        const auto ignore = [](const site::Loss&) -> Result<void> { return {}; };
        return must(village.settle(findings, site::GiveUp::kDamaged, ignore, silent)).given_up;
    }

    // How many current editions are not complete.
    static std::size_t editions_told_rightly(site::Site& village) {
        std::size_t incomplete = 0;
        must(village.catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
            const ChunkId& manifest = state.edition.manifest;
            const bool is_told = must(exchange::is_complete(village.database(), manifest));
            const bool is_whole = must(exchange::count_missing(village.store(), manifest)).objects == 0;
            require(!is_told || is_whole, state.edition.course + " is told as complete, and is not");
            incomplete += state.is_current && !is_told ? 1u : 0u;
            return {};
        }));
        return incomplete;
    }

    std::uint64_t given_up_ = 0;
};

// Nothing says which chunks lay where the headers of records are hit, too: these are written off at the end.
class GivingUpChunksWithoutNames : public GivingUp {
  public:
    [[nodiscard]] std::string name() const override { return "giving up what has no name"; }

  protected:
    [[nodiscard]] bool has_names() const override { return false; }
    void damage(SimDisk& box, std::uint64_t pack_size) override {
        const std::unique_ptr<env::File> pack = must(box.open(kPack, env::OpenMode::kWrite));
        must(pack->write_at(pack_size / 2, ByteBuffer(static_cast<std::size_t>(pack_size / 3), 0)));
        must(pack->sync());
    }
};

void expect_nothing_is_told_wrongly(GivingUp& work) {
    const Explored explored = explore(work, options_for(crash_states_wanted() / 24));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GT(work.given_up(), 1u);
}

TEST(LossesCrash, NothingThatMissesSomethingIsToldAsComplete) {
    GivingUp work;
    expect_nothing_is_told_wrongly(work);
}

TEST(LossesCrash, NorWhereWhatIsLostHasNoNames) {
    GivingUpChunksWithoutNames work;
    expect_nothing_is_told_wrongly(work);
}

}  // namespace
}  // namespace satchel
