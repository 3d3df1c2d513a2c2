// Whole sites and sticks: what is written arrives, in any order, through damage, full sticks and yanks.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "simulations/world/crash_images.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"
#include "tests/transport/stick/volume_support.hpp"

namespace satchel::stick {
namespace {

using simulations::SimDisk;
using simulations::SimDiskOptions;
using support::Files;
using support::must;
using support::noise;

constexpr SimDiskOptions kFatStick{.profile = SimDiskOptions::kFat};

struct Box {
    std::unique_ptr<SimDisk> disk = std::make_unique<SimDisk>();
    std::unique_ptr<simulations::SimWorld> world;
    std::unique_ptr<site::Site> site;
};

struct County {
    Box hub;
    std::uint64_t seeds = 0;

    explicit County(std::uint64_t seed = 1) : seeds(seed * 1000) {
        hub.world = std::make_unique<simulations::SimWorld>(++seeds);
        hub.site = support::found_hub(*hub.disk, hub.world->world());
    }
    Box village(const std::string& name) {
        Box box;
        box.world = std::make_unique<simulations::SimWorld>(++seeds);
        box.site = support::join_village(*hub.site, *box.disk, box.world->world(), name);
        must(box.site->subscribe({"all", ""}));
        return box;
    }
    void publish(const Files& files) {
        SimDisk folder;
        support::write_files(folder, files);
        support::publish(*hub.site, folder);
    }
};

Files rice(std::uint64_t edition) {
    return {{"rice/lesson.mp4", noise(150'000, 1) + noise(30'000, 100 + edition)},
            {"rice/text/notes.txt", "edition " + std::to_string(edition) + "\n"},
            {"rice/table.bin", noise(60'000, 200 + edition)}};
}

// As a checkout shows it, below the course's folder.
Files contents(const Files& files) {
    Files inside;
    for (const auto& [path, content] : files) inside[path.substr(path.find('/') + 1)] = content;
    return inside;
}

Files checked_out(Box& box, const std::string& course) {
    SimDisk target;
    return support::checkout(*box.site, course, target);
}

std::string only_course(Box& box) {
    std::string course;
    must(box.site->for_each_course([&](const site::CourseState& state) -> Result<void> {
        course = state.edition.edition.course;
        return {};
    }));
    return course;
}

TEST(Carry, AStickBringsACourseToAVillage) {
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk stick(kFatStick);
    const WriteReport written = support::write_stick(*county.hub.site, stick);
    EXPECT_EQ(written.sites, std::vector<std::string>{"upper village"});
    EXPECT_GT(written.chunks, 0U);
    const ReadReport read = support::read_stick(*village.site, stick);
    EXPECT_EQ(read.chunks, written.chunks);
    EXPECT_EQ(read.damaged_count, 0U);
    EXPECT_TRUE(read.refused.empty());
    EXPECT_TRUE(read.answered);
    EXPECT_EQ(read.completed.size(), 1U);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(1)));
}

TEST(Carry, WritingAndReadingAgainChangesNothing) {
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk stick(kFatStick);
    support::write_stick(*county.hub.site, stick);
    const Digest written = simulations::tree_hash(stick.tree());
    EXPECT_EQ(support::write_stick(*county.hub.site, stick).payload_bytes, 0U);
    EXPECT_EQ(simulations::tree_hash(stick.tree()), written);
    support::read_stick(*village.site, stick);
    const Digest answered = simulations::tree_hash(stick.tree());
    const ReadReport again = support::read_stick(*village.site, stick);
    EXPECT_EQ(again.chunks + again.commits + again.haves + again.receipts + again.reviews, 0U);
    EXPECT_EQ(simulations::tree_hash(stick.tree()), answered);
}

TEST(Carry, TheNextEditionMovesOnlyWhatChanged) {
    County county;
    Box village = county.village("upper village");
    SimDisk stick(kFatStick);
    county.publish(rice(1));
    support::write_stick(*county.hub.site, stick);
    support::read_stick(*village.site, stick);
    support::read_stick(*county.hub.site, stick);
    county.publish(rice(2));
    const WriteReport written = support::write_stick(*county.hub.site, stick);
    EXPECT_LT(written.payload_bytes, 150'000U);
    // The village holds what the first volume carried, and the new one says what the hub's answer said.
    EXPECT_EQ(written.volumes_removed, 2U);
    support::read_stick(*village.site, stick);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(2)));
}

// The order of folders on a stick is chance: what one folder needs may stand in a later one.
TEST(Carry, NewsOfASiteCountsInWhateverFolderItStands) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        County county(seed);
        Box first = county.village("first");
        Box second = county.village("second");  // enrolled after the first one's grant was made
        county.publish(rice(1));
        SimDisk stick(kFatStick);
        support::write_stick(*county.hub.site, stick);
        support::read_stick(*second.site, stick);
        const ReadReport read = support::read_stick(*first.site, stick);
        EXPECT_TRUE(read.refused.empty());
        EXPECT_EQ(read.haves, 2U);
        EXPECT_EQ(read.folders, 2U);
    }
}

