// The rule of docs/decisions/0003: which Ed25519 signatures count, at the edges where libraries differ.
#include <gtest/gtest.h>

#include "engine/base/encoding.hpp"
#include "engine/trust/keys.hpp"

namespace satchel::trust {
namespace {

struct Case {
    const char* what;
    const char* message;
    const char* key;
    const char* signature;
};

// From "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020). Each is valid in some library.
constexpr Case kPublished[] = {
    {"A of small order, S = 0", "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"A of small order", "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"},
    {"A of mixed order, R of small order", "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e"},
    {"A and R of mixed order, equation holds",
     "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"},
    {"A and R of mixed order, equation holds only times the cofactor",
     "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"},
    {"A of mixed order, equation holds only times the cofactor",
     "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
     "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405"},
    {"S = S' + L", "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
     "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514"},
    {"S far above L", "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
     "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22"},
    {"R not canonical, equation holds only for its reduced form",
     "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607"},
    {"R not canonical, equation holds", "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09"},
};

PublicKey key_from(std::string_view hex) { return id_from_hex<PublicKey>(hex).value(); }

Signature signature_from(std::string_view hex) {
    Signature signature;
    const ByteBuffer bytes = from_hex(hex).value();
    std::copy(bytes.begin(), bytes.end(), signature.bytes.begin());
    return signature;
}

TEST(Ed25519, RefusesEveryCaseThatLibrariesDisputeAbout) {
    for (const Case& one : kPublished)
        EXPECT_FALSE(verify_plain(key_from(one.key), *from_hex(one.message), signature_from(one.signature)))
            << one.what;
}

// The equation holds, since the factor of A happens to be even. libsodium without its correction for
// CVE-2025-69277 takes this key for one of prime order.
TEST(Ed25519, RefusesAKeyWithAPartOfOrderTwo) {
    const PublicKey key = key_from("03b5939c1d63adf5410aaf84ecd13a066ab889514141846dbde11596ebb92dd3");
    const Signature signature = signature_from(
        "f47e49f9d07ad2c1606b4d94067c41f9777d4ffda709b71da1d88628fce34d85"
        "8588dafa42cd37ee75ec0f1fdc57698e3ad5f9bbb83b24df896742f624e70106");
    EXPECT_FALSE(is_acceptable(key));
    EXPECT_FALSE(verify_plain(key, bytes_of("signed by a key with a part of order two"), signature));
}

TEST(Ed25519, RefusesKeysOfSmallOrder) {
    for (const char* key : {"0100000000000000000000000000000000000000000000000000000000000000",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "0000000000000000000000000000000000000000000000000000000000000000",
                            "0000000000000000000000000000000000000000000000000000000000000080",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"})
        EXPECT_FALSE(is_acceptable(key_from(key))) << key;
}

TEST(Ed25519, RefusesKeysThatAreNotTheCanonicalFormOfAPoint) {
    for (unsigned above = 0; above < 19; ++above) {  // y = p + above
        for (const int last : {0x7f, 0xff}) {
            PublicKey key;
            key.digest.fill(0xff);
            key.digest.front() = static_cast<std::uint8_t>(0xed + above);
            key.digest.back() = static_cast<std::uint8_t>(last);
            EXPECT_FALSE(is_acceptable(key)) << above << " " << last;
        }
    }
}

TEST(Ed25519, RefusesKeysThatAreNoPoint) {
    EXPECT_FALSE(is_acceptable(key_from("0200000000000000000000000000000000000000000000000000000000000000")));
}

// RFC 8032, section 7.1, test 3.
TEST(Ed25519, AgreesWithRfc8032) {
    std::array<std::uint8_t, 32> seed{};
    const ByteBuffer bytes = *from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
    std::copy(bytes.begin(), bytes.end(), seed.begin());
    const SigningKey key = SigningKey::from_seed(seed);
    EXPECT_EQ(to_hex(key.public_key()), "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    const ByteBuffer message = {0xaf, 0x82};
    const Signature signature = key.sign_plain(message);
    EXPECT_EQ(to_hex(signature.bytes),
              "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
              "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    EXPECT_TRUE(verify_plain(key.public_key(), message, signature));
}

// The same signature with S + L: other libraries of old took it, and so anyone could make a second one.
TEST(Ed25519, RefusesASecondFormOfAGoodSignature) {
    const PublicKey key = key_from("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    Signature signature = signature_from(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    const ByteBuffer order = *from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    unsigned carry = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        carry += static_cast<unsigned>(signature.bytes[32 + i]) + order[i];
        signature.bytes[32 + i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
    EXPECT_FALSE(verify_plain(key, ByteBuffer{0xaf, 0x82}, signature));
}

}  // namespace
}  // namespace satchel::trust
