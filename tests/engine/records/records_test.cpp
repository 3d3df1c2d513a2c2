#include "engine/records/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/base/encoding.hpp"
#include "simulations/world/crash_images.hpp"
#include "tests/engine/records/records_kit.hpp"

namespace satchel::records {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

std::vector<std::string> viewing(int headcount) {
    return {"course=maths", "headcount=" + std::to_string(headcount), "dur=3600", "start=2025-11-20T19:00"};
}

TEST(Records, CountsWhatWasRecordedBeforeItIsSigned) {
    TestSite village(3);
    village.say("viewing", viewing(35));
    EXPECT_THAT(village.report(), HasSubstr("site-3 1 0 1 35 3600 126000"));
    EXPECT_EQ(must(village.records->open_events()), 1u);
}

TEST(Records, ASignedEventIsTheSameEvent) {
    TestSite village(3);
    const Identity id = village.say("viewing", viewing(35));
    const std::string before = village.report();
    must(village.records->close_segment());
    EXPECT_EQ(must(village.records->open_events()), 0u);
    EXPECT_EQ(village.report(), before);
    std::vector<Identity> all;
    must(village.records->for_each_event(
        [&](const SiteId&, const Identity& each, const Event&) -> Result<void> {
            all.push_back(each);
            return {};
        }));
    EXPECT_EQ(all, std::vector<Identity>{id});
}

TEST(Records, AreSignedAtTheLatestWithTheNextOneAfterADay) {
    TestSite village(3);
    village.say("viewing", viewing(1));
    village.world.clock.advance(23ull * 3600 * 1000);
    village.say("viewing", viewing(2));
    EXPECT_EQ(must(village.records->open_events()), 2u);
    village.world.clock.advance(2ull * 3600 * 1000);
    village.say("viewing", viewing(3));
    EXPECT_EQ(must(village.records->open_events()), 0u);
}

TEST(Records, WhatWasAcknowledgedOutlivesTheLossOfTheDatabase) {
    TestSite village(3);
    village.say("viewing", viewing(35));
    must(village.records->close_segment());
    village.say("viewing", viewing(20));
    const std::string before = village.report();
    const std::string dump = village.dump();
    village.close();
    must(village.owned->remove_file("site.db"));
    village.open();
    EXPECT_EQ(village.report(), before);
    EXPECT_EQ(village.dump(), dump);
    EXPECT_EQ(must(village.records->open_events()), 1u);
}

TEST(Records, AreMadeAgainByRebuildAsTheyWere) {
    TestSite hub(1), village(3);
    for (int i = 0; i < 5; ++i) village.say("viewing", viewing(i));
    village.give(hub);
    hub.say("order", {"theme=rice", "qty=3"});
    const std::string before = hub.dump();
    must(hub.records->rebuild());
    EXPECT_EQ(hub.dump(), before);
}

TEST(Records, TravelOnceHoweverOftenTheyAreBrought) {
    TestSite hub(1), village(3);
    village.say("viewing", viewing(35));
    village.give(hub);
    village.give(hub);
    village.say("viewing", viewing(10));
    village.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 2 0 2 45 7200"));
}

TEST(Records, ASegmentCountsOnlyWhenAllBeforeItAreHere) {
    TestSite hub(1), village(3);
    std::vector<ByteBuffer> segments;
    for (int i = 1; i <= 3; ++i) {
        village.say("viewing", viewing(i));
        must(village.records->close_segment());
    }
    must(village.records->segments_after(village.id(), {},
                                         [&](const SegmentId&, ByteView bytes) -> Result<bool> {
                                             segments.emplace_back(bytes.begin(), bytes.end());
                                             return true;
                                         }));
    ASSERT_THAT(segments, SizeIs(3));
    must(hub.records->accept(segments[2]));
    must(hub.records->accept(segments[0]));
    must(hub.records->commit());
    EXPECT_THAT(hub.report(), HasSubstr("site-3 1 0 1 1 3600"));
    EXPECT_EQ(must(hub.records->heads_of(village.id())).front().next_sequence, 2u);
    must(hub.records->accept(segments[1]));
    must(hub.records->commit());
    EXPECT_EQ(must(hub.records->heads_of(village.id())), must(village.records->heads_of(village.id())));
    EXPECT_THAT(hub.report(), HasSubstr("site-3 3 0 3 6 10800"));
}

TEST(Records, RefuseASegmentOfARevokedSiteAndDeferOneOfAnUnknownSite) {
    TestSite hub(1), village(3), stranger(kSites + 1);
    village.say("viewing", viewing(1));
    must(village.records->close_segment());
    trust::SiteEntry revoked = entry_of(3, trust::SiteRole::kVillage);
    revoked.state = trust::SiteState::kRevoked;
    must(hub.trust->put_site(revoked));
    const auto offer = [&](TestSite& from) {
        ErrorCode code = ErrorCode::kFailed;
        must(from.records->segments_after(
            from.id(), {}, [&](const SegmentId&, ByteView bytes) -> Result<bool> {
                const Result<Taken> taken = hub.records->accept(bytes);
                code = taken.has_value() ? ErrorCode::kExists : taken.error().code;
                return false;
            }));
        return code;
    };
    EXPECT_EQ(offer(village), ErrorCode::kRefused);
    must(stranger.trust->put_site(entry_of(kSites + 1, trust::SiteRole::kVillage)));
    stranger.say("viewing", viewing(1));
    must(stranger.records->close_segment());
    EXPECT_EQ(offer(stranger), ErrorCode::kNotFound);
}

TEST(Records, OnlyAHubSaysWhatHappenedElsewhere) {
    const Event elsewhere = must(event_from_json(
        R"({"kind":"order","site":"510700-0001","epoch":1,"seq":7,"at":"2025-03-01T10:00:00+08:00",)"
        R"("theme":"rice","qty":4})",
        480));
    TestSite village(3), hub(1);
    const auto refused = village.records->record({elsewhere});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_EQ(text_of(must(hub.records->record({elsewhere})).front()), "510700-0001/1/7");
    must(hub.records->record({elsewhere}));
    EXPECT_THAT(hub.report(), HasSubstr("510700-0001 0 0 0 0 0 0 0 0 1 4"));
}

TEST(Records, TwoWhoRecordOneSessionSayItOnce) {
    TestSite village(3);
    std::vector<std::string> words = viewing(35);
    words.push_back("session=monday");
    village.say("viewing", words);
    village.say("viewing", words);
    EXPECT_THAT(village.report(), HasSubstr("site-3 1 0 1 35 3600"));
}

TEST(Records, OfTwoContentsOfOneSessionTheSameCountsEverywhere) {
    std::vector<std::string> reports;
    for (const bool swapped : {false, true}) {
        TestSite hub(1), other(2);
        const auto line = [](int headcount) {
            return must(event_from_json(
                R"({"kind":"view","site":"510700-0001","epoch":1,"seq":7,"course":"c","headcount":)" +
                    std::to_string(headcount) + R"(,"start":"2025-03-01T10:00:00+08:00"})",
                480));
        };
        must((swapped ? other : hub).records->record({line(10)}));
        must((swapped ? hub : other).records->record({line(20)}));
        hub.give(other);
        other.give(hub);
        EXPECT_EQ(hub.report(), other.report());
        reports.push_back(hub.report());
        EXPECT_EQ(hub.dump(), other.dump());
    }
    EXPECT_EQ(reports[0], reports[1]);
}

TEST(Records, OfSeveralContentsOfOneSessionTheOneWithTheSmallestHashCounts) {
    TestSite hub(1);
    const auto line = [](int headcount) {
        return must(event_from_json(
            R"({"kind":"view","site":"510700-0001","epoch":1,"seq":7,"course":"c","headcount":)" +
                std::to_string(headcount) + R"(,"start":"2025-03-01T10:00:00+08:00"})",
            480));
    };
    std::map<Digest, int> by_hash;
    for (int headcount = 10; headcount < 18; ++headcount) {
        Event content = line(headcount);
        std::erase_if(content.fields, [](const Field& field) {
            return field.number < kOriginField || field.number == kSaltField;
        });
        by_hash.emplace(hash_of(encode(content)), headcount);
        must(hub.records->record({line(headcount)}));
        EXPECT_THAT(hub.report(), HasSubstr(" 1 " + std::to_string(by_hash.begin()->second) + " 0 0"));
    }
}

TEST(Records, TheGreatestCorrectionWinsAndARetractionIsFinal) {
    TestSite village(3);
    const std::string id = text_of(village.say("viewing", viewing(35)));
    village.say("correction", {"ref=" + id, "rev=2", "set=headcount=30"});
    village.say("correction", {"ref=" + id, "rev=1", "set=headcount=99"});
    EXPECT_THAT(village.report(), HasSubstr("site-3 1 0 1 30 3600"));
    village.say("retraction", {"ref=" + id});
    EXPECT_THAT(village.report(), HasSubstr("site-3 0 0 0 0"));
    village.say("correction", {"ref=" + id, "rev=9", "set=void=false"});
    EXPECT_THAT(village.report(), HasSubstr("site-3 0 0 0 0"));
}

TEST(Records, NobodyButAHubCorrectsAnothersRecord) {
    TestSite hub(1), village(3), neighbour(4);
    const std::string id = text_of(village.say("viewing", viewing(35)));
    neighbour.say("correction", {"ref=" + id, "rev=5", "set=headcount=1"});
    village.give(hub);
    neighbour.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 1 0 1 35"));
    hub.say("correction", {"ref=" + id, "rev=6", "set=headcount=40"});
    EXPECT_THAT(hub.report(), HasSubstr("site-3 1 0 1 40"));
}

TEST(Records, ASiteThatSaidNothingIsNotZero) {
    TestSite hub(1), village(3);
    village.say("power-on", {"start=2025-11-20T18:00", "dur=7200"});
    village.give(hub);
    const std::string report = hub.report();
    EXPECT_THAT(report, HasSubstr("site-3 0 0 0 0 0 0 0 0 0 0 0 1 7200 reported"));
    EXPECT_THAT(report, HasSubstr("site-4 - - - - - - - - - - - - - not reported"));
}

TEST(Records, AMonthIsReportedOnlyByWhatWasSaidAfterIt) {
    TestSite village(3);
    village.say("viewing", {"headcount=5", "at=2025-10-05T19:00", "start=2025-10-05T18:00"});
    EXPECT_THAT(village.report(ReportName::kViewing, {By::kSite}, Month{2025, 9}),
                HasSubstr("site-3 0 0 0 0 0 0 0 0 0 0 0 0 0 reported"));
    EXPECT_THAT(village.report(ReportName::kViewing, {By::kSite}, Month{2025, 10}),
                HasSubstr("partly reported"));
    EXPECT_THAT(village.report(ReportName::kViewing, {By::kSite}, Month{2025, 11}),
                HasSubstr("site-3 - - - - - - - - - - - - - not reported"));
}

TEST(Records, BothBranchesOfAClonedBoxCount) {
    TestSite hub(1), box(3);
    box.say("viewing", viewing(1));
    must(box.records->close_segment());
    box.close();
    TestSite clone(3, 2);
    clone.close();
    clone.owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{}, box.owned->tree());
    clone.open();
    box.open();
    box.say("viewing", viewing(10));
    clone.say("viewing", viewing(100));
    box.give(hub);
    clone.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 3 0 3 111"));
    EXPECT_THAT(must(hub.records->heads_of(box.id())), SizeIs(2));
    // By contact the clone learns of the other branch, takes a new incarnation, and nothing is lost or
    // doubled.
    hub.give(clone);
    EXPECT_EQ(clone.records->branch().reason, Anew::kContact);
    clone.say("viewing", viewing(1000));
    clone.give(hub);
    hub.give(box);
    box.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 4 0 4 1111"));
    EXPECT_EQ(hub.report(), box.report());
}

