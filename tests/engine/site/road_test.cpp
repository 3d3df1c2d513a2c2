// A lesson's road, at the engine's own border: publish, stick, village, checkout.
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

class Road : public testing::Test {
  protected:
    std::unique_ptr<env::os::PosixDisk> folder(const std::string& name) {
        const std::string path = temp_.path() + "/" + name;
        std::filesystem::create_directories(path);
        return must(env::os::PosixDisk::open(path));
    }

    void SetUp() override {
        hub_disk_ = folder("hub");
        east_disk_ = folder("east");
        stick_ = folder("stick");
        source_ = folder("source");
        target_ = folder("target");
        hub_ = found_hub(*hub_disk_, world_);
        east_ = join_village(*hub_, *east_disk_, world_, "east");
    }

    Files courseware() {
        return {{"rice/course.json",
                 R"({"id": "rice", "title": {"zh": "水稻", "en": "Rice"}, "theme": "farming"})"},
                {"rice/film.mp4", noise(900'000, 1)},
                {"rice/视频/第一课.txt", "村里的第一课\n"},
                {"rice/empty.txt", ""},
                {"rice/a/b/c.txt", "deep\n"},
                {"trees/page.html", noise(150'000, 2)},
                {"catalog.json", "{}\n"}};
    }

    TempFolder temp_;
    env::os::SystemClock clock_;
    env::os::SystemRandom random_;
    env::os::ThreadOffload offload_{2};
    env::World world_{clock_, random_, offload_};
    std::unique_ptr<env::os::PosixDisk> hub_disk_, east_disk_, stick_, source_, target_;
    std::unique_ptr<site::Site> hub_, east_;
};

Files below(const Files& files, const std::string& prefix) {
    Files inner;
    for (const auto& [path, content] : files)
        if (path.starts_with(prefix)) inner[path.substr(prefix.size())] = content;
    return inner;
}

TEST_F(Road, ALessonArrivesByStickByteForByte) {
    write_files(*source_, courseware());
    const site::PublishReport published = publish(*hub_, *source_);
    EXPECT_EQ(published.courses.size(), 3u);
    EXPECT_EQ(published.skipped_count, 0u);
    const stick::WriteReport written = write_stick(*hub_, *stick_);
    EXPECT_GT(written.chunks, 5u);
    const stick::ReadReport read = read_stick(*east_, *stick_);
    EXPECT_EQ(read.completed, (std::vector<std::string>{"loose-files", "rice", "trees"}));
    EXPECT_EQ(read.damaged_count, 0u);
    EXPECT_TRUE(read.refused.empty()) << read.refused.front().reason.text();
    EXPECT_EQ(checkout(*east_, "rice", *target_), below(courseware(), "rice/"));
}

TEST_F(Road, ReadingOrWritingAgainMovesNothing) {
    write_files(*source_, courseware());
    publish(*hub_, *source_);
    write_stick(*hub_, *stick_);
    EXPECT_EQ(write_stick(*hub_, *stick_).payload_bytes, 0u);
    read_stick(*east_, *stick_);
    EXPECT_EQ(read_stick(*east_, *stick_).chunks, 0u);
    for (const site::PublishedCourse& course : publish(*hub_, *source_).courses)
        EXPECT_TRUE(course.unchanged);
}

TEST_F(Road, ASecondEditionMovesOnlyItsDelta) {
    Files files = courseware();
    write_files(*source_, files);
    publish(*hub_, *source_);
    write_stick(*hub_, *stick_);
    read_stick(*east_, *stick_);
    const stick::ReadReport home = read_stick(*hub_, *stick_);
    EXPECT_EQ(home.haves, 1u);
    EXPECT_GE(home.receipts, 1u);

    files["rice/film.mp4"].replace(400'000, 10, "0123456789");
    files["rice/视频/第一课.txt"] += "more\n";
    write_files(*source_, files);
    publish(*hub_, *source_);
    const stick::WriteReport delta = write_stick(*hub_, *stick_);
    EXPECT_LT(delta.payload_bytes, 30'000u);
    EXPECT_GE(delta.volumes_removed, 1u);
    read_stick(*east_, *stick_);
    EXPECT_EQ(checkout(*east_, "rice", *target_), below(files, "rice/"));
}

TEST_F(Road, AnEditionWaitsForItsReviews) {
    write_files(*source_, courseware());
    const site::PublishReport published = publish(*hub_, *source_, 1);
    for (const site::PublishedCourse& course : published.courses) EXPECT_FALSE(course.is_current);
    write_stick(*hub_, *stick_);
    EXPECT_TRUE(read_stick(*east_, *stick_).completed.empty());
    EXPECT_EQ(must(east_->why("rice")).state, site::WhyState::kWaitingForReviews);
    NoProgress silent;
    EXPECT_EQ(east_->checkout("rice", *target_, "out", silent).error().code, ErrorCode::kRefused);

    const catalogue::Review review =
        must(hub_->review_of("rice", catalogue::Verdict::kApprove, catalogue::ReviewRole::kContent));
    EXPECT_TRUE(must(hub_->sign_review(review, must(hub_->own_reviewer_key()))));
    write_stick(*hub_, *stick_);
    EXPECT_EQ(read_stick(*east_, *stick_).completed, std::vector<std::string>{"rice"});
}

TEST_F(Road, SubscriptionsDecideWhatIsTaken) {
    write_files(*source_, courseware());
    publish(*hub_, *source_);
    must(east_->unsubscribe({"all", ""}));
    must(east_->subscribe({"theme", "farming"}));
    write_stick(*hub_, *stick_);
    EXPECT_EQ(read_stick(*east_, *stick_).completed, std::vector<std::string>{"rice"});
    EXPECT_EQ(must(east_->why("trees")).state, site::WhyState::kNotSubscribed);
}

TEST_F(Road, ADamagedStickIsUsedInTheRestAndMendedByTheNext) {
    write_files(*source_, courseware());
    publish(*hub_, *source_);
    write_stick(*hub_, *stick_);
    const std::string folder = stick::site_folder(hub_->self().id);
    const std::string volume = stick::volume_path(folder, must(stick::list_volumes(*stick_, folder)).back());
    ByteBuffer whole;
    {
        auto file = must(stick_->open(volume, env::OpenMode::kWrite));
        whole.resize(must(file->size()));
        must(file->read_at(0, whole));
        must(file->write_at(whole.size() / 2, bytes_of("damage")));
    }
    const stick::ReadReport read = read_stick(*east_, *stick_);
    EXPECT_EQ(read.damaged_count, 1u);
    EXPECT_GT(read.chunks, 3u);
    {
        auto file = must(stick_->open(volume, env::OpenMode::kWrite));
        must(file->write_at(0, whole));
    }
    read_stick(*east_, *stick_);
    EXPECT_EQ(checkout(*east_, "rice", *target_), below(courseware(), "rice/"));
}

TEST_F(Road, AStickOfAForgerChangesNothing) {
    write_files(*source_, courseware());
    auto forger_disk = folder("forger");
    auto forger = found_hub(*forger_disk, world_);
    publish(*forger, *source_);
    write_stick(*forger, *stick_);
    const stick::ReadReport read = read_stick(*east_, *stick_);
    EXPECT_EQ(read.foreign_folders, 1u);
    EXPECT_EQ(read.chunks + read.commits, 0u);
    EXPECT_EQ(must(east_->status()).courses, 0u);
}

TEST_F(Road, AGrantCountsOnceAndOnlyForItsBox) {
    auto west_disk = folder("west");
    auto other_disk = folder("other");
    const std::string request = must(site::Site::request_to_join(*west_disk, world_, "west"));
    EXPECT_EQ(must(site::Site::request_to_join(*west_disk, world_, "west")), request);
    const std::string grant = must(hub_->enrol(request, {}));
    EXPECT_EQ(must(hub_->enrol(request, {})), grant);
    must(site::Site::request_to_join(*other_disk, world_, "other"));
    const auto code = [&](env::Disk& disk, const std::string& text, const std::optional<std::string>& words) {
        const auto joined = site::Site::join(disk, world_, text, words);
        return joined.has_value() ? ErrorCode::kFailed : joined.error().code;
    };
    EXPECT_EQ(code(*other_disk, grant, std::nullopt), ErrorCode::kRefused);
    EXPECT_EQ(code(*west_disk, grant, "babab-babab-babab-babab-babab"), ErrorCode::kRefused);
    const std::string words = trust::words_of(trust::fingerprint_of_text(grant));
    must(site::Site::join(*west_disk, world_, grant, words));
    EXPECT_EQ(code(*west_disk, grant, words), ErrorCode::kRefused);
}

TEST_F(Road, LinksAndDevicesAreNamedNotFollowed) {
    write_files(*source_, courseware());
    std::filesystem::create_symlink("/etc/passwd", temp_.path() + "/source/rice/outside");
    const site::PublishReport published = publish(*hub_, *source_);
    ASSERT_EQ(published.skipped_count, 1u);
    EXPECT_EQ(published.skipped.front().path, "rice/outside");
}

TEST_F(Road, ARevokedSiteIsNotHeardAnyMore) {
    write_files(*source_, courseware());
    publish(*hub_, *source_);
    write_stick(*hub_, *stick_);
    read_stick(*east_, *stick_);
    must(hub_->revoke_site("east"));
    const stick::ReadReport home = read_stick(*hub_, *stick_);
    EXPECT_EQ(home.haves, 0u);
    ASSERT_FALSE(home.refused.empty());
    EXPECT_EQ(home.refused.front().code, ErrorCode::kRefused);
}

}  // namespace
}  // namespace satchel
