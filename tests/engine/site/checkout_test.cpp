// A checkout that finds something of an earlier one.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "engine/base/encoding.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimWorld;

constexpr site::CheckoutLimits kSmallBatches{.batch_bytes = 300'000, .batch_files = 3};

class Checkout : public testing::Test {
  protected:
    void SetUp() override {
        world_.clock.set_wall(1'750'000'000'000);
        hub_ = found_hub(hub_disk_, world_.world());
        const std::string twice = noise(700'000, 9);
        files_ = {{"a.txt", "short"},
                  {"course.json", "{}"},
                  {"films/1.mp4", noise(1'500'000, 1)},
                  {"films/2.mp4", noise(600'000, 2)},
                  {"films/3.mp4", noise(2'000'000, 3)},
                  {"films/4.mp4", noise(900'000, 4)},
                  {"films/5.mp4", twice + std::string(3'000'000, '\0') + twice},
                  {"films/empty.mp4", ""},
                  {"slides/1.html", "<p>one</p>"},
                  {"slides/2.html", "<p>two</p>"},
                  {"slides/3.html", "<p>one</p>"}};
        SimDisk source;
        write_files(source, files_);
        course_ = publish(*hub_, source).courses.front().edition.course;
    }

    site::CheckoutReport check_out(const std::string& folder = "out") {
        NoProgress silent;
        return must(hub_->checkout(course_, *target_, folder, silent, kSmallBatches));
    }

    Files checked_out() {
        Files files;
        for (const auto& [path, content] : files_)
            files[path] = std::string(text_of(must(env::read_file(*target_, "out/" + path, 1 << 24))));
        return files;
    }

    // Their order is nobody's business.
    std::set<std::string> sums() {
        const ByteBuffer bytes = must(env::read_file(*target_, "out.b2sums", 1 << 20));
        std::istringstream lines{std::string(text_of(bytes))};
        std::set<std::string> sums;
        for (std::string line; std::getline(lines, line);)
            if (!line.starts_with("# ")) sums.insert(line);
        return sums;
    }

    SimWorld world_;
    SimDisk hub_disk_;
    std::unique_ptr<SimDisk> target_ = std::make_unique<SimDisk>();
    std::unique_ptr<site::Site> hub_;
    std::string course_;
    Files files_;
};

TEST_F(Checkout, WritesAllFilesAndTheirSums) {
    const site::CheckoutReport report = check_out();
    EXPECT_EQ(report.files, files_.size());
    EXPECT_EQ(report.files_kept, 0u);
    EXPECT_EQ(checked_out(), files_);
    std::set<std::string> expected;
    for (const auto& [path, content] : files_)
        expected.insert(to_hex(hash_of(bytes_of(content))) + "  out/" + path);
    EXPECT_EQ(sums(), expected);
    EXPECT_EQ(target_->stat("out.satchel-part").error().code, ErrorCode::kNotFound);
}

TEST_F(Checkout, KeepsWhatIsThere) {
    check_out();
    const std::set<std::string> before = sums();
    must(target_->remove_file("out/films/2.mp4"));
    const site::CheckoutReport report = check_out();
    EXPECT_EQ(report.files, files_.size());
    EXPECT_EQ(report.files_kept, files_.size() - 1);
    EXPECT_EQ(report.bytes_written, files_["films/2.mp4"].size());
    EXPECT_EQ(checked_out(), files_);
    EXPECT_EQ(sums(), before);
}

TEST_F(Checkout, WritesAnewWhatIsOfTheSameLengthOnly) {
    check_out();
    const std::set<std::string> before = sums();
    for (const char* path : {"out/films/3.mp4", "out/slides/2.html"}) {
        const auto file = must(target_->open(path, env::OpenMode::kWrite));
        const std::uint64_t size = must(file->size());
        must(file->write_at(size - 1, bytes_of("?")));
    }
    const site::CheckoutReport report = check_out();
    EXPECT_EQ(report.files_kept, files_.size() - 2);
    EXPECT_EQ(checked_out(), files_);
    EXPECT_EQ(sums(), before);
}

// Wherever it stops, the next one ends the same, and writes nothing twice that was there.
TEST_F(Checkout, GoesOnWhereItStopped) {
    SimDisk untouched;
    NoProgress silent;
    must(hub_->checkout(course_, untouched, "out", silent, kSmallBatches));
    const std::uint64_t operations = untouched.operations();
    std::uint64_t total = 0;
    for (const auto& [path, content] : files_) total += content.size();
    for (std::uint64_t stop = 1; stop < operations; stop += 1 + operations / 60) {
        target_ = std::make_unique<SimDisk>();
        target_->set_crash_after(stop);
        EXPECT_FALSE(hub_->checkout(course_, *target_, "out", silent, kSmallBatches).has_value());
        const std::string seen = "stopped after " + std::to_string(stop);
        target_ = std::make_unique<SimDisk>(
            target_->options(),
            simulations::Tree(target_->tree()));  // as after a kill: what was written is seen
        std::uint64_t there = 0;
        for (const char* folder : {"out.satchel-part", "out", "out/films", "out/slides"}) {
            const auto entries = target_->list(folder);
            if (!entries.has_value()) continue;
            for (const env::EntryInfo& entry : *entries)
                there += entry.kind == env::EntryKind::kFile ? entry.size : 0;
        }
        EXPECT_EQ(check_out().bytes_written, total - there) << seen;
        EXPECT_EQ(checked_out(), files_) << seen;
        EXPECT_EQ(target_->stat("out.satchel-part").error().code, ErrorCode::kNotFound) << seen;
    }
}

TEST_F(Checkout, WritesOverPartsOfAnotherEdition) {
    must(target_->make_directory("out.satchel-part"));
    for (const char* name : {"1", "2", "3", "99"}) {
        const auto part =
            must(target_->open("out.satchel-part/" + std::string(name), env::OpenMode::kCreateNew));
        must(part->write_at(0, bytes_of(noise(3'000'000, 77))));
    }
    check_out();
    EXPECT_EQ(checked_out(), files_);
    EXPECT_EQ(target_->stat("out.satchel-part").error().code, ErrorCode::kNotFound);
}

TEST_F(Checkout, LeavesOutOneOfTwoNamesThatTheTargetTakesForTheSame) {
    files_["films/1.MP4"] = noise(1'500'000, 11);
    SimDisk source;
    write_files(source, files_);
    publish(*hub_, source);
    target_ =
        std::make_unique<SimDisk>(simulations::SimDiskOptions{.profile = simulations::SimDiskOptions::kFat});
    const site::CheckoutReport report = check_out();
    ASSERT_EQ(report.skipped_count, 1u);
    EXPECT_EQ(report.skipped.front().path, "films/1.mp4");
    EXPECT_EQ(report.files, files_.size() - 1);
    files_.erase("films/1.mp4");
    EXPECT_EQ(checked_out(), files_);
}

}  // namespace
}  // namespace satchel
