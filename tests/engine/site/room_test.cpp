// Room: what comes in, what is declined and why, what goes first, and what a collection gives back.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "tests/engine/site/room_kit.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

TEST_F(Room, WhatDoesNotFitIsDeclinedBeforeItsContentComes) {
    let_store_take(2 * kMiB);
    publish_course("large", 3 * kMiB, 1);
    publish_course("small", kMiB / 2, 2);
    carry();
    EXPECT_EQ(why("large"), site::WhyState::kNoRoom);
    EXPECT_EQ(why("small"), site::WhyState::kComplete);
    EXPECT_LT(pack_bytes(*village_), kMiB);
    const site::Why answer = must(village_->why("large"));
    EXPECT_GT(answer.room_needed, 3 * kMiB);
    EXPECT_LT(answer.room_available, 2 * kMiB);
    EXPECT_EQ(must(village_->status()).waiting_for_room, 1u);

    let_store_take(8 * kMiB);
    carry();
    EXPECT_EQ(why("large"), site::WhyState::kComplete);
}

TEST_F(Room, ByLinkTooOnlyTheStructureOfWhatDoesNotFitComes) {
    let_store_take(2 * kMiB);
    publish_course("large", 3 * kMiB, 1);
    carry();
    EXPECT_EQ(why("large"), site::WhyState::kNoRoom);
    EXPECT_LT(pack_bytes(*village_), kMiB / 4);
}

TEST_F(Room, ASmallChangeOfALargeCourseFitsWhereTheCourseWouldNot) {
    publish_course("large", 3 * kMiB, 1);
    carry();
    let_store_take(pack_bytes(*village_) + kMiB);
    SimDisk folder;
    write_files(folder, {{"large/course.json", R"({"id": "large", "title": {"en": "x"}})"},
                         {"large/film.bin", noise(3 * kMiB, 1)},
                         {"large/note.txt", "new\n"}});
    publish(*hub_, folder);
    carry();
    EXPECT_EQ(must(village_->why("large")).edition->edition.number, 2u);
    EXPECT_EQ(why("large"), site::WhyState::kComplete);
}

TEST_F(Room, OldEditionsMakeRoomFirst) {
    publish_course("film", 2 * kMiB, 1);
    carry();
    let_store_take(pack_bytes(*village_) + kMiB);
    publish_course("film", 2 * kMiB, 2);
    carry();
    // Edition 1 is shown until 2 is complete, and 2 is current: so 1 is old, and goes.
    EXPECT_EQ(must(village_->why("film")).edition->edition.number, 2u);
    EXPECT_EQ(why("film"), site::WhyState::kComplete);
    EXPECT_LT(pack_bytes(*village_), 3 * kMiB);
}

TEST_F(Room, CoursesThatNobodySubscribesToGoBeforeASubscribedOneIsDeclined) {
    publish_course("unloved", 2 * kMiB, 1);
    publish_course("pinned", kMiB, 2);
    carry();
    must(village_->pin("pinned"));
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "wanted"}));
    let_store_take(pack_bytes(*village_) + kMiB);
    publish_course("wanted", 2 * kMiB, 3);
    carry();
    EXPECT_EQ(why("wanted"), site::WhyState::kComplete);
    EXPECT_EQ(why("unloved"), site::WhyState::kNotSubscribed);
    EXPECT_EQ(why("pinned"), site::WhyState::kComplete);
}

