// Links as two sites use them, over loopback.
#include "transport/link/links.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/link/ends.hpp"
#include "tests/transport/link/plain_socket.hpp"

namespace satchel::link {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// A hub that takes links, and a village; both have read the roster.
class TwoSites : public testing::Test {
  protected:
    TwoSites() {
        hub.host.book().replace_sites(roster(3));
        village.host.book().replace_sites(roster(3));
        where = *hub.links.listen(*parse_address("127.0.0.1:0", true));
    }
    ContactReport contact(End& end, std::int64_t wait_ms = 5'000) {
        NoProgress progress;
        return end.links.contact(address_of(where), wait_ms, progress);
    }
    static std::vector<std::string> heard(End& end) {
        return end.host.board.look([](Board& board) { return board.heard; });
    }
    End hub{1, trust::SiteRole::kHub};
    End village{2, trust::SiteRole::kVillage};
    std::string where;
};

TEST_F(TwoSites, SayWhatTheyHaveBothWaysAndEndWell) {
    hub.host.lines = {"a lesson", "another"};
    village.host.lines = {"thanks"};
    const ContactReport report = contact(village);
    ASSERT_FALSE(report.error.has_value()) << report.error->reason.text() << report.error->detail;
    EXPECT_THAT(heard(village), ElementsAre("a lesson", "another", "end"));
    EXPECT_THAT(heard(hub), ElementsAre("thanks", "end"));
    EXPECT_EQ(report.links, 1u);
    EXPECT_EQ(report.peer, "hub");
    EXPECT_GT(report.bytes_in, 0u);
    EXPECT_TRUE(comes_true([&] { return hub.host.board.look([](Board& b) { return b.cut; }) == 1; }));
    EXPECT_EQ(hub.host.last_peer, site_of(2));
}

TEST_F(TwoSites, CarryMessagesOfAnySizeInOrder) {
    for (int i = 0; i < 20; ++i)
        hub.host.lines.push_back(
            std::string(static_cast<std::size_t>(i) * 100'021 + 1, static_cast<char>('a' + i % 26)));
    village.host.lines = hub.host.lines;
    const ContactReport report = contact(village);
    ASSERT_FALSE(report.error.has_value());
    EXPECT_EQ(report.links, 1u);
    std::vector<std::string> expected = hub.host.lines;
    expected.emplace_back("end");
    EXPECT_TRUE(heard(village) == expected);
    EXPECT_TRUE(heard(hub) == expected);
}

TEST_F(TwoSites, PutTheGreetingIntoTheFirstBytesOnceTheyKnowEachOther) {
    ASSERT_FALSE(contact(village).error.has_value());
    EXPECT_EQ(hub.host.board.look([](Board& b) { return b.replayable; }), 0u);  // a first contact
    ASSERT_FALSE(contact(village).error.has_value());
    EXPECT_EQ(hub.host.board.look([](Board& b) { return b.replayable; }), 1u);
}

TEST_F(TwoSites, TalkWhenTheDiallerHasReadNoRosterYet) {
    End fresh(3, trust::SiteRole::kVillage);
    std::vector<Acquaintance> own = roster(3);
    fresh.host.book().replace_sites({own.back()});
    EXPECT_FALSE(contact(fresh).error.has_value());
    EXPECT_EQ(hub.host.last_peer, site_of(3));
    EXPECT_FALSE(contact(fresh).error.has_value()) << "with the key that it remembers";
}

TEST_F(TwoSites, FindTheWayBackWhenTheHubHasNewKeys) {
    ASSERT_FALSE(contact(village).error.has_value());
    village.host.book().remember(where, key_of(3).public_key());  // what was there before
    EXPECT_FALSE(contact(village).error.has_value());
}

TEST_F(TwoSites, EndWithTheReasonWhenTheHubDoesNotKnowTheVillage) {
    hub.host.book().replace_sites(roster(1));
    const ContactReport report = contact(village);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kRefused);
    EXPECT_THAT(report.error->reason.text(), HasSubstr("does not name this box"));
}

TEST_F(TwoSites, EndWithTheReasonWhenTheVillageIsRevoked) {
    std::vector<Acquaintance> sites = roster(3);
    sites[1].revoked = true;
    hub.host.book().replace_sites(sites);
    const ContactReport report = contact(village);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kRefused);
    EXPECT_THAT(report.error->reason.text(), HasSubstr("this box was revoked"));
}

TEST_F(TwoSites, DoNotGreetABoxOfAnotherNetwork) {
    End foreign(2, trust::SiteRole::kVillage, quick(), {}, 0x22);
    foreign.host.book().replace_sites(roster(3));
    const ContactReport report = contact(foreign);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kRefused);
    EXPECT_THAT(report.error->remedy.text(), HasSubstr("same network"));
    EXPECT_EQ(hub.host.board.look([](Board& b) { return b.begun; }), 0u);
}

