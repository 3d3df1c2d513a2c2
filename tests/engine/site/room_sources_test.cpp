// Who counts as having what is wanted, and how often it is reckoned what could go for it.
#include <gtest/gtest.h>

#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/intake.hpp"
#include "engine/exchange/wants.hpp"
#include "engine/store/crc32c.hpp"
#include "engine/store/record.hpp"
#include "tests/engine/site/room_kit.hpp"

namespace satchel {
namespace {

using namespace support;

class RoomSources : public Room {
  protected:
    void take_lists_of(const std::string& course) {
        const auto take = [&](const ChunkId& id, exchange::ObjectKind kind) -> Result<bool> {
            if (kind != exchange::ObjectKind::kContent)
                must(village_->store().put_record(must(hub_->store().read_record(id)),
                                                  store::Reach::kBeyondByALittle));
            return true;
        };
        must(exchange::walk_edition(hub_->store(), manifest_of(*hub_, course), take));
        must(village_->store().commit());
    }
    std::string bytes_of_film(const std::string& course) {
        std::string bytes;
        const Result<void> read =
            village_->read_file(course, "film.bin", 0, 64 * kMiB, [&](ByteView piece) -> Result<void> {
                bytes.append(piece.begin(), piece.end());
                return {};
            });
        return read.has_value() ? bytes : "";
    }
    std::vector<ChunkId> content_at_hub(const std::string& course) {
        std::vector<ChunkId> content;
        must(exchange::walk_edition(hub_->store(), manifest_of(*hub_, course),
                                    [&](const ChunkId& id, exchange::ObjectKind kind) -> Result<bool> {
                                        if (kind == exchange::ObjectKind::kContent) content.push_back(id);
                                        return true;
                                    }));
        return content;
    }
};

// The record of an id with other bytes, checksums right: only the hash tells.
ByteBuffer lying(ByteBuffer record) {
    store::RecordHeader header = must(store::decode_header(record));
    record.back() ^= 1u;
    header.payload_crc = store::crc32c(ByteView(record).subspan(store::kRecordHeaderSize));
    const auto bytes = store::encode_header(header);
    std::copy(bytes.begin(), bytes.end(), record.begin());
    return record;
}

TEST_F(RoomSources, WhoOnlySaysThatHeHasItIsNoSource) {
    publish_course("film", kMiB, 1);
    let_store_take(pack_bytes(*village_) + 600'000);
    carry();  // its lists, and of its content nothing
    ASSERT_EQ(why("film"), site::WhyState::kNoRoom);
    const ChunkId manifest = manifest_of(*village_, "film");
    exchange::Intake intake = must(exchange::Intake::create(village_->database(), village_->store()));
    const std::vector<ChunkId> content = content_at_hub("film");
    ASSERT_GT(content.size(), 1u);
    for (const ChunkId& id : content) {
        const auto offered = intake.offer(id, lying(must(hub_->store().read_record(id))));
        ASSERT_FALSE(offered.has_value());
        EXPECT_EQ(offered.error().code, ErrorCode::kDamaged);
    }
    EXPECT_FALSE(must(intake.has_passed_over(manifest)));
    for (const ChunkId& id : content) must(intake.offer(id, must(hub_->store().read_record(id))));
    EXPECT_TRUE(must(intake.has_passed_over(manifest)));
}

class CountingRoom final : public exchange::RoomPort {
  public:
    explicit CountingRoom(exchange::RoomPort& room) : room_(room) {}
    Result<std::uint64_t> available() override { return room_.available(); }
    Result<Potential> potential() override {
        ++reckoned;
        return room_.potential();
    }
    Result<std::uint64_t> potential_for(const std::string& course) override {
        return room_.potential_for(course);
    }
    Result<std::uint64_t> make_room(std::uint64_t bytes, const std::string& for_course) override {
        return room_.make_room(bytes, for_course);
    }
    int reckoned = 0;

  private:
    exchange::RoomPort& room_;
};

TEST_F(RoomSources, APeerThatSaysTheSameUnderNewNumbersCostsNoWalks) {
    publish_course("film", 2 * kMiB, 1);
    let_store_take(pack_bytes(*village_) + 600'000);
    carry();
    ASSERT_EQ(why("film"), site::WhyState::kNoRoom);
    exchange::Replica replica = village_->replica();
    CountingRoom room(*replica.room);
    replica.room = &room;
    const auto wants = must(exchange::Wants::create(replica));
    const exchange::SessionKey session = wants->add_session();
    const int before = room.reckoned;
    for (std::uint64_t number = 1; number <= 10; ++number)
        must(wants->note_source(session, hub_->self().id, number));
    EXPECT_EQ(room.reckoned, before + 1) << "that the hub has it is news once";
    wants->release(session);
    must(wants->note_source(wants->add_session(), hub_->self().id, 11));
    EXPECT_EQ(room.reckoned, before + 2);
}

// More than half of a pack is dead, and what is left of it can't be moved: a chunk of it is damaged.
TEST_F(RoomSources, WhatAPackDoesNotGiveBackIsNotCountedOn) {
    publish_course("kept", kMiB, 1);
    publish_course("dropped", 3 * kMiB / 2, 2);
    carry();
    must(village_->unsubscribe({"all", ""}));
    for (const char* const course : {"kept", "unloved"}) must(village_->subscribe({"course", course}));
    must(village_->drop_editions({"dropped"}, std::nullopt));
    rot(village_, village_disk_, content_at_hub("kept").front());
    EXPECT_EQ(collect(*village_).freed, 0u);
    publish_course("unloved", kMiB, 3);
    carry();
    ASSERT_EQ(why("unloved"), site::WhyState::kComplete);
    must(village_->unsubscribe({"course", "unloved"}));
    must(village_->subscribe({"course", "wanted"}));
    let_store_take(pack_bytes(*village_) + 600'000);
    publish_course("wanted", kMiB, 4);
    carry();
    EXPECT_EQ(why("wanted"), site::WhyState::kComplete);
}

TEST_F(RoomSources, WhatPeopleSeeOfAnotherCourseStaysForAStick) {
    publish_course("another", 2 * kMiB, 1);
    publish_course("film", 2 * kMiB, 2);
    carry();
    let_store_take(pack_bytes(*village_) + 700'000);
    publish_course("another", 2 * kMiB, 3);
    publish_course("film", 2 * kMiB, 4);
    simulations::SimDisk stick;
    write_stick(*hub_, stick);
    leave_half_of(stick);
    read_stick(*village_, stick);
    for (const char* const course : {"another", "film"}) take_lists_of(course);
    const ChunkId film = manifest_of(*hub_, "film");
    const auto has_film = [&](const ChunkId& manifest) -> Result<exchange::Source> {
        return manifest == film ? exchange::Source::kStick : exchange::Source::kNone;
    };
    must(exchange::plan_wanted(village_->replica(), has_film));
    EXPECT_TRUE(bytes_of_film("another") == noise(2 * kMiB, 1));
    EXPECT_TRUE(bytes_of_film("film").empty()) << "it went for its own new edition";
}

// One pack, of which an eighth is needed to write it anew: what two give back at once is more than what they
// give one after the other.
TEST_F(RoomSources, WhatGoesGoesAtOnceAndNothingInVain) {
    publish_course("kept", 6 * kMiB, 1);
    publish_course("film", 103 * kMiB / 100, 2);
    publish_course("unloved", 85 * kMiB / 100, 3);
    carry();
    publish_course("film", 70'000, 4);
    carry();
    must(village_->unsubscribe({"all", ""}));
    for (const char* const course : {"kept", "film", "wanted"}) must(village_->subscribe({"course", course}));
    let_store_take(pack_bytes(*village_) + 600'000);
    publish_course("wanted", 135 * kMiB / 100, 5);
    carry();
    EXPECT_EQ(why("wanted"), site::WhyState::kComplete);
    require_sound(*village_);
}

}  // namespace
}  // namespace satchel
