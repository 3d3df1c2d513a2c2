// The channel as its two ends use it: greeting, refusals, messages, keys, the last word.
#include "transport/channel/channel.hpp"

#include <gtest/gtest.h>

#include "engine/trust/enrolment.hpp"
#include "tests/transport/channel/ends.hpp"

namespace satchel::channel {
namespace {

ByteBuffer buffer_of(std::string_view text) { return {text.begin(), text.end()}; }

constexpr Contact kContacts[] = {Contact::kKnown, Contact::kFirst};

// -- greeting -------------------------------------------------------------------------------------

TEST(Channel, OpensBetweenKnownSitesAfterOneRoundTrip) {
    Pair pair;
    pair.dial_known();
    EXPECT_EQ(pair.dialler->to_send().size(), 8u + 2u + 96u);
    Pair::carry(*pair.dialler, *pair.answerer, pair.answerer_saw, pair.at_answerer, kStart);
    EXPECT_EQ(pair.answerer->state(), State::kOpen);
    EXPECT_EQ(pair.answerer->to_send().size(), 2u + 48u);
    Pair::carry(*pair.answerer, *pair.dialler, pair.dialler_saw, pair.at_dialler, kStart);
    EXPECT_EQ(pair.dialler->state(), State::kOpen);
    EXPECT_EQ(pair.dialler->peer()->site, site_of(pair.hub.key.public_key()));
    EXPECT_EQ(pair.answerer->peer()->site, site_of(pair.village.key.public_key()));
}

TEST(Channel, BringsTheEarlyMessageWithTheFirstBytes) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{700}, kEarlyMessageMax}) {
        Pair pair;
        const ByteBuffer early = noise_bytes(size, size);
        pair.dial_known(early);
        const ByteBuffer bytes = drained(*pair.dialler);
        ASSERT_TRUE(pair.answerer->feed(bytes, kStart).has_value());
        const std::optional<Incoming> first = pair.answerer->take();
        ASSERT_TRUE(first.has_value());
        EXPECT_EQ(first->bytes, early);
        EXPECT_TRUE(first->replayable);
        EXPECT_TRUE(pair.answerer->can_send());  // the answer can follow the handshake at once
    }
}

TEST(Channel, DialsWithNoLargerEarlyMessageThanItsLimit) {
    Pair pair;
    const auto dialled = Channel::dial_known(pair.village.setup(), kRoles, pair.hub.key.public_key(),
                                             noise_bytes(kEarlyMessageMax + 1, 1), kStart);
    ASSERT_FALSE(dialled.has_value());
    EXPECT_EQ(dialled.error().code, ErrorCode::kTooLarge);
}

TEST(Channel, TellsAReplayedFirstMessageFromALivePeer) {
    Pair pair;
    pair.dial_known(bytes_of("what is new?"));
    const ByteBuffer recorded = drained(*pair.dialler);
    std::unique_ptr<Channel> again = Channel::answer(pair.hub.setup(), kStart);
    ASSERT_TRUE(again->feed(recorded, kStart).has_value());
    EXPECT_TRUE(again->take()->replayable);
    EXPECT_FALSE(again->is_peer_live());
    EXPECT_FALSE(again->feed(noise_bytes(kNoiseMessageMax + 2, 4), kStart).has_value());
    EXPECT_FALSE(again->is_peer_live());
}

TEST(Channel, KnowsThatAPeerIsLiveByItsFirstFrame) {
    Pair pair;
    pair.dial_known().talk();
    EXPECT_TRUE(pair.dialler->is_peer_live());
    EXPECT_FALSE(pair.answerer->is_peer_live());
    ASSERT_TRUE(pair.dialler->send(bytes_of("here I am"), kStart).has_value());
    pair.talk();
    EXPECT_TRUE(pair.answerer->is_peer_live());
    const std::optional<Incoming> none = pair.answerer->take();
    EXPECT_FALSE(none.has_value());
    EXPECT_EQ(pair.at_answerer.front(), buffer_of("here I am"));
}