// Wherever the power goes while a copy learns of the other branch: it never goes on at the other's end.
TEST(Records, ACopyThatLosesPowerAsItLearnsStillBeginsAnew) {
    TestSite box(3);
    box.say("viewing", viewing(1));
    must(box.records->close_segment());
    box.close();
    const simulations::Tree copied = box.owned->tree();
    box.open();
    box.say("viewing", viewing(10));
    must(box.records->close_segment());
    const FeedHead theirs = must(box.records->heads_of(box.id())).front();
    int learned = 0;
    constexpr std::uint64_t kOperationsMax = 60;  // of one exchange; fewer are needed
    for (std::uint64_t at = 0; at < kOperationsMax; ++at) {
        TestSite clone(3, 2 + at);
        clone.close();
        clone.owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{}, copied);
        clone.open();
        clone.owned->set_crash_after(clone.owned->operations() + at);
        try {
            box.give(clone);
        } catch (const std::runtime_error&) {
        }
        const auto after = simulations::image(*clone.owned, {});
        clone.close();
        clone.owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{}, after->tree());
        clone.open();
        if (!must(clone.records->has(theirs.head))) continue;
        ++learned;
        EXPECT_NE(clone.records->branch().incarnation, theirs.incarnation) << "power cut at " << at;
        clone.say("viewing", viewing(100));
        must(clone.records->close_segment());
        EXPECT_THAT(must(clone.records->heads_of(box.id())), testing::Contains(theirs)) << "cut at " << at;
    }
    EXPECT_GT(learned, 10);
}