TEST(Carry, AnswersTakeEachOthersPlace) {
    County county;
    Box village = county.village("upper village");
    SimDisk stick(kFatStick);
    for (std::uint64_t edition = 1; edition <= 3; ++edition) {
        county.publish(rice(edition));
        support::write_stick(*county.hub.site, stick);
        support::read_stick(*village.site, stick);
        EXPECT_EQ(must(list_volumes(stick, site_folder(village.site->self().id))).size(), 1U);
        const std::size_t of_hub = must(list_volumes(stick, site_folder(county.hub.site->self().id))).size();
        const ReadReport back = support::read_stick(*county.hub.site, stick);
        EXPECT_GT(back.haves, 0U);
        EXPECT_GT(back.receipts, 0U);
        EXPECT_LE(must(list_volumes(stick, site_folder(county.hub.site->self().id))).size(), of_hub + 1);
    }
}

TEST(Carry, ReadingAtTheHubLeavesWhatItWroteForOthers) {
    County county;
    Box first = county.village("first");
    Box second = county.village("second");
    county.publish(rice(1));
    SimDisk stick(kFatStick);
    support::write_stick(*county.hub.site, stick);
    support::read_stick(*first.site, stick);
    support::read_stick(*county.hub.site, stick);
    support::read_stick(*second.site, stick);
    EXPECT_EQ(checked_out(second, only_course(second)), contents(rice(1)));
}

TEST(Carry, WritingForOneSiteKeepsWhatTheStickHoldsForAnother) {
    County county;
    Box first = county.village("first");
    Box second = county.village("second");
    SimDisk stick(kFatStick);
    NoProgress silent;
    county.publish(rice(1));
    must(write_stick(*county.hub.site, stick, {.sites = {"first"}}, silent));
    support::read_stick(*first.site, stick);
    support::read_stick(*county.hub.site, stick);
    must(write_stick(*county.hub.site, stick, {.sites = {"first"}}, silent));
    const ReadReport read = support::read_stick(*second.site, stick);
    EXPECT_EQ(read.completed.size(), 1U);
    EXPECT_EQ(checked_out(second, only_course(second)), contents(rice(1)));
}

TEST(Carry, WritingForOneSiteKeepsNewsThatWaitsForAnother) {
    County county;
    Box first = county.village("first");
    Box second = county.village("second");
    SimDisk stick(kFatStick), other(kFatStick);
    NoProgress silent;
    county.publish(rice(1));
    support::write_stick(*county.hub.site, stick);
    support::read_stick(*first.site, stick);
    support::read_stick(*second.site, stick);
    support::read_stick(*county.hub.site, stick);
    Box third = county.village("third");
    must(write_stick(*county.hub.site, stick, {.sites = {"second"}}, silent));
    support::write_stick(*county.hub.site, other);  // tells the first in another way
    support::read_stick(*first.site, other);
    support::read_stick(*county.hub.site, other);
    must(write_stick(*county.hub.site, stick, {.sites = {"first"}}, silent));
    support::read_stick(*second.site, stick);
    EXPECT_EQ(must(second.site->catalogue().heads()), must(county.hub.site->catalogue().heads()));
}

