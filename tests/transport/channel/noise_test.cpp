// The handshake and the cipher: what holds, and what ends them.
#include "transport/channel/noise.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <type_traits>

#include "engine/base/encoding.hpp"
#include "tests/transport/channel/ends.hpp"

namespace satchel::channel {
namespace {

using testing::Each;

// -- the cipher -----------------------------------------------------------------------------------

// A copy would use its nonces again.
static_assert(!std::is_copy_constructible_v<CipherKey> && !std::is_copy_assignable_v<CipherKey>);
static_assert(!std::is_copy_constructible_v<Sealer> && !std::is_copy_assignable_v<Sealer>);
static_assert(!std::is_copy_constructible_v<Opener> && !std::is_copy_assignable_v<Opener>);
static_assert(!std::is_copy_constructible_v<Secret<32>> && !std::is_copy_assignable_v<Secret<32>>);

const ByteView kText = bytes_of("the field is dry");

TEST(CipherKey, NeverSealsTheSameTwice) {
    CipherKey key(secret_of(3));
    ByteBuffer first, second;
    key.seal({}, kText, first);
    key.seal({}, kText, second);
    EXPECT_NE(first, second);
}

TEST(CipherKey, OpensOnlyInTheOrderOfSealing) {
    CipherKey sealer(secret_of(3));
    ByteBuffer first, second, plain;
    sealer.seal({}, kText, first);
    sealer.seal({}, kText, second);
    CipherKey skips(secret_of(3));
    EXPECT_FALSE(skips.open({}, second, plain));
    CipherKey repeats(secret_of(3));
    EXPECT_TRUE(repeats.open({}, first, plain));
    EXPECT_FALSE(repeats.open({}, first, plain));
}

TEST(CipherKey, IsSpentAfterItsFirstFailure) {
    CipherKey sealer(secret_of(3));
    ByteBuffer sealed, plain;
    sealer.seal({}, kText, sealed);
    CipherKey opener(secret_of(3));
    ByteBuffer altered = sealed;
    altered[0] ^= 1;
    EXPECT_FALSE(opener.open({}, altered, plain));
    EXPECT_TRUE(opener.is_spent());
    EXPECT_FALSE(opener.open({}, sealed, plain));
    EXPECT_TRUE(plain.empty());
}

TEST(CipherKey, IsSpentWhenItWasMovedFrom) {
    CipherKey first(secret_of(3));
    ByteBuffer sealed, plain;
    first.seal({}, kText, sealed);
    CipherKey second = std::move(first);
    EXPECT_TRUE(first.is_spent());  // NOLINT(bugprone-use-after-move)
    EXPECT_FALSE(second.is_spent());
    EXPECT_DEATH(first.seal({}, kText, sealed), "spent_");
    ByteBuffer next;
    second.seal({}, kText, next);  // goes on where the first stopped
    CipherKey opener(secret_of(3));
    EXPECT_TRUE(opener.open({}, sealed, plain));
    EXPECT_TRUE(opener.open({}, next, plain));
}

TEST(CipherKey, RekeyedIsAnotherKeyAtBothEnds) {
    CipherKey sealer(secret_of(3)), opener(secret_of(3)), left_behind(secret_of(3));
    sealer.rekey();
    opener.rekey();
    ByteBuffer sealed, plain;
    sealer.seal({}, kText, sealed);
    EXPECT_TRUE(opener.open({}, sealed, plain));
    EXPECT_FALSE(left_behind.open({}, sealed, plain));
}

TEST(Secret, LeavesNothingBehindWhenItIsMoved) {
    Secret<32> first = secret_of(7);
    const Secret<32> second = std::move(first);
    EXPECT_THAT(first.view(), Each(0));  // NOLINT(bugprone-use-after-move)
    EXPECT_THAT(second.view(), Each(7));
}

// -- the handshake --------------------------------------------------------------------------------

struct Ends {
    explicit Ends(const Pattern& chosen, ByteView at_initiator = bytes_of("p"),
                  ByteView at_responder = bytes_of("p"))
        : pattern(chosen),
          initiator(pattern, Side::kInitiator, at_initiator,
                    {.own = &initiator_key, .remote = responder_key.public_key(), .psk = &psk},
                    initiator_random),
          responder(pattern, Side::kResponder, at_responder,
                    {.own = &responder_key, .remote = {}, .psk = &other_psk}, responder_random) {}

    Handshake& writer(std::size_t message) { return message % 2 == 0 ? initiator : responder; }
    Handshake& reader(std::size_t message) { return message % 2 == 0 ? responder : initiator; }
    ByteBuffer write(std::size_t message) {
        ByteBuffer out;
        EXPECT_TRUE(writer(message).write(bytes_of("hello"), out).has_value());
        return out;
    }