TEST(Records, AnotherMachineBeginsItsOwnBranchBeforeItsFirstRecord) {
    TestSite box(3);
    box.options.machine = hash_of(bytes_of("one"));
    box.close();
    box.owned = std::make_unique<simulations::SimDisk>();
    box.open();
    const Incarnation first = box.records->branch().incarnation;
    TestSite clone(3, 2);
    clone.close();
    box.close();
    clone.owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{}, box.owned->tree());
    clone.options.machine = hash_of(bytes_of("two"));
    clone.open();
    EXPECT_EQ(clone.records->branch().reason, Anew::kOtherMachine);
    EXPECT_NE(clone.records->branch().incarnation, first);
    clone.open();
    EXPECT_EQ(clone.records->branch().incarnation.number, 2u);
    EXPECT_THAT(must(clone.records->branches()), SizeIs(2));
}

TEST(Records, AnOlderLogUnderANewerDatabaseIsNoticed) {
    TestSite hub(1), box(3);
    box.say("viewing", viewing(1));
    box.close();
    const ByteBuffer old_log = must(env::read_file(*box.owned, "feed.log", 1 << 20));
    box.open();
    box.say("viewing", viewing(10));
    box.give(hub);
    box.close();
    must(box.owned->remove_file("feed.log"));
    auto file = must(box.owned->open("feed.log", env::OpenMode::kCreateNew));
    must(file->write_at(0, old_log));
    file.reset();
    box.open();
    EXPECT_EQ(box.records->branch().reason, Anew::kOlderLog);
    box.say("viewing", viewing(100));
    box.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("111 "));
    hub.give(box);
    EXPECT_EQ(hub.report(), box.report());
}

