// The mirror: stock git accepts it, it follows the heads, and no stop leaves it in disorder.
#include "engine/catalogue/mirror.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/sha1.hpp"
#include "engine/env/os/posix_disk.hpp"
#include "simulations/world/crash_images.hpp"
#include "tests/engine/catalogue/test_office.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::catalogue {
namespace {

using simulations::SimDisk;
using Files = std::map<std::string, std::string>;

void read_files(env::Disk& disk, const std::string& folder, Files& into) {
    for (const env::EntryInfo& entry : must(disk.list(folder))) {
        const std::string path = env::join(folder, entry.name);
        if (entry.kind == env::EntryKind::kDirectory)
            read_files(disk, path, into);
        else
            into[path] = std::string(text_of(must(env::read_file(disk, path, 64 * 1024 * 1024))));
    }
}

Files files_of(env::Disk& disk) {
    Files files;
    read_files(disk, "", files);
    return files;
}

class MirrorTest : public testing::Test {
  protected:
    void update() { must(office.mirror(*disk, "catalogue.git")); }
    [[nodiscard]] bool git_says(const std::string& arguments) const {
        return quietly(git(repository) + arguments) == 0;
    }
    [[nodiscard]] std::string output_of(const std::string& arguments) const {
        EXPECT_EQ(std::system((git(repository) + arguments + " > '" + (folder / "out") + "' 2>&1").c_str()),
                  0)
            << arguments;
        std::ifstream in(folder / "out");
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    [[nodiscard]] std::size_t count_of(const std::string& below, const std::string& ending) const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(repository + "/" + below))
            if (entry.is_regular_file() && entry.path().string().ends_with(ending)) ++count;
        return count;
    }
    void expect_sound() {
        EXPECT_EQ(output_of("fsck --strict --full --no-progress"), "");
        EXPECT_TRUE(git_says("verify-commit HEAD"));
        EXPECT_EQ(output_of("rev-parse HEAD"), to_hex(ByteView(office.head().head)) + "\n");
    }

    TestOffice office;
    tests::TempFolder folder;
    std::unique_ptr<env::os::PosixDisk> disk = must(env::os::PosixDisk::open(folder.path()));
    std::string repository = folder / "catalogue.git";
};

TEST_F(MirrorTest, IsAcceptedByStockGit) {
    office.publish_many("a", 3);
    office.publish_many("b", 2);
    update();
    expect_sound();
    EXPECT_EQ(output_of("rev-list --count HEAD"), "2\n");
    const std::string log = output_of("log --show-signature");
    EXPECT_NE(log.find("Good \"git\" signature for editor"), std::string::npos) << log;
    const std::string document = output_of("show HEAD:" + edition_path("a0", 1));
    EXPECT_EQ(document, encode(edition_of("a0", 1)));
}

TEST_F(MirrorTest, FollowsTheHeadAndWritesOnlyWhatIsNew) {
    office.publish_many("a", 3);
    update();
    const std::size_t before = count_of("objects", "");
    office.publish_many("b", 1);
    update();
    expect_sound();
    // A blob, a commit and at most six trees.
    EXPECT_GT(count_of("objects", ""), before + 2);
    EXPECT_LE(count_of("objects", ""), before + 8);
}

TEST_F(MirrorTest, PutsManyNewObjectsIntoOnePack) {
    office.publish_many("a", 400);
    update();
    expect_sound();
    EXPECT_EQ(count_of("objects", ".pack"), 1u);
    EXPECT_EQ(count_of("objects", ".idx"), 1u);
    EXPECT_EQ(count_of("objects", ""), 2u);
    EXPECT_TRUE(git_says("verify-pack '" + repository + "'/objects/pack/*.idx"));
    office.publish_many("b", 2);
    update();
    expect_sound();
    EXPECT_EQ(count_of("objects", ".pack"), 1u);
}

TEST_F(MirrorTest, IsNotWrittenAgainWhenNothingIsNew) {
    SimDisk quiet;
    office.publish_many("a", 3);
    must(office.mirror(quiet, "m"));
    const Files before = files_of(quiet);
    const std::uint64_t first = quiet.operations();
    must(office.mirror(quiet, "m"));
    EXPECT_EQ(files_of(quiet), before);
    EXPECT_LT(quiet.operations() - first, first / 4);
}

TEST_F(MirrorTest, IsRemadeWhenItIsMissingOrNotWhole) {
    office.publish_many("a", 3);
    update();
    const std::string head = to_hex(ByteView(office.head().head)) + "\n";
    for (const char* part : {"", "/HEAD", "/objects", "/refs", "/satchel-mirror"}) {
        std::filesystem::remove_all(repository + part);
        update();
        EXPECT_EQ(output_of("rev-parse HEAD^{commit}"), head) << part;
    }
    std::ofstream(repository + "/satchel-mirror") << "something else\n";
    std::filesystem::remove_all(repository + "/objects/pack");
    std::filesystem::remove_all(repository + "/config");
    update();
    expect_sound();
}

