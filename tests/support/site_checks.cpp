#include "tests/support/site_checks.hpp"

#include <stdexcept>

#include "engine/base/encoding.hpp"
#include "engine/exchange/edition_walk.hpp"
#include "engine/store/record.hpp"

namespace satchel::support {

namespace {

constexpr std::int64_t kDayOfTest = 1'780'272'000'000;  // 2026-06-01

void require_holdings_whole(site::Site& site) {
    database::Statement holdings =
        must(site.database().prepare("SELECT manifest FROM holding WHERE complete = 1 ORDER BY manifest"));
    while (must(holdings.step())) {
        ChunkId manifest;
        const ByteView bytes = holdings.blob(0);
        require(bytes.size() == manifest.digest.size(), "a holding is no manifest's id");
        std::copy(bytes.begin(), bytes.end(), manifest.digest.begin());
        const exchange::Missing missing = must(exchange::count_missing(site.store(), manifest));
        require(missing.objects == 0,
                "an edition is called complete and lacks " + std::to_string(missing.objects));
    }
}

}  // namespace

void require(bool holds, const std::string& text) {
    if (!holds) throw std::runtime_error(text);
}

void require_nothing_refused(const stick::ReadReport& report) {
    for (const Error& refused : report.refused)
        require(false,
                "refused: " + refused.about + ": " + refused.reason.text() + " [" + refused.detail + "]");
}

FixedWorld::FixedWorld(std::uint64_t seed) : SimWorld(seed) { clock.set_wall(kDayOfTest); }

std::unique_ptr<simulations::SimDisk> disk_of(const simulations::Tree& tree,
                                              simulations::SimDiskOptions options) {
    return std::make_unique<simulations::SimDisk>(options, tree);
}

simulations::SimDiskOptions fat_options() {
    simulations::SimDiskOptions options;
    options.profile = simulations::SimDiskOptions::kFat;
    return options;
}

void require_sound(site::Site& site) {
    must(site.catalogue().verify());
    require_store_sound(site);
}

void require_store_sound(site::Site& site) {
    must(site.database().check_integrity());
    std::string damage;
    must(site.store().verify(
        [&](const store::Damage& found) {
            damage = found.pack + " at " + std::to_string(found.place) + ": " + found.error.reason.text();
        },
        [](std::uint64_t, std::uint64_t) {}));
    require(damage.empty(), "store verify: " + damage);
    require_holdings_whole(site);
}

Picture picture_of(site::Site& site) {
    Picture picture;
    const site::Status status = must(site.status());
    picture.root_version = status.root_version;
    picture.heads = status.heads;
    must(site.catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        std::string line = state.edition.course + " " + std::to_string(state.edition.number);
        if (state.is_current) {
            const exchange::Missing missing =
                must(exchange::count_missing(site.store(), state.edition.manifest));
            line += missing.objects == 0 ? " current complete" : " current";
        }
        picture.courses.push_back(line);
        return {};
    }));
    must(site.catalogue().for_each_review([&](const catalogue::Review&, const std::string& holder,
                                              const catalogue::SignedReview& review) -> Result<void> {
        picture.reviews.insert(holder + "\n" + std::string(satchel::text_of(review.statement)));
        return {};
    }));
    must(site.trust().for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
        picture.sites.insert(encode(entry));
        return {};
    }));
    return picture;
}

std::string text_of(const Picture& picture) {
    std::string text = "root " + std::to_string(picture.root_version);
    for (const catalogue::LaneHead& head : picture.heads)
        text += "; " + head.lane + " " + std::to_string(head.height) + " " + to_hex(head.head);
    for (const std::string& course : picture.courses) text += "; " + course;
    return text + "; " + std::to_string(picture.reviews.size()) + " reviews; " +
           std::to_string(picture.sites.size()) + " sites";
}

std::set<ChunkId> objects_of(site::Site& site, const ChunkId& manifest) {
    std::set<ChunkId> objects;
    must(exchange::walk_edition(
        site.store(), manifest,
        [&](const ChunkId& id, exchange::ObjectKind) -> Result<bool> { return objects.insert(id).second; }));
    return objects;
}

std::set<ChunkId> objects_held(site::Site& site) {
    std::set<ChunkId> objects;
    must(site.catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        if (must(exchange::count_missing(site.store(), state.edition.manifest)).objects > 0) return {};
        objects.merge(objects_of(site, state.edition.manifest));
        return {};
    }));
    return objects;
}

std::map<std::string, std::set<ChunkId>> chunks_on(env::Disk& stick) {
    std::map<std::string, std::set<ChunkId>> chunks;
    for (const std::string& folder : must(stick::list_site_folders(stick)))
        for (const std::uint32_t number : must(stick::list_volumes(stick, folder))) {
            auto reader = stick::VolumeReader::open(stick, stick::volume_path(folder, number));
            if (!reader.has_value()) continue;
            while (const auto record = must((*reader)->next([](std::uint64_t, const Error&) {})))
                if (record->header.type == store::RecordType::kChunk &&
                    store::open_record(record->bytes).has_value())
                    chunks[folder].insert(ChunkId{record->header.id});
        }
    return chunks;
}

std::set<ChunkId> all_chunks_on(env::Disk& stick) {
    std::set<ChunkId> all;
    for (auto& [folder, chunks] : chunks_on(stick)) all.insert(chunks.begin(), chunks.end());
    return all;
}

std::map<std::string, Files> checkouts(site::Site& site) {
    std::map<std::string, Files> all;
    must(site.for_each_course([&](const site::CourseState& course) -> Result<void> {
        if (!course.complete || !course.has_current) return {};
        simulations::SimDisk target;
        all[course.edition.edition.course] = checkout(site, course.edition.edition.course, target);
        return {};
    }));
    return all;
}

}  // namespace satchel::support
