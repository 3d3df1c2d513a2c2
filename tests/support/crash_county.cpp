#include "tests/support/crash_county.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::support {

namespace {

using simulations::SimDisk;

// Small, so that a crash state costs milliseconds; a film is still several chunks.
Files first_edition() {
    return {
        {"rice/course.json", R"({"id": "rice", "title": {"zh": "水稻", "en": "Rice"}, "theme": "farming"})"},
        {"rice/film.mp4", noise(12'000, 1)},
        {"rice/第一课/notes.txt", "sow in April\n"},
        {"rice/empty.txt", ""},
        {"trees/page.html", noise(6'000, 2)}};
}

Files second_edition() {
    Files files = first_edition();
    files["rice/film.mp4"].replace(5'000, 40, "forty bytes that stand for a new picture");
    files["rice/第二课/notes.txt"] = "plant in May\n" + noise(3'000, 3);
    files.erase("rice/第一课/notes.txt");
    files["trees/page.html"] += "one more line\n";
    files["wells/plan.txt"] = noise(2'500, 4);
    return files;
}

void publish_all(site::Site& hub, const Files& files) {
    SimDisk folder;
    write_files(folder, files);
    publish(hub, folder, 1);
    review_everything(hub);
}

trust::KeyHolder second_reviewer(env::World world) {
    std::array<std::uint8_t, 32> seed{};
    world.random.fill(seed);
    return {trust::SigningKey::from_seed(seed).public_key(), "second reviewer"};
}

CrashCounty build() {
    CrashCounty county;
    SimDisk hub_disk, east_disk, west_disk, stick_disk(fat_options());
    FixedWorld hub_world(1), east_world(2), west_world(3);
    auto hub = found_hub(hub_disk, hub_world.world());
    auto east = join_village(*hub, east_disk, east_world.world(), "east");
    auto west = join_village(*hub, west_disk, west_world.world(), "west");
    county.hub_id = hub->self().id;
    county.east_id = east->self().id;
    county.west_id = west->self().id;
    for (auto* site : {&hub, &east, &west}) site->reset();
    county.hub_founded = hub_disk.tree();
    county.east_joined = east_disk.tree();
    county.west = west_disk.tree();

    hub = must(site::Site::open(hub_disk, hub_world.world()));
    east = must(site::Site::open(east_disk, east_world.world()));
    publish_all(*hub, first_edition());
    write_stick(*hub, stick_disk);
    read_stick(*east, stick_disk);
    read_stick(*hub, stick_disk);
    east.reset();
    hub.reset();
    county.hub_before = hub_disk.tree();
    county.east = east_disk.tree();
    county.stick_before = stick_disk.tree();

    hub = must(site::Site::open(hub_disk, hub_world.world()));
    must(hub->add_reviewer(second_reviewer(hub_world.world())));
    publish_all(*hub, second_edition());
    hub.reset();
    county.hub_after = hub_disk.tree();

    hub = must(site::Site::open(hub_disk, hub_world.world()));
    write_stick(*hub, stick_disk);
    county.stick_after = stick_disk.tree();
    SimDisk courseware;
    write_files(courseware, second_edition());
    county.courseware = courseware.tree();
    return county;
}

}  // namespace

const CrashCounty& crash_county() {
    static const CrashCounty kCounty = build();
    return kCounty;
}

void review_everything(site::Site& hub) {
    const trust::SigningKey reviewer = must(hub.own_reviewer_key());
    std::set<std::string> courses;
    must(hub.for_each_course([&](const site::CourseState& course) -> Result<void> {
        courses.insert(course.edition.edition.course);
        return {};
    }));
    for (const std::string& course : courses)
        must(hub.sign_review(
            must(hub.review_of(course, catalogue::Verdict::kApprove, catalogue::ReviewRole::kContent)),
            reviewer));
}

Promise promise_of(site::Site& site) { return {picture_of(site), objects_held(site)}; }

void require_kept(site::Site& site, const Promise& promise) {
    const Picture now = picture_of(site);
    require(now.root_version >= promise.picture.root_version, "the root went back");
    for (const catalogue::LaneHead& promised : promise.picture.heads) {
        const auto head =
            std::find_if(now.heads.begin(), now.heads.end(),
                         [&](const catalogue::LaneHead& lane) { return lane.lane == promised.lane; });
        require(head != now.heads.end() && head->height >= promised.height,
                "the head of lane " + promised.lane + " went back");
        require(must(site.catalogue().knows(promised.head)), "a head that was reached is not known any more");
    }
    require(std::includes(now.reviews.begin(), now.reviews.end(), promise.picture.reviews.begin(),
                          promise.picture.reviews.end()),
            "a review is gone");
    for (const ChunkId& id : promise.objects) {
        const Result<ByteBuffer> object = site.store().read(id);
        require(object.has_value() && ChunkId{hash_of(*object)} == id,
                "object " + to_hex(id) + " cannot be read");
    }
}

Files files_below(env::Disk& disk, const std::string& folder) {
    if (!must(env::exists(disk, folder))) return {};
    return files_in(disk, folder);
}

}  // namespace satchel::support