TEST(Carry, StickOfAnotherNetworkIsLeftAlone) {
    County ours(1), theirs(2);
    Box village = ours.village("upper village");
    Box stranger = theirs.village("stranger");
    theirs.publish(rice(7));
    SimDisk stick(kFatStick);
    support::write_stick(*theirs.hub.site, stick);
    const std::string their_folder = site_folder(theirs.hub.site->self().id);
    const Files before = support::files_in(stick, their_folder);
    const ReadReport read = support::read_stick(*village.site, stick);
    EXPECT_EQ(read.foreign_folders, 1U);
    EXPECT_EQ(read.folders, 0U);
    EXPECT_EQ(read.commits + read.chunks + read.haves, 0U);
    ours.publish(rice(1));
    support::write_stick(*ours.hub.site, stick);
    EXPECT_EQ(support::files_in(stick, their_folder), before);
    support::read_stick(*village.site, stick);
    support::read_stick(*stranger.site, stick);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(1)));
    EXPECT_EQ(checked_out(stranger, only_course(stranger)), contents(rice(7)));
}

// Another program's or another site's volume under this site's folder name.
TEST(Carry, AForeignVolumeInItsOwnFolderIsNeitherCountedNorRemoved) {
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk stick(kFatStick);
    const std::string folder = site_folder(county.hub.site->self().id);
    must(env::make_directories(stick, folder));
    const trust::SigningKey other = key_of(9);
    VolumeHeader header = header_of(other);
    header.network = county.hub.site->network();
    const std::string foreign = volume_path(folder, 0xffffffff);
    must(must(VolumeWriter::create(stick, foreign, header, other))->append(record_of(1, 100)));
    const ByteBuffer before = get_file(stick, foreign);
    support::write_stick(*county.hub.site, stick);
    support::write_stick(*county.hub.site, stick);
    EXPECT_EQ(get_file(stick, foreign), before);
    support::read_stick(*village.site, stick);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(1)));
}

TEST(Carry, DamageCostsItsPartAndAnotherWriteMendsIt) {
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk stick(kFatStick);
    const WriteReport written = support::write_stick(*county.hub.site, stick);
    const std::string volume = volume_path(site_folder(county.hub.site->self().id), 1);
    stick.flip_bit(volume, size_of(stick, volume) / 2, 3);
    const ReadReport read = support::read_stick(*village.site, stick);
    EXPECT_EQ(read.damaged_count, 1U);
    ASSERT_EQ(read.damaged.size(), 1U);
    EXPECT_EQ(read.damaged[0].file, stick.describe(volume));
    EXPECT_EQ(read.chunks, written.chunks - 1);
    EXPECT_TRUE(read.completed.empty());
    const WriteReport mended = support::write_stick(*county.hub.site, stick);
    EXPECT_EQ(mended.chunks, 1U);
    EXPECT_EQ(support::read_stick(*village.site, stick).completed.size(), 1U);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(1)));
}

TEST(Carry, ReadsADamagedStickTwiceWithoutANewReceipt) {
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk stick(kFatStick);
    support::write_stick(*county.hub.site, stick);
    const std::string volume = volume_path(site_folder(county.hub.site->self().id), 1);
    stick.flip_bit(volume, size_of(stick, volume) / 2, 3);
    support::read_stick(*village.site, stick);
    const Digest answered = simulations::tree_hash(stick.tree());
    support::read_stick(*village.site, stick);
    EXPECT_EQ(simulations::tree_hash(stick.tree()), answered);
}

TEST(Carry, AStickThatCannotBeWrittenToIsReadAllTheSame) {
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk stick(kFatStick);
    support::write_stick(*county.hub.site, stick);
    for (std::uint64_t number = stick.operations() + 1; number < stick.operations() + 500; ++number)
        stick.fail_operation(number, ErrorCode::kReadOnly);
    const ReadReport read = support::read_stick(*village.site, stick);
    EXPECT_FALSE(read.answered);
    ASSERT_TRUE(read.unanswered.has_value());
    EXPECT_EQ(read.unanswered->code, ErrorCode::kReadOnly);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(1)));
}

TEST(Carry, AFullStickKeepsWhatFittedAndSaysSo) {
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk stick({.profile = SimDiskOptions::kFat, .capacity = 150'000});
    NoProgress silent;
    const Result<WriteReport> written = write_stick(*county.hub.site, stick, {}, silent);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, ErrorCode::kNoSpace);
    const ReadReport read = support::read_stick(*village.site, stick);
    EXPECT_GT(read.chunks, 0U);
    EXPECT_EQ(read.damaged_count, 0U);
    SimDisk second(kFatStick);
    support::write_stick(*county.hub.site, second);
    support::read_stick(*village.site, second);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(1)));
}