TEST(Channel, FirstContactShowsBothEndsTheOthersKey) {
    Pair pair;
    pair.dial_first().talk();
    EXPECT_EQ(pair.dialler->state(), State::kOpen);
    EXPECT_EQ(pair.answerer->state(), State::kOpen);
    EXPECT_EQ(pair.dialler->peer()->key, pair.hub.key.public_key());
    EXPECT_EQ(pair.answerer->peer()->key, pair.village.key.public_key());
    EXPECT_TRUE(pair.answerer->is_peer_live());
    ASSERT_EQ(pair.hub.claims.size(), 1u);
    EXPECT_EQ(pair.hub.claims[0].contact, Contact::kFirst);
    EXPECT_EQ(pair.hub.claims[0].roles, kRoles);
}

TEST(Channel, GivesEveryRoleItsNumber) {
    EXPECT_EQ(role_byte(trust::SiteRole::kHub), 1);
    EXPECT_EQ(role_byte(trust::SiteRole::kVillage), 2);
    EXPECT_EQ(role_byte(trust::SiteRole::kCarrier), 3);
    EXPECT_EQ(role_byte(trust::SiteRole::kHousehold), 4);
}

TEST(Channel, AsksEachEndOnceAboutTheOther) {
    for (const Contact contact : kContacts) {
        Pair pair;
        pair.dial(contact).talk();
        ASSERT_EQ(pair.village.claims.size(), 1u);
        ASSERT_EQ(pair.hub.claims.size(), 1u);
        EXPECT_EQ(pair.village.claims[0].key, pair.hub.key.public_key());
        EXPECT_EQ(pair.hub.claims[0].key, pair.village.key.public_key());
    }
}

// -- refusals -------------------------------------------------------------------------------------

struct RefusalCase {
    Error here;
    ErrorCode there;
    std::string reason_there;
};

std::vector<RefusalCase> refusal_cases() {
    return {
        {unknown_peer("a box"), ErrorCode::kRefused, "the roster of the other site does not name this box"},
        {revoked_peer("a box"), ErrorCode::kRefused, "this box was revoked"},
        {fail(ErrorCode::kBusy, "links", "the other site takes no link now", "try again later"),
         ErrorCode::kBusy, "the other site takes no link now"}};
}

TEST(Channel, EndsForAnUnknownOrRevokedDiallerAndSaysSoAtBothEnds) {
    for (const Contact contact : kContacts) {
        for (const RefusalCase& refusal : refusal_cases()) {
            Pair pair;
            pair.hub.refusals.emplace(pair.village.key.public_key(), refusal.here);
            if (contact == Contact::kKnown)
                pair.dial_known(bytes_of("what is new?"));
            else
                pair.dial_first();
            pair.talk();
            ASSERT_FALSE(pair.answerer_saw.has_value());
            EXPECT_EQ(pair.answerer_saw.error().code, refusal.here.code);
            EXPECT_STREQ(pair.answerer_saw.error().remedy.text(), refusal.here.remedy.text());
            EXPECT_TRUE(pair.at_answerer.empty());
            EXPECT_FALSE(pair.answerer->peer().has_value());
            EXPECT_EQ(pair.answerer->state(), State::kFailed);
            ASSERT_FALSE(pair.dialler_saw.has_value());
            EXPECT_EQ(pair.dialler_saw.error().code, refusal.there);
            EXPECT_EQ(pair.dialler_saw.error().reason.text(), refusal.reason_there);
            EXPECT_FALSE(std::string(pair.dialler_saw.error().remedy.text()).empty());
        }
    }
}

TEST(Channel, DoesNotDialASiteThatWasRevoked) {
    Pair pair;
    pair.village.refusals.emplace(pair.hub.key.public_key(), revoked_peer("hub"));
    const auto dialled = Channel::dial_known(pair.village.setup(), kRoles, pair.hub.key.public_key(),
                                             bytes_of("early"), kStart);
    ASSERT_FALSE(dialled.has_value());
    EXPECT_STREQ(dialled.error().reason.text(), "the other site was revoked");
}

