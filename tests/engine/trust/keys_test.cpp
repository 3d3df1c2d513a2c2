// Signing under a domain, sealing to a box, and fingerprints in words.
#include "engine/trust/keys.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sodium.h>

#include "engine/base/encoding.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/engine/trust/trust_support.hpp"

namespace satchel::trust {
namespace {

using simulations::SimRandom;

TEST(SigningKey, TakesItsSeedFromTheLentRandom) {
    SimRandom random(1), same(1), other(2);
    const SigningKey key = SigningKey::generate(random);
    EXPECT_EQ(key.public_key(), SigningKey::generate(same).public_key());
    EXPECT_NE(key.public_key(), SigningKey::generate(other).public_key());
    EXPECT_TRUE(is_acceptable(key.public_key()));
}

TEST(SigningKey, IsWipedWhereItWasMovedFrom) {
    SigningKey from = key_of(7);
    const PublicKey stated = from.public_key();
    SigningKey to = std::move(from);
    EXPECT_EQ(to.public_key(), stated);
    EXPECT_EQ(from.seed(),
              (std::array<std::uint8_t, 32>{}));  // NOLINT(bugprone-use-after-move): what is tested
    SigningKey assigned = key_of(8);
    assigned = std::move(to);
    EXPECT_TRUE(verify(stated, "d", bytes_of("m"), assigned.sign("d", bytes_of("m"))));
    EXPECT_EQ(to.seed(), (std::array<std::uint8_t, 32>{}));  // NOLINT(bugprone-use-after-move)
}

TEST(SigningKey, ASignatureOfOneDomainIsNoneOfAnother) {
    const SigningKey key = key_of(1);
    const Signature signature = key.sign("satchel/have/v1", bytes_of("message"));
    EXPECT_TRUE(verify(key.public_key(), "satchel/have/v1", bytes_of("message"), signature));
    EXPECT_FALSE(verify(key.public_key(), "satchel/receipt/v1", bytes_of("message"), signature));
    EXPECT_FALSE(verify(key.public_key(), "satchel/have/v", bytes_of("1message"), signature));
    EXPECT_FALSE(verify_plain(key.public_key(), bytes_of("message"), signature));
    EXPECT_FALSE(verify(key_of(2).public_key(), "satchel/have/v1", bytes_of("message"), signature));
}

RC_GTEST_PROP(SigningKey, ASignatureHoldsForItsMessageAndNoOther,
              (const std::vector<std::uint8_t>& message, const std::vector<std::uint8_t>& other)) {
    const SigningKey key = key_of(3);
    const Signature signature = key.sign("domain", message);
    RC_ASSERT(verify(key.public_key(), "domain", message, signature));
    RC_ASSERT(verify(key.public_key(), "domain", other, signature) == (other == message));
    Signature altered = signature;
    const auto bit = *rc::gen::inRange<std::size_t>(0, 512);
    altered.bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    RC_ASSERT(!verify(key.public_key(), "domain", message, altered));
}

TEST(SiteIds, AreHashesOfSigningKeys) {
    const PublicKey key = key_of(1).public_key();
    EXPECT_EQ(site_id_of(key).digest, hash_of(key.view()));
}

TEST(Sealing, OpensForItsKeyOnly) {
    SimRandom random;
    const SealingKey key = sealing_key_of(1);
    const ByteBuffer box = seal(key.public_key(), bytes_of("secret"), random);
    const Result<ByteBuffer> opened = key.open(box);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(text_of(*opened), "secret");
    const Result<ByteBuffer> by_other = sealing_key_of(2).open(box);
    ASSERT_FALSE(by_other.has_value());
    EXPECT_EQ(by_other.error().code, ErrorCode::kRefused);
}

TEST(Sealing, RefusesEveryTruncatedOrAlteredBox) {
    SimRandom random;
    const SealingKey key = sealing_key_of(1);
    const ByteBuffer box = seal(key.public_key(), bytes_of("secret"), random);
    for (std::size_t size = 0; size < box.size(); ++size)
        EXPECT_FALSE(key.open(ByteView(box).first(size)).has_value());
    for (std::size_t at = 0; at < box.size(); ++at) {
        ByteBuffer altered = box;
        altered[at] ^= 1;
        EXPECT_FALSE(key.open(altered).has_value()) << at;
    }
}

TEST(Sealing, MakesABoxThatLibsodiumOpensAndOpensOneThatItMade) {
    SimRandom random;
    const SealingKey key = sealing_key_of(4);
    const ByteBuffer ours = seal(key.public_key(), bytes_of("plain"), random);
    std::array<std::uint8_t, 5> plain{};
    EXPECT_EQ(crypto_box_seal_open(plain.data(), ours.data(), ours.size(), key.public_key().digest.data(),
                                   key.seed().data()),
              0);
    EXPECT_EQ(text_of(plain), "plain");
    ByteBuffer theirs(crypto_box_SEALBYTES + 5);
    ASSERT_EQ(crypto_box_seal(theirs.data(), plain.data(), plain.size(), key.public_key().digest.data()), 0);
    EXPECT_EQ(text_of(key.open(theirs).value()), "plain");
}

TEST(Sealing, TwoBoxesOfOneTextDiffer) {
    SimRandom random;
    const SealingKey key = sealing_key_of(1);
    EXPECT_NE(seal(key.public_key(), bytes_of("secret"), random),
              seal(key.public_key(), bytes_of("secret"), random));
}

// A key of small order would give everyone the same shared secret.
TEST(Sealing, ABoxForAKeyOfSmallOrderHoldsNothing) {
    SimRandom random;
    for (const char* key : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
        const ByteBuffer box = seal(*id_from_hex<SealingPublicKey>(key), bytes_of("secret"), random);
        EXPECT_EQ(ByteBuffer(box.begin() + 32, box.end()), ByteBuffer(16 + 6)) << key;
    }
}

// -- words ----------------------------------------------------------------------------------------

Digest digest_of(std::string_view hex) {
    Digest digest{};
    const ByteBuffer bytes = from_hex(hex).value();
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
}

// The examples of the proquint paper: 127.0.0.1 is lusab-babad, 63.84.220.193 is gutih-tugad.
TEST(Words, AreProquints) {
    EXPECT_EQ(words_of(digest_of("7f0000013f54dcc10000")), "lusab-babad-gutih-tugad-babab");
    EXPECT_EQ(words_of(digest_of("ffffffffffffffffffff")), "zuzuz-zuzuz-zuzuz-zuzuz-zuzuz");
}

TEST(Words, AreForgivenTheirCaseAndWhatStandsBetweenThem) {
    const Digest digest = digest_of("7f0000013f54dcc10000");
    for (const char* said : {"lusab-babad-gutih-tugad-babab", "LUSAB BABAD GUTIH TUGAD BABAB",
                             "  Lusab, babad; gutih.\ttugad\nbabab ", "lusabbabadgutihtugadbabab",
                             "lusab\xE2\x80\x94"
                             "babad gutih tugad babab"})
        EXPECT_TRUE(words_match(said, digest)) << said;
}

TEST(Words, AreNotForgivenASingleLetter) {
    const Digest digest = digest_of("7f0000013f54dcc10000");
    const std::string words = words_of(digest);
    for (std::size_t at = 0; at < words.size(); ++at) {
        if (words[at] == '-') continue;
        std::string wrong = words;
        wrong[at] = wrong[at] == 'q' ? 'x' : 'q';
        EXPECT_FALSE(words_match(wrong, digest)) << wrong;
        EXPECT_FALSE(words_match(words.substr(0, at), digest));
    }
    EXPECT_FALSE(words_match("", digest));
    EXPECT_FALSE(words_match(words + "-babab", digest));
}

RC_GTEST_PROP(Words, DifferWhereTheFirst80BitsDo, ()) {
    Digest one{}, other{};
    for (std::size_t i = 0; i < one.size(); ++i) one[i] = other[i] = *rc::gen::arbitrary<std::uint8_t>();
    const auto bit = *rc::gen::inRange<std::size_t>(0, 256);
    other[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    RC_ASSERT(words_match(words_of(one), one));
    RC_ASSERT(words_match(words_of(one), other) == (bit >= 80));
}

}  // namespace
}  // namespace satchel::trust
