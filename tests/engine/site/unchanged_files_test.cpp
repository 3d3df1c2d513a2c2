// Files that look as they did when they were last read are not read again; all others are. And small files
// that come under another name, or come back, store nothing.
#include <gtest/gtest.h>

#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

// A folder of courseware that tells which of its files were opened.
class WatchedFolder : public env::Disk {
  public:
    explicit WatchedFolder(SimDisk& disk) : disk_(disk) {}
    std::vector<std::string> opened;

    Result<std::unique_ptr<env::File>> open(std::string_view path, env::OpenMode mode) override {
        opened.emplace_back(path);
        return disk_.open(path, mode);
    }
    Result<env::EntryInfo> stat(std::string_view path) override { return disk_.stat(path); }
    Result<std::vector<env::EntryInfo>> list(std::string_view path) override { return disk_.list(path); }
    Result<void> make_directory(std::string_view path) override { return disk_.make_directory(path); }
    Result<void> remove_file(std::string_view path) override { return disk_.remove_file(path); }
    Result<void> remove_directory(std::string_view path) override { return disk_.remove_directory(path); }
    Result<void> rename(std::string_view from, std::string_view to) override {
        return disk_.rename(from, to);
    }
    Result<void> sync_directory(std::string_view path) override { return disk_.sync_directory(path); }
    Result<void> begin_sync_all() override { return disk_.begin_sync_all(); }
    Result<void> end_sync_all() override { return disk_.end_sync_all(); }
    Result<void> set_directory_attributes(std::string_view path, env::Attributes attributes) override {
        return disk_.set_directory_attributes(path, attributes);
    }
    Result<env::Space> space() override { return disk_.space(); }
    [[nodiscard]] std::string describe(std::string_view path) const override { return disk_.describe(path); }

  private:
    SimDisk& disk_;
};

class UnchangedFiles : public testing::Test {
  protected:
    void SetUp() override {
        world_.clock.set_wall(1'750'000'000'000);
        hub_ = found_hub(hub_disk_, world_.world());
        write_files(source_, files_);
    }

    // Which files were read, in order.
    std::vector<std::string> publish_again(bool reread = false) {
        WatchedFolder folder(source_);
        NoProgress silent;
        site::PublishOptions options;
        options.reread = reread;
        chunks_ = 0;
        for (const site::PublishedCourse& course :
             must(hub_->publish(folder, "courseware", options, silent)).courses)
            chunks_ += course.new_chunks;
        return folder.opened;
    }
    std::uint64_t chunks_of_publish() {
        publish_again();
        return chunks_;
    }
    void expect_all_readable() {
        for (const auto& [path, content] : files_in(source_, "rice")) {
            std::string read;
            must(hub_->read_file("rice", path, 0, content.size(), [&](ByteView bytes) -> Result<void> {
                read += text_of(bytes);
                return {};
            }));
            EXPECT_EQ(read, content) << path;
        }
    }
    // In place, with the time of modification put back.
    void overwrite(const std::string& path, const std::string& content) {
        const std::unique_ptr<env::File> file = must(source_.open(path, env::OpenMode::kWrite));
        const std::int64_t mtime = must(source_.stat(path)).mtime_ns;
        must(file->write_at(0, bytes_of(content)));
        must(file->set_mtime(mtime));
    }

