// Whatever the road: catalogues only go forward, and sites that have read the same end equal.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>

#include "engine/exchange/haves.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/random_courseware.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

constexpr std::size_t kHub = 0;
constexpr std::size_t kSites = 3;
constexpr std::size_t kSticks = 3;

class Traffic {
  public:
    Traffic() {
        const std::array<const simulations::Tree*, kSites> trees = {
            &crash_county().hub_founded, &crash_county().east_joined, &crash_county().west};
        for (std::size_t i = 0; i < kSites; ++i) {
            disks_[i] = disk_of(*trees[i]);
            sites_[i] = must(site::Site::open(*disks_[i], worlds_[i].world()));
            pictures_[i] = picture_of(*sites_[i]);
        }
        for (auto& stick_disk : sticks_) {
            stick_disk = std::make_unique<SimDisk>(fat_options());
            write_stick(*sites_[kHub], *stick_disk);
        }
    }

    void publish_edit() {
        files_ = files_.empty() ? *gen_courseware() : edit_at_random(files_);
        SimDisk folder;
        write_files(folder, files_);
        publish(*sites_[kHub], folder, 1);
        if (*rc::gen::inRange(0, 3) > 0) review_everything(*sites_[kHub]);
        require_forward(kHub);
    }

    void write(std::size_t site, std::size_t stick) { write_stick(*sites_[site], *sticks_[stick]); }

    void read(std::size_t site, std::size_t stick) {
        const stick::ReadReport report = read_stick(*sites_[site], *sticks_[stick]);
        require_nothing_refused(report);
        require(report.damaged_count == 0, "a whole stick is called damaged");
        require_forward(site);
    }

    void one_of_many_things() {
        const auto site = *rc::gen::inRange<std::size_t>(0, kSites);
        const auto stick = *rc::gen::inRange<std::size_t>(0, kSticks);
        switch (*rc::gen::inRange(0, 6)) {
            case 0:
                return publish_edit();
            case 1:
                return write(kHub, stick);
            case 2:
                return write(site, stick);
            default:
                return read(site, stick);
        }
    }

    // Each village reads every stick, in an order of its own, some of them more than once.
    void read_all_in_any_order(std::size_t site) {
        std::vector<std::size_t> order = {0, 1, 2};
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);
        for (const std::size_t stick : order) {
            read(site, stick);
            if (*rc::gen::inRange(0, 4) == 0) read(site, stick);
        }
    }

    [[nodiscard]] site::Site& site(std::size_t number) const { return *sites_[number]; }

  private:
    // No head, root, review or site that was once known is ever unknown again.
    void require_forward(std::size_t number) {
        require_kept(*sites_[number], {pictures_[number], {}});
        pictures_[number] = picture_of(*sites_[number]);
    }

    std::array<FixedWorld, kSites> worlds_{FixedWorld(60), FixedWorld(61), FixedWorld(62)};
    std::array<std::unique_ptr<SimDisk>, kSites> disks_;
    std::array<std::unique_ptr<SimDisk>, kSticks> sticks_;
    std::array<std::unique_ptr<site::Site>, kSites> sites_;
    std::array<Picture, kSites> pictures_;
    Files files_;
};

RC_GTEST_PROP(County, EndsEqualAfterAnyTraffic, ()) {
    Traffic traffic;
    traffic.publish_edit();
    for (int left = *rc::gen::inRange(0, 10); left > 0; --left) traffic.one_of_many_things();

    // Then every stick comes by the hub once more, and every village reads every stick.
    for (std::size_t stick = 0; stick < kSticks; ++stick) {
        traffic.read(kHub, stick);
        traffic.write(kHub, stick);
    }
    traffic.read_all_in_any_order(1);
    traffic.read_all_in_any_order(2);
    const std::string at_hub = support::text_of(picture_of(traffic.site(kHub)));
    RC_ASSERT(support::text_of(picture_of(traffic.site(1))) == at_hub);
    RC_ASSERT(support::text_of(picture_of(traffic.site(2))) == at_hub);
    RC_ASSERT(checkouts(traffic.site(1)) == checkouts(traffic.site(kHub)));
    RC_ASSERT(checkouts(traffic.site(2)) == checkouts(traffic.site(kHub)));

    // And the hub knows it: what the villages say of themselves is what they are.
    traffic.read_all_in_any_order(kHub);
    for (const std::size_t village : {std::size_t{1}, std::size_t{2}}) {
        const auto have =
            must(exchange::peer_have(traffic.site(kHub).replica(), traffic.site(village).self().id));
        RC_ASSERT(have.has_value());
        RC_ASSERT(have->heads == must(traffic.site(kHub).catalogue().heads()));
        must(traffic.site(kHub).for_each_course([&](const site::CourseState& course) -> Result<void> {
            if (!course.has_current) return {};
            const auto mark = exchange::mark_of(course.edition.edition.manifest);
            require(std::binary_search(have->complete.begin(), have->complete.end(), mark),
                    "the hub does not know that " + course.edition.edition.course + " arrived");
            return {};
        }));
        require_sound(traffic.site(village));
    }
}

}  // namespace
}  // namespace satchel