TEST(Carry, AStickFullOfWhatNobodyNeedsIsClearedAndWritten) {
    County county;
    Box village = county.village("upper village");
    SimDisk stick({.profile = SimDiskOptions::kFat, .capacity = 420'000});
    county.publish(rice(1));
    support::write_stick(*county.hub.site, stick);
    support::read_stick(*village.site, stick);
    support::read_stick(*county.hub.site, stick);
    county.publish({{"maize/lesson.mp4", noise(230'000, 77)}});
    const WriteReport written = support::write_stick(*county.hub.site, stick);
    EXPECT_GE(written.volumes_removed, 1U);
    const ReadReport read = support::read_stick(*village.site, stick);
    EXPECT_EQ(read.completed, std::vector<std::string>{"maize"});
}

// Cancelled at any step: what was written stays, and the same call goes on from there.
TEST(Carry, AStoppedWriteIsGoneOnWith) {
    class StopAfter : public Progress {
      public:
        explicit StopAfter(std::uint64_t steps) : left_(steps) {}
        Result<void> update(const ProgressUpdate&) override {
            if (left_-- > 0) return {};
            return fail(ErrorCode::kCancelled, "", "the work was stopped", "run it again to go on");
        }

      private:
        std::uint64_t left_;
    };
    County county;
    Box village = county.village("upper village");
    county.publish(rice(1));
    SimDisk whole(kFatStick);
    const std::uint64_t chunks = support::write_stick(*county.hub.site, whole).chunks;
    SimDisk stick(kFatStick);
    std::uint64_t written = 0, stops = 0;
    for (;; ++stops) {
        StopAfter progress(2);
        const Result<WriteReport> report = write_stick(*county.hub.site, stick, {}, progress);
        if (report.has_value()) {
            written = report->chunks;
            break;
        }
        ASSERT_EQ(report.error().code, ErrorCode::kCancelled);
        EXPECT_TRUE(scan(stick, volume_path(site_folder(county.hub.site->self().id), 1)).damaged.empty());
    }
    EXPECT_GT(stops, 2U);
    EXPECT_LT(written, chunks);
    EXPECT_EQ(must(list_volumes(stick, site_folder(county.hub.site->self().id))).size(), 1U);
    support::read_stick(*village.site, stick);
    EXPECT_EQ(checked_out(village, only_course(village)), contents(rice(1)));
}

struct EndState {
    std::vector<catalogue::LaneHead> heads;
    Files files;
    friend bool operator==(const EndState&, const EndState&) = default;
};

EndState state_of(Box& box) {
    EndState state;
    state.heads = must(box.site->catalogue().heads());
    must(box.site->for_each_course([&](const site::CourseState& course) -> Result<void> {
        EXPECT_TRUE(course.complete);
        for (const auto& [path, content] : checked_out(box, course.edition.edition.course))
            state.files[course.edition.edition.course + "/" + path] = content;
        return {};
    }));
    return state;
}

// Sticks that a hub wrote at different times, and a village that has read none of them.
struct Library {
    County county;
    std::vector<std::unique_ptr<SimDisk>> sticks;
    std::unique_ptr<SimDisk> village;
    EndState end;

    Library() {
        Box box = county.village("upper village");
        for (std::uint64_t edition = 1; edition <= 3; ++edition) {
            Files files = {{"rice/lesson.mp4", noise(30'000, 1) + noise(9'000, edition)},
                           {"rice/notes.txt", "edition " + std::to_string(edition) + "\n"}};
            if (edition == 2) files["maize/notes.txt"] = noise(20'000, 5);
            county.publish(files);
            sticks.push_back(std::make_unique<SimDisk>(kFatStick));
            support::write_stick(*county.hub.site, *sticks.back());
        }
        box.site.reset();
        village = simulations::image(*box.disk, {});
        Box reader = fresh();
        for (std::size_t stick = 0; stick < sticks.size(); ++stick) read(reader, stick);
        end = state_of(reader);
    }
    Box fresh() const {
        Box box;
        box.disk = simulations::image(*village, {});
        box.world = std::make_unique<simulations::SimWorld>(7);
        box.site = must(site::Site::open(*box.disk, box.world->world()));
        return box;
    }
    ReadReport read(Box& box, std::size_t stick) const {
        const std::unique_ptr<SimDisk> copy = simulations::image(*sticks[stick], {});
        return support::read_stick(*box.site, *copy);
    }
    // Of each volume only the first bytes arrived.
    void read_prefix(Box& box, std::size_t stick, std::uint64_t bytes) const {
        const std::unique_ptr<SimDisk> copy = simulations::image(*sticks[stick], {});
        for (const std::string& folder : must(list_site_folders(*copy)))
            for (const std::uint32_t number : must(list_volumes(*copy, folder))) {
                const std::string path = volume_path(folder, number);
                copy->truncate_at(path, std::min(bytes, size_of(*copy, path)));
            }
        EXPECT_TRUE(support::read_stick(*box.site, *copy).refused.empty());
    }
};

const Library& library() {
    static const Library shared;
    return shared;
}

TEST(Carry, TheNewestEditionsAreWhatSticksEndIn) {
    EXPECT_EQ(library().end.files.at("rice/notes.txt"), "edition 3\n");
    EXPECT_EQ(library().end.files.count("maize/notes.txt"), 1U);
    EXPECT_EQ(library().end.heads, must(library().county.hub.site->catalogue().heads()));
}

RC_GTEST_PROP(Carry, SticksReadInAnyOrderWithRepeatsEndEqual, ()) {
    const Library& shared = library();
    std::vector<std::size_t> order =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 3));
    if (order.size() > 3) order.resize(3);
    for (const std::size_t stick : {0U, 1U, 2U})
        order.insert(order.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(order) + 1), stick);
    Box village = shared.fresh();
    for (const std::size_t stick : order) {
        const ReadReport report = shared.read(village, stick);
        RC_ASSERT(report.damaged_count == 0 && report.refused.empty());
    }
    RC_ASSERT(state_of(village) == shared.end);
}

RC_GTEST_PROP(Carry, AnyPrefixOfAStickIsUsableAndTheRestCompletesIt, ()) {
    const Library& shared = library();
    Box village = shared.fresh();
    const auto cut = *rc::gen::inRange<std::size_t>(0, 3);
    shared.read_prefix(village, cut, *rc::gen::inRange<std::uint64_t>(0, 60'000));
    RC_ASSERT(village.site->catalogue().verify().has_value());
    for (const std::size_t stick : {0U, 1U, 2U}) shared.read(village, stick);
    RC_ASSERT(state_of(village) == shared.end);
}

// The stick is pulled at a moment of its writing; whatever it then holds, the hub goes on and the village
// reads.
TEST(Carry, AYankAtAnyMomentOfWritingLosesNothing) {
    County county;
    county.publish(rice(1));
    SimDisk first(kFatStick);
    Box village = county.village("upper village");
    support::write_stick(*county.hub.site, first);
    const std::uint64_t operations = first.operations();
    std::set<Digest> seen;
    std::size_t states = 0;
    for (std::uint64_t count = 0; count < operations; count += 1 + operations / 24) {
        SimDisk stick(kFatStick);
        stick.set_crash_after(count);
        NoProgress silent;
        EXPECT_FALSE(write_stick(*county.hub.site, stick, {}, silent).has_value());
        simulations::for_each_image(
            stick, {.singles_max = 1, .random_mixes = 2, .seed = count}, seen,
            [&](SimDisk& found, const simulations::CrashPlan& plan) {
                ++states;
                const Result<WriteReport> again = write_stick(*county.hub.site, found, {}, silent);
                ASSERT_TRUE(again.has_value()) << again.error().detail << simulations::describe(plan);
                const Result<std::vector<ShownFolder>> shown = show_stick(found, silent);
                std::uint64_t chunks = 0, damaged = 0;
                for (const ShownFolder& folder : *shown)
                    for (const ShownVolume& volume : folder.volumes) {
                        chunks += volume.chunks;
                        damaged += volume.damaged;
                    }
                EXPECT_EQ(chunks, again->chunks + again->chunks_there) << simulations::describe(plan);
                EXPECT_EQ(damaged, 0U) << simulations::describe(plan);
            });
    }
    EXPECT_GT(states, 40U);
    std::printf("crash states: %zu stick write\n", states);
}

}  // namespace
}  // namespace satchel::stick
