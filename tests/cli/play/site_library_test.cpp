// What a site lends to players: its current editions, as far as they are here.
#include "cli/play/site_library.hpp"

#include <gtest/gtest.h>

#include "engine/store/ingest.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel::play {
namespace {

using namespace support;

class SiteLibraryTest : public testing::Test {
  protected:
    void SetUp() override {
        world_.clock.set_wall(1'700'000'000'000);
        hub_ = found_hub(hub_disk_, world_.world());
        film_ = noise(3'000'000, 7);
        write_files(courseware_,
                    {{"maths/course.json", R"({"id": "maths", "title": {"en": "Maths", "zh": "数学"}})"},
                     {"maths/film.mp4", film_},
                     {"maths/small.txt", "half"},
                     {"maths/empty.txt", ""}});
        publish(*hub_, courseware_);
        library_ = make_site_library(*hub_, [this](const std::function<void()>& work) {
            EXPECT_FALSE(in_turn_) << "a turn within a turn";
            if (is_closed_) return;
            in_turn_ = true;
            work();
            in_turn_ = false;
            ++turns_;
        });
    }

    std::string read(PlayReader& reader) {
        std::string all;
        while (all.size() < reader.size()) {
            const std::string_view step = must(reader.read(all.size()));
            EXPECT_LE(step.size(), kStepBytes);
            EXPECT_FALSE(step.empty());
            all += step;
        }
        return all;
    }

    ChunkId a_chunk_of(const std::string& path) {
        std::optional<ChunkId> found;
        must(hub_->for_each_file("maths", [&](const store::ManifestEntry& entry) -> Result<void> {
            if (entry.path == path)
                found = must(store::extents_of(hub_->store(), entry.content)).back().chunk;
            return {};
        }));
        return found.value();
    }

