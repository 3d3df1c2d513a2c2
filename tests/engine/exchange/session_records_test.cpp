// Records over a link: whose feeds two sites compare, and what that costs in a large network.
#include <gtest/gtest.h>

#include "tests/support/contact.hpp"
#include "tests/support/crash_county.hpp"

namespace satchel::exchange {
namespace {

using namespace support;

trust::SiteEntry village_of(std::uint32_t number, const SiteId& parent) {
    trust::SiteEntry entry;
    std::array<std::uint8_t, 32> seed{};
    std::memcpy(seed.data(), &number, sizeof(number));
    entry.signing_key.digest = seed;
    entry.id = SiteId{hash_of(seed)};
    entry.name = "village " + std::to_string(number);
    entry.parent = parent;
    return entry;
}

class RecordsLink : public testing::Test {
  protected:
    RecordsLink() {
        EXPECT_TRUE(meet(west_, hub_).done);  // rosters are known
        EXPECT_TRUE(meet(east_, hub_).done);
    }
    // The roster is the catalogue's; tests write the rows themselves.
    void enrol(const trust::SiteEntry& entry) {
        for (NetSite* site : {&hub_, &west_, &east_}) must(site->site->trust().put_site(entry));
    }
    void make_west_a_hub() {
        trust::SiteEntry west = *must(hub_.site->trust().site(west_.id()));
        west.role = trust::SiteRole::kHub;
        enrol(west);
    }
    void expect_done(const ContactReport& report) {
        EXPECT_FALSE(report.broken.has_value());
        EXPECT_TRUE(report.done);
        EXPECT_TRUE(report.first.refused.empty() && report.second.refused.empty());
    }