TEST(Records, WhatARestoredBoxSaidBeforeItsNextContactCounts) {
    TestSite hub(1), box(3);
    box.say("viewing", viewing(1));
    must(box.records->close_segment());
    box.close();
    const simulations::Tree backup = box.owned->tree();
    box.open();
    for (int i = 0; i < 3; ++i) {
        box.say("viewing", viewing(10));
        must(box.records->close_segment());
    }
    box.give(hub);
    box.close();
    box.owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{}, backup);
    box.open();
    box.say("viewing", viewing(100));
    hub.give(box);  // first it learns what it had said before
    box.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 5 0 5 131 "));
    EXPECT_EQ(box.report(), hub.report());
    EXPECT_EQ(box.records->branch().reason, Anew::kContact);
}

TEST(Records, WhatWasOpenInABackupIsNotSignedOverWhatCameAfterIt) {
    TestSite hub(1), box(3);
    box.say("viewing", viewing(1));
    must(box.records->close_segment());
    box.say("viewing", viewing(10));  // open in the backup
    box.close();
    const simulations::Tree backup = box.owned->tree();
    box.open();
    box.say("viewing", viewing(20));
    box.give(hub);  // 10 and 20 in one segment
    box.close();
    box.owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{}, backup);
    box.open();
    box.say("viewing", viewing(100));
    hub.give(box);
    box.say("viewing", viewing(1000));
    box.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 5 0 5 1131 "));
    EXPECT_EQ(box.report(), hub.report());
}