TEST_F(MirrorTest, IsRemadeWhenItBelongsToAnotherDatabase) {
    office.publish_many("a", 3);
    update();
    TestOffice other;
    other.publish_many("other", 5);
    must(other.mirror(*disk, "catalogue.git"));
    EXPECT_EQ(output_of("rev-parse HEAD"), to_hex(ByteView(other.head().head)) + "\n");
    EXPECT_EQ(output_of("fsck --strict --full --no-progress"), "");
}

TEST_F(MirrorTest, SurvivesGarbageCollectionByGit) {
    office.publish_many("a", 3);
    update();
    ASSERT_TRUE(git_says("gc -q --prune=now"));
    office.publish_many("b", 2);
    update();
    expect_sound();
}

TEST_F(MirrorTest, RefusesToCopyADamagedObject) {
    office.publish_many("a", 1);
    must(office.database().run("UPDATE git_object SET data = data || x'00' WHERE rowid = 1"));
    const Result<void> written = office.mirror(*disk, "catalogue.git");
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, ErrorCode::kDamaged);
}

TEST_F(MirrorTest, AnAlteredObjectOrAStrangersSignatureIsRefusedByGit) {
    office.publish_many("a", 1);
    update();
    EXPECT_TRUE(git_says("verify-commit HEAD"));
    std::ofstream(repository + "/allowed_signers")
        << "nobody " << trust::ssh_public_line(key_of(9).public_key(), "") << "\n";
    EXPECT_FALSE(git_says("verify-commit HEAD"));
    const std::string head = to_hex(ByteView(office.head().head));
    std::fstream object(repository + "/objects/" + head.substr(0, 2) + "/" + head.substr(2));
    object.seekp(40).put('!');
    object.close();
    EXPECT_FALSE(git_says("fsck --strict"));
}

TEST(MirrorOfAnEmptyCatalogue, IsARepository) {
    TestOffice office;
    tests::TempFolder folder;
    const auto disk = must(env::os::PosixDisk::open(folder.path()));
    must(office.mirror(*disk, "catalogue.git"));
    EXPECT_EQ(quietly(git(folder / "catalogue.git") + "fsck --strict"), 0);
}

// Whatever a branch names is there, whole; and the next update ends where an undisturbed one would.
class MirrorCrash : public testing::Test {
  protected:
    // Object files by head: what must be there when a branch names it.
    void note_whole(const Files& files) {
        for (const auto& [path, content] : files)
            if (path.starts_with("m/refs/heads/")) whole_[content] = files;
    }
    std::string complaint(SimDisk& state) {
        const Files files = files_of(state);
        for (const auto& [path, content] : files) {
            if (!path.starts_with("m/refs/heads/")) continue;
            const auto expected = whole_.find(content);
            if (expected == whole_.end()) return "a branch names no head: " + content;
            for (const auto& [name, bytes] : expected->second) {
                if (!name.starts_with("m/objects/")) continue;
                const auto found = files.find(name);
                if (found == files.end() || found->second != bytes)
                    return "a branch names what is not whole: " + name;
            }
        }
        if (!office.mirror(state, "m").has_value()) return "the next update fails";
        return files_of(state) == last_ ? "" : "the next update ends elsewhere";
    }

    std::map<std::string, Files> whole_;
    Files last_;
    TestOffice office;
};

TEST_F(MirrorCrash, ABranchNeverNamesWhatIsNotWhole) {
    office.publish_many("a", 2);
    SimDisk clean;
    must(office.mirror(clean, "m"));
    note_whole(files_of(clean));
    const simulations::Tree first = clean.tree();
    office.publish_many("b", 1);
    must(office.mirror(clean, "m"));
    last_ = files_of(clean);
    note_whole(last_);

    std::size_t states = 0;
    std::string wrong;
    std::set<Digest> seen;
    const auto explore = [&](SimDisk& disk) {
        disk.on_sync = [&](SimDisk& now) {
            simulations::for_each_image(now, {.singles_max = 6, .random_mixes = 2}, seen,
                                        [&](SimDisk& state, const simulations::CrashPlan& plan) {
                                            ++states;
                                            if (!wrong.empty()) return;
                                            wrong = complaint(state);
                                            if (!wrong.empty())
                                                wrong += " after " + simulations::describe(plan);
                                        });
        };
        must(office.mirror(disk, "m"));
    };
    SimDisk updated({}, first);
    explore(updated);
    SimDisk fresh;
    explore(fresh);
    EXPECT_EQ(wrong, "");
    EXPECT_GT(states, 100u);
    std::printf("crash states: %zu mirror\n", states);
}

std::string sha1_of(std::string_view text) {
    Sha1 sum;
    for (std::size_t at = 0; at < text.size(); at += 37) sum.update(bytes_of(text.substr(at, 37)));
    return to_hex(ByteView(sum.finish()));
}

TEST(Sha1, GivesTheSumsOfFips180) {
    EXPECT_EQ(sha1_of(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    EXPECT_EQ(sha1_of("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(sha1_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    EXPECT_EQ(sha1_of(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

}  // namespace
}  // namespace satchel::catalogue
