// site.db is made again from what lies beside it: whatever was acknowledged is there, whatever became of
// site.db.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "engine/base/encoding.hpp"
#include "engine/exchange/holdings.hpp"
#include "tests/support/county.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/site_checks.hpp"

namespace satchel::support {
namespace {

using simulations::SimDisk;

// All that a site has acknowledged, as text that two equal sites share.
std::string told_by(site::Site& site) {
    std::string all = text_of(picture_of(site));
    all += "records " + to_hex(must(site.records().digest())) + "\n";
    all += "open " + std::to_string(must(site.records().open_events())) + "\n";
    must(site.records().for_each_event(
        [&](const SiteId&, const records::Identity& identity, const records::Event&) -> Result<void> {
            all += "event " + text_of(identity) + "\n";
            return {};
        }));
    for (const exchange::Subscription& one : must(site.subscriptions())) all += "wants " + one.value + "\n";
    for (const char* sql :
         {"SELECT hex(site) || sequence || hex(have) FROM peer_have ORDER BY 1",
          "SELECT hex(site) || sequence || hex(receipt) FROM receipt ORDER BY 1",
          "SELECT hex(request) || grant_text || expires_ms FROM issued_grant ORDER BY 1",
          "SELECT hex(hub) || hex(site) || sequence || hex(statement) FROM acknowledgement ORDER BY 1",
          "SELECT name || value FROM ratchet ORDER BY 1",
          "SELECT hex(id) || name || role || state FROM site ORDER BY 1",
          "SELECT key || hex(value) FROM meta WHERE key LIKE 'have/%' OR key LIKE 'lapsed/%' OR key IN "
          "('site', 'network')",
          "SELECT hex(manifest) FROM holding WHERE complete = 1 ORDER BY 1",
          "SELECT version || hex(document) || signatures FROM root ORDER BY 1"}) {
        database::Statement select = must(site.database().prepare(sql));
        while (must(select.step())) all += std::string(select.text(0)) + "\n";
    }
    const store::StoreStats stats = must(site.store().stats());
    all += "chunks " + std::to_string(stats.chunks) + " in " + std::to_string(stats.pack_bytes) + " bytes\n";
    return all;
}

records::Event viewing(std::int64_t minutes) {
    records::Event event;
    event.kind = 1;
    event.put(records::kOwnFieldsFrom, std::string("rice"));
    event.put(records::kOwnFieldsFrom + 1, minutes);
    return event;
}

class Repair : public testing::Test {
  protected:
    // A hub with two editions, reviews and answers, or a village with lessons; both with records of their
    // own.
    struct Kept {
        simulations::Tree tree;
        std::string told;
    };
    Kept site_with_records(const simulations::Tree& before) {
        SimDisk disk({}, before);
        const auto site = must(site::Site::open(disk, world_.world()));
        must(site->records().record({viewing(1), viewing(2)}));
        must(site->records().close_segment());
        must(site->records().record({viewing(3)}));
        must(site->subscribe({"theme", "farming"}));
        must(exchange::note_lapsed(site->database(), ChunkId{hash_of(bytes_of("a lost list"))}));
        must(site->update_mirror());
        return {disk.tree(), told_by(*site)};
    }

    site::RepairReport repair(SimDisk& disk) {
        NoProgress silent;
        return must(site::Site::repair(disk, world_.world(), silent));
    }

    // Whoever can may read more of it than repair could.
    void expect_as_it_was_set_aside(SimDisk& disk, const Kept& kept) {
        constexpr std::size_t kDatabaseMax = 64 * 1024 * 1024;
        SimDisk before({}, kept.tree);
        for (const std::string end : {"", "-wal"})
            EXPECT_TRUE(must(env::read_file(disk, "site.db-damaged" + end, kDatabaseMax)) ==
                        must(env::read_file(before, "site.db" + end, kDatabaseMax)))
                << end;
    }

    void expect_all_back(SimDisk& disk, const Kept& kept) {
        const auto site = must(site::Site::open(disk, world_.world()));
        EXPECT_EQ(told_by(*site), kept.told);
        require_sound(*site);
        must(site->records().record({viewing(4)}));
    }

