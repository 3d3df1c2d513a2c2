// Records that a site carries for others: kept apart, within limits, without gaps, gone on a hub's word.
#include "engine/exchange/custody.hpp"

#include <gtest/gtest.h>

#include "engine/exchange/site_records.hpp"
#include "tests/support/contact.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel::exchange {
namespace {

using namespace support;

constexpr std::int32_t kOffsetMinutes = 480;

// A hub and three villages; only `near_` has a link to the hub.
class Carried : public testing::Test {
  protected:
    Carried() {
        simulations::SimDisk hub;
        const auto founded = found_hub(hub, world_.world());
        std::array<simulations::SimDisk, 3> villages;
        for (std::size_t i = 0; i < villages.size(); ++i)
            join_village(*founded, villages[i], world_.world(), "village " + std::to_string(i));
        hub_ = std::make_unique<NetSite>(hub.tree(), 11);
        near_ = std::make_unique<NetSite>(villages[0].tree(), 12);
        middle_ = std::make_unique<NetSite>(villages[1].tree(), 13);
        far_ = std::make_unique<NetSite>(villages[2].tree(), 14);
        for (NetSite* site : {hub_.get(), near_.get(), middle_.get(), far_.get()}) site->signs_records = true;
        inwards();
        outwards();
    }
    ContactReport talk(NetSite& one, NetSite& other) {
        ContactReport report = meet(one, other);
        EXPECT_TRUE(report.done);
        EXPECT_FALSE(report.broken.has_value());
        EXPECT_TRUE(report.first.refused.empty() && report.second.refused.empty());
        return report;
    }
    void outwards() {
        talk(*far_, *middle_);
        talk(*middle_, *near_);
        talk(*near_, *hub_);
    }
    void inwards() {
        talk(*near_, *hub_);
        talk(*middle_, *near_);
        talk(*far_, *middle_);
    }
    void record_at(NetSite& site, int headcount) {
        must(site.site->records().record({viewing_of(headcount)}));
    }
    static CustodyUse use(NetSite& site) { return Custody(site.site->database()).use().value(); }

