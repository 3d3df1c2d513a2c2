// What goes for what, and that nothing goes in vain: neither for what would not fit all the same, nor of what
// people see, nor where it is not known what a course is made of.
#include <gtest/gtest.h>

#include "engine/exchange/holdings.hpp"
#include "tests/engine/site/room_kit.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

constexpr char kPack[] = "packs/00000001.pack";

class RoomPolicy : public Room {
  protected:
    bool is_whole(const std::string& course) { return why(course) == site::WhyState::kComplete; }
    site::Settlement settle(site::Findings& findings, site::GiveUp give_up) {
        NoProgress silent;
        return must(village_->settle(
            findings, give_up, [](const site::Loss&) -> Result<void> { return {}; }, silent));
    }
};

TEST_F(RoomPolicy, TheEditionThatPeopleSeeStaysWhereTheNewOneWouldNotFitAllTheSame) {
    publish_course("film", kMiB, 1);
    publish_course("unloved", kMiB, 7);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "film"}));
    let_store_take(pack_bytes(*village_) + kMiB / 2);
    publish_course("film", 6 * kMiB, 2);
    for (int contact = 0; contact < 2; ++contact) {
        carry();
        EXPECT_EQ(why("film"), site::WhyState::kNoRoom);
        EXPECT_TRUE(film() == noise(kMiB, 1));
        EXPECT_GT(collect(*village_, true).use.kept[static_cast<std::size_t>(site::Claim::kRest)], kMiB / 2);
    }
    EXPECT_GT(must(village_->why("film")).room_available, kMiB) << "with what would go for it";
    const site::Why answer = must(village_->why("film"));
    EXPECT_FALSE(answer.a_stick_does) << "it needs more than the old one gives";
    EXPECT_TRUE(std::any_of(answer.could_go.begin(), answer.could_go.end(),
                            [](const site::RoomHolder& holder) { return holder.is_stand_in; }))
        << "a person may drop it";
}

TEST_F(RoomPolicy, AStandInGoesForItsOwnCourseAlone) {
    publish_course("film", 2 * kMiB, 1);
    carry();
    let_store_take(pack_bytes(*village_) + 3 * kMiB / 4);
    publish_course("film", 6 * kMiB, 2);
    publish_course("other", kMiB, 3);
    carry();
    EXPECT_EQ(why("other"), site::WhyState::kNoRoom);
    EXPECT_TRUE(film() == noise(2 * kMiB, 1));
    publish_course("film", 2 * kMiB, 3);
    carry();
    EXPECT_TRUE(film() == noise(2 * kMiB, 3)) << "one that fits in its place comes in";
    require_sound(*village_);
}

TEST_F(RoomPolicy, RoomIsMadeForWhatTellsHowMuchACourseNeeds) {
    publish_course("unloved", 2 * kMiB, 1);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "wanted"}));
    let_store_take(pack_bytes(*village_) + 10'000);
    publish_course("wanted", kMiB, 2);
    carry();
    EXPECT_TRUE(is_whole("wanted"));
    EXPECT_FALSE(is_whole("unloved"));
}

TEST_F(RoomPolicy, OfAPackThatIsMostlyNeededTheRestGoesInNeed) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) publish_course("c" + std::to_string(seed), kMiB, seed);
    carry();
    must(village_->unsubscribe({"all", ""}));
    for (const char* const course : {"c2", "c3", "c4"}) must(village_->subscribe({"course", course}));
    let_store_take(pack_bytes(*village_) + kMiB / 2);
    must(village_->drop_editions({"c1"}, std::nullopt));
    const site::CollectReport thrifty = collect(*village_);
    EXPECT_EQ(thrifty.freed, 0u) << "two thirds are needed";
    EXPECT_GT(thrifty.stays, kMiB / 2);
    publish_course("c4", kMiB, 4);
    carry();
    for (const char* const course : {"c2", "c3", "c4"}) EXPECT_TRUE(is_whole(course)) << course;
    require_sound(*village_);
}

TEST_F(RoomPolicy, NoMoreGoesThanIsNeeded) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) publish_course("c" + std::to_string(seed), kMiB, seed);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "c4"}));
    let_store_take(pack_bytes(*village_) + kMiB / 2);
    publish_course("c4", kMiB, 4);
    carry();
    EXPECT_TRUE(is_whole("c4"));
    EXPECT_EQ(must(village_->status()).complete, 3u) << "one of three was enough";
}

TEST_F(RoomPolicy, OneReadTakesAllThatFits) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) publish_course("c" + std::to_string(seed), kMiB, seed);
    let_store_take(18 * kMiB / 5);  // less than the bounds of three, more than they take
    carry();
    EXPECT_EQ(must(village_->status()).complete, 3u);
    EXPECT_TRUE(must(village_->waiting_for_room()).empty());
}

