// What is damaged here costs itself: what else comes in, is carried or is collected goes on, and nothing goes
// that cannot be told from garbage.
#include <gtest/gtest.h>

#include "engine/exchange/holdings.hpp"
#include "engine/exchange/lacks.hpp"
#include "tests/engine/site/room_kit.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

class RoomDamage : public Room {
  protected:
    bool is_whole(const std::string& course) { return why(course) == site::WhyState::kComplete; }
    std::string bytes_of_file(const std::string& course, const std::string& path) {
        std::string bytes;
        must(village_->read_file(course, path, 0, 64 * kMiB, [&](ByteView piece) -> Result<void> {
            bytes.append(piece.begin(), piece.end());
            return {};
        }));
        return bytes;
    }
    // As `verify` leaves it: given up, and wanted again.
    void lose_list_of(const std::string& course) {
        const ChunkId manifest = manifest_of(*village_, course);
        must(village_->store().forget(manifest));
        site::Findings findings;
        findings.lost.insert(manifest);
        NoProgress silent;
        must(village_->settle(
            findings, site::GiveUp::kDamaged, [](const site::Loss&) -> Result<void> { return {}; }, silent));
    }
};

TEST_F(RoomDamage, ADamagedListOfACourseThatComesInHoldsNoOtherUp) {
    let_store_take(kMiB);
    publish_course("film", 2 * kMiB, 1);
    carry();  // its list
    rot(village_, village_disk_, manifest_of(*village_, "film"));
    publish_course("other", kMiB / 4, 2);
    carry();
    EXPECT_TRUE(is_whole("other"));
    publish_course("third", kMiB / 8, 3);
    village_.reset();
    hub_.reset();
    NetSite hub(hub_disk_.tree(), 1), village(village_disk_.tree(), 2);
    EXPECT_TRUE(meet(hub, village).done);
    EXPECT_EQ(must(village.site->why("third")).state, site::WhyState::kComplete);
}

TEST_F(RoomDamage, WhatIsCompleteIsFoundAgainBehindAnEditionThatIsDamaged) {
    publish_course("film", kMiB / 4, 1);
    publish_course("other", kMiB / 4, 2);
    carry();
    const ChunkId film = manifest_of(*village_, "film"), other = manifest_of(*village_, "other");
    rot(village_, village_disk_, film);
    must(exchange::forget_holding(village_->database(), film));
    must(exchange::forget_holding(village_->database(), other));
    NoProgress silent;
    must(exchange::find_holdings(village_->replica(), silent));
    EXPECT_FALSE(must(exchange::is_complete(village_->database(), film)));
    EXPECT_TRUE(must(exchange::is_complete(village_->database(), other)));
}

TEST_F(RoomDamage, ADamagedListAtTheHubCostsOnlyItsCourse) {
    publish_course("film", kMiB / 4, 1);
    publish_course("other", kMiB / 4, 2);
    rot(hub_, hub_disk_, manifest_of(*hub_, "film"));
    SimDisk stick;
    EXPECT_EQ(write_stick(*hub_, stick).damaged_count, 1u);
    read_stick(*village_, stick);
    EXPECT_TRUE(is_whole("other"));
    EXPECT_FALSE(is_whole("film"));
    write_stick(*hub_, stick);  // also where the village says what it holds
}

TEST_F(RoomDamage, AListThatWasLostComesBackWhereTheStoreIsFull) {
    publish_course("film", kMiB, 1);
    carry();
    lose_list_of("film");
    let_store_take(pack_bytes(*village_) - 10'000);
    carry();
    EXPECT_TRUE(is_whole("film"));
    require_sound(*village_);
}

TEST_F(RoomDamage, WhatCameAndHasNoRoomEndsNeitherAReadNorAContact) {
    publish_course("film", kMiB, 1);
    carry();
    lose_list_of("film");
    let_store_take(pack_bytes(*village_) / 2);
    publish_course("other", kMiB, 2);
    SimDisk stick;
    write_stick(*hub_, stick);
    const stick::ReadReport read = read_stick(*village_, stick);
    ASSERT_TRUE(read.no_room);
    EXPECT_EQ(read.no_room->code, ErrorCode::kNoSpace);
    EXPECT_TRUE(read.answered);
    hub_.reset();
    village_.reset();
    {
        NetSite hub(hub_disk_.tree(), 1), village(village_disk_.tree(), 2);
        const ContactReport report = meet(hub, village);
        EXPECT_TRUE(report.done);
        ASSERT_EQ(report.second.refused.size(), 1u);
        EXPECT_EQ(report.second.refused[0].code, ErrorCode::kNoSpace);
    }
    hub_ = must(site::Site::open(hub_disk_, world_.world()));
    village_ = must(site::Site::open(village_disk_, world_.world()));
    let_store_take(8 * kMiB);
    carry();
    EXPECT_TRUE(is_whole("film"));
    EXPECT_TRUE(is_whole("other"));
}

// The edition that may go was walked first, and broke off inside a list that another shares with it, which
// may not go: that one is to be walked from the beginning.
TEST_F(RoomDamage, WhereAWalkBrokeOffNothingThatOthersShareIsTakenForDead) {
    SimDisk folder;
    const std::string second_film = noise(kMiB, 2);
    Files files = {{"film/course.json", R"({"id": "film", "title": {"en": "x"}})"},
                   {"film/a.bin", noise(kMiB, 1)},
                   {"film/b.bin", second_film}};
    for (int i = 100; i < 400; ++i) files["film/t/" + std::to_string(i)] = std::to_string(i);
    write_files(folder, files);
    publish(*hub_, folder);
    carry();
    write_files(folder, {{"film/t/399", "changed"}});
    publish(*hub_, folder);
    carry();
    let_store_take(pack_bytes(*village_) + 100'000);
    publish_course("film", 8 * kMiB, 3);  // it shares nothing with them
    carry();
    ASSERT_EQ(must(village_->edition_to_show("film"))->edition.number, 2u);

    std::optional<ChunkId> recipe;
    must(village_->for_each_file("film", [&](const store::ManifestEntry& entry) -> Result<void> {
        if (const auto* content = std::get_if<store::RecipeContent>(&entry.content);
            content != nullptr && entry.path == "a.bin")
            recipe = content->recipe;
        return {};
    }));
    ASSERT_TRUE(recipe);
    must(village_->store().forget(*recipe));
    EXPECT_EQ(village_->replica().room->make_room(kMiB, "another").error().code, ErrorCode::kDamaged);
    EXPECT_TRUE(bytes_of_file("film", "b.bin") == second_film);
}

TEST_F(RoomDamage, AListThatIsAlsoTheContentOfAFileKeepsWhatItNames) {
    publish_course("other", kMiB, 1);
    const ChunkId list = manifest_of(*hub_, "other");
    const ByteBuffer bytes = must(hub_->store().read(list));
    SimDisk folder;
    write_files(folder, {{"copy/list.bin", std::string(bytes.begin(), bytes.end())}});
    publish(*hub_, folder);
    carry();
    bool is_named = false;
    must(village_->for_each_file("copy", [&](const store::ManifestEntry& entry) -> Result<void> {
        const auto* extent = std::get_if<store::Extent>(&entry.content);
        is_named = is_named || (extent != nullptr && extent->chunk == list);
        return {};
    }));
    EXPECT_TRUE(is_named) << "or this tries nothing";
    EXPECT_EQ(collect(*village_).freed, 0u);
    EXPECT_EQ(collect(*village_, true).use.dead, 0u);
    EXPECT_TRUE(bytes_of_file("other", "film.bin") == noise(kMiB, 1));
}

}  // namespace
}  // namespace satchel
