// The files under keys/ of a site's folder (schemas/site-folder.md).
#include "engine/site/key_files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "engine/env/os/posix_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::site {
namespace {

class KeyFiles : public testing::Test {
  protected:
    void take_vectors() {
        std::filesystem::copy(std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/site-folder/keys",
                              folder_ / "keys", std::filesystem::copy_options::recursive);
    }
    [[nodiscard]] std::string content(const std::string& name) const {
        std::ifstream in(folder_ / ("keys/" + name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / ("keys/" + name), std::ios::binary) << text;
    }
    [[nodiscard]] unsigned mode(const std::string& name) const {
        return static_cast<unsigned>(std::filesystem::status(folder_ / ("keys/" + name)).permissions());
    }
    tests::TempFolder folder_;
    std::unique_ptr<env::os::PosixDisk> disk_ = std::move(env::os::PosixDisk::open(folder_.path()).value());
    simulations::SimRandom random_;
};

TEST_F(KeyFiles, OfTheGoldenFolderAreRead) {
    take_vectors();
    const Result<trust::SigningKey> site = load_key(*disk_, kSiteKey);
    ASSERT_TRUE(site.has_value());
    EXPECT_EQ(to_hex(site->public_key()), "43046bfe4092b3e94994eada15dcc20d8aaa07b658fd3954eb8e0efb8bdca5de");
    EXPECT_EQ(content("site.pub"), trust::ssh_public_line(site->public_key(), "satchel-site") + "\n");
    const Result<trust::SealingKey> sealing = load_sealing_key(*disk_);
    ASSERT_TRUE(sealing.has_value());
    EXPECT_EQ(to_hex(sealing->public_key()),
              "06453fcd9cef5a1f53acc4f942104c0c8e9e27d5c7b37f5507cdcd1628105963");
    EXPECT_EQ(load_network_secret(*disk_).value(), ByteBuffer(32, 0x5e));
    EXPECT_EQ(load_request(*disk_).value(), content("request"));
}

TEST_F(KeyFiles, AreMadeOnceAndForTheirOwnerOnly) {
    const trust::SigningKey made = std::move(load_or_make_key(*disk_, kSiteKey, random_).value());
    const trust::SealingKey sealing = std::move(load_or_make_sealing_key(*disk_, random_).value());
    const ByteBuffer secret = load_or_make_network_secret(*disk_, random_).value();
    for (const char* name : {"site.key", "sealing.key", "network.secret"})
        EXPECT_EQ(mode(name), 0600u) << name;
    EXPECT_EQ(load_or_make_key(*disk_, kSiteKey, random_)->public_key(), made.public_key());
    EXPECT_EQ(load_or_make_sealing_key(*disk_, random_)->public_key(), sealing.public_key());
    EXPECT_EQ(load_or_make_network_secret(*disk_, random_).value(), secret);
    EXPECT_EQ(trust::parse_ssh_public_line(content("site.pub")).value(), made.public_key());
}

TEST_F(KeyFiles, ThatAreDamagedAreNamedAndNeverReplaced) {
    take_vectors();
    for (const std::string& damaged :
         {std::string(), std::string("5e"), std::string(64, 'g'), std::string(66, 'a')}) {
        write("sealing.key", damaged);
        const Result<trust::SealingKey> key = load_or_make_sealing_key(*disk_, random_);
        ASSERT_FALSE(key.has_value());
        EXPECT_EQ(key.error().code, ErrorCode::kDamaged);
        EXPECT_NE(key.error().about.find("keys/sealing.key"), std::string::npos);
        EXPECT_EQ(content("sealing.key"), damaged);
    }
    write("site.key", content("site.key").substr(0, 100));
    const Result<trust::SigningKey> key = load_or_make_key(*disk_, kSiteKey, random_);
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, ErrorCode::kDamaged);
    EXPECT_NE(key.error().about.find("keys/site.key"), std::string::npos);
}

TEST_F(KeyFiles, ThatAreMissingAreNotFound) {
    EXPECT_EQ(load_key(*disk_, kSiteKey).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(load_sealing_key(*disk_).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(load_request(*disk_).error().code, ErrorCode::kNotFound);
}

TEST_F(KeyFiles, ARequestWaitsUntilItIsAnswered) {
    ASSERT_TRUE(save_request(*disk_, "text").has_value());
    EXPECT_EQ(load_request(*disk_).value(), "text");
    ASSERT_TRUE(remove_request(*disk_).has_value());
    ASSERT_TRUE(remove_request(*disk_).has_value());
    EXPECT_EQ(load_request(*disk_).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace satchel::site