TEST_F(RoomPolicy, OneContactTakesAllThatFits) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) publish_course("c" + std::to_string(seed), kMiB, seed);
    let_store_take(kMiB / 2);
    carry();  // of each, what tells how much room it needs
    let_store_take(18 * kMiB / 5);
    village_.reset();
    hub_.reset();
    NetSite hub(hub_disk_.tree(), 1), village(village_disk_.tree(), 2);
    EXPECT_EQ(must(village.site->waiting_for_room()).size(), 1u);
    EXPECT_TRUE(meet(hub, village).done);
    EXPECT_EQ(must(village.site->status()).complete, 3u);
}

TEST_F(RoomPolicy, ACourseOfTheSameFilesThatIsPinnedKeepsThem) {
    SimDisk folder;
    write_files(folder, {{"one/film.bin", noise(kMiB, 1)}, {"two/film.bin", noise(kMiB, 1)}});
    publish(*hub_, folder);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->pin("one"));
    const auto refused = village_->drop_editions({"two"}, std::nullopt);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().about, "one");
    let_store_take(pack_bytes(*village_) + kMiB / 2);
    must(village_->subscribe({"course", "wanted"}));
    publish_course("wanted", kMiB, 2);
    carry();
    collect(*village_);
    EXPECT_FALSE(is_whole("wanted"));
    EXPECT_TRUE(is_whole("one"));
    must(village_->unpin("one"));
    carry();
    EXPECT_TRUE(is_whole("wanted")) << "both may go, and go together";
    require_sound(*village_);
}

// Less than an eighth of the one pack would be dead then, and stays there.
TEST_F(RoomPolicy, WhatPeopleSeeDoesNotGoWhereItWouldGiveNothingBack) {
    SimDisk folder;
    std::string bytes = noise(3 * kMiB, 1);
    write_files(folder, {{"film/film.bin", bytes}, {"other/film.bin", noise(2 * kMiB, 2)}});
    publish(*hub_, folder);
    carry();
    let_store_take(pack_bytes(*village_) + 450'000);
    const std::string first = bytes;
    bytes.replace(500'000, 300'000, noise(300'000, 3));
    write_files(folder, {{"film/film.bin", bytes}});
    publish(*hub_, folder);
    for (int contact = 0; contact < 2; ++contact) {
        carry();
        EXPECT_EQ(why("film"), site::WhyState::kNoRoom);
        EXPECT_TRUE(film() == first);
    }
}

TEST_F(RoomPolicy, WhatPeopleSeeStaysUntilTheNewEditionIsAtHand) {
    publish_course("film", 2 * kMiB, 1);
    carry();
    let_store_take(pack_bytes(*village_) + kMiB / 2);
    publish_course("film", 2 * kMiB, 2);
    SimDisk stick;
    write_stick(*hub_, stick);
    leave_half_of(stick);
    read_stick(*village_, stick);
    EXPECT_EQ(why("film"), site::WhyState::kNoRoom);
    must(exchange::plan_wanted(village_->replica(), from(exchange::Source::kLine)));
    EXPECT_TRUE(film() == noise(2 * kMiB, 1)) << "half of a stick is not enough";
    EXPECT_TRUE(must(village_->why("film")).a_stick_does);
    carry();
    EXPECT_TRUE(film() == noise(2 * kMiB, 2));
}

TEST_F(RoomPolicy, NothingGoesBeforeSomeoneIsThereWhoHasTheNewCourse) {
    publish_course("unloved", 2 * kMiB, 1);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "wanted"}));
    let_store_take(pack_bytes(*village_) + 10'000);  // not even for its list
    publish_course("wanted", kMiB, 2);
    village_.reset();
    hub_.reset();
    SimDisk other_disk;
    {
        const auto hub = must(site::Site::open(hub_disk_, world_.world()));
        const auto other = join_village(*hub, other_disk, world_.world(), "west");
        SimDisk stick;
        write_stick(*hub, stick);
        read_stick(*other, stick);
        must(other->unsubscribe({"all", ""}));
    }
    NetSite village(village_disk_.tree(), 2), other(other_disk.tree(), 3);
    must(village.site->unsubscribe({"course", "wanted"}));
    EXPECT_TRUE(meet(other, village).done);
    must(village.site->subscribe({"course", "wanted"}));
    must(other.site->drop_editions({"wanted"}, std::nullopt));
    village.kill();
    EXPECT_TRUE(meet(other, village).done) << "it said that it had it once";
    const auto is_here = [&](const std::string& course) {
        return must(village.site->why(course)).state == site::WhyState::kComplete;
    };
    EXPECT_EQ(must(village.site->why("wanted")).state, site::WhyState::kMissingChunks) << "not declined";
    EXPECT_TRUE(is_here("unloved"));
    NetSite hub(hub_disk_.tree(), 1);
    EXPECT_TRUE(meet(hub, village).done);
    EXPECT_TRUE(is_here("wanted"));
    EXPECT_FALSE(is_here("unloved"));
}

TEST_F(RoomPolicy, NothingIsCollectedWhereAPackIsMissing) {
    publish_course("film", kMiB, 1);
    carry();
    village_.reset();
    must(village_disk_.rename(kPack, "elsewhere"));
    village_ = must(site::Site::open(village_disk_, world_.world()));
    NoProgress silent;
    EXPECT_EQ(village_->collect(silent, false).error().code, ErrorCode::kDamaged);
    const site::CollectReport look = collect(*village_, true);
    EXPECT_TRUE(look.hindrance.has_value());
    EXPECT_EQ(look.freeable, 0u);
    // Also where a course comes in meanwhile that would need the room: all else goes on.
    let_store_take(pack_bytes(*village_) + kMiB / 4);
    publish_course("other", kMiB, 2);
    carry();
    EXPECT_EQ(why("other"), site::WhyState::kNoRoom);
    village_.reset();
    must(village_disk_.rename("elsewhere", kPack));
    village_ = must(site::Site::open(village_disk_, world_.world()));
    EXPECT_TRUE(is_whole("film"));
    require_sound(*village_);
}

TEST_F(RoomPolicy, WhatLiesBelowALostListIsNotTakenForDead) {
    publish_course("film", kMiB, 1);
    carry();
    const ChunkId manifest = must(village_->why("film")).edition->edition.manifest;
    must(village_->store().forget(manifest));
    NoProgress silent;
    EXPECT_EQ(village_->collect(silent, false).error().code, ErrorCode::kDamaged);
    site::Findings findings;
    findings.lost.insert(manifest);
    settle(findings, site::GiveUp::kDamaged);
    EXPECT_EQ(must(village_->status()).complete, 0u);
    EXPECT_EQ(village_->collect(silent, false).error().code, ErrorCode::kDamaged) << "until it has come";
    let_store_take(pack_bytes(*village_) + 2000);  // and it may always come
    carry();
    EXPECT_TRUE(is_whole("film"));
    EXPECT_LT(pack_bytes(*village_), 3 * kMiB / 2) << "its content was still there";
    collect(*village_);
}

TEST_F(RoomPolicy, WhatIsLeftOfAPinnedCourseStays) {
    publish_course("film", 2 * kMiB, 1);
    carry();
    must(village_->pin("film"));
    must(village_->unsubscribe({"all", ""}));
    village_disk_.flip_bit(kPack, must(village_disk_.stat(kPack)).size / 2, 3);
    site::Findings findings;
    must(village_->store().verify([&](const store::Damage& damage) { findings.add(damage); },
                                  [](std::uint64_t, std::uint64_t) {}));
    settle(findings, site::GiveUp::kAll);
    collect(*village_);
    EXPECT_GT(collect(*village_, true).use.kept[static_cast<std::size_t>(site::Claim::kPinned)], kMiB);
    must(village_->subscribe({"all", ""}));
    carry();
    EXPECT_TRUE(is_whole("film"));
    require_sound(*village_);
}

TEST_F(RoomPolicy, AnOldEditionThatSharesWhatIsGivenUpIsNotTakenForWhole) {
    SimDisk folder;
    write_files(folder, {{"film/film.bin", noise(kMiB, 1)}, {"film/note.txt", "one"}});
    publish(*hub_, folder);
    carry();
    write_files(folder, {{"film/note.txt", "another"}});
    publish(*hub_, folder);
    carry();
    village_disk_.flip_bit(kPack, must(village_disk_.stat(kPack)).size / 2, 3);
    site::Findings findings;
    must(village_->store().verify([&](const store::Damage& damage) { findings.add(damage); },
                                  [](std::uint64_t, std::uint64_t) {}));
    EXPECT_EQ(settle(findings, site::GiveUp::kDamaged).given_up, 1u);
    must(village_->catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        EXPECT_FALSE(must(exchange::is_complete(village_->database(), state.edition.manifest)));
        return {};
    }));
    carry();
    EXPECT_TRUE(is_whole("film"));
}

