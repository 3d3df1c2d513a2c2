// Conversations between two real sites on simulated disks, joined by a net in memory.
#include "engine/exchange/session.hpp"

#include <gtest/gtest.h>

#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/haves.hpp"
#include "engine/exchange/holdings.hpp"
#include "tests/support/contact.hpp"
#include "tests/support/crash_county.hpp"

namespace satchel::exchange {
namespace {

using namespace support;

std::string words_of(const std::optional<Error>& error) {
    return error ? error->about + ": " + error->reason.text() + " [" + error->detail + "]" : "";
}

std::string words_of(const SessionReport& report) {
    std::string text;
    for (const Error& refused : report.refused) text += words_of(std::optional(refused)) + "; ";
    return text;
}

void expect_clean_end(const ContactReport& report) {
    EXPECT_FALSE(report.broken.has_value()) << words_of(report.broken);
    EXPECT_TRUE(report.done);
    EXPECT_EQ(words_of(report.first), "");
    EXPECT_EQ(words_of(report.second), "");
}

class Link : public testing::Test {
  protected:
    NetSite hub_{crash_county().hub_after, 71};
    NetSite west_{crash_county().west, 72};  // joined, and took nothing yet
    NetSite east_{crash_county().east, 73};  // holds the first edition
};

TEST_F(Link, BringsANewVillageAllThatTheHubHolds) {
    const ContactReport report = meet(west_, hub_);
    expect_clean_end(report);
    EXPECT_EQ(support::text_of(picture_of(*west_.site)), support::text_of(picture_of(*hub_.site)));
    EXPECT_EQ(checkouts(*west_.site), checkouts(*hub_.site));
    EXPECT_EQ(report.first.completed.size(), checkouts(*hub_.site).size());
    EXPECT_EQ(report.first.bytes_again, 0u);
    EXPECT_EQ(report.first.chunks_taken, report.second.chunks_given);
    require_sound(*west_.site);
}

TEST_F(Link, BringsOnlyTheDifferenceOfANewEdition) {
    const ContactReport report = meet(east_, hub_);
    expect_clean_end(report);
    EXPECT_EQ(checkouts(*east_.site), checkouts(*hub_.site));
    EXPECT_GT(report.first.commits, 0u);
    EXPECT_LT(report.first.chunks_taken, objects_held(*hub_.site).size());
    require_sound(*east_.site);
}

// A site that is served keeps its table of what it wants from one conversation to the next.
TEST_F(Link, BringsAgainWhatWasGivenUpBetweenConversations) {
    expect_clean_end(meet(west_, hub_));
    std::set<ChunkId> content;  // of one edition
    must(west_.site->catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        if (!state.is_current || content.size() >= 2) return {};
        content.clear();
        return walk_edition(west_.site->store(), state.edition.manifest,
                            [&](const ChunkId& id, ObjectKind kind) -> Result<bool> {
                                if (kind == ObjectKind::kContent) content.insert(id);
                                return true;
                            });
    }));
    ASSERT_GE(content.size(), 2u);
    auto lost = content.begin();
    for (std::uint64_t count = 1; count <= 2; ++count, ++lost) {
        must(west_.site->store().forget(*lost));
        must(recheck_holdings(west_.replica()));
        must(west_.wants->refresh());
        EXPECT_EQ(must(west_.wants->wanted()), count);
    }
    expect_clean_end(meet(west_, hub_));
    EXPECT_EQ(checkouts(*west_.site), checkouts(*hub_.site));
    require_sound(*west_.site);
}

TEST_F(Link, TellsTheHubWhatTheVillageHolds) {
    expect_clean_end(meet(west_, hub_));
    const std::optional<Have> have = must(peer_have(hub_.replica(), west_.id()));
    ASSERT_TRUE(have.has_value());
    EXPECT_EQ(have->heads, must(hub_.site->catalogue().heads()));
    must(west_.site->for_each_course([&](const site::CourseState& course) -> Result<void> {
        EXPECT_TRUE(std::binary_search(have->complete.begin(), have->complete.end(),
                                       mark_of(course.edition.edition.manifest)));
        return {};
    }));
}

TEST_F(Link, BringsRecordsHomeAndAcknowledgesThem) {
    for (int i = 0; i < 5; ++i) west_.records->record(600);
    expect_clean_end(meet(west_, hub_));
    EXPECT_EQ(hub_.records->feeds().at(west_.id()).size(), 5u);
    EXPECT_EQ(west_.records->acknowledged().size(), 1u);
    EXPECT_EQ(hub_.records->accepted_again(), 0u);
}

TEST_F(Link, WithNothingNewCostsLittle) {
    west_.records->record(600);
    expect_clean_end(meet(west_, hub_));
    const ContactReport quiet = meet(west_, hub_);
    expect_clean_end(quiet);
    EXPECT_EQ(quiet.messages, 4u);  // a greeting and an end each
    EXPECT_LE(quiet.first.cost_of(Stage::kGreeting).bytes_sent, 250u);
    EXPECT_LE(quiet.second.cost_of(Stage::kGreeting).bytes_sent, 250u);
    EXPECT_LE(quiet.bytes, 600u);
    EXPECT_LE(quiet.lasted_ms, 1'300);  // two round trips of 600 ms, and the line's time
}

TEST_F(Link, BringsAWeekOfAVillageInTwoRoundTrips) {
    expect_clean_end(meet(west_, hub_));
    for (int i = 0; i < 5; ++i) west_.records->record(600);
    const ContactReport week = meet(west_, hub_);
    expect_clean_end(week);
    EXPECT_LE(week.bytes, 4'700u);  // and 300 of handshake and frames make 5 KB
    EXPECT_LE(week.lasted_ms, 1'300);
}

// Each message stands alone: whichever is lost, the conversation comes to its end by itself.
TEST_F(Link, EndsWhicheverMessageIsLost) {
    NetSite counted(crash_county().east, 74);
    counted.records->record(600);
    const std::uint64_t messages = meet(counted, hub_).messages;
    ASSERT_GT(messages, 8u);
    for (std::uint64_t lost = 1; lost <= messages; ++lost) {
        NetSite hub(crash_county().hub_after, 75);
        NetSite east(crash_county().east, 76);
        east.records->record(600);
        NetOptions options;
        options.lost_message = lost;
        const ContactReport report = meet(east, hub, options);
        EXPECT_TRUE(report.done) << "without message " << lost;
        EXPECT_EQ(support::text_of(picture_of(*east.site)), support::text_of(picture_of(*hub.site)));
        EXPECT_EQ(hub.records->feeds(), east.records->feeds());
        EXPECT_LE(report.lasted_ms, 120'000);
    }
}

TEST_F(Link, GivesFirstContentAfterOneRoundTrip) {
    // A first contact that is cut behind the catalogue leaves the village knowing what it wants.
    NetOptions cut;
    cut.cut_after_bytes = 9'000;
    meet(west_, hub_, cut);
    ASSERT_GT(must(west_.wants->wanted()), 0u);
    const env::Instant start = std::max(west_.world.clock.wall(), hub_.world.clock.wall());
    const ContactReport report = meet(west_, hub_);
    expect_clean_end(report);
    ASSERT_TRUE(report.first.first_content.has_value());
    EXPECT_LE(report.first.first_content->unix_ms - start.unix_ms, 800);  // 600 ms, and the line's time
}

}  // namespace
}  // namespace satchel::exchange