TEST(Channel, ShowsItsOwnKeyToNoAnswererThatItDoesNotKnow) {
    Pair pair;
    pair.village.refusals.emplace(pair.hub.key.public_key(), unknown_peer("hub"));
    pair.dial_first().talk();
    ASSERT_FALSE(pair.dialler_saw.has_value());
    EXPECT_EQ(pair.dialler_saw.error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(pair.hub.claims.empty());
    EXPECT_EQ(pair.answerer->state(), State::kHandshake);
}

TEST(Channel, DoesNotOpenBetweenTwoNetworks) {
    for (const Contact contact : kContacts) {
        Pair pair;
        pair.hub.network.digest.fill(0x77);
        pair.dial(contact).talk();
        ASSERT_FALSE(pair.answerer_saw.has_value());
        EXPECT_EQ(pair.answerer_saw.error().code, ErrorCode::kRefused);
        EXPECT_TRUE(pair.hub.claims.empty());
    }
}

TEST(Channel, DoesNotOpenWithAnotherNetworkSecretOrWithNone) {
    Pair other;
    other.hub.secret = secret_of(1);
    other.dial_first().talk();
    ASSERT_FALSE(other.answerer_saw.has_value());
    EXPECT_TRUE(other.hub.claims.empty());

    Pair none;
    none.hub.knows_secret = false;
    none.dial_first().talk();
    ASSERT_FALSE(none.answerer_saw.has_value());
    EXPECT_STREQ(none.answerer_saw.error().reason.text(), "this site has no secret for first contacts");

    none.village.knows_secret = false;
    EXPECT_FALSE(Channel::dial_first(none.village.setup(), kRoles, kStart).has_value());
}

TEST(Channel, IsEndedByAnyFlippedBitOfTheGreeting) {
    for (const Contact contact : kContacts) {
        for (std::size_t bit = 0; bit < kPreambleSize * 8; ++bit) {
            Pair pair;
            pair.dial(contact);
            ByteBuffer bytes = drained(*pair.dialler);
            bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
            EXPECT_FALSE(pair.answerer->feed(bytes, kStart).has_value()) << bit;
            EXPECT_TRUE(pair.hub.claims.empty());
        }
    }
}

TEST(Channel, TellsAnotherProtocolAndANewerVersionApart) {
    Pair pair;
    pair.dial_known();
    ByteBuffer newer = drained(*pair.dialler);
    newer[4] = 2;
    EXPECT_EQ(pair.answerer->feed(newer, kStart).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(
        Channel::answer(pair.hub.setup(), kStart)->feed(bytes_of("GET / HTTP/1.1\r\n"), kStart).error().code,
        ErrorCode::kDamaged);
}

TEST(Channel, EndsIfTheGreetingTakesTooLong) {
    Pair pair;
    pair.dial_known();
    const env::Instant deadline = pair.answerer->next_deadline().value();
    EXPECT_EQ(deadline.unix_ms, kStart.unix_ms + kHandshakeLifeMs);
    EXPECT_TRUE(pair.answerer->on_tick({deadline.unix_ms - 1}).has_value());
    const Result<void> late = pair.answerer->on_tick(deadline);
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().code, ErrorCode::kUnreachable);

    Pair in_time;
    in_time.dial_known().talk();
    EXPECT_FALSE(in_time.answerer->next_deadline().has_value());
    EXPECT_TRUE(in_time.answerer->on_tick({deadline.unix_ms * 2}).has_value());
}

TEST(Channel, KeepsItsFirstFailure) {
    Pair pair;
    pair.dial_known().talk();
    const Result<std::size_t> first = pair.answerer->feed(noise_bytes(kNoiseMessageMax + 2, 9), kStart);
    ASSERT_FALSE(first.has_value());
    EXPECT_EQ(pair.answerer->feed(bytes_of("more"), kStart).error().detail, first.error().detail);
    EXPECT_EQ(pair.answerer->send(bytes_of("x"), kStart).error().detail, first.error().detail);
    EXPECT_EQ(pair.answerer->end_of_stream().error().detail, first.error().detail);
    EXPECT_EQ(pair.answerer->close(kStart).error().detail, first.error().detail);
    EXPECT_EQ(pair.answerer->failure()->detail, first.error().detail);
    EXPECT_FALSE(pair.answerer->can_send());
}

// -- messages -------------------------------------------------------------------------------------

std::vector<std::size_t> sizes_around_the_seams() {
    std::vector<std::size_t> sizes;
    for (std::size_t size = 0; size < 300; ++size) sizes.push_back(size);
    for (const std::size_t pieces : {1u, 2u, 3u, 4u, 64u, 127u, 128u})
        for (const std::size_t size : {pieces * kPieceMax - 1, pieces * kPieceMax, pieces * kPieceMax + 1})
            sizes.push_back(size);
    for (const std::size_t size : {kNoiseMessageMax - 17, kNoiseMessageMax, kMessageMax - 1, kMessageMax})
        sizes.push_back(size);
    return sizes;
}

TEST(Channel, CarriesMessagesOfAllSizesUpToTheLimitBothWays) {
    Pair pair;
    pair.dial_known().talk();
    for (const std::size_t size : sizes_around_the_seams()) {
        const ByteBuffer forth = noise_bytes(size, size), back = noise_bytes(size, size + 1);
        ASSERT_TRUE(pair.dialler->send(forth, kStart).has_value());
        ASSERT_TRUE(pair.answerer->send(back, kStart).has_value());
        pair.talk();
        ASSERT_EQ(pair.at_answerer.size(), 1u) << size;
        ASSERT_EQ(pair.at_dialler.size(), 1u) << size;
        EXPECT_TRUE(pair.at_answerer[0] == forth && pair.at_dialler[0] == back) << size;
        pair.at_answerer.clear();
        pair.at_dialler.clear();
    }
}

TEST(Channel, RefusesToSendAMessageAboveTheLimitAndGoesOn) {
    Pair pair;
    pair.dial_known().talk();
    const Result<void> sent = pair.dialler->send(ByteBuffer(kMessageMax + 1), kStart);
    ASSERT_FALSE(sent.has_value());
    EXPECT_EQ(sent.error().code, ErrorCode::kTooLarge);
    ASSERT_TRUE(pair.dialler->send(bytes_of("smaller"), kStart).has_value());
    pair.talk();
    EXPECT_EQ(pair.at_answerer, std::vector<ByteBuffer>{buffer_of("smaller")});
}

TEST(Channel, HoldsBackItsSenderWhileMuchIsUnsent) {
    Pair pair;
    pair.dial_known().talk();
    std::size_t messages = 0;
    for (; pair.dialler->can_send(); ++messages)
        ASSERT_TRUE(pair.dialler->send(noise_bytes(kPieceMax, messages), kStart).has_value());
    EXPECT_EQ(messages, kOutputMax / kPieceMax);
    EXPECT_LE(pair.dialler->to_send().size(), kOutputMax + kPieceMax);
    EXPECT_DEATH(static_cast<void>(pair.dialler->send({}, kStart).has_value()), "can_send");
    pair.dialler->on_sent(kPieceMax);
    EXPECT_TRUE(pair.dialler->can_send());
}

TEST(Channel, TakesNoFurtherBytesWhileAMessageWaits) {
    Pair pair;
    pair.dial_known().talk();
    ASSERT_TRUE(pair.dialler->send(bytes_of("one"), kStart).has_value());
    const std::size_t one = pair.dialler->to_send().size();
    ASSERT_TRUE(pair.dialler->send(bytes_of("two"), kStart).has_value());
    const ByteBuffer bytes = drained(*pair.dialler);
    EXPECT_EQ(pair.answerer->feed(bytes, kStart), one);
    EXPECT_EQ(pair.answerer->feed(ByteView(bytes).subspan(one), kStart), 0u);
    EXPECT_EQ(pair.answerer->take()->bytes, buffer_of("one"));
    EXPECT_EQ(pair.answerer->feed(ByteView(bytes).subspan(one), kStart), bytes.size() - one);
    EXPECT_EQ(pair.answerer->take()->bytes, buffer_of("two"));
}

// -- keys -----------------------------------------------------------------------------------------

TEST(Channel, ChangesItsKeyAfterSoManyFrames) {
    static_assert(kFramesPerKeyMax == 1u << 20);
    Pair pair;
    pair.village.limits.frames_per_key = pair.hub.limits.frames_per_key = 4;
    pair.dial_known().talk();
    for (std::size_t i = 0; i < 50; ++i) {
        ASSERT_TRUE(pair.dialler->send(noise_bytes(i, i), kStart).has_value());
        // Three messages, then the change of keys rides before the fourth.
        const std::size_t change = i > 0 && i % 3 == 0 ? 2u + 1u + kTagSize : 0u;
        EXPECT_EQ(pair.dialler->to_send().size(), 2 + 1 + i + kTagSize + change) << i;
        pair.talk();
    }
    ASSERT_TRUE(pair.answerer_saw.has_value());
    ASSERT_EQ(pair.at_answerer.size(), 50u);
    EXPECT_EQ(pair.at_answerer[49], noise_bytes(49, 49));
}

TEST(Channel, ChangesItsKeyAfterAnHour) {
    Pair pair;
    pair.dial_known().talk();
    const auto bytes_for_one_at = [&](std::int64_t later_ms) {
        const env::Instant now{kStart.unix_ms + later_ms};
        EXPECT_TRUE(pair.dialler->send(bytes_of("x"), now).has_value());
        const std::size_t size = pair.dialler->to_send().size();
        pair.talk(now);
        return size;
    };
    const std::size_t plain = bytes_for_one_at(kKeyLifeMs - 1);
    const std::size_t change = 2 + 1 + kTagSize;
    EXPECT_EQ(bytes_for_one_at(kKeyLifeMs), plain + change);
    EXPECT_EQ(bytes_for_one_at(2 * kKeyLifeMs - 1), plain);
    EXPECT_EQ(bytes_for_one_at(2 * kKeyLifeMs), plain + change);
    EXPECT_EQ(pair.at_answerer.size(), 4u);
}

TEST(Channel, EndsIfTheOtherEndKeepsAKeyTooLong) {
    Pair pair;
    pair.village.limits.frames_per_key = 8;
    pair.hub.limits.frames_per_key = 4;
    pair.dial_known().talk();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair.dialler->send(bytes_of("x"), kStart).has_value());
    pair.talk();
    ASSERT_FALSE(pair.answerer_saw.has_value());
    EXPECT_EQ(pair.answerer_saw.error().detail, "key used too long");
    EXPECT_EQ(pair.at_answerer.size(), 4u);
}