TEST_F(Room, WhatIsPinnedOrSubscribedStaysAndTheNewOneIsDeclined) {
    publish_course("pinned", kMiB, 2);
    publish_course("subscribed", kMiB, 3);
    carry();
    must(village_->unsubscribe({"all", ""}));
    must(village_->subscribe({"course", "subscribed"}));
    must(village_->subscribe({"course", "wanted"}));
    must(village_->pin("pinned"));
    let_store_take(pack_bytes(*village_) + kMiB);
    publish_course("wanted", 2 * kMiB, 4);
    carry();
    EXPECT_EQ(why("wanted"), site::WhyState::kNoRoom);
    EXPECT_EQ(why("pinned"), site::WhyState::kComplete);
    EXPECT_EQ(why("subscribed"), site::WhyState::kComplete);
    const site::StoreUse use = collect(*village_, true).use;
    EXPECT_GT(use.kept[static_cast<std::size_t>(site::Claim::kPinned)], kMiB / 2);

    const site::Why answer = must(village_->why("wanted"));
    ASSERT_EQ(answer.could_go.size(), 2u) << "both are needed";
    EXPECT_EQ(answer.could_go[0].course, "subscribed");
    EXPECT_EQ(answer.could_go[0].claim, site::Claim::kSubscribed);
    EXPECT_EQ(answer.could_go[1].course, "pinned");
    EXPECT_EQ(answer.could_go[1].claim, site::Claim::kPinned);
    EXPECT_GE(answer.could_go[1].bytes, kMiB);
    must(village_->unpin("pinned"));
    EXPECT_EQ(why("wanted"), site::WhyState::kMissingChunks) << "there may be room now";
    carry();
    EXPECT_EQ(must(village_->why("wanted")).could_go.size(), 1u) << "the other would go by itself";
    EXPECT_EQ(why("pinned"), site::WhyState::kComplete);
    EXPECT_GT(collect(*village_, true).use.kept[static_cast<std::size_t>(site::Claim::kRest)], kMiB / 2)
        << "and does not go in vain";
}

TEST_F(Room, NoMoreIsNamedThanWhatWouldMakeTheRoom) {
    for (int i = 0; i < 3; ++i)
        publish_course("small" + std::to_string(i), kMiB / 4, 10 + static_cast<std::uint64_t>(i));
    publish_course("middle", kMiB, 2);
    publish_course("large", 3 * kMiB / 2, 3);
    carry();
    let_store_take(pack_bytes(*village_) + kMiB / 2);
    publish_course("wanted", kMiB, 4);
    carry();
    const site::Why answer = must(village_->why("wanted"));
    ASSERT_EQ(answer.state, site::WhyState::kNoRoom);
    ASSERT_EQ(answer.could_go.size(), 1u);
    EXPECT_EQ(answer.could_go[0].course, "large");
}

TEST_F(Room, AHubNamesOldEditionsThatCouldGo) {
    publish_course("film", kMiB, 1);
    publish_course("film", kMiB, 2);
    SimDisk second_disk;
    site::EnrolOptions as_hub;
    as_hub.role = trust::SiteRole::kHub;
    const std::string request = must(site::Site::request_to_join(second_disk, world_.world(), "west"));
    const auto second =
        must(site::Site::join(second_disk, world_.world(), must(hub_->enrol(request, as_hub)), std::nullopt));
    SimDisk stick;
    write_stick(*hub_, stick);
    read_stick(*second, stick);
    publish_course("film", kMiB, 3);
    site::StoreLimits limits = must(second->limits());
    limits.store_max = pack_bytes(*second) + kMiB / 4;
    must(second->set_limits(limits));
    write_stick(*hub_, stick);
    read_stick(*second, stick);
    const site::Why answer = must(second->why("film"));
    ASSERT_EQ(answer.state, site::WhyState::kNoRoom);
    ASSERT_EQ(answer.could_go.size(), 1u);
    EXPECT_EQ(answer.could_go[0].edition, 2u);
    EXPECT_EQ(answer.could_go[0].claim, site::Claim::kOld);
}

TEST_F(Room, WhatIsLeftForOneIsWhatThoseBeforeItLeave) {
    publish_course("first", 2 * kMiB, 1);
    publish_course("second", 2 * kMiB, 2);
    SimDisk stick;
    write_stick(*hub_, stick);
    // Only what tells of them comes in.
    let_store_take(kMiB / 2);
    read_stick(*village_, stick);
    let_store_take(pack_bytes(*village_) + 3 * kMiB);
    must(exchange::plan_wanted(village_->replica(), from(exchange::Source::kLine)));
    const site::Why answer = must(village_->why("second"));
    ASSERT_EQ(answer.state, site::WhyState::kNoRoom);
    EXPECT_LT(answer.room_available, kMiB) << "the first one's room is spoken for";
    EXPECT_EQ(why("first"), site::WhyState::kMissingChunks);
}