TEST(Records, ALogThatIsFullGetsANumberAndIsReadOn) {
    TestSite village(3);
    village.options.log_target_bytes = 4096;
    village.open();
    for (int i = 0; i < 60; ++i) {
        village.say("viewing", viewing(i));
        if (i % 7 == 0) must(village.records->close_segment());
    }
    EXPECT_TRUE(must(env::exists(*village.owned, "feed-00001.log")));
    EXPECT_TRUE(must(env::exists(*village.owned, "feed-00002.log")));
    const std::string before = village.dump();
    must(village.records->rebuild());
    EXPECT_EQ(village.dump(), before);
    TestSite hub(1);
    village.give(hub);
    EXPECT_THAT(hub.report(), HasSubstr("site-3 60 0 60 1770"));
}

TEST(Records, AFileIsSignedAtOnce) {
    TestSite hub(1);
    std::vector<Event> events;
    for (int i = 1; i <= 600; ++i)
        events.push_back(must(event_from_json(
            R"({"kind":"order","site":"a","epoch":1,"theme":"rice","qty":1,"seq":)" + std::to_string(i) + "}",
            480)));
    EXPECT_THAT(must(hub.records->record(events)), SizeIs(600));
    EXPECT_EQ(must(hub.records->open_events()), 0u);
    EXPECT_THAT(hub.report(), HasSubstr("a 0 0 0 0 0 0 0 0 600 600"));
}

