// The snapshot: stock b2sum and ssh-keygen accept it and refuse what is altered; damage is never exported.
#include "engine/catalogue/snapshot.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "engine/env/os/posix_disk.hpp"
#include "tests/engine/catalogue/test_office.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::catalogue {
namespace {

class SnapshotTest : public testing::Test {
  protected:
    SnapshotTest() {
        office.publish_many("a", 3);
        must(office->add_review(office.review(edition_of("a1", 1), kReviewer)));
    }
    Result<void> write() { return office.snapshot(*disk, "copy"); }
    [[nodiscard]] std::string content_of(const std::string& path) const {
        std::ifstream in(copy + "/" + path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    [[nodiscard]] bool in_copy(const std::string& command) const {
        return quietly("cd '" + copy + "' && " + command) == 0;
    }

    TestOffice office;
    tests::TempFolder folder;
    std::unique_ptr<env::os::PosixDisk> disk = must(env::os::PosixDisk::open(folder.path()));
    std::string copy = folder / "copy";
};

TEST_F(SnapshotTest, HoldsTheDocumentsOfTheHeads) {
    must(write());
    for (const char* course : {"a0", "a1", "a2"})
        EXPECT_EQ(content_of("lanes/office/" + edition_path(course, 1)), encode(edition_of(course, 1)));
    const LaneHead head = office.head();
    EXPECT_EQ(content_of("HEADS"), "office " + to_hex(ByteView(head.head)) + " 1\n");
}

TEST_F(SnapshotTest, ListsEveryFileForB2sumWhichRefusesAnAlteredOne) {
    must(write());
    EXPECT_TRUE(in_copy("b2sum -l 256 --strict -c SNAPSHOT"));
    EXPECT_TRUE(in_copy("test $(find . -type f ! -name SNAPSHOT | wc -l) = $(wc -l < SNAPSHOT)"));
    std::ofstream(copy + "/lanes/office/" + edition_path("a0", 1), std::ios::app) << " ";
    EXPECT_FALSE(in_copy("b2sum -l 256 --strict -c SNAPSHOT"));
}

TEST_F(SnapshotTest, HoldsReviewsAndRootsThatSshKeygenVerifies) {
    must(write());
    const std::string verify = "ssh-keygen -Y verify -f allowed_signers";
    const std::string review = "$(ls reviews/*/*.txt)";
    EXPECT_TRUE(in_copy(verify + " -I reviewer -n satchel-review -s " + review + ".sig < " + review));
    EXPECT_FALSE(in_copy(verify + " -I reviewer -n satchel-root -s " + review + ".sig < " + review));
    EXPECT_TRUE(in_copy(verify + " -I root -n satchel-root -s roots/000001.json.1.sig < roots/000001.json"));
    EXPECT_TRUE(in_copy("echo >> " + review));
    EXPECT_FALSE(in_copy(verify + " -I reviewer -n satchel-review -s " + review + ".sig < " + review));
}

TEST_F(SnapshotTest, RefusesAFolderThatIsNotEmpty) {
    std::filesystem::create_directory(copy);
    must(write());
    const Result<void> again = write();
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::kExists);
    EXPECT_TRUE(in_copy("b2sum -l 256 --strict -c SNAPSHOT"));
}

TEST_F(SnapshotTest, ExportsNothingWhenADocumentIsDamaged) {
    must(office.database().run(
        "UPDATE git_object SET data = replace(data, 'Title of a0', 'Title of b0') WHERE type = 3"));
    const Result<void> written = write();
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, ErrorCode::kDamaged);
    EXPECT_FALSE(std::filesystem::exists(copy));
}

// Without SNAPSHOT nobody takes half a copy for a whole one.
TEST_F(SnapshotTest, AnInterruptedOneHasNoSnapshotFile) {
    simulations::SimDisk whole;
    must(office.snapshot(whole, "copy"));
    const std::uint64_t operations = whole.operations();
    ASSERT_TRUE(must(env::exists(whole, "copy/SNAPSHOT")));
    std::uint64_t stops = 0;
    for (std::uint64_t stop = 0; stop + 3 < operations; stop += 3) {
        simulations::SimDisk cut;
        cut.fail_operation(stop + 1, ErrorCode::kIo);
        if (office.snapshot(cut, "copy").has_value()) continue;
        ++stops;
        const bool there = must(env::exists(cut, "copy/SNAPSHOT"));
        EXPECT_FALSE(there) << stop;
    }
    EXPECT_GT(stops, 10u);
}

}  // namespace
}  // namespace satchel::catalogue