    NetSite hub_{crash_county().hub_after, 171};
    NetSite west_{crash_county().west, 172};
    NetSite east_{crash_county().east, 173};
};

TEST_F(RecordsLink, QuietContactOfAVillageCostsLittleAmongThreeThousandSites) {
    for (std::uint32_t number = 0; number < 3'020; ++number) {
        const trust::SiteEntry village = village_of(number, hub_.id());
        enrol(village);
        hub_.records->append_to(village.id, 300);
    }
    west_.records->record(300);
    expect_done(meet(west_, hub_));
    const ContactReport quiet = meet(west_, hub_);
    expect_done(quiet);
    EXPECT_EQ(quiet.messages, 4u);
    EXPECT_LE(quiet.bytes, 600u);
    EXPECT_EQ(west_.records->feeds().size(), 1u);  // the feeds of others stay at the hub
}

// Records go before the catalogue: a hub that has just joined hears of records first, then of the sites that
// they are of.
class NewHub : public RecordsLink {
  protected:
    NewHub() {
        make_west_a_hub();
        for (std::uint32_t number = 0; number < 100; ++number) {
            const trust::SiteEntry village = village_of(number, west_.id());
            enrol(village);
            hub_.records->append_to(village.id, 500);
        }
        simulations::SimDisk folder;
        write_files(folder,
                    {{"new/course.json", R"({"id": "new", "title": {"en": "New"}})"}, {"new/a.txt", "a"}});
        publish(*hub_.site, folder, 1);
        must(hub_.wants->refresh());
    }
};

TEST_F(NewHub, TakesRecordsOnceTheCatalogueNamesTheirSites) {
    const auto heads = must(hub_.site->catalogue().heads());
    west_.records->is_named = [&](const SiteId&) { return must(west_.site->catalogue().heads()) == heads; };
    expect_done(meet(west_, hub_));
    EXPECT_EQ(west_.records->feeds().size(), 100u);
}

TEST_F(NewHub, SaysThatThereAreRecordsWhichItDidNotTake) {
    west_.records->is_named = [](const SiteId&) { return false; };
    const ContactReport report = meet(west_, hub_);
    EXPECT_FALSE(report.broken.has_value());
    ASSERT_EQ(report.first.refused.size(), 1u);
    EXPECT_EQ(report.first.refused[0].code, ErrorCode::kNotFound);
    EXPECT_TRUE(west_.records->feeds().empty());
}

TEST_F(RecordsLink, OfTwoHubsEndEqualOverWhatBothHold) {
    make_west_a_hub();
    for (std::uint32_t number = 0; number < 40; ++number) {
        const trust::SiteEntry village = village_of(number, number % 4 == 0 ? hub_.id() : west_.id());
        enrol(village);
        NetSite& one = number % 2 == 0 ? hub_ : west_;
        for (std::uint32_t segment = 0; segment <= number % 5; ++segment)
            one.records->append_to(village.id, 500);
    }
    const ContactReport report = meet(west_, hub_);
    expect_done(report);
    EXPECT_EQ(hub_.records->accepted_again() + west_.records->accepted_again(), 0u);
    for (std::uint32_t number = 0; number < 40; ++number) {
        const SiteId id = village_of(number, {}).id;
        EXPECT_TRUE(hub_.records->feeds().contains(id)) << number;
        if (number % 4 == 0) {
            EXPECT_FALSE(west_.records->feeds().contains(id)) << number;
        } else {
            EXPECT_EQ(west_.records->feeds().at(id), hub_.records->feeds().at(id)) << number;
        }
    }
    const ContactReport quiet = meet(west_, hub_);
    expect_done(quiet);
    EXPECT_EQ(quiet.messages, 4u);
    EXPECT_LE(quiet.bytes, 600u);
}

// Two hubs of a county, 60 towns of 50 villages each, all of whose records both hold.
class TwoCountyHubs : public RecordsLink {
  protected:
    TwoCountyHubs() {
        trust::SiteEntry west = *must(hub_.site->trust().site(west_.id()));
        west.role = trust::SiteRole::kHub;
        west.parent.reset();
        enrol(west);
        for (std::uint32_t number = 0; number < 60; ++number) {
            trust::SiteEntry town = village_of(number, hub_.id());
            town.role = trust::SiteRole::kHub;
            enrol(town);
            for (std::uint32_t i = 0; i < 50; ++i) {
                const trust::SiteEntry village = village_of(1000 + number * 50 + i, town.id);
                enrol(village);
                for (NetSite* site : {&hub_, &west_}) site->records->append_to(village.id, 100);
            }
        }
        expect_done(meet(west_, hub_));
    }
    static SiteId village(std::uint32_t number) { return village_of(1000 + number, {}).id; }
    void expect_equal() { EXPECT_EQ(hub_.records->feeds(), west_.records->feeds()); }
};

TEST_F(TwoCountyHubs, CompareNodesOfTheTreeAndListOnlyThoseThatDiffer) {
    for (const std::uint32_t number : {7u, 1400u, 2999u}) hub_.records->append_to(village(number), 500);
    west_.records->append_to(village(2000), 500);
    const ContactReport report = meet(west_, hub_);
    expect_done(report);
    expect_equal();
    EXPECT_EQ(hub_.records->accepted_again() + west_.records->accepted_again(), 0u);
    EXPECT_LE(report.bytes, 40'000u);  // the heads of 3,000 feeds are 300 KB each way
    EXPECT_LE(meet(west_, hub_).bytes, 600u);
}

TEST_F(TwoCountyHubs, EndEqualWhereTheirRostersDiffer) {
    for (std::uint32_t number = 0; number < 3'000; number += 100) {
        trust::SiteEntry moved = *must(west_.site->trust().site(village(number)));
        moved.parent = village_of(number / 100, {}).id;  // west has not heard of it
        must(hub_.site->trust().put_site(moved));
        NetSite& one = number % 200 == 0 ? hub_ : west_;
        one.records->append_to(moved.id, 500);
    }
    expect_done(meet(west_, hub_));
    expect_equal();
}

TEST_F(TwoCountyHubs, TellANewOneAllThatItLacks) {
    east_.records->record(100);
    trust::SiteEntry east = *must(hub_.site->trust().site(east_.id()));
    east.role = trust::SiteRole::kHub;
    east.parent.reset();
    enrol(east);
    hub_.records->append_to(east_.id(), 100);  // the same
    for (int i = 0; i < 2; ++i) east_.records->append_to(village(5), 100 + 400 * static_cast<std::size_t>(i));
    const ContactReport report = meet(east_, hub_);
    expect_done(report);
    EXPECT_EQ(hub_.records->feeds(), east_.records->feeds());
    EXPECT_EQ(hub_.records->accepted_again(), 0u);
}

TEST_F(RecordsLink, BringsWhatAVillageHoldsForAnother) {
    for (int segment = 0; segment < 3; ++segment) {
        west_.records->record(400);
        east_.records->append_to(west_.id(), 400);  // as a stick may have brought it
    }
    ASSERT_EQ(west_.records->feeds(), east_.records->feeds());
    expect_done(meet(east_, hub_));
    EXPECT_EQ(hub_.records->feeds().at(west_.id()), west_.records->feeds().at(west_.id()));
    expect_done(meet(west_, hub_));
    EXPECT_EQ(hub_.records->accepted_again(), 0u);
}

// It is sent nothing, and still says what hubs have.
TEST_F(RecordsLink, OfACarrierWithoutRoomBringsTheHubsWord) {
    east_.records->record(400);
    west_.records->has_room = false;
    west_.records->settled[east_.id()] = must(east_.records->heads_of(east_.id()));
    const ContactReport report = meet(east_, west_);
    expect_done(report);
    EXPECT_EQ(report.first.segments_given, 0u);
    EXPECT_TRUE(west_.records->feeds().empty());
    EXPECT_FALSE(east_.records->acknowledged().empty());
}

TEST_F(RecordsLink, BringsWhatAVillageHoldsForMany) {
    for (std::uint32_t number = 0; number < 40; ++number) {
        const trust::SiteEntry village = village_of(number, hub_.id());
        enrol(village);
        east_.records->append_to(village.id, 400);
        if (number % 2 == 0) hub_.records->append_to(village.id, 400);
    }
    expect_done(meet(east_, hub_));
    EXPECT_EQ(hub_.records->feeds().size(), 40u);
    EXPECT_EQ(hub_.records->accepted_again(), 0u);
    EXPECT_LE(meet(east_, hub_).bytes, 600u);
}

TEST_F(RecordsLink, BringsALongFeedInSeveralMessages) {
    for (int segment = 0; segment < 300; ++segment) west_.records->record(3'000);
    const ContactReport report = meet(west_, hub_);
    expect_done(report);
    EXPECT_EQ(hub_.records->feeds().at(west_.id()).size(), 300u);
    EXPECT_EQ(report.first.segments_given, 300u);
    EXPECT_GT(report.first.cost_of(Stage::kRecords).messages_sent, 10u);
}

}  // namespace
}  // namespace satchel::exchange