    const Files files_ = {{"rice/a.txt", "first\n"},
                          {"rice/b/film.bin", noise(200'000, 1)},
                          {"rice/c.txt", "second\n"},
                          {"rice/d.txt", "third\n"}};
    SimDisk hub_disk_;
    SimDisk source_;
    simulations::SimWorld world_;
    std::unique_ptr<site::Site> hub_;
    std::uint64_t chunks_ = 0;
};

TEST_F(UnchangedFiles, AreReadOnceAndNeverAgain) {
    EXPECT_EQ(publish_again().size(), 4u);
    EXPECT_TRUE(publish_again().empty());
    expect_all_readable();
}

TEST_F(UnchangedFiles, AreAllReadWhenThatIsAskedFor) {
    publish_again();
    EXPECT_EQ(publish_again(true).size(), 4u);
    EXPECT_TRUE(publish_again().empty());
}

TEST_F(UnchangedFiles, DoNotHideAChangeBehindTheSameSizeAndTime) {
    publish_again();
    overwrite("rice/c.txt", "Second\n");
    EXPECT_EQ(publish_again(), std::vector<std::string>{"rice/c.txt"});
    overwrite("rice/b/film.bin", "x");
    EXPECT_EQ(publish_again(), std::vector<std::string>{"rice/b/film.bin"});
    EXPECT_TRUE(publish_again().empty());
    expect_all_readable();
}

TEST_F(UnchangedFiles, AreReadWhenTheyMayHaveChangedWhileTheyWereRead) {
    world_.clock.set_wall(3000);  // within two steps of a file system's time
    publish_again();
    EXPECT_EQ(publish_again().size(), 4u);
    world_.clock.set_wall(5000);
    EXPECT_EQ(publish_again().size(), 4u);
    EXPECT_TRUE(publish_again().empty());
}

TEST_F(UnchangedFiles, AreReadWhenAnotherFileTookTheirName) {
    publish_again();
    must(source_.rename("rice/a.txt", "rice/e.txt"));
    must(source_.rename("rice/d.txt", "rice/a.txt"));
    EXPECT_EQ(publish_again(), (std::vector<std::string>{"rice/a.txt", "rice/e.txt"}));
    EXPECT_EQ(chunks_, 0u);
    expect_all_readable();
}

TEST_F(UnchangedFiles, AreReadAndStoredAgainWhenWhatTheyWereMadeOfWasForgotten) {
    publish_again();
    must(hub_->for_each_file("rice", [&](const store::ManifestEntry& entry) -> Result<void> {
        if (const auto* extent = std::get_if<store::Extent>(&entry.content))
            return hub_->store().forget(extent->chunk);
        return {};
    }));
    must(hub_->database().run("DELETE FROM holding"));
    EXPECT_EQ(publish_again().size(), 4u);
    expect_all_readable();
}

TEST_F(UnchangedFiles, AreReadWhenTheCacheIsGone) {
    publish_again();
    for (const env::EntryInfo& entry : must(hub_disk_.list("seen")))
        must(hub_disk_.remove_file("seen/" + entry.name));
    EXPECT_EQ(publish_again().size(), 4u);
    EXPECT_EQ(chunks_, 0u);
    EXPECT_TRUE(publish_again().empty());
}

TEST_F(UnchangedFiles, SmallOnesTogetherAreOneChunk) {
    Files many;
    for (int i = 0; i < 200; ++i)
        many["rice/pages/" + std::to_string(1000 + i)] = "page " + std::to_string(i) + noise(100, 9);
    write_files(source_, many);
    publish_again();
    std::map<ChunkId, int> bags;
    must(hub_->for_each_file("rice", [&](const store::ManifestEntry& entry) -> Result<void> {
        if (const auto* extent = std::get_if<store::Extent>(&entry.content)) bags[extent->chunk] += 1;
        return {};
    }));
    EXPECT_EQ(bags.size(), 1u);
    expect_all_readable();
}

// Renamed, moved, copied, swapped, put back, and gone for an edition.
TEST_F(UnchangedFiles, SmallOnesUnderOtherNamesStoreNothing) {
    publish_again();
    must(source_.rename("rice/a.txt", "rice/z.txt"));
    EXPECT_EQ(chunks_of_publish(), 0u);
    write_files(source_, {{"trees/copy.txt", "first\n"}, {"rice/copy.txt", "third\n"}});
    EXPECT_EQ(chunks_of_publish(), 0u);
    write_files(source_, {{"rice/c.txt", "third\n"}, {"rice/d.txt", "second\n"}});
    EXPECT_EQ(chunks_of_publish(), 0u);
    write_files(source_, {{"rice/c.txt", "a new text\n"}});
    EXPECT_EQ(chunks_of_publish(), 1u);
    write_files(source_, {{"rice/c.txt", "second\n"}});
    EXPECT_EQ(chunks_of_publish(), 0u);
    must(source_.remove_file("rice/c.txt"));
    must(source_.remove_file("rice/d.txt"));
    EXPECT_EQ(chunks_of_publish(), 0u);
    write_files(source_, {{"rice/d.txt", "second\n"}, {"rice/new/name.txt", "a new text\n"}});
    EXPECT_EQ(chunks_of_publish(), 0u);
    expect_all_readable();
}

TEST_F(UnchangedFiles, SmallOnesThatAreTwiceAreStoredOnce) {
    write_files(source_, {{"rice/e.txt", noise(20'000, 4)}, {"rice/f.txt", noise(20'000, 4)}});
    publish_again();
    std::vector<store::FileContent> contents;
    must(hub_->for_each_file("rice", [&](const store::ManifestEntry& entry) -> Result<void> {
        if (entry.size == 20'000) contents.push_back(entry.content);
        return {};
    }));
    ASSERT_EQ(contents.size(), 2u);
    EXPECT_EQ(contents[0], contents[1]);
}

// One byte of a larger small file: a literal and a recipe, as of any file.
TEST_F(UnchangedFiles, AChangedSmallOneStoresWhatIsNew) {
    std::string text = noise(30'000, 5);
    write_files(source_, {{"rice/text.bin", text}});
    publish_again();
    text[15'000] = static_cast<char>(text[15'000] ^ 1);
    write_files(source_, {{"rice/text.bin", text}});
    WatchedFolder folder(source_);
    NoProgress silent;
    std::uint64_t stored = 0;
    for (const site::PublishedCourse& course : must(hub_->publish(folder, "courseware", {}, silent)).courses)
        stored += course.new_stored_bytes;
    EXPECT_LE(stored, 64u);
    expect_all_readable();
}

}  // namespace
}  // namespace satchel