// Everything that villages and hubs say, brought in any order, in any pieces, with repeats.
RC_GTEST_PROP(RecordsProperty, SitesThatHoldTheSameSetAreEqual, ()) {
    std::vector<std::unique_ptr<TestSite>> sites;
    for (std::uint8_t number = 1; number <= 5; ++number)
        sites.push_back(std::make_unique<TestSite>(number, 7));
    std::vector<std::string> said;
    const int steps = *rc::gen::inRange(5, 40);
    for (int step = 0; step < steps; ++step) {
        TestSite& site = *sites[*rc::gen::inRange<std::size_t>(0, sites.size())];
        site.world.clock.advance(60'000);
        switch (*rc::gen::inRange(0, 8)) {
            case 0:
            case 1:
                said.push_back(text_of(site.say("viewing", viewing(*rc::gen::inRange(0, 99)))));
                break;
            case 2: {
                std::vector<std::string> words = viewing(*rc::gen::inRange(0, 3));
                words.push_back("session=s" + std::to_string(*rc::gen::inRange(0, 3)));
                said.push_back(text_of(site.say("viewing", words)));
                break;
            }
            case 3:
                if (!said.empty())
                    site.say("correction", {"ref=" + said[*rc::gen::inRange<std::size_t>(0, said.size())],
                                            "rev=" + std::to_string(*rc::gen::inRange(0, 4)),
                                            "set=headcount=" + std::to_string(*rc::gen::inRange(0, 50))});
                break;
            case 4:
                if (!said.empty())
                    site.say("retraction", {"ref=" + said[*rc::gen::inRange<std::size_t>(0, said.size())]});
                break;
            case 5: {
                TestSite& hub = *sites[*rc::gen::inRange<std::size_t>(0, 2)];
                must(hub.records->record(
                    {must(event_from_json(R"({"kind":"view","site":"x","epoch":1,"headcount":)" +
                                              std::to_string(*rc::gen::inRange(0, 3)) +
                                              R"(,"start":"2025-03-01T10:00:00+08:00","seq":)" +
                                              std::to_string(*rc::gen::inRange(1, 4)) + "}",
                                          480))}));
                break;
            }
            default:
                site.give(*sites[*rc::gen::inRange<std::size_t>(0, sites.size())]);
        }
    }
    // Everybody meets everybody, in some order; some are opened again or rebuilt before.
    for (int round = 0; round < 2; ++round) {
        const auto order = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
        for (const std::uint8_t each : order) sites[each % 5]->give(*sites[(each / 5) % 5]);
        for (auto& from : sites)
            for (auto& to : sites)
                if (from != to) from->give(*to);
        if (*rc::gen::arbitrary<bool>())
            must(sites[*rc::gen::inRange<std::size_t>(0, 5)]->records->rebuild());
    }
    for (auto& site : sites) {
        RC_ASSERT(site->dump() == sites[0]->dump());
        RC_ASSERT(site->report() == sites[0]->report());
        RC_ASSERT(site->report(ReportName::kViewing, {By::kCourse, By::kMonth}) ==
                  sites[0]->report(ReportName::kViewing, {By::kCourse, By::kMonth}));
        must(site->records->rebuild());
        RC_ASSERT(site->dump() == sites[0]->dump());
    }
}

// A box may be copied or put back at any moment: every event that was acknowledged counts once.
RC_GTEST_PROP(RecordsProperty, ClonesAndRestoresLoseNothingAndDoubleNothing, ()) {
    TestSite hub(1, 7);
    std::vector<std::unique_ptr<TestSite>> boxes;
    boxes.push_back(std::make_unique<TestSite>(std::uint8_t{3}, 7));
    std::map<TestSite*, std::int64_t> since_given;  // what only this box holds
    std::int64_t expected = 0, lost_by_restore = 0;
    std::map<TestSite*, std::pair<simulations::Tree, std::int64_t>> backups;
    std::int64_t value = 1;
    const int steps = *rc::gen::inRange(5, 40);
    for (int step = 0; step < steps; ++step) {
        TestSite& box = *boxes[*rc::gen::inRange<std::size_t>(0, boxes.size())];
        switch (*rc::gen::inRange(0, 7)) {
            case 0:
            case 1:
            case 2:
                box.say("viewing", {"headcount=" + std::to_string(value)});
                expected += value;
                since_given[&box] += value;
                value = value % 1000 + 1;
                break;
            case 3:
                box.give(hub);
                hub.give(box);
                since_given[&box] = 0;
                break;
            case 4:
                if (boxes.size() < 4) {
                    // A copy holds what its original has not given yet: both will bring it, once it counts.
                    box.close();
                    auto clone =
                        std::make_unique<TestSite>(std::uint8_t{3}, 100 + static_cast<std::uint64_t>(step));
                    clone->close();
                    clone->owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{},
                                                                          box.owned->tree());
                    box.open();
                    clone->open();
                    boxes.push_back(std::move(clone));
                }
                break;
            case 5:
                box.give(hub);
                since_given[&box] = 0;
                box.close();
                backups.emplace(&box, std::pair(box.owned->tree(), 0));
                box.open();
                break;
            case 6:
                if (const auto backup = backups.find(&box); backup != backups.end()) {
                    box.give(hub);  // what it did not give is gone with the old disk, and nobody's fault
                    since_given[&box] = 0;
                    box.close();
                    box.owned = std::make_unique<simulations::SimDisk>(simulations::SimDiskOptions{},
                                                                       backup->second.first);
                    box.open();
                }
                break;
        }
    }
    for (int round = 0; round < 2; ++round)
        for (auto& box : boxes) {
            box->give(hub);
            hub.give(*box);
        }
    database::Statement sum =
        must(hub.database->prepare("SELECT coalesce(sum(amount), 0) FROM fact WHERE kind = 1"));
    RC_ASSERT(must(sum.step()));
    RC_ASSERT(sum.integer(0) == expected - lost_by_restore);
    for (auto& box : boxes) RC_ASSERT(box->dump() == hub.dump());
}

}  // namespace
}  // namespace satchel::records