    FixedWorld world_{1};
    std::unique_ptr<NetSite> hub_, near_, middle_, far_;
};

TEST_F(Carried, RecordsReachTheHubOverVillagesAndAreCountedOnlyThere) {
    for (const int headcount : {21, 22, 23}) record_at(*far_, headcount);
    outwards();
    EXPECT_EQ(counted_at(*hub_->site), counted_at(*far_->site));
    EXPECT_EQ(counted_at(*hub_->site).size(), 3u);
    EXPECT_TRUE(counted_at(*near_->site).empty());
    EXPECT_TRUE(counted_at(*middle_->site).empty());
}

TEST_F(Carried, RecordsAreDroppedOnceTheHubsWordIsHeard) {
    record_at(*far_, 21);
    talk(*far_, *middle_);
    EXPECT_EQ(use(*middle_).segments, 1u);
    talk(*middle_, *near_);
    EXPECT_EQ(use(*near_).segments, 1u);
    talk(*near_, *hub_);
    EXPECT_EQ(use(*near_).segments, 0u);
    EXPECT_EQ(use(*middle_).segments, 1u);
    talk(*middle_, *near_);
    EXPECT_EQ(use(*middle_).segments, 0u);
    talk(*far_, *middle_);
    for (NetSite* site : {near_.get(), middle_.get(), far_.get()}) {
        EXPECT_EQ(use(*site).segments, 0u);
        must(site->replica().records->for_each_unsettled_feed(
            [&](const SiteId& feed, std::span<const FeedHead>) -> Result<void> {
                EXPECT_EQ(feed, site->id()) << "is carried on";
                return {};
            }));
    }
    const ContactReport quiet = talk(*far_, *middle_);
    EXPECT_EQ(quiet.messages, 4u);
    EXPECT_LE(quiet.bytes, 600u);
}

TEST_F(Carried, RecordsThatCameToTheHubAnotherWayAreDroppedToo) {
    record_at(*far_, 21);
    talk(*far_, *middle_);
    talk(*middle_, *near_);
    record_at(*far_, 22);
    talk(*far_, *hub_);  // for once it had a line itself
    talk(*near_, *hub_);
    EXPECT_EQ(use(*near_).segments, 0u);
    talk(*middle_, *near_);
    EXPECT_EQ(use(*middle_).segments, 0u);
}

TEST_F(Carried, TheAuthorLearnsFromACarrierWhatItLost) {
    record_at(*far_, 21);
    outwards();
    inwards();
    const simulations::Tree backup = far_->disk->tree();
    record_at(*far_, 22);
    talk(*far_, *middle_);
    NetSite restored(backup, 15);
    restored.signs_records = true;
    const ContactReport report = talk(restored, *middle_);
    EXPECT_EQ(report.second.segments_given, 1u);
    EXPECT_EQ(counted_at(*restored.site).size(), 2u);
    record_at(restored, 23);
    far_ = nullptr;
    talk(restored, *middle_);
    talk(*middle_, *near_);
    talk(*near_, *hub_);
    EXPECT_EQ(counted_at(*hub_->site).size(), 3u);
}

TEST_F(Carried, WhatTheHubHasWithoutWhatIsBeforeItIsCompleted) {
    for (int i = 0; i < 3; ++i) {
        record_at(*far_, 21 + i);
        must(far_->site->records().close_segment());
    }
    accept_all(*hub_->site, {segments_of(*far_->site, far_->id()).back()});
    EXPECT_TRUE(counted_at(*hub_->site).empty());
    outwards();
    EXPECT_EQ(counted_at(*hub_->site).size(), 3u);
}

TEST_F(Carried, RecordsGoOnAfterWhatTheHubHas) {
    for (int round = 1; round <= 4; ++round) {
        record_at(*far_, 20 + round);
        record_at(*middle_, 40 + round);
        outwards();
        if (round % 2 == 0) inwards();
        EXPECT_EQ(counted_at(*hub_->site).size(), static_cast<std::size_t>(2 * round));
    }
    inwards();
    EXPECT_EQ(use(*middle_).segments + use(*near_).segments + use(*far_).segments, 0u);
}

TEST_F(Carried, WhatIsOnlyCarriedIsNotAcknowledged) {
    record_at(*far_, 21);
    talk(*far_, *middle_);
    must(middle_->replica().records->for_each_own_acknowledgement([](ByteView) -> Result<void> {
        ADD_FAILURE() << "a village acknowledges";
        return {};
    }));
    EXPECT_TRUE(must(middle_->replica().records->acknowledge(std::array{far_->id()})).empty());
}

TEST_F(Carried, AStickTakesThemAlong) {
    record_at(*far_, 21);
    talk(*far_, *middle_);
    simulations::SimDisk stick(fat_options());
    write_stick(*middle_->site, stick);
    read_stick(*hub_->site, stick);
    EXPECT_EQ(counted_at(*hub_->site).size(), 1u);
}

TEST_F(Carried, SegmentsHaveNoGapsAndEndWhereTheHubsBegin) {
    for (int i = 0; i < 6; ++i) {
        record_at(*far_, 20 + i);
        must(far_->site->records().close_segment());
    }
    const std::vector<ByteBuffer> all = segments_of(*far_->site, far_->id());
    ASSERT_EQ(all.size(), 6u);
    Custody custody(middle_->site->database());
    const auto put = [&](std::size_t i) {
        return must(custody.put(must(records::open_segment(all[i], far_->site->network())), all[i]));
    };
    EXPECT_TRUE(put(1));  // hubs may have the first
    EXPECT_FALSE(put(3));
    EXPECT_TRUE(put(2));
    EXPECT_FALSE(put(2));
    EXPECT_TRUE(put(3));
    EXPECT_TRUE(put(4));
    const std::vector<FeedHead> heads = must(custody.heads_of(far_->id()));
    ASSERT_EQ(heads.size(), 1u);
    EXPECT_EQ(heads[0].next_sequence, 6u);
    std::vector<SegmentId> ids;
    const auto list = [&](std::span<const SegmentId> known) {
        ids.clear();
        must(custody.segments_after(
            far_->id(), known, [&](const SegmentId& id, ByteView bytes) -> Result<bool> {
                EXPECT_EQ(SegmentId{must(records::open_segment(bytes, far_->site->network())).id.digest}, id);
                ids.push_back(id);
                return true;
            }));
        return ids;
    };
    const std::vector<SegmentId> four = list({});
    ASSERT_EQ(four.size(), 4u);
    EXPECT_EQ(list(std::array{four[1]}), (std::vector<SegmentId>{four[2], four[3]}));
    FeedHead settled = heads[0];
    settled.next_sequence = 4;
    must(custody.drop_up_to(far_->id(), std::array{settled}));
    EXPECT_EQ(list({}), (std::vector<SegmentId>{four[2], four[3]}));
    settled.incarnation_number += 1;
    settled.next_sequence = 100;
    must(custody.drop_up_to(far_->id(), std::array{settled}));
    EXPECT_EQ(must(custody.use()).segments, 2u);
}

// A site signs what it likes: also that its segment follows another site's, or a branch for each segment.
class MadeUp : public Carried {
  protected:
    MadeUp() : custody_(middle_->site->database()) {}
    bool put(const trust::SigningKey& key, std::uint32_t incarnation, std::uint64_t first,
             std::optional<records::SegmentId> previous, std::size_t padding = 0) {
        records::Segment segment;
        segment.site = key.public_key();
        segment.incarnation.number = incarnation;
        segment.first = first;
        segment.previous = previous;
        const std::string text = to_hex(bytes_of(noise(padding, first)));
        segment.events = {records::encode(must(records::event_from_words(
            "viewing", {"session=s" + std::to_string(first), "headcount=1", "organiser=" + text},
            kOffsetMinutes)))};
        const records::SealedSegment sealed = records::encode(segment, middle_->site->network(), key);
        last_ = sealed.id;
        return must(
            custody_.put(must(records::open_segment(sealed.bytes, middle_->site->network())), sealed.bytes));
    }
    std::vector<FeedHead> heads(const trust::SigningKey& key) {
        return must(custody_.heads_of(trust::site_id_of(key.public_key())));
    }
    Custody custody_;
    records::SegmentId last_;
};

TEST_F(MadeUp, PredecessorsOfOtherSitesHideNothing) {
    const trust::SigningKey& one = far_->site->signing_key();
    const trust::SigningKey& other = near_->site->signing_key();
    ASSERT_TRUE(put(one, 1, 1, std::nullopt));
    const records::SegmentId head = last_;
    EXPECT_TRUE(put(other, 1, 2, head));
    ASSERT_EQ(heads(one).size(), 1u);
    EXPECT_EQ(heads(one)[0].head.digest, head.digest);
    EXPECT_TRUE(put(one, 1, 2, head));
    EXPECT_EQ(heads(one).size(), 1u);
}

TEST_F(MadeUp, BranchesOfOneSiteAreFew) {
    const trust::SigningKey& key = far_->site->signing_key();
    for (std::uint32_t number = 1; number <= 100; ++number)
        EXPECT_EQ(put(key, number, 1, std::nullopt), number <= kCustodyBranchesMax) << number;
    must(custody_.commit());
    EXPECT_EQ(heads(key).size(), kCustodyBranchesMax);
    EXPECT_FALSE(put(key, 1, 3, last_));  // a gap
}

TEST_F(MadeUp, SegmentsOfOneSiteEndAtItsShare) {
    const trust::SigningKey& key = far_->site->signing_key();
    std::optional<records::SegmentId> previous;
    std::uint64_t taken = 0;
    for (std::uint64_t number = 1; number <= 5'000; ++number) {
        if (!put(key, 1, number, previous, 400)) break;
        previous = last_;
        taken = number;
    }
    EXPECT_LT(taken, 5'000u);
    EXPECT_LE(must(custody_.use()).bytes, kCustodyFeedMax);
    EXPECT_GT(must(custody_.use()).bytes, kCustodyFeedMax - 2'000);
    EXPECT_TRUE(put(near_->site->signing_key(), 1, 1, std::nullopt));
}

TEST_F(Carried, WhatARevokedBoxSaidIsCarriedNoFurther) {
    record_at(*far_, 21);
    talk(*far_, *middle_);
    EXPECT_EQ(use(*middle_).segments, 1u);
    must(hub_->site->revoke_site(to_hex(far_->id())));
    talk(*near_, *hub_);
    const ContactReport report = talk(*middle_, *near_);
    EXPECT_EQ(use(*middle_).segments, 0u);
    EXPECT_EQ(talk(*middle_, *near_).messages, 4u);
}

TEST_F(Carried, SegmentsOfOneSiteTakeNoMoreThanTheirShare) {
    for (int i = 0; i < 18; ++i) {
        std::vector<records::Event> events;
        for (int j = 0; j < 200; ++j)
            events.push_back(must(records::event_from_words(
                "feedback",
                {"course=maths", "rating=4",
                 "text=" + to_hex(bytes_of(noise(400, static_cast<std::uint64_t>(i * 1000 + j))))},
                kOffsetMinutes)));
        must(far_->site->records().record(std::move(events)));
    }
    must(far_->site->records().close_segment());
    std::uint64_t bytes = 0;
    for (const ByteBuffer& segment : segments_of(*far_->site, far_->id())) bytes += segment.size();
    ASSERT_GT(bytes, kCustodyFeedMax + kSegmentMax);
    const ContactReport first = talk(*far_, *middle_);
    EXPECT_LE(use(*middle_).bytes, kCustodyFeedMax);
    EXPECT_GT(use(*middle_).bytes, kCustodyFeedMax - kSegmentMax);
    EXPECT_EQ(first.first.segments_given, use(*middle_).segments);  // nothing is sent to be declined
    EXPECT_EQ(talk(*far_, *middle_).first.segments_given, 0u);
    talk(*middle_, *near_);
    for (int round = 0; round < 3; ++round) {  // the rest follows as the hub takes what is there
        outwards();
        inwards();
    }
    EXPECT_EQ(counted_at(*hub_->site).size(), 18u * 200u);
    EXPECT_EQ(use(*middle_).segments, 0u);
}

}  // namespace
}  // namespace satchel::exchange