TEST_F(TwoSites, EndTheLinkWhenThePeerBreaksTheRules) {
    hub.host.verdict = fail(ErrorCode::kDamaged, "message", "this makes no sense", "do nothing");
    village.host.lines = {"nonsense"};
    EXPECT_TRUE(contact(village, 300).error.has_value());
    EXPECT_GE(hub.host.board.look([](Board& b) { return b.cut; }), 1u);
}

TEST_F(TwoSites, TellAnErrorOfThisSiteAndDoNotTryAgain) {
    village.host.verdict = fail(ErrorCode::kNoSpace, "store", "the disk is full", "free some space");
    const ContactReport report = contact(village, 60'000);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kNoSpace);
}

TEST_F(TwoSites, StayLinkedWhileACommandHoldsTheTurn) {
    std::optional<EngineTurn::Held> held(hub.turn.take());
    std::thread releaser([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(3 * quick().silence_ms));
        held.reset();
    });
    const ContactReport report = contact(village);
    releaser.join();
    ASSERT_FALSE(report.error.has_value()) << report.error->reason.text();
    EXPECT_EQ(report.links, 1u) << "the link was never given up";
}

TEST_F(TwoSites, WaitForASlowReaderWithoutHoldingMuch) {
    hub.host.lines.assign(200, std::string(100'000, 'x'));
    village.host.hear_ms = 5;
    std::thread talking([&] { EXPECT_FALSE(contact(village).error.has_value()); });
    // The hub fetches what it says only as the wire takes it: far behind what it has.
    ASSERT_TRUE(comes_true([&] { return heard(village).size() >= 20; }));
    const std::size_t said = hub.host.board.look([](Board& b) { return b.said; });
    EXPECT_LT(said, 200u);
    talking.join();
    EXPECT_THAT(heard(village), SizeIs(201));
}

TEST_F(TwoSites, AreToldAtOnceWhenAContactIsStopped) {
    class Stopping : public Progress {
        Result<void> update(const ProgressUpdate&) override {
            return fail(ErrorCode::kCancelled, "", "stopped before the end", "");
        }
    } stopping;
    hub.host.hear_ms = 50;
    village.host.lines.assign(1'000, "slow");
    const ContactReport report = village.links.contact(address_of(where), 60'000, stopping);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kCancelled);
}

TEST(Links, GiveUpAnAddressThatNobodyAnswersAfterTheTimeGiven) {
    End village(2, trust::SiteRole::kVillage);
    const PlainListener listener;  // whose port is closed again at once
    const std::string where = listener.address();
    const_cast<PlainListener&>(listener).close();
    NoProgress progress;
    const auto begin = std::chrono::steady_clock::now();
    const ContactReport report = village.links.contact(address_of(where), 350, progress);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kUnreachable);
    EXPECT_EQ(report.error->about, where);
    EXPECT_GE(ms_since(begin), 150);
    EXPECT_LT(ms_since(begin), 5'000);
}

TEST(Links, ComeToAPeerThatAppearsLater) {
    End village(2, trust::SiteRole::kVillage);
    village.host.book().replace_sites(roster(2));
    PlainListener listener;
    const std::string where = listener.address();
    listener.close();
    std::optional<End> hub;
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        hub.emplace(std::uint8_t{1}, trust::SiteRole::kHub);
        hub->host.book().replace_sites(roster(2));
        EXPECT_TRUE(hub->links.listen(address_of(where)).has_value());
    });
    NoProgress progress;
    const ContactReport report = village.links.contact(address_of(where), 10'000, progress);
    later.join();
    EXPECT_FALSE(report.error.has_value());
}

TEST(Links, CloseAfterSilenceAndTryAgain) {
    End village(2, trust::SiteRole::kVillage);
    PlainListener mute;
    NoProgress progress;
    const auto begin = std::chrono::steady_clock::now();
    const ContactReport report = village.links.contact(address_of(mute.address()), 1'300, progress);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kUnreachable);
    EXPECT_THAT(report.error->reason.text(), HasSubstr("fell silent"));
    EXPECT_GE(ms_since(begin), quick().silence_ms);
    EXPECT_GE(mute.accepted(), 2u);
}

TEST(Links, KnowWhatIsNoSatchel) {
    End village(2, trust::SiteRole::kVillage);
    PlainListener web("HTTP/1.1 400 Bad Request\r\n\r\n");
    NoProgress progress;
    const ContactReport report = village.links.contact(address_of(web.address()), 60'000, progress);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_THAT(report.error->reason.text(), HasSubstr("does not speak satchel's language"));
}

TEST(Links, NameAHostThatIsNotKnown) {
    End village(2, trust::SiteRole::kVillage);
    NoProgress progress;
    const ContactReport report = village.links.contact(address_of("no-such-host.invalid:7247"), 0, progress);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_EQ(report.error->code, ErrorCode::kUnreachable);
}

TEST(Links, SayThatAnAddressCannotBeTaken) {
    End one(1, trust::SiteRole::kHub), two(2, trust::SiteRole::kVillage);
    const auto where = one.links.listen(*parse_address("127.0.0.1:0", true));
    ASSERT_TRUE(where.has_value());
    const auto again = two.links.listen(address_of(*where));
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::kIo);
}

TEST(Links, NoticeThatAnAddressLeadsBackToThisBox) {
    End hub(1, trust::SiteRole::kHub);
    hub.host.book().replace_sites(roster(2));
    const auto where = hub.links.listen(*parse_address("127.0.0.1:0", true));
    NoProgress progress;
    const ContactReport report = hub.links.contact(address_of(*where), 60'000, progress);
    ASSERT_TRUE(report.error.has_value());
    EXPECT_THAT(report.error->reason.text(), HasSubstr("leads back"));
}

// -- ceilings and hostile ends --------------------------------------------------------------------

TEST_F(TwoSites, ServeOthersBesideEndsThatTalkNonsense) {
    std::vector<std::unique_ptr<PlainSocket>> hostile;
    for (const std::string& bytes :
         {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100'000, '\xff'),
          std::string("SLNK\x01\x01\x02\x01\x00\x00", 10),
          std::string("SLNK\x01\x01\x02\x01\xff\xff", 10) + std::string(70'000, 'x'), std::string("SL")}) {
        hostile.push_back(std::make_unique<PlainSocket>(where));
        hostile.back()->send(bytes);
    }
    EXPECT_FALSE(contact(village).error.has_value());
    EXPECT_TRUE(hostile[0]->is_closed_within(2'000));
    EXPECT_TRUE(hostile[4]->is_closed_within(3'000)) << "the greeting has its time, and no more";
    EXPECT_TRUE(comes_true([&] { return hub.links.counts().open == 0; }));
}

TEST(Ceilings, OfConnectionsThatHaveNotGreeted) {
    End hub(1, trust::SiteRole::kHub, quick(), {.greetings = 3});
    const auto where = hub.links.listen(*parse_address("127.0.0.1:0", true));
    std::vector<std::unique_ptr<PlainSocket>> idle;
    for (int i = 0; i < 6; ++i) idle.push_back(std::make_unique<PlainSocket>(*where));
    EXPECT_TRUE(comes_true([&] { return hub.links.counts().refused == 3; }));
    EXPECT_EQ(hub.links.counts().open, 3u);
    EXPECT_TRUE(idle.back()->is_closed_within(1'000));
}

TEST(Ceilings, OfConnectionsOfOneAddress) {
    End hub(1, trust::SiteRole::kHub, quick(), {.connections_per_address = 2});
    const auto where = hub.links.listen(*parse_address("127.0.0.1:0", true));
    std::vector<std::unique_ptr<PlainSocket>> idle;
    for (int i = 0; i < 3; ++i) idle.push_back(std::make_unique<PlainSocket>(*where));
    EXPECT_TRUE(comes_true([&] { return hub.links.counts().refused == 1; }));
}

TEST(Ceilings, OfGreetingsInASecond) {
    End hub(1, trust::SiteRole::kHub, quick(), {.greetings_per_second = 2});
    const auto where = hub.links.listen(*parse_address("127.0.0.1:0", true));
    for (int i = 0; i < 4; ++i) PlainSocket(*where).send("x");
    EXPECT_TRUE(comes_true([&] { return hub.links.counts().refused >= 1; }));
}

// -- links that are kept up -----------------------------------------------------------------------

TEST_F(TwoSites, MeetAgainWhenSomethingChanged) {
    village.links.keep(address_of(where));
    ASSERT_TRUE(comes_true([&] { return heard(hub).size() == 1; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_THAT(heard(hub), SizeIs(1)) << "nothing changed";
    {
        const EngineTurn::Held held = village.turn.take();
        village.host.stamp = 2;
        village.links.note_change();
    }
    EXPECT_TRUE(comes_true([&] { return heard(hub).size() == 2; }));
}

TEST_F(TwoSites, ReplaceAnOlderLinkOfTheSamePeer) {
    hub.host.hear_ms = 20;
    village.host.lines.assign(200, "slow");
    std::thread first([&] { contact(village, 0); });
    ASSERT_TRUE(comes_true([&] { return hub.host.board.look([](Board& b) { return b.begun; }) == 1; }));
    End again(2, trust::SiteRole::kVillage);  // the same box, back after its power was cut
    again.host.book().replace_sites(roster(3));
    EXPECT_FALSE(contact(again).error.has_value());
    first.join();
    const bool was_replaced = hub.host.board.look([](Board& board) {
        for (const Event& event : board.events)
            if (event.report.ending.error &&
                std::string(event.report.ending.error->reason.text()).find("newer link") != std::string::npos)
                return true;
        return false;
    });
    EXPECT_TRUE(was_replaced);
}

}  // namespace
}  // namespace satchel::link
