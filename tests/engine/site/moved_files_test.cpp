// A file that was changed once and then moves, is copied or is put back costs no new chunk.
#include <gtest/gtest.h>

#include "engine/env/os/clock.hpp"
#include "engine/env/os/offload.hpp"
#include "engine/env/os/posix_disk.hpp"
#include "engine/env/os/random.hpp"
#include "tests/support/county.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel {
namespace {

using namespace support;
using tests::TempFolder;

class MovedFiles : public testing::Test {
  protected:
    void SetUp() override {
        hub_disk_ = must(env::os::PosixDisk::open(hub_folder_.path()));
        hub_ = found_hub(*hub_disk_, world_);
    }

    // Publishes a folder that holds just these files; returns how many chunks that stored.
    std::uint64_t publish_only(const Files& files) {
        const TempFolder folder;
        const auto disk = must(env::os::PosixDisk::open(folder.path()));
        write_files(*disk, files);
        std::uint64_t chunks = 0;
        for (const site::PublishedCourse& course : publish(*hub_, *disk).courses) chunks += course.new_chunks;
        return chunks;
    }

    TempFolder hub_folder_;
    env::os::SystemClock clock_;
    env::os::SystemRandom random_;
    env::os::ThreadOffload offload_{2};
    env::World world_{clock_, random_, offload_};
    std::unique_ptr<env::os::PosixDisk> hub_disk_;
    std::unique_ptr<site::Site> hub_;
    const std::string first_ = noise(400'000, 1);
    const std::string second_ =
        first_.substr(0, 200'000) + "a few words that are new" + first_.substr(200'000);
};

TEST_F(MovedFiles, AChangedFileThatMovesToAnotherCourseStoresNothing) {
    publish_only({{"rice/film.bin", first_}});
    EXPECT_GT(publish_only({{"rice/film.bin", second_}}), 0u);
    EXPECT_EQ(publish_only({{"archive/rice/film.bin", second_}}), 0u);
    EXPECT_EQ(publish_only({{"archive/rice/film.bin", second_}, {"trees/copy.bin", second_}}), 0u);
}

TEST_F(MovedFiles, AFilePutBackToAChangedStateStoresNothing) {
    publish_only({{"rice/film.bin", first_}});
    publish_only({{"rice/film.bin", second_}});
    publish_only({{"rice/film.bin", noise(300'000, 7)}});
    EXPECT_EQ(publish_only({{"rice/film.bin", second_}}), 0u);
    EXPECT_EQ(publish_only({{"rice/film.bin", first_}}), 0u);
}

TEST_F(MovedFiles, AFileOfTheSameSizeWithOtherBytesIsStored) {
    publish_only({{"rice/film.bin", first_}});
    publish_only({{"rice/film.bin", second_}});
    std::string other = second_;
    other.back() = static_cast<char>(other.back() ^ 1);
    EXPECT_GT(publish_only({{"trees/other.bin", other}}), 0u);
    std::string read;
    must(hub_->read_file("trees", "other.bin", 0, other.size(), [&](ByteView bytes) -> Result<void> {
        read += text_of(bytes);
        return {};
    }));
    EXPECT_EQ(read, other);
}

TEST_F(MovedFiles, AKnownFileWithAForgottenChunkIsStoredAgain) {
    publish_only({{"rice/film.bin", first_}});
    publish_only({{"rice/film.bin", second_}});
    std::optional<ChunkId> recipe;
    must(hub_->for_each_file("rice", [&](const store::ManifestEntry& entry) -> Result<void> {
        if (const auto* content = std::get_if<store::RecipeContent>(&entry.content)) recipe = content->recipe;
        return {};
    }));
    ASSERT_TRUE(recipe.has_value());
    const store::Recipe made = must(store::decode_recipe(must(hub_->store().read(*recipe))));
    must(hub_->store().forget(made.extents.front().chunk));
    EXPECT_GT(publish_only({{"archive/film.bin", second_}}), 0u);
}

}  // namespace
}  // namespace satchel
