#include "cli/caretaker.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "tests/cli/captured.hpp"
#include "tests/cli/scratch.hpp"

namespace satchel::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kAsOftenAsCanBe = std::numeric_limits<std::uint64_t>::max();

TEST(Caretaker, SpreadsADaysBytesOverTheDay) {
    EXPECT_EQ(Caretaker::pause_for(2'000'000'000) / std::chrono::minutes(1), 49);
    EXPECT_EQ(Caretaker::pause_for(1), std::chrono::hours(24));
    EXPECT_EQ(Caretaker::pause_for(kAsOftenAsCanBe), milliseconds(1));
}

// A site whose only course has a bit turned in its one chunk.
class DamagedSite {
  public:
    DamagedSite() {
        run_in(folder_.path(), {"init", "hub", "--network", "N"});
        folder_.write("film/course.json", R"({"id": "film", "title": {"en": "x"}})");
        std::string bytes(100'000, 'x');
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i % 251);
        folder_.write("film/film.bin", bytes);
        EXPECT_EQ(run_in(folder_.path(), {"--site", "hub", "publish", "film"}).code, kExitDone);
        std::fstream pack(folder_ / "hub/packs/00000001.pack",
                          std::ios::in | std::ios::out | std::ios::binary);
        pack.seekp(1000);
        pack.put('!');
    }
    std::unique_ptr<LocalService> open(BoxWorld& world) {
        return std::move(*LocalService::open(folder_ / "hub", world));
    }

  private:
    ScratchFolder folder_;
};

class Heard {
  public:
    CareNews news() {
        return {.found = [this](const store::Damage&) { ++found; },
                .lost = [this](const site::Loss&) { ++lost; },
                .failed = [this](const Error&) { ++failed; }};
    }
    std::atomic<int> found = 0, lost = 0, failed = 0;
};

TEST(Caretaker, TellsWhatItFindsAndGivesItUpOnce) {
    DamagedSite site;
    BoxWorld world;
    const std::unique_ptr<LocalService> service = site.open(world);
    Heard heard;
    {
        const Caretaker caretaker(*service, kAsOftenAsCanBe, heard.news());
        for (int tries = 0; heard.lost == 0 && tries < 1000; ++tries)
            std::this_thread::sleep_for(milliseconds(10));
        std::this_thread::sleep_for(milliseconds(50));
    }
    EXPECT_GE(heard.found, 1);
    EXPECT_EQ(heard.lost, 1);
    EXPECT_EQ(heard.failed, 0);
}

TEST(Caretaker, OfNoBytesADayLooksAtNothing) {
    DamagedSite site;
    BoxWorld world;
    const std::unique_ptr<LocalService> service = site.open(world);
    Heard heard;
    {
        const Caretaker caretaker(*service, 0, heard.news());
        std::this_thread::sleep_for(milliseconds(100));
    }
    EXPECT_EQ(heard.found + heard.lost + heard.failed, 0);
}

TEST(Caretaker, StopsWhereverItIs) {
    DamagedSite site;
    BoxWorld world;
    const std::unique_ptr<LocalService> service = site.open(world);
    Heard heard;
    for (int pause_us = 0; pause_us < 6000; pause_us += 300) {
        const Caretaker caretaker(*service, kAsOftenAsCanBe, heard.news());
        std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
    }
    EXPECT_EQ(heard.failed, 0);
}

}  // namespace
}  // namespace satchel::cli