TEST_F(Room, APinKeepsTheOldEditionUntilTheNewOneIsWhole) {
    publish_course("film", kMiB, 1);
    carry();
    must(village_->pin("film"));
    let_store_take(pack_bytes(*village_) + kMiB / 4);
    publish_course("film", kMiB, 2);
    carry();
    EXPECT_EQ(why("film"), site::WhyState::kNoRoom);
    EXPECT_EQ(village_->drop_editions({"film"}, std::nullopt).error().code, ErrorCode::kRefused);
    EXPECT_GT(collect(*village_, true).use.kept[static_cast<std::size_t>(site::Claim::kPinned)], kMiB / 2);
    EXPECT_EQ(must(village_->edition_to_show("film"))->edition.number, 1u);
    EXPECT_EQ(film(), noise(kMiB, 1)) << "what people watch until the new one is here";
    let_store_take(4 * kMiB);
    carry();
    EXPECT_EQ(why("film"), site::WhyState::kComplete);
    EXPECT_EQ(film(), noise(kMiB, 2));
    must(village_->drop_editions({"film"}, 1));
    EXPECT_GT(collect(*village_).freed, kMiB / 2);
    EXPECT_EQ(why("film"), site::WhyState::kComplete);
    require_sound(*village_);
}

TEST_F(Room, AnEditionThatWasRejectedDoesNotStandInForTheCurrentOne) {
    publish_course("film", kMiB, 1);
    carry();
    publish_course("film", kMiB, 2);
    carry();
    const catalogue::Review no =
        must(hub_->review_of("film", catalogue::Verdict::kReject, catalogue::ReviewRole::kContent));
    ASSERT_TRUE(must(hub_->sign_review(no, must(hub_->own_reviewer_key()))));
    must(village_->pin("film"));
    let_store_take(pack_bytes(*village_) + kMiB / 4);
    publish_course("film", 4 * kMiB, 3);
    carry();
    EXPECT_EQ(why("film"), site::WhyState::kNoRoom);
    EXPECT_EQ(must(village_->edition_to_show("film"))->edition.number, 1u);
    EXPECT_EQ(film(), noise(kMiB, 1));
}

TEST_F(Room, AHubDropsOldEditionsOnlyWhenItIsTold) {
    publish_course("film", 2 * kMiB, 1);
    publish_course("film", 2 * kMiB, 2);
    EXPECT_EQ(collect(*hub_).freed, 0u);
    EXPECT_EQ(hub_->drop_editions({"film"}, 2).error().code, ErrorCode::kRefused);
    must(hub_->drop_editions({"film"}, 1));
    const site::CollectReport looked = collect(*hub_, true);
    EXPECT_GT(looked.use.dead, 2 * kMiB - kMiB / 8);
    EXPECT_EQ(looked.freed, 0u);
    const site::CollectReport report = collect(*hub_);
    EXPECT_GT(report.freed, 2 * kMiB - kMiB / 4);
    EXPECT_LT(pack_bytes(*hub_), 3 * kMiB);
    require_sound(*hub_);
    EXPECT_EQ(must(hub_->why("film")).state, site::WhyState::kComplete);
    carry();
    EXPECT_EQ(why("film"), site::WhyState::kComplete);
    EXPECT_EQ(collect(*hub_).freed, 0u);
}

TEST_F(Room, CoursesAreDroppedTogetherOrNotAtAll) {
    for (std::uint64_t edition : {1u, 2u}) {
        publish_course("first", kMiB, edition);
        publish_course("second", kMiB, 10 + edition);
    }
    publish_course("third", kMiB, 20);
    EXPECT_EQ(hub_->drop_editions({"first", "third", "second"}, 1).error().about, "third");
    EXPECT_EQ(collect(*hub_).freed, 0u);
    must(hub_->drop_editions({"first", "second"}, 1));
    EXPECT_GT(collect(*hub_, true).use.dead, 2 * kMiB - kMiB / 8);
    collect(*hub_);
    require_sound(*hub_);
}

