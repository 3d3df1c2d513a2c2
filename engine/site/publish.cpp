// Publishing: folder -> chunks in packs (committed) -> recipes -> manifest -> edition document -> signed
// commit. Crash points: until the catalogue's commit nothing of the edition is visible; what the store took
// stays, and the same command finds it there. The commit is one transaction.
#include <algorithm>

#include "engine/exchange/holdings.hpp"
#include "engine/site/course_publisher.hpp"
#include "engine/site/key_files.hpp"
#include "engine/site/retention.hpp"
#include "engine/site/site_state.hpp"

namespace satchel::site {

namespace {

std::string message_for(const PublishReport& report, const std::string& given) {
    if (!given.empty()) return given;
    std::string names;
    std::size_t changed = 0;
    for (const PublishedCourse& course : report.courses) {
        if (course.unchanged) continue;
        if (++changed <= 3) names += (changed > 1 ? ", " : "") + course.edition.course;
    }
    return "Publish " + names + (changed > 3 ? " and " + std::to_string(changed - 3) + " more" : "");
}

// As many distinct holders must be able to review as the edition will demand.
Result<std::uint32_t> reviews_demanded(trust::TrustStore& trust, std::uint32_t asked) {
    SATCHEL_TRY(const std::optional<trust::Root> root, trust.current_root());
    const trust::Lane* lane = root ? root->lane(kOfficeLane) : nullptr;
    if (lane == nullptr)
        return fail(ErrorCode::kRefused, kOfficeLane, "the root names no such lane",
                    "ask the office for a new root");
    std::vector<std::string> holders;
    for (const trust::KeyHolder& reviewer : lane->reviewers) holders.push_back(reviewer.holder);
    std::sort(holders.begin(), holders.end());
    holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
    const std::uint32_t demanded = std::max(asked, lane->reviews_needed);
    if (demanded > holders.size())
        return fail(ErrorCode::kUsage, std::to_string(demanded),
                    "the network has fewer reviewers than reviews are asked for",
                    "add reviewers with `satchel reviewers add`, or ask for fewer reviews");
    return demanded;
}

}  // namespace

Result<PublishReport> Site::publish(env::Disk& folder, std::string_view folder_name,
                                    const PublishOptions& options, Progress& progress) {
    SATCHEL_TRY(const trust::SigningKey editor, load_office_key(state_->disk, kEditorKey));
    if (options.reviews) SATCHEL_TRY_VOID(reviews_demanded(state_->trust, *options.reviews));
    SkipList skipped;
    SATCHEL_TRY(const std::vector<CourseSource> sources,
                find_courses(folder, folder_name, options.loose_course, skipped));
    if (sources.empty())
        return fail(ErrorCode::kUsage, folder.describe(""), "the folder holds nothing that can be published",
                    "name a folder with a course in it");

    KnownFiles known(*state_->database);
    SmallFiles small(state_->disk, *state_->store);
    CoursePublisher publisher({.store = *state_->store,
                               .world = state_->world,
                               .site_disk = state_->disk,
                               .folder = folder,
                               .known = known,
                               .small = small,
                               .progress = progress,
                               .skipped = skipped});
    for (const CourseSource& source : sources) SATCHEL_TRY_VOID(publisher.measure(source));

    PublishReport report;
    std::vector<catalogue::DocumentChange> changes;
    for (const CourseSource& source : sources) {
        SATCHEL_TRY(const std::optional<catalogue::EditionState> newest,
                    state_->catalogue->newest_edition(source.id));
        const std::optional<ChunkId> earlier =
            newest ? std::optional(newest->edition.manifest) : std::nullopt;
        // What is not whole here any more has to be read again, to be stored again.
        bool trust_seen = newest && !options.reread;
        if (trust_seen) {
            SATCHEL_TRY(trust_seen, exchange::is_complete(*state_->database, *earlier));
        }
        SATCHEL_TRY(PublishedCourse course, publisher.take(source, earlier, trust_seen));
        course.edition.number = newest ? newest->edition.number + 1 : 1;
        const std::uint32_t asked = options.reviews.value_or(newest ? newest->edition.reviews_needed : 0);
        SATCHEL_TRY(course.edition.reviews_needed, reviews_demanded(state_->trust, asked));
        course.unchanged = newest && newest->edition.manifest == course.edition.manifest &&
                           newest->edition.metadata == course.edition.metadata;
        if (course.unchanged)
            course.edition = newest->edition;
        else
            changes.push_back({catalogue::edition_path(course.edition.course, course.edition.number),
                               encode(course.edition)});
        report.courses.push_back(std::move(course));
    }
    SATCHEL_TRY_VOID(state_->store->commit());
    SATCHEL_TRY_VOID(known.save());
    if (!changes.empty())
        SATCHEL_TRY_VOID(
            state_->catalogue->commit(kOfficeLane, editor, message_for(report, options.message), changes));
    small.save();  // not before: what a stopped run found would make another manifest the next time
    for (PublishedCourse& course : report.courses) {
        SATCHEL_TRY_VOID(note_published(*state_, course.edition.manifest));
        SATCHEL_TRY(const std::optional<catalogue::EditionState> current,
                    state_->catalogue->current_edition(course.edition.course));
        course.is_current = current && current->edition.number == course.edition.number;
    }
    SATCHEL_TRY_VOID(update_mirror());
    report.skipped = std::move(skipped.items);
    report.skipped_count = skipped.count;
    return report;
}

}  // namespace satchel::site