TEST(Channel, BothEndsHaveOneDigestKeyForEachPurposeAndConversation) {
    Pair pair, other;
    EXPECT_FALSE(pair.dial_known().dialler->digest_key("satchel/recon/v1").has_value());
    pair.talk();
    other.village.random = SeededRandom(99);
    other.dial_known().talk();
    const std::optional<Digest> key = pair.dialler->digest_key("satchel/recon/v1");
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key, pair.answerer->digest_key("satchel/recon/v1"));
    EXPECT_NE(key, pair.dialler->digest_key("satchel/recon/v2"));
    EXPECT_NE(key, other.dialler->digest_key("satchel/recon/v1"));
}

// -- the last word --------------------------------------------------------------------------------

TEST(Channel, ClosesWhenBothEndsHaveSaidTheirLastWord) {
    Pair pair;
    pair.dial_known().talk();
    ASSERT_TRUE(pair.dialler->close(kStart).has_value());
    pair.talk();
    EXPECT_FALSE(pair.dialler->can_send());
    EXPECT_TRUE(pair.answerer->can_send());
    EXPECT_EQ(pair.answerer->state(), State::kOpen);
    ASSERT_TRUE(pair.answerer->send(bytes_of("one more"), kStart).has_value());
    ASSERT_TRUE(pair.answerer->close(kStart).has_value());
    pair.talk();
    EXPECT_EQ(pair.at_dialler, std::vector<ByteBuffer>{buffer_of("one more")});
    EXPECT_EQ(pair.dialler->state(), State::kClosed);
    EXPECT_EQ(pair.answerer->state(), State::kClosed);
    EXPECT_TRUE(pair.dialler->end_of_stream().has_value());
    EXPECT_TRUE(pair.answerer->end_of_stream().has_value());
    EXPECT_TRUE(pair.dialler->close(kStart).has_value());  // a last word is said once
    EXPECT_TRUE(pair.dialler->to_send().empty());
}

TEST(Channel, TellsACutFromALastWord) {
    Pair pair;
    pair.dial_known().talk();
    ASSERT_TRUE(pair.dialler->send(bytes_of("whole"), kStart).has_value());
    pair.talk();
    const Result<void> cut = pair.answerer->end_of_stream();
    ASSERT_FALSE(cut.has_value());
    EXPECT_EQ(cut.error().code, ErrorCode::kUnreachable);
    EXPECT_EQ(pair.at_answerer.size(), 1u);
}

TEST(Channel, EndsIfBytesFollowTheLastWord) {
    Pair pair;
    pair.dial_known().talk();
    ASSERT_TRUE(pair.dialler->close(kStart).has_value());
    ByteBuffer bytes = drained(*pair.dialler);
    bytes.push_back(0);
    EXPECT_FALSE(pair.answerer->feed(bytes, kStart).has_value());
}

}  // namespace
}  // namespace satchel::channel
