// A village whose power is cut while it checks a course out to a disk of its own, and to a stick.
#include <gtest/gtest.h>

#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::Tree;

constexpr site::CheckoutLimits kSmallBatches{.batch_bytes = 20'000, .batch_files = 2};

enum class Over { kNothing, kEdition1 };  // then some files are there, some differ and some are new

// Edition 2 of all courses.
class Checkout : public CrashCase {
  public:
    Checkout(std::string name, SimDiskOptions target, Over over) : name_(std::move(name)), target_(target) {
        FixedWorld world(40);
        const auto before = disk_of(crash_county().hub_before);
        const auto site = must(site::Site::open(*before, world.world()));
        courses_ = courses_of(*site);
        SimDisk old_target(target_);
        if (over == Over::kEdition1) check_out(*site, old_target);
        first_ = files_below(old_target, "");
        old_ = old_target.tree();
        SimDisk hub(SimDiskOptions(), crash_county().hub_after);
        const auto now = must(site::Site::open(hub, world.world()));
        review_everything(*now);
        const auto other_target = disk_of(old_, target_);
        check_out(*now, *other_target);
        second_ = files_below(*other_target, "");
        hub_ = hub.tree();
        require(first_ != second_, "the editions do not differ");
    }

    [[nodiscard]] std::string name() const override { return name_; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box, target = target_;
        box.syncs_are_lies = target.syncs_are_lies = syncs_are_lies;
        return {disk_of(hub_, box), disk_of(old_, target)};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(41);
        check_out(*must(site::Site::open(*disks.box, world.world())), *disks.stick);
        acknowledged();
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        const bool is_fat = target_.profile == SimDiskOptions::kFat;
        for (const auto& [path, content] : files_below(*found.stick, "")) {
            if (path.find(".satchel-part/") != std::string::npos || path.ends_with(".b2sums")) continue;
            const bool is_emptied = is_fat && content.empty();  // no rename on FAT is proof against that
            require(is_emptied || is_of(first_, path, content) || is_of(second_, path, content),
                    path + " is neither the old file nor the new one");
        }
        if (acknowledgements > 0) require_whole(*found.stick);
        FixedWorld world(42);
        check_out(*must(site::Site::open(*found.box, world.world())), *found.stick);
        require_whole(*found.stick);
    }

  private:
    static std::vector<std::string> courses_of(site::Site& site) {
        std::vector<std::string> courses;
        must(site.for_each_course([&](const site::CourseState& course) -> Result<void> {
            if (course.has_current) courses.push_back(course.edition.edition.course);
            return {};
        }));
        return courses;
    }

    void check_out(site::Site& site, SimDisk& target) const {
        NoProgress silent;
        for (const std::string& course : courses_)
            must(site.checkout(course, target, course, silent, kSmallBatches));
    }

    static bool is_of(const Files& files, const std::string& path, const std::string& content) {
        const auto file = files.find(path);
        return file != files.end() && file->second == content;
    }

    void require_whole(SimDisk& target) const {
        const Files files = files_below(target, "");
        for (const auto& [path, content] : second_)
            require(is_of(files, path, content), "after the checkout " + path + " is not as published");
        for (const auto& [path, content] : files)
            require(path.find(".satchel-part/") == std::string::npos, "a part is left: " + path);
    }

    const std::string name_;
    const SimDiskOptions target_;
    std::vector<std::string> courses_;
    Tree hub_, old_;
    Files first_, second_;  // and their sums
};

void explore_all(Checkout& work, std::size_t share) {
    // Few writes have few outcomes: asked for twice as many, it finds enough.
    const Explored explored = explore(work, options_for(2 * crash_states_wanted() / share));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, crash_states_wanted() / share);
}

TEST(CheckoutCrash, ANameHoldsAWholeFileAndTheNextOneFinishes) {
    Checkout work("checkout", SimDiskOptions(), Over::kNothing);
    explore_all(work, 24);
}

TEST(CheckoutCrash, ANameHoldsTheOldFileOrTheNewOne) {
    Checkout work("checkout over another", SimDiskOptions(), Over::kEdition1);
    explore_all(work, 24);
}

TEST(CheckoutCrash, ANameHoldsAWholeFileOnAStickToo) {
    Checkout work("checkout to a stick", fat_options(), Over::kNothing);
    explore_all(work, 24);
}

TEST(CheckoutCrash, IsCaughtWhenSyncsAreLies) {
    Checkout work("checkout", SimDiskOptions(), Over::kNothing);
    const Explored explored = explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true});
    print_table_row(explored);
    EXPECT_GT(explored.violations, 0u);
}

}  // namespace
}  // namespace satchel