TEST_F(RoomPolicy, WhatMayGoBlocksNothingWhenItsListIsLost) {
    publish_course("unloved", 2 * kMiB, 1);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "wanted"}));
    must(village_->store().forget(must(village_->why("unloved")).edition->edition.manifest));
    let_store_take(pack_bytes(*village_) + kMiB / 2);
    publish_course("wanted", kMiB, 2);
    carry();
    EXPECT_TRUE(is_whole("wanted"));
}

TEST_F(RoomPolicy, NothingGoesForTheListOfACourseThatCanNotFit) {
    publish_course("unloved", 2 * kMiB, 1);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "wanted"}));
    let_store_take(pack_bytes(*village_) + 10'000);
    publish_course("wanted", 6 * kMiB, 2);
    carry();
    EXPECT_EQ(why("wanted"), site::WhyState::kNoRoom);
    EXPECT_TRUE(is_whole("unloved"));
}

TEST_F(RoomPolicy, AnIndexMadeAnewTellsNothingAsWholeThatIsNot) {
    publish_course("film", kMiB, 1);
    carry();
    village_.reset();
    must(village_disk_.remove_file(kPack));
    village_ = must(site::Site::open(village_disk_, world_.world()));
    NoProgress silent;
    must(village_->rebuild_index(silent));
    EXPECT_EQ(must(village_->status()).complete, 0u);
    carry();
    EXPECT_TRUE(is_whole("film"));
}

}  // namespace
}  // namespace satchel
