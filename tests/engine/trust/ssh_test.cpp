// SSHSIG armors, public key lines and private key files: one form each, and refusal of all else.
#include "engine/trust/ssh.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/base/encoding.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/engine/trust/trust_support.hpp"

namespace satchel::trust {
namespace {

const std::string kBegin = "-----BEGIN SSH SIGNATURE-----\n";
const std::string kEnd = "\n-----END SSH SIGNATURE-----";

std::string good_armor() { return ssh_sign(key_of(1), "satchel-test", bytes_of("message")); }

Result<PublicKey> check(std::string_view armor) {
    return ssh_verify(armor, "satchel-test", bytes_of("message"));
}

ByteBuffer blob_of(const std::string& armor) {
    std::string encoded = armor.substr(kBegin.size(), armor.size() - kBegin.size() - kEnd.size());
    std::erase(encoded, '\n');
    return from_base64(encoded).value();
}

std::string armor_of(ByteView blob) {
    const std::string encoded = to_base64(blob);
    std::string armor = kBegin;
    for (std::size_t at = 0; at < encoded.size(); at += 70)
        armor += (at > 0 ? "\n" : "") + encoded.substr(at, 70);
    return armor + kEnd;
}

// `blob` with the one place where `from` stands replaced; both of the same length, or with a length before
// them.
ByteBuffer with(ByteBuffer blob, std::string_view from, std::string_view to) {
    std::string text(text_of(blob));
    const std::size_t at = text.rfind(from);
    SATCHEL_CHECK(at != std::string::npos);
    text.replace(at, from.size(), to);
    return {text.begin(), text.end()};
}

TEST(SshSignature, IsMadeAndChecked) {
    const std::string armor = good_armor();
    EXPECT_EQ(ssh_sign(key_of(1), "git", bytes_of("message")).size(),
              293u);  // as in every commit that git signs so
    EXPECT_EQ(armor_of(blob_of(armor)), armor);
    ASSERT_TRUE(check(armor).has_value());
    EXPECT_EQ(*check(armor), key_of(1).public_key());
}

TEST(SshSignature, HoldsForOneMessageAndOnePurpose) {
    const std::string armor = good_armor();
    EXPECT_EQ(reason_of(ssh_verify(armor, "satchel-test", bytes_of("massage"))),
              "the signature does not hold");
    EXPECT_EQ(reason_of(ssh_verify(armor, "satchel-root", bytes_of("message"))),
              "the signature was made for another purpose");
    EXPECT_EQ(ssh_verify(armor, "git", bytes_of("message")).error().code, ErrorCode::kRefused);
}

TEST(SshSignature, RefusesEveryTruncatedArmor) {
    const std::string armor = good_armor();
    for (std::size_t size = 0; size < armor.size(); ++size) {
        EXPECT_FALSE(check(std::string_view(armor).substr(0, size)).has_value()) << size;
        EXPECT_FALSE(check(std::string_view(armor).substr(armor.size() - size)).has_value()) << size;
    }
}

TEST(SshSignature, RefusesEveryAlteredArmor) {
    const std::string armor = good_armor();
    for (std::size_t at = 0; at < armor.size(); ++at) {
        for (const unsigned bit : {0u, 1u, 5u, 7u}) {
            std::string altered = armor;
            altered[at] = static_cast<char>(static_cast<unsigned char>(altered[at]) ^ (1u << bit));
            EXPECT_FALSE(check(altered).has_value()) << at << " " << bit;
        }
    }
}

TEST(SshSignature, RefusesEveryAlteredTruncatedOrExtendedBlob) {
    const ByteBuffer blob = blob_of(good_armor());
    for (std::size_t at = 0; at < blob.size(); ++at) {
        ByteBuffer altered = blob;
        altered[at] ^= 1;
        EXPECT_FALSE(check(armor_of(altered)).has_value()) << at;
        EXPECT_FALSE(check(armor_of(ByteView(blob).first(at))).has_value()) << at;
        ByteBuffer extended = blob;
        extended.insert(extended.begin() + static_cast<std::ptrdiff_t>(at), std::uint8_t{0});
        EXPECT_FALSE(check(armor_of(extended)).has_value()) << at;
    }
    ByteBuffer extended = blob;
    extended.push_back(0);
    EXPECT_FALSE(check(armor_of(extended)).has_value());
}

// A commit's id covers its armor: were there two forms of one signature, anyone could make a twin of a
// commit.
TEST(SshSignature, HasOneForm) {
    const std::string armor = good_armor();
    ASSERT_TRUE(check(armor).has_value());
    std::string unbroken = armor;
    unbroken.erase(kBegin.size() + 70, 1);
    std::string crlf = armor;
    crlf.insert(kBegin.size() - 1, "\r");
    std::string joined = armor;
    joined.erase(kBegin.size() - 1, 1);
    std::string spaced = armor;
    spaced.insert(kBegin.size() + 5, "\n");
    for (const std::string& twin :
         {armor + "\n", armor + " ", armor + "\r\n", "\n" + armor, " " + armor, unbroken, crlf, joined,
          spaced, armor + armor, armor + std::string(1, '\0')})
        EXPECT_EQ(reason_of(check(twin)), "the signature is not in its format") << twin;
}

TEST(SshSignature, NamesAnotherHashOrAnotherAlgorithm) {
    const ByteBuffer blob = blob_of(good_armor());
    EXPECT_EQ(reason_of(check(armor_of(with(blob, "sha512", "sha256")))),
              "the signature uses another hash than sha512");
    EXPECT_EQ(reason_of(check(armor_of(with(blob, "ssh-ed25519", "ssh-ed25518")))),
              "the signature is not in its format");
    ByteBuffer version = blob;
    version[9] = 2;
    EXPECT_EQ(reason_of(check(armor_of(version))), "the signature is not in its format");
}

TEST(SshSignature, RefusesTheReservedFieldInUse) {
    const ByteBuffer blob = blob_of(good_armor());
    const std::string before = std::string("satchel-test") + std::string(4, '\0');
    const std::string used = std::string("satchel-test") + std::string("\0\0\0\1x", 5);
    EXPECT_EQ(reason_of(check(armor_of(with(blob, before, used)))), "the signature is not in its format");
}

TEST(SshSignature, RefusesAnArmorBeyondItsLimit) {
    const ByteBuffer blob(kArmorMax, 0);
    EXPECT_EQ(reason_of(check(armor_of(blob))), "the signature is not in its format");
}

RC_GTEST_PROP(SshSignature, SurvivesARoundTrip,
              (std::uint8_t seed, const std::vector<std::uint8_t>& message)) {
    const auto name_space = *rc::gen::nonEmpty(rc::gen::string<std::string>());
    RC_PRE(name_space.size() < 1000);
    const std::string armor = ssh_sign(key_of(seed), name_space, message);
    const Result<PublicKey> signer = ssh_verify(armor, name_space, message);
    RC_ASSERT(signer.has_value());
    RC_ASSERT(*signer == key_of(seed).public_key());
}

// -- public key lines -----------------------------------------------------------------------------

TEST(SshPublicLine, IsReadWithOrWithoutItsComment) {
    const PublicKey key = key_of(1).public_key();
    EXPECT_EQ(*parse_ssh_public_line(ssh_public_line(key, "reviewer-1")), key);
    EXPECT_EQ(*parse_ssh_public_line(ssh_public_line(key, "two words") + "\r\n"), key);
    EXPECT_EQ(*parse_ssh_public_line(ssh_public_line(key, "")), key);
}

TEST(SshPublicLine, IsRefusedWhenTruncatedOrOfAnotherKind) {
    const std::string line = ssh_public_line(key_of(1).public_key(), "");
    for (std::size_t size = 0; size < line.size(); ++size)
        EXPECT_FALSE(parse_ssh_public_line(line.substr(0, size)).has_value()) << size;
    for (const std::string& bad : {"ssh-rsa" + line.substr(11), "sk-" + line, " " + line, "no-pty " + line,
                                   "ssh-ed25519  " + line.substr(12), std::string("ssh-ed25519 AAAA")})
        EXPECT_EQ(reason_of(parse_ssh_public_line(bad)), "this is not an ed25519 public key of OpenSSH")
            << bad;
}

TEST(SshPublicLine, IsRefusedForAKeyThatCanSignNothing) {
    PublicKey identity;
    identity.digest.front() = 1;
    EXPECT_FALSE(parse_ssh_public_line(ssh_public_line(identity, "")).has_value());
}

// -- private key files ----------------------------------------------------------------------------

std::string private_file(std::string_view comment = "a comment") {
    simulations::SimRandom random;
    return ssh_private_file(key_of(5), comment, random);
}

TEST(SshPrivateFile, IsReadBack) {
    for (const char* comment :
         {"", "1", "12", "123", "1234", "12345", "123456", "1234567"}) {  // each padding
        const Result<SigningKey> key = parse_ssh_private_file(private_file(comment));
        ASSERT_TRUE(key.has_value()) << comment;
        EXPECT_EQ(key->seed(), key_of(5).seed());
    }
}

TEST(SshPrivateFile, IsReadWithTheLineEndsOfAnotherSystem) {
    std::string crlf;
    for (const char c : private_file()) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    EXPECT_TRUE(parse_ssh_private_file(crlf).has_value());
}

TEST(SshPrivateFile, IsRefusedWhenTruncated) {
    const std::string file = private_file();
    for (std::size_t size = 0; size + 1 < file.size(); ++size)  // all but the last line's end
        EXPECT_FALSE(parse_ssh_private_file(std::string_view(file).substr(0, size)).has_value()) << size;
}

TEST(SshPrivateFile, IsRefusedWhenAnyByteOfItIsAltered) {
    const std::string begin = "-----BEGIN OPENSSH PRIVATE KEY-----\n",
                      end = "-----END OPENSSH PRIVATE KEY-----\n";
    const std::string file = private_file("");
    std::string encoded = file.substr(begin.size(), file.size() - begin.size() - end.size());
    std::erase(encoded, '\n');
    const ByteBuffer blob = from_base64(encoded).value();
    for (std::size_t at = 0; at < blob.size(); ++at) {
        ByteBuffer altered = blob;
        altered[at] ^= 1;
        EXPECT_FALSE(parse_ssh_private_file(begin + to_base64(altered) + "\n" + end).has_value()) << at;
    }
    ByteBuffer extended = blob;
    extended.push_back(0);
    EXPECT_FALSE(parse_ssh_private_file(begin + to_base64(extended) + "\n" + end).has_value());
}

TEST(SshPrivateFile, IsRefusedBeyondItsLimit) {
    EXPECT_EQ(reason_of(parse_ssh_private_file(private_file(std::string(16 * 1024, 'x')))),
              "this is not an ed25519 private key of OpenSSH");
}

}  // namespace
}  // namespace satchel::trust
