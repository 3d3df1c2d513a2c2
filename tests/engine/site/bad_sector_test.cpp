// One bad sector anywhere but under the keys and in site.db, which `satchel repair` makes anew: the site
// opens, records, gives and takes.
#include <gtest/gtest.h>

#include "tests/support/crash_county.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::Tree;

constexpr std::uint64_t kSector = 4096;

bool is_spared(const std::string& path) { return path.starts_with("keys/") || path.starts_with("site.db"); }

Tree with_records(const Tree& before) {
    FixedWorld world(71);
    SimDisk disk({}, before);
    const auto site = must(site::Site::open(disk, world.world()));
    must(site->records().record({viewing_of(1)}));
    must(site->records().close_segment());
    must(site->records().record({viewing_of(2)}));
    return disk.tree();
}

class BadSectorInASite : public testing::TestWithParam<bool> {
  protected:
    void try_each(const Tree& site_tree) {
        const Tree tree = with_records(site_tree);
        for (const auto& [path, content] : files_below(*disk_of(tree), "")) {
            if (is_spared(path)) continue;
            for (std::uint64_t from = 0; from < content.size(); from += kSector) {
                SCOPED_TRACE(path + " " + std::to_string(from));
                SimDisk disk({}, tree);
                disk.make_unreadable(path, from, from + 1, GetParam());
                for (int opening = 0; opening < 2; ++opening) use(disk, opening);
            }
        }
    }

  private:
    static void use(SimDisk& disk, int opening) {
        FixedWorld world(72);
        const auto site = must(site::Site::open(disk, world.world()));
        const std::size_t counted = counted_at(*site).size();
        must(site->records().record({viewing_of(50 + opening)}));
        EXPECT_GT(counted_at(*site).size(), counted);
        SimDisk stick(fat_options());
        write_stick(*site, stick);
        const auto from_hub = disk_of(crash_county().stick_after, fat_options());
        read_stick(*site, *from_hub);
        NoProgress silent;
        site::Findings findings;
        must(site->store().verify([&](const store::Damage& damage) { findings.add(damage); },
                                  [](std::uint64_t, std::uint64_t) {}));
        must(site->settle(
            findings, site::GiveUp::kDamaged, [](const site::Loss&) -> Result<void> { return {}; }, silent));
        must(site->status());
    }
};

TEST_P(BadSectorInASite, StopsNoVillage) { try_each(crash_county().east); }
TEST_P(BadSectorInASite, StopsNoHub) { try_each(crash_county().hub_before); }

INSTANTIATE_TEST_SUITE_P(Disks, BadSectorInASite, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& takes_writes) {
                             return takes_writes.param ? "ThatTakeWrites" : "ThatTakeNoWrites";
                         });

}  // namespace
}  // namespace satchel