    const Pattern& pattern;
    trust::SealingKey initiator_key = sealing_key_of(1);
    trust::SealingKey responder_key = sealing_key_of(2);
    Secret<32> psk = secret_of(9);
    Secret<32> other_psk = secret_of(9);
    SeededRandom initiator_random{11};
    SeededRandom responder_random{12};
    Handshake initiator;
    Handshake responder;
};

const Pattern& any_pattern(bool known) { return known ? noise_ik() : noise_xxpsk3(); }

TEST(Handshake, TellsBothEndsTheOthersStaticKey) {
    for (const bool known : {true, false}) {
        Ends ends(any_pattern(known));
        for (std::size_t i = 0; i < ends.pattern.messages.size(); ++i)
            ASSERT_TRUE(ends.reader(i).read(ends.write(i)).has_value());
        EXPECT_EQ(ends.responder.remote_static(), ends.initiator_key.public_key());
        EXPECT_EQ(ends.initiator.remote_static(), ends.responder_key.public_key());
        EXPECT_EQ(ends.initiator.hash(), ends.responder.hash());
    }
}

RC_GTEST_PROP(Handshake, IsEndedByAnyFlippedBitOfAnyMessage, ()) {
    Ends ends(any_pattern(*rc::gen::arbitrary<bool>()));
    const std::size_t hit = *rc::gen::inRange<std::size_t>(0, ends.pattern.messages.size());
    for (std::size_t i = 0; i < hit; ++i) RC_ASSERT(ends.reader(i).read(ends.write(i)).has_value());
    ByteBuffer message = ends.write(hit);
    const std::size_t bit = *rc::gen::inRange<std::size_t>(0, message.size() * 8);
    message[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const Result<ByteBuffer> read = ends.reader(hit).read(message);
    RC_ASSERT(!read.has_value());
    RC_ASSERT(read.error().code == ErrorCode::kRefused);
    RC_ASSERT(!ends.reader(hit).is_finished() && !ends.reader(hit).my_turn());
    RC_ASSERT(!ends.reader(hit).read(message).has_value());
}

RC_GTEST_PROP(Handshake, IsEndedByAnyTruncationOfAnyMessage, ()) {
    Ends ends(any_pattern(*rc::gen::arbitrary<bool>()));
    const std::size_t hit = *rc::gen::inRange<std::size_t>(0, ends.pattern.messages.size());
    for (std::size_t i = 0; i < hit; ++i) RC_ASSERT(ends.reader(i).read(ends.write(i)).has_value());
    ByteBuffer message = ends.write(hit);
    message.resize(*rc::gen::inRange<std::size_t>(0, message.size()));
    RC_ASSERT(!ends.reader(hit).read(message).has_value());
}

TEST(Handshake, FailsBetweenDifferentPrologues) {
    for (const bool known : {true, false}) {
        Ends ends(any_pattern(known), bytes_of("p"), bytes_of("q"));
        EXPECT_FALSE(ends.responder.read(ends.write(0)).has_value());
    }
}

TEST(Handshake, FailsWithAnotherNetworkSecret) {
    Ends ends(noise_xxpsk3());
    ends.other_psk = secret_of(8);
    ASSERT_TRUE(ends.responder.read(ends.write(0)).has_value());
    ASSERT_TRUE(ends.initiator.read(ends.write(1)).has_value());
    const Result<ByteBuffer> third = ends.responder.read(ends.write(2));
    ASSERT_FALSE(third.has_value());
    EXPECT_EQ(third.error().code, ErrorCode::kRefused);
    EXPECT_FALSE(ends.responder.remote_static().has_value());
}

TEST(Handshake, FailsIfTheOtherEndHasAnotherKeyThanTheOneThatWasDialled) {
    const trust::SealingKey dialler = sealing_key_of(1), meant = sealing_key_of(2), met = sealing_key_of(3);
    SeededRandom random(5);
    Handshake initiator(noise_ik(), Side::kInitiator, {}, {.own = &dialler, .remote = meant.public_key()},
                        random);
    Handshake responder(noise_ik(), Side::kResponder, {}, {.own = &met}, random);
    ByteBuffer message;
    ASSERT_TRUE(initiator.write({}, message).has_value());
    EXPECT_FALSE(responder.read(message).has_value());
}

// The points of small order and their non-canonical forms (as in libsodium's and curve25519-dalek's lists).
const std::vector<std::string>& low_order_points() {
    static const std::vector<std::string> points = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    return points;
}

TEST(Handshake, RefusesEphemeralKeysOfLowOrder) {
    for (const std::string& point : low_order_points()) {
        const trust::SealingKey own = sealing_key_of(2);
        SeededRandom random(5);
        Handshake responder(noise_ik(), Side::kResponder, {}, {.own = &own}, random);
        ByteBuffer message = from_hex(point).value();
        message.resize(96);
        const Result<ByteBuffer> read = responder.read(message);
        ASSERT_FALSE(read.has_value()) << point;
        EXPECT_EQ(read.error().detail, "low-order key") << point;
    }
}

TEST(Handshake, RefusesToDialAStaticKeyOfLowOrder) {
    for (const std::string& point : low_order_points()) {
        const trust::SealingKey own = sealing_key_of(1);
        SeededRandom random(5);
        const auto remote = id_from_hex<trust::SealingPublicKey>(point);
        Handshake initiator(noise_ik(), Side::kInitiator, {}, {.own = &own, .remote = remote}, random);
        ByteBuffer message;
        const Result<void> written = initiator.write(bytes_of("secret"), message);
        ASSERT_FALSE(written.has_value()) << point;
        EXPECT_EQ(written.error().detail, "low-order key") << point;
        EXPECT_TRUE(message.empty());
    }
}

TEST(Handshake, WritesMessagesUpToNoisesLimitAndNoLarger) {
    const std::size_t room = kNoiseMessageMax - 96;
    for (const std::size_t size : {room, room + 1}) {
        Ends ends(noise_ik());
        ByteBuffer message;
        const Result<void> written = ends.initiator.write(noise_bytes(size, 1), message);
        ASSERT_EQ(written.has_value(), size == room);
        if (size == room) {
            EXPECT_EQ(message.size(), kNoiseMessageMax);
            EXPECT_EQ(ends.responder.read(message), noise_bytes(size, 1));
        } else {
            EXPECT_EQ(written.error().code, ErrorCode::kTooLarge);
        }
    }
    Ends ends(noise_ik());
    EXPECT_FALSE(ends.responder.read(ByteBuffer(kNoiseMessageMax + 1)).has_value());
}

}  // namespace
}  // namespace satchel::channel
