// What we sign, stock ssh-keygen accepts; what it signs, we accept; and both refuse what was altered.
#include <gtest/gtest.h>

#include "engine/trust/ssh.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/engine/trust/trust_support.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::trust {
namespace {

class SshKeygen : public testing::Test {
  protected:
    // A key made by ssh-keygen in `name` and `name`.pub.
    void make_key(const std::string& name, const std::string& options = "-N ''") {
        const Ran made = run("ssh-keygen -q -t ed25519 -C 'reviewer 1' " + options + " -f " + folder_ / name);
        ASSERT_EQ(made.status, 0) << made.output;
    }
    [[nodiscard]] Ran verify(const PublicKey& key, const std::string& armor, const std::string& name_space,
                             const std::string& message) const {
        write_file(folder_ / "allowed",
                   "office namespaces=\"" + name_space + "\" " + ssh_public_line(key, "") + "\n");
        write_file(folder_ / "message.sig", armor + "\n");
        write_file(folder_ / "message", message);
        return run("ssh-keygen -Y verify -f " + folder_ / "allowed" + " -I office -n " + name_space + " -s " +
                   folder_ / "message.sig" + " < " + folder_ / "message");
    }
    tests::TempFolder folder_;
};

TEST_F(SshKeygen, AcceptsWhatWeSign) {
    for (const std::string& message : {std::string(), std::string("message"), std::string(100'000, 'x')}) {
        const std::string armor = ssh_sign(key_of(1), "satchel-review", bytes_of(message));
        const Ran verified = verify(key_of(1).public_key(), armor, "satchel-review", message);
        EXPECT_EQ(verified.status, 0) << verified.output;
    }
}

TEST_F(SshKeygen, RefusesOursForAnotherMessageKeyOrPurpose) {
    const std::string armor = ssh_sign(key_of(1), "satchel-review", bytes_of("message"));
    EXPECT_NE(verify(key_of(1).public_key(), armor, "satchel-review", "massage").status, 0);
    EXPECT_NE(verify(key_of(2).public_key(), armor, "satchel-review", "message").status, 0);
    EXPECT_NE(verify(key_of(1).public_key(), armor, "git", "message").status, 0);
}

TEST_F(SshKeygen, SignsWhatWeAccept) {
    make_key("reviewer");
    write_file(folder_ / "statement", "all is well\n");
    const Ran is_signed = run("ssh-keygen -q -Y sign -f " + folder_ / "reviewer" + " -n satchel-review " +
                              folder_ / "statement");
    ASSERT_EQ(is_signed.status, 0) << is_signed.output;
    std::string armor = read_file(folder_ / "statement.sig");
    ASSERT_TRUE(armor.ends_with("\n"));
    armor.pop_back();
    const Result<PublicKey> signer = ssh_verify(armor, "satchel-review", bytes_of("all is well\n"));
    ASSERT_TRUE(signer.has_value()) << signer.error().reason.text();
    EXPECT_EQ(*signer, parse_ssh_public_line(read_file(folder_ / "reviewer.pub")).value());
    EXPECT_FALSE(ssh_verify(armor, "satchel-review", bytes_of("all is ill\n")).has_value());
    EXPECT_FALSE(ssh_verify(armor, "satchel-root", bytes_of("all is well\n")).has_value());
}

TEST_F(SshKeygen, SignsExactlyAsWeDo) {
    make_key("editor");
    const Result<SigningKey> key = parse_ssh_private_file(read_file(folder_ / "editor"));
    ASSERT_TRUE(key.has_value());
    write_file(folder_ / "commit", "tree 0\n");
    ASSERT_EQ(run("ssh-keygen -q -Y sign -f " + folder_ / "editor" + " -n git " + folder_ / "commit").status,
              0);
    EXPECT_EQ(read_file(folder_ / "commit.sig"), ssh_sign(*key, "git", bytes_of("tree 0\n")) + "\n");
}

TEST_F(SshKeygen, ReadsAPrivateKeyThatWeWrote) {
    simulations::SimRandom random;
    const std::string path = folder_ / "ours";
    write_file(path, ssh_private_file(key_of(5), "satchel-site", random));
    ASSERT_EQ(run("chmod 600 " + path).status, 0);
    const Ran shown = run("ssh-keygen -y -f " + path);
    ASSERT_EQ(shown.status, 0) << shown.output;
    EXPECT_EQ(parse_ssh_public_line(shown.output).value(), key_of(5).public_key());
    EXPECT_NE(shown.output.find("satchel-site"), std::string::npos);
}

TEST_F(SshKeygen, ProtectsAPrivateKeyThatWeThenRefuseWithARemedy) {
    int number = 0;
    for (const char* cipher : {"aes256-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"}) {
        const std::string name = "protected" + std::to_string(++number);
        make_key(name, std::string("-N secret -a 1 -Z ") + cipher);
        const Result<SigningKey> key = parse_ssh_private_file(read_file(folder_ / name));
        ASSERT_FALSE(key.has_value());
        EXPECT_EQ(key.error().code, ErrorCode::kRefused) << cipher;
        EXPECT_EQ(reason_of(key), "the private key is protected by a passphrase") << cipher;
        EXPECT_NE(std::string(key.error().remedy.text()).find("ssh-keygen -Y sign"), std::string::npos);
    }
}

TEST_F(SshKeygen, MakesOtherKindsOfKeysThatWeRefuse) {
    ASSERT_EQ(run("ssh-keygen -q -t ecdsa -N '' -f " + folder_ / "ecdsa").status, 0);
    ASSERT_EQ(run("ssh-keygen -q -t ecdsa -N secret -a 1 -f " + folder_ / "sealed").status, 0);
    for (const char* name : {"ecdsa", "sealed"})
        EXPECT_EQ(reason_of(parse_ssh_private_file(read_file(folder_ / name))),
                  "this is not an ed25519 private key of OpenSSH");
    EXPECT_FALSE(parse_ssh_public_line(read_file(folder_ / "ecdsa.pub")).has_value());

    write_file(folder_ / "statement", "all is well\n");
    ASSERT_EQ(
        run("ssh-keygen -q -Y sign -f " + folder_ / "ecdsa" + " -n satchel-review " + folder_ / "statement")
            .status,
        0);
    std::string armor = read_file(folder_ / "statement.sig");
    armor.pop_back();
    EXPECT_EQ(reason_of(ssh_verify(armor, "satchel-review", bytes_of("all is well\n"))),
              "the signature is not in its format");
}

TEST_F(SshKeygen, SignsWithAnotherHashThatWeRefuse) {
    make_key("reviewer");
    write_file(folder_ / "statement", "all is well\n");
    ASSERT_EQ(run("ssh-keygen -q -Y sign -O hashalg=sha256 -f " + folder_ / "reviewer" +
                  " -n satchel-review " + folder_ / "statement")
                  .status,
              0);
    std::string armor = read_file(folder_ / "statement.sig");
    armor.pop_back();
    EXPECT_EQ(reason_of(ssh_verify(armor, "satchel-review", bytes_of("all is well\n"))),
              "the signature uses another hash than sha512");
}

}  // namespace
}  // namespace satchel::trust
