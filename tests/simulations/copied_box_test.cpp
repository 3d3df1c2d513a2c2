// What the simulated histories of copied boxes found, each by itself.
#include <gtest/gtest.h>

#include "simulations/network.hpp"
#include "transport/stick/carry.hpp"

namespace satchel::simulations {
namespace {

using Serials = std::multiset<std::int64_t>;

class CopiedBox : public testing::Test {
  protected:
    void SetUp() override {
        for (SimSite* site : {&hub_, &village_}) {
            site->world().clock.set_wall(kBeginMs);
            site->advance_to(now_ms_);
        }
        ASSERT_TRUE(found_network(hub_, findings_));
        ASSERT_TRUE(join_network(hub_, village_, trust::SiteRole::kVillage, findings_));
    }
    void say(SimSite& site, std::int64_t serial) { ASSERT_TRUE(site.record(serial, "course").has_value()); }
    void meet(SimSite& site) { ASSERT_TRUE(converse(site.end(), hub_.end(), now_ms_, good_line()).done); }
    void write(SimSite& site) {
        ASSERT_TRUE(stick::write_stick(site.site(), stick_, {}, silent_).has_value());
    }
    void read(SimSite& site) { ASSERT_TRUE(stick::read_stick(site.site(), stick_, silent_).has_value()); }
    Serials at_hub() {
        return hub_.counted(false).value_or(Serials{-1});
    }

    std::int64_t now_ms_ = kBeginMs;
    Findings findings_{now_ms_};
    SimSite hub_{"hub", 1, {}}, village_{"village", 2, {}};
    SimDisk stick_{SimDiskOptions{.profile = SimDiskOptions::kFat}};
    NoProgress silent_;
};

TEST_F(CopiedBox, ANewVillageGivesItsRecordsToAStickBeforeItKnowsOfAHub) {
    say(village_, 1);
    write(village_);
    read(hub_);
    EXPECT_EQ(at_hub(), Serials{1});
}

TEST_F(CopiedBox, TakesBackFromAStickWhatItSaidBeforeItWasPutBack) {
    meet(village_);
    const Tree backup = village_.disk().tree();
    say(village_, 1);
    write(village_);
    village_.put_back(backup);
    ASSERT_TRUE(village_.open().has_value());
    say(village_, 2);
    read(village_);
    write(village_);
    read(hub_);
    EXPECT_EQ(at_hub(), (Serials{1, 2}));
    EXPECT_EQ(village_.site().records().branch().reason, records::Anew::kContact);
}

TEST_F(CopiedBox, CarriesOnWhatItCannotCountYet) {
    meet(village_);
    SimSite copy("copy", 3, {}, village_.disk().tree());
    copy.advance_to(now_ms_);
    ASSERT_TRUE(copy.open().has_value());
    say(village_, 1);
    meet(village_);  // the hub acknowledges it, so the stick need not carry it
    say(village_, 2);
    write(village_);
    read(copy);
    EXPECT_TRUE(copy.counted(true).value_or(Serials{-1}).empty());
    write(copy);
    read(hub_);
    EXPECT_EQ(at_hub(), (Serials{1, 2}));
}

}  // namespace
}  // namespace satchel::simulations
