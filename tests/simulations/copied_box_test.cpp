// What the simulated histories of copied boxes found, each by itself.
#include <gtest/gtest.h>

#include "engine/exchange/haves.hpp"
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
    Serials at_hub() { return hub_.counted(false).value_or(Serials{-1}); }

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

class PutBack : public CopiedBox {
  protected:
    // What the village has changes three times, and it is put back to the first.
    void forget() {
        publish("first");
        meet(village_);
        const Tree backup = village_.disk().tree();
        for (const char* name : {"second", "third"}) {
            publish(name);
            meet(village_);
        }
        village_.put_back(backup);
        ASSERT_TRUE(village_.open().has_value());
        EXPECT_NE(known(), have());
    }
    void publish(const std::string& course) {
        SimDisk folder;
        ASSERT_TRUE(folder.make_directory(course).has_value());
        auto file = folder.open(course + "/lesson.txt", env::OpenMode::kWrite);
        ASSERT_TRUE(file.has_value() && (*file)->write_at(0, bytes_of(course)).has_value());
        ASSERT_TRUE(hub_.site().publish(folder, "courseware", {}, silent_).has_value());
        ASSERT_TRUE(hub_.learn().has_value());
    }
    ByteBuffer have() { return exchange::own_have(village_.site().replica()).value_or(ByteBuffer()); }
    ByteBuffer known() {
        return exchange::peer_have_bytes(hub_.site().replica(), village_.site().self().id)
            .value_or(std::nullopt)
            .value_or(ByteBuffer{1});
    }
};

TEST_F(PutBack, ABoxIsHeardAgainOverALine) {
    forget();
    meet(village_);
    EXPECT_EQ(known(), have());
}

TEST_F(PutBack, ABoxIsHeardAgainBySticks) {
    forget();
    write(hub_);
    read(village_);
    write(village_);
    read(hub_);
    EXPECT_EQ(known(), have());
}

TEST_F(PutBack, ABoxIsHeardAgainByTheOnlyStickThatKnowsBetter) {
    publish("first");
    meet(village_);
    const Tree backup = village_.disk().tree();
    publish("second");
    meet(village_);
    write(village_);  // the hub never sees this stick
    const ByteBuffer before = have();
    village_.put_back(backup);
    ASSERT_TRUE(village_.open().has_value());
    read(village_);
    const auto now = exchange::decode_have(have());
    ASSERT_TRUE(now.has_value());
    EXPECT_GT(now->sequence, exchange::decode_have(before).value_or(exchange::Have()).sequence);
}

}  // namespace
}  // namespace satchel::simulations
