// A box whose disk is full: it publishes, reads a stick, or checks out, with many different amounts of room
// left.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/env/reserve.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

constexpr std::uint64_t kRoomy = 4'294'967'296;
constexpr std::uint64_t kAmounts = 24;      // between none and what the work leaves on the disk
constexpr std::uint64_t kAmountsMax = 120;  // it may take more for a while

std::uint64_t used_on(SimDisk& disk) { return disk.options().capacity - must(disk.space()).free; }

class Work {
  public:
    virtual ~Work() = default;
    virtual std::unique_ptr<SimDisk> start() = 0;
    virtual Result<void> run(site::Site& site, SimDisk& disk) = 0;
    [[nodiscard]] virtual bool old_editions_may_go() const { return false; }
};

// The courses of which people see a whole edition.
std::set<std::string> shown_whole(site::Site& site) {
    std::set<std::string> courses;
    must(site.for_each_course([&](const site::CourseState& course) -> Result<void> {
        const bool is_whole = course.has_current && (course.complete || course.stand_in);
        if (is_whole) courses.insert(course.edition.edition.course);
        return {};
    }));
    return courses;
}

class Publishing : public Work {
  public:
    std::unique_ptr<SimDisk> start() override { return disk_of(crash_county().hub_before); }
    Result<void> run(site::Site& hub, SimDisk&) override {
        const auto folder = disk_of(crash_county().courseware);
        NoProgress silent;
        site::PublishOptions options;
        options.reviews = 1;
        SATCHEL_TRY(const site::PublishReport report, hub.publish(*folder, "courseware", options, silent));
        require(report.skipped_count == 0, "a file was left out");
        return {};
    }
};

class ReadingAStick : public Work {
  public:
    std::unique_ptr<SimDisk> start() override {
        stick_ = disk_of(crash_county().stick_after, fat_options());
        return disk_of(crash_county().east);
    }
    Result<void> run(site::Site& village, SimDisk&) override {
        NoProgress silent;
        SATCHEL_TRY(const stick::ReadReport report, stick::read_stick(village, *stick_, silent));
        require_nothing_refused(report);
        // What has no room is left on the stick, and `why` says so: for this test that is a full disk.
        if (must(village.waiting_for_room()).empty()) return {};
        return fail(ErrorCode::kNoSpace, "stick", "the disk is full", "make room");
    }

    [[nodiscard]] bool old_editions_may_go() const override { return true; }

  private:
    std::unique_ptr<SimDisk> stick_;
};

// To the site's own disk.
class CheckingOut : public Work {
  public:
    std::unique_ptr<SimDisk> start() override { return disk_of(crash_county().east); }
    Result<void> run(site::Site& village, SimDisk& disk) override {
        NoProgress silent;
        return village.for_each_course([&](const site::CourseState& course) -> Result<void> {
            if (!course.complete || !course.has_current) return {};
            const std::string& name = course.edition.edition.course;
            SATCHEL_TRY(const site::CheckoutReport report,
                        village.checkout(name, disk, "out-" + name, silent));
            require(report.skipped_count == 0, "a file was left out");
            return {};
        });
    }
};

class FullDisk {
  public:
    explicit FullDisk(Work& work) : work_(work) {
        const auto disk = work_.start();
        const std::uint64_t before = used_on(*disk);
        FixedWorld world(60);
        const auto site = must(site::Site::open(*disk, world.world()));
        promise_ = promise_of(*site);
        shown_ = shown_whole(*site);
        must(work_.run(*site, *disk));
        expected_ = picture_of(*site);
        takes_ = used_on(*disk) - before;
    }

    // One amount of room above the reserve after the other, until it is enough. Returns how often it was not.
    int at_every_amount() {
        for (std::uint64_t amount = 0; amount < kAmountsMax; ++amount) {
            const std::uint64_t room = amount * takes_ / kAmounts;
            SCOPED_TRACE(std::to_string(room) + " bytes of room");
            if (!is_full_with(env::kReserveBytes + room, true)) return static_cast<int>(amount);
        }
        ADD_FAILURE() << "never enough room";
        return 0;
    }

    // Returns whether the disk was full. A viewing that must be taken while it is may not be refused.
    bool is_full_with(std::uint64_t room, bool must_record) {
        const auto disk = work_.start();
        FixedWorld world(61);
        must(must(site::Site::open(*disk, world.world()))->set_limits({0, 0, env::kReserveBytes}));
        disk->set_capacity(used_on(*disk) + room);
        auto site = must(site::Site::open(*disk, world.world()));
        const bool full = is_refused(work_.run(*site, *disk));
        const bool recorded = !is_refused(site->records().record({viewing_of(7)}));
        EXPECT_TRUE(recorded || !must_record);
        check(*site, recorded);
        if (must_record) {
            site.reset();
            site = must(site::Site::open(*disk, world.world()));
            check(*site, recorded);
        }
        disk->set_capacity(kRoomy);
        must(work_.run(*site, *disk));  // as an owner does, that met the full disk
        EXPECT_EQ(text_of(picture_of(*site)), text_of(expected_));
        must(site->records().record({viewing_of(8)}));
        EXPECT_EQ(counted_at(*site).size(), recorded ? 2u : 1u);
        require_sound(*site);
        require_records_sound(*site);
        return full;
    }

  private:
    // True if the disk was full, and that is what the person is told; no other failure is borne.
    template <typename T>
    bool is_refused(const Result<T>& result) {
        if (result.has_value()) return false;
        if (result.error().code != ErrorCode::kNoSpace) static_cast<void>(must(Result<T>(result.error())));
        const std::string_view reason = result.error().reason.text();
        EXPECT_TRUE(reason == "the disk is full" || reason == "the disk is as full as this site may make it")
            << reason;
        return true;
    }

    void check(site::Site& site, bool recorded) {
        require_sound(site);
        if (work_.old_editions_may_go()) {
            const std::set<std::string> shown = shown_whole(site);  // what is held can be read: it is sound
            require(std::includes(shown.begin(), shown.end(), shown_.begin(), shown_.end()),
                    "a course shows no whole edition any more");
            require_kept(site, {promise_.picture, {}});
        } else {
            require_kept(site, promise_);
        }
        EXPECT_EQ(counted_at(site).size(), recorded ? 1u : 0u);
    }

    Work& work_;
    Promise promise_;
    std::set<std::string> shown_;
    Picture expected_;
    std::uint64_t takes_ = 0;
};

TEST(FullDisk, StopsPublishingButNoRecord) {
    Publishing work;
    EXPECT_GE(FullDisk(work).at_every_amount(), 1);  // what edition 2 brings is little
}

TEST(FullDisk, StopsReadingAStickButNoRecord) {
    ReadingAStick work;
    EXPECT_GE(FullDisk(work).at_every_amount(), 4);
}

TEST(FullDisk, StopsACheckoutButNoRecord) {
    CheckingOut work;
    EXPECT_GE(FullDisk(work).at_every_amount(), 4);
}

// Then the reserve is gone too: at the least nothing is lost, and nothing counts that was refused.
TEST(FullDisk, FilledByOthersLosesNothing) {
    Publishing publishing;
    ReadingAStick reading;
    for (Work* work : {static_cast<Work*>(&publishing), static_cast<Work*>(&reading)}) {
        FullDisk disk(*work);
        for (const std::uint64_t room : {0u, 4'096u, 20'000u, 60'000u, 200'000u, 1'000'000u}) {
            SCOPED_TRACE(std::to_string(room) + " bytes of room");
            EXPECT_TRUE(disk.is_full_with(room, false));
        }
    }
}

}  // namespace
}  // namespace satchel