    simulations::SimWorld world_;
    simulations::SimDisk hub_disk_, courseware_;
    std::unique_ptr<site::Site> hub_;
    std::string film_;
    bool in_turn_ = false, is_closed_ = false;
    int turns_ = 0;
    std::unique_ptr<PlayLibrary> library_;
};

TEST_F(SiteLibraryTest, ReadsFilesInStepsEachWithItsOwnTurn) {
    const std::unique_ptr<PlayReader> film = must(library_->open("maths", "film.mp4"));
    ASSERT_NE(film, nullptr);
    EXPECT_TRUE(must(film->has(0, film->size())));
    turns_ = 0;
    EXPECT_EQ(read(*film), film_);
    EXPECT_GE(turns_, 8);  // 3 MB in chunks of at most 384 KiB
    for (const std::uint64_t offset : {1ull, 262'144ull, 1'234'567ull, 2'999'999ull}) {
        const std::string_view step = must(film->read(offset));
        EXPECT_EQ(step, std::string_view(film_).substr(static_cast<std::size_t>(offset), step.size()));
    }
    EXPECT_EQ(read(*must(library_->open("maths", "small.txt"))), "half");
    EXPECT_EQ(must(library_->open("maths", "empty.txt"))->size(), 0U);
    EXPECT_EQ(must(library_->open("maths", "Film.mp4")), nullptr);
    EXPECT_EQ(must(library_->open("nothing", "film.mp4")), nullptr);
}

TEST_F(SiteLibraryTest, DescribesCoursesAndFiles) {
    const CoursePage page = must(library_->courses(0, 10));
    ASSERT_EQ(page.total, 1U);
    EXPECT_EQ(page.courses[0].title_zh, "数学");
    EXPECT_TRUE(page.courses[0].is_complete);
    EXPECT_TRUE(must(library_->courses(1, 10)).courses.empty());
    EXPECT_TRUE(must(library_->course("maths"))->is_complete);
    EXPECT_FALSE(must(library_->course("nothing")).has_value());
    const FilePage files = must(library_->files("maths", 1, 2));
    EXPECT_EQ(files.total, 4U);
    ASSERT_EQ(files.files.size(), 2U);
    EXPECT_EQ(files.files[0].path, "empty.txt");
    EXPECT_EQ(files.files[1].size, film_.size());
}

TEST_F(SiteLibraryTest, KeepsAnOpenFileAndItsTagToOneEdition) {
    const std::unique_ptr<PlayReader> before = must(library_->open("maths", "small.txt"));
    write_files(courseware_, {{"maths/small.txt", "a third"}});
    publish(*hub_, courseware_);
    const std::unique_ptr<PlayReader> after = must(library_->open("maths", "small.txt"));
    EXPECT_EQ(read(*before), "half");
    EXPECT_EQ(read(*after), "a third");
    EXPECT_NE(before->tag(), after->tag());
    EXPECT_EQ(must(library_->open("maths", "film.mp4"))->tag(),
              must(library_->open("maths", "film.mp4"))->tag());
}

TEST_F(SiteLibraryTest, TellsWhatIsMissingAndHowMuchIsHere) {
    must(hub_->store().forget(a_chunk_of("film.mp4")));
    const std::unique_ptr<PlayReader> film = must(library_->open("maths", "film.mp4"));
    EXPECT_FALSE(must(film->has(0, film->size())));
    EXPECT_FALSE(must(film->has(film->size() - 1, 1)));
    EXPECT_TRUE(must(film->has(0, 1000)));
    EXPECT_EQ(must(film->read(0)).substr(0, 100), std::string_view(film_).substr(0, 100));
    EXPECT_FALSE(film->read(film->size() - 1).has_value());
    const std::optional<PlayCourse> course = must(library_->course("maths"));
    EXPECT_FALSE(course->is_complete);
    ASSERT_TRUE(course->percent.has_value());
    EXPECT_GE(*course->percent, 80);
    EXPECT_LE(*course->percent, 99);
}

TEST_F(SiteLibraryTest, ShowsNoEditionThatLacksItsReviews) {
    simulations::SimDisk other;
    write_files(other, {{"songs/song.txt", "la"}});
    publish(*hub_, other, 1);
    EXPECT_FALSE(must(library_->course("songs")).has_value());
    EXPECT_EQ(must(library_->open("songs", "song.txt")), nullptr);
    EXPECT_EQ(must(library_->courses(0, 10)).total, 1U);
}

TEST_F(SiteLibraryTest, ListsTheEditionThatItShowsWhileTheNewOneHasNoRoom) {
    simulations::SimDisk village_disk, stick;
    const auto village = join_village(*hub_, village_disk, world_.world(), "east");
    const auto carry = [&] {
        write_stick(*hub_, stick);
        read_stick(*village, stick);
    };
    carry();
    must(village->pin("maths"));
    must(village->unsubscribe({"all", ""}));
    must(village->subscribe({"course", "songs"}));
    const auto shown = make_site_library(*village, [](const std::function<void()>& work) { work(); });
    write_files(courseware_, {{"maths/film.mp4", noise(3'000'000, 8)}});
    publish(*hub_, courseware_);
    carry();
    const CoursePage page = must(shown->courses(0, 10));
    ASSERT_EQ(page.total, 1U) << "a pinned course that nobody subscribes to is listed, too";
    EXPECT_EQ(page.courses[0].edition, 1U);
    EXPECT_TRUE(page.courses[0].is_complete);
    EXPECT_EQ(must(shown->course("maths"))->edition, 1U);
    EXPECT_EQ(read(*must(shown->open("maths", "film.mp4"))), film_);
}

TEST_F(SiteLibraryTest, EndsWhenTheSiteIsClosed) {
    const std::unique_ptr<PlayReader> film = must(library_->open("maths", "film.mp4"));
    is_closed_ = true;
    const Result<std::string_view> step = film->read(0);
    ASSERT_FALSE(step.has_value());
    EXPECT_EQ(step.error().code, ErrorCode::kCancelled);
    EXPECT_FALSE(library_->courses(0, 10).has_value());
}

}  // namespace
}  // namespace satchel::play