    FixedWorld world_{5};
};

TEST_F(Repair, BringsAHubBackWithoutItsDatabase) {
    const Kept kept = site_with_records(crash_county().hub_after);
    SimDisk disk({}, kept.tree);
    must(disk.remove_file("site.db"));
    if (must(env::exists(disk, "site.db-wal"))) must(disk.remove_file("site.db-wal"));
    const auto opened = site::Site::open(disk, world_.world());
    ASSERT_FALSE(opened.has_value());
    EXPECT_STREQ(opened.error().remedy.text(), "run `satchel repair`");
    const site::RepairReport report = repair(disk);
    ASSERT_EQ(report.lanes.size(), 1u);
    EXPECT_EQ(report.lanes[0].commits, report.lanes[0].commits_known);
    EXPECT_GT(report.lanes[0].commits, 0u);
    EXPECT_EQ(report.segments, 1u);
    expect_all_back(disk, kept);
}

TEST_F(Repair, BringsAVillageBackWithoutItsDatabase) {
    for (const simulations::Tree* before :
         {&crash_county().east, &crash_county().west, &crash_county().east_joined}) {
        const Kept kept = site_with_records(*before);
        SimDisk disk({}, kept.tree);
        must(disk.remove_file("site.db"));
        repair(disk);
        expect_all_back(disk, kept);
    }
}

TEST_F(Repair, ChangesNothingOfASoundSite) {
    const Kept kept = site_with_records(crash_county().hub_after);
    SimDisk disk({}, kept.tree);
    repair(disk);
    repair(disk);
    expect_all_back(disk, kept);
}

TEST_F(Repair, BitsOfTheDatabaseThatFlipLoseNothing) {
    const Kept kept = site_with_records(crash_county().east);
    std::minstd_rand chance(11);
    for (int round = 0; round < 12; ++round) {
        SimDisk disk({}, kept.tree);
        for (const char* path : {"site.db", "site.db-wal"}) {
            if (!must(env::exists(disk, path))) continue;
            const std::uint64_t size = must(disk.stat(path)).size;
            for (int i = 0; i < 1 + round * 10 && size > 0; ++i)
                disk.flip_bit(path, chance() % size, chance() % 8);
        }
        repair(disk);
        expect_all_back(disk, kept);
    }
}

TEST_F(Repair, ALaneThatTheMirrorLacksIsTakenFromAPeerAgain) {
    const Kept kept = site_with_records(crash_county().east);
    SimDisk disk({}, kept.tree);
    must(disk.remove_file("catalogue.git/refs/heads/office"));
    const site::RepairReport report = repair(disk);
    EXPECT_EQ(report.lanes.at(0).commits, 0u);
    EXPECT_TRUE(report.lanes.at(0).why.has_value());
    EXPECT_TRUE(must(env::exists(disk, "catalogue.git-damaged")));
    const auto site = must(site::Site::open(disk, world_.world()));
    SimDisk hub_disk({}, crash_county().hub_founded);
    SimDisk folder({}, crash_county().courseware);
    const auto hub = must(site::Site::open(hub_disk, world_.world()));
    publish(*hub, folder);
    const auto stick = disk_of({}, fat_options());
    write_stick(*hub, *stick);
    require_nothing_refused(read_stick(*site, *stick));
    EXPECT_EQ(picture_of(*site).heads.size(), 1u);
}

TEST_F(Repair, WithoutALogItSaysWhatToDo) {
    const Kept kept = site_with_records(crash_county().east);
    SimDisk disk({}, kept.tree);
    must(disk.remove_file("keep.log"));
    NoProgress silent;
    const auto refused = site::Site::repair(disk, world_.world(), silent);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
    const auto site = must(site::Site::open(disk, world_.world()));  // site.db was not touched
    EXPECT_EQ(told_by(*site), kept.told);
}

TEST_F(Repair, IsDoneAgainAfterAStopAtAnyPlace) {
    const Kept kept = site_with_records(crash_county().east);
    std::uint64_t operations = 0;
    {
        SimDisk disk({}, kept.tree);
        repair(disk);
        operations = disk.operations();
    }
    constexpr std::uint64_t kFirstOnes = 12, kLastOnes = 12;
    for (std::uint64_t stop = 1; stop<operations; stop += stop> kFirstOnes && stop + kLastOnes < operations
                                     ? 1 + operations / 40
                                     : 1) {
        SimDisk disk({}, kept.tree);
        disk.set_crash_after(stop);
        NoProgress silent;
        try {
            static_cast<void>(site::Site::repair(disk, world_.world(), silent).has_value());
        } catch (const std::exception&) {
        }
        for (const simulations::Tree* tree : {&disk.sure(), &disk.tree()}) {
            SimDisk found({}, *tree);
            bool is_open = false;
            if (const auto opened = site::Site::open(found, world_.world()); opened.has_value()) {
                EXPECT_EQ(told_by(**opened), kept.told) << stop;
                is_open = true;
            }
            repair(found);
            if (!is_open) expect_as_it_was_set_aside(found, kept);
            expect_all_back(found, kept);
        }
    }
}

TEST_F(Repair, NothingNewIsFoundedOverASiteThatLostItsDatabase) {
    const Kept kept = site_with_records(crash_county().hub_after);
    SimDisk disk({}, kept.tree);
    must(disk.remove_file("site.db"));
    const auto made = site::Site::create_network(disk, world_.world(), {.network = "Another"});
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, ErrorCode::kExists);
}

}  // namespace
}  // namespace satchel::support