TEST_F(Room, ADroppedEditionThatIsPublishedOnceMoreStays) {
    SimDisk first, second;
    for (auto& [folder, seed] : {std::pair(&first, 1u), std::pair(&second, 2u)})
        write_files(*folder, {{"film/film.bin", noise(kMiB, seed)}});
    publish(*hub_, first);
    publish(*hub_, second);
    must(hub_->drop_editions({"film"}, 1));
    const site::PublishReport again = publish(*hub_, first);
    EXPECT_EQ(again.courses.front().edition.number, 3u);
    const auto editions = must(hub_->catalogue().current_edition("film"));
    EXPECT_EQ(editions->edition.number, 3u);
    must(hub_->drop_editions({"film"}, 1));  // once more: nothing is kept for it alone
    // As where another hub published it, and this one only took it in.
    must(database::set_meta(hub_->database(), "dropped/" + to_hex(editions->edition.manifest.view()), {}));
    collect(*hub_);
    require_sound(*hub_);
    EXPECT_EQ(must(hub_->why("film")).state, site::WhyState::kComplete);
}

TEST_F(Room, AnEditionThatFollowsADroppedOneOfItsFilesGoesOnlyWhenItIsToldTo) {
    SimDisk first, second;
    for (auto& [folder, seed] : {std::pair(&first, 1u), std::pair(&second, 2u)})
        write_files(*folder, {{"film/film.bin", noise(kMiB, seed)}});
    publish(*hub_, first);
    publish(*hub_, second);
    must(hub_->drop_editions({"film"}, 1));
    publish(*hub_, first);
    publish(*hub_, second);
    EXPECT_EQ(collect(*hub_).freed, 0u);
    EXPECT_EQ(must(hub_->drop_editions({"film"}, 3)), 1u);
    EXPECT_GT(collect(*hub_).freed, kMiB / 2);
    require_sound(*hub_);
}

TEST_F(Room, ADroppedCourseIsNotHeldAnyMoreAndCanComeBack) {
    publish_course("film", kMiB, 1);
    carry();
    EXPECT_EQ(village_->drop_editions({"film"}, std::nullopt).error().code, ErrorCode::kRefused);
    EXPECT_EQ(village_->drop_editions({"film"}, 1).error().code, ErrorCode::kRefused);
    must(village_->unsubscribe({"all", ""}));
    EXPECT_EQ(must(village_->drop_editions({"film"}, 9)), 0u) << "there is no such edition";
    EXPECT_EQ(must(village_->drop_editions({"film"}, std::nullopt)), 1u);
    EXPECT_GT(collect(*village_).freed, kMiB / 2);
    EXPECT_EQ(why("film"), site::WhyState::kNotSubscribed);
    must(village_->subscribe({"all", ""}));
    carry();
    EXPECT_EQ(why("film"), site::WhyState::kComplete);
}

TEST_F(Room, RecordsAreTakenWhereContentIsNot) {
    let_store_take(1);
    publish_course("film", kMiB, 1);
    carry();
    EXPECT_EQ(why("film"), site::WhyState::kNoRoom);
    EXPECT_LT(pack_bytes(*village_), kMiB / 4);
    EXPECT_TRUE(village_->set_limits(must(village_->limits())).has_value());
}

TEST_F(Room, PublishingStopsSoundlyAtTheLimit) {
    site::StoreLimits limits = must(hub_->limits());
    limits.store_max = kMiB;
    must(hub_->set_limits(limits));
    SimDisk folder;
    write_files(folder, {{"film/film.bin", noise(12 * kMiB, 1)}});
    NoProgress silent;
    const auto published = hub_->publish(folder, "courseware", {}, silent);
    ASSERT_FALSE(published.has_value());
    EXPECT_EQ(published.error().code, ErrorCode::kNoSpace);
    limits.store_max = 0;
    must(hub_->set_limits(limits));
    publish(*hub_, folder);
    carry();
    EXPECT_EQ(why("film"), site::WhyState::kComplete);
}

}  // namespace
}  // namespace satchel
