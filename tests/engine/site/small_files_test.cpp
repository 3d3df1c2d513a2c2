// The list of small files: its bytes, and that what it says is proved before it is used.
#include "engine/site/small_files.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/database/database.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel::site {
namespace {

using simulations::SimDisk;
using support::must;
using support::noise;

class SmallFilesTest : public testing::Test {
  protected:
    // A bag of files of 100 bytes, and their list.
    void fill(SmallFiles& list, std::size_t files, std::uint64_t seed) {
        const std::string bag = noise(files * 100, seed);
        const ChunkId chunk = must(store_->put(bytes_of(bag))).id;
        for (std::size_t i = 0; i < files; ++i) {
            const std::string file = bag.substr(i * 100, 100);
            list.note(hash_of(bytes_of(file)), 100,
                      store::Extent{chunk, static_cast<std::uint32_t>(i * 100), 100});
            files_.push_back(file);
            places_.push_back({chunk, static_cast<std::uint32_t>(i * 100), 100});
        }
    }
    std::optional<store::FileContent> find(SmallFiles& list, const std::string& file) {
        return must(list.find(bytes_of(file), hash_of(bytes_of(file))));
    }

    SimDisk disk_;
    simulations::SimWorld world_;
    std::unique_ptr<database::Database> database_ =
        must(database::Database::open(disk_, world_.world(), "site.db"));
    std::unique_ptr<store::Store> store_ =
        must(store::Store::open(disk_, world_.world(), *database_, "packs"));
    std::vector<std::string> files_;
    std::vector<store::Extent> places_;
};

TEST_F(SmallFilesTest, AreTheGoldenVector) {
    SmallFiles list(disk_, *store_);
    ChunkId bag;
    bag.digest.fill(0x11);
    ChunkId recipe;
    recipe.digest.fill(0x22);
    list.note(hash_of(bytes_of("a small file\n")), 13, store::Extent{bag, 4000, 13});
    list.note(hash_of(bytes_of("a changed one\n")), 14, store::RecipeContent{recipe});
    list.note(hash_of({}), 0, store::EmptyContent{});  // has no row
    list.save();
    std::ifstream in(SATCHEL_SOURCE_DIR "/schemas/vectors/small-files/two.list", std::ios::binary);
    const std::string golden{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(text_of(must(env::read_file(disk_, "small-files.list", 4096))), golden);
    EXPECT_FALSE(find(list, "a small file\n").has_value());  // there is no such bag in the store
    EXPECT_FALSE(find(list, "a changed one\n").has_value());
}

TEST_F(SmallFilesTest, AreFoundInThisRunAndTheNext) {
    for (const bool is_next : {false, true}) {
        SmallFiles list(disk_, *store_);
        if (!is_next) fill(list, 600, 1);
        if (!is_next) list.save();
        if (!is_next) fill(list, 10, 2);
        for (std::size_t i = 0; i < files_.size(); ++i)
            EXPECT_EQ(find(list, files_[i]), std::optional<store::FileContent>(places_[i])) << i;
        EXPECT_FALSE(find(list, noise(100, 3)).has_value());
        list.save();
    }
}

TEST_F(SmallFilesTest, AChunkOfItsOwnIsFoundWithoutARow) {
    const std::string file = noise(500, 4);
    const ChunkId chunk = must(store_->put(bytes_of(file))).id;
    SmallFiles list(disk_, *store_);
    EXPECT_EQ(find(list, file), std::optional<store::FileContent>(store::Extent{chunk, 0, 500}));
}

// Whatever a row says, other bytes are never named.
TEST_F(SmallFilesTest, ARowThatLiesIsNotBelieved) {
    SmallFiles list(disk_, *store_);
    fill(list, 2, 5);
    const std::string other = noise(100, 6);
    list.note(hash_of(bytes_of(other)), 100, places_[0]);
    list.note(hash_of(bytes_of(other)), 100, store::Extent{places_[0].chunk, 4'000'000'000u, 100});
    EXPECT_FALSE(find(list, other).has_value());
    list.note(hash_of(bytes_of(other)), 100, places_[1]);
    EXPECT_EQ(find(list, files_[1]), std::optional<store::FileContent>(places_[1]));
}

TEST_F(SmallFilesTest, ATornOrForeignListCostsItsRowsAlone) {
    {
        SmallFiles list(disk_, *store_);
        fill(list, 10, 7);
        list.save();
    }
    disk_.truncate_at("small-files.list", 8 + 48 * 4 + 20);
    {
        SmallFiles list(disk_, *store_);
        EXPECT_TRUE(find(list, files_[3]).has_value());
        EXPECT_FALSE(find(list, files_[4]).has_value());
        list.note(hash_of(bytes_of(files_[4])), 100, places_[4]);
        list.save();
    }
    EXPECT_EQ(must(disk_.stat("small-files.list")).size, 8u + 48 * 5);
    disk_.flip_bit("small-files.list", 4, 1);
    SmallFiles list(disk_, *store_);
    EXPECT_FALSE(find(list, files_[3]).has_value());
    EXPECT_EQ(must(disk_.stat("small-files.list")).size, 8u);
}

TEST_F(SmallFilesTest, AFullListKeepsItsNewerHalf) {
    constexpr std::size_t kMax = 100;
    {
        SmallFiles list(disk_, *store_, kMax);
        fill(list, kMax + 20, 8);
        list.save();
    }
    SmallFiles list(disk_, *store_, kMax);
    EXPECT_FALSE(find(list, files_[49]).has_value());
    EXPECT_TRUE(find(list, files_[50]).has_value());
    EXPECT_TRUE(find(list, files_[99]).has_value());
    EXPECT_FALSE(find(list, files_[100]).has_value());  // there was no room for it
    EXPECT_EQ(must(disk_.stat("small-files.list")).size, 8u + 48 * kMax / 2);
}

}  // namespace
}  // namespace satchel::site
