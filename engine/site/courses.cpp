// What a site knows of its courses: subscriptions, holdings, why something is missing.
#include <algorithm>
#include <array>

#include "engine/exchange/admission.hpp"
#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/holdings.hpp"
#include "engine/exchange/lacks.hpp"
#include "engine/site/site_state.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

namespace {

constexpr std::array<std::string_view, 5> kKinds = {"all", "course", "theme", "audience", "producer"};

Result<void> check_subscription(const exchange::Subscription& subscription) {
    for (const std::string_view kind : kKinds)
        if (subscription.kind == kind && subscription.value.empty() == (kind == "all") &&
            subscription.value.size() <= catalogue::kCourseIdMax)
            return {};
    return fail(ErrorCode::kUsage, subscription.kind + " " + subscription.value,
                "this is not something to subscribe to",
                "use: all, course ID, theme NAME, audience NAME or producer NAME");
}

}  // namespace

Result<void> Site::subscribe(const exchange::Subscription& subscription) {
    SATCHEL_TRY_VOID(check_subscription(subscription));
    SATCHEL_TRY(const std::vector<exchange::Subscription> held, subscriptions());
    if (held.size() >= exchange::kSubscriptionsMax)
        return fail(ErrorCode::kTooLarge, subscription.value,
                    "this site has as many subscriptions as it can hold",
                    "subscribe to a theme or to all instead of single courses");
    SATCHEL_TRY(database::Statement insert,
                state_->database->prepare("INSERT OR IGNORE INTO subscription (kind, value) VALUES (?, ?)"));
    insert.bind(1, subscription.kind).bind(2, subscription.value);
    SATCHEL_TRY_VOID(insert.run());
    return exchange::forget_declined(*state_->database);
}

Result<bool> Site::unsubscribe(const exchange::Subscription& subscription) {
    SATCHEL_TRY(database::Statement remove,
                state_->database->prepare("DELETE FROM subscription WHERE kind = ? AND value = ?"));
    remove.bind(1, subscription.kind).bind(2, subscription.value);
    SATCHEL_TRY_VOID(remove.run());
    const bool was_there = state_->database->rows_changed() > 0;
    SATCHEL_TRY_VOID(exchange::forget_declined(*state_->database));
    return was_there;
}

Result<std::vector<exchange::Subscription>> Site::subscriptions() {
    return exchange::subscriptions(*state_->database);
}

Result<bool> Site::wants_all() {
    SATCHEL_TRY(const std::vector<exchange::Subscription> subscribed, subscriptions());
    return std::any_of(subscribed.begin(), subscribed.end(),
                       [](const exchange::Subscription& each) { return each.kind == "all"; });
}

Result<std::string> Site::resolve_course(std::string_view text) {
    SATCHEL_TRY(const std::vector<std::string> found, state_->catalogue->find_courses(text));
    if (found.empty())
        return fail(ErrorCode::kNotFound, std::string(text), "the catalogue has no such course",
                    "list the courses with `satchel catalogue list`");
    if (found.size() == 1) return found.front();
    std::string choices;
    for (const std::string& course : found) choices += (choices.empty() ? "" : ", ") + course;
    return fail(ErrorCode::kUsage, std::string(text), "several courses begin like this",
                "give more of the name, as `satchel catalogue list` prints it", choices);
}

Result<void> Site::for_each_course(const std::function<Result<void>(const CourseState&)>& each) {
    SATCHEL_TRY(const std::vector<exchange::Subscription> subscribed, subscriptions());
    std::optional<CourseState> pending;  // the editions of a course follow each other, in ascending order
    bool has_earlier = false;
    const auto emit = [&]() -> Result<void> {
        if (!pending) return {};
        pending->subscribed = exchange::is_meant(subscribed, pending->edition.edition);
        SATCHEL_TRY(pending->complete,
                    exchange::is_complete(*state_->database, pending->edition.edition.manifest));
        if (pending->has_current && !pending->complete && has_earlier) {
            SATCHEL_TRY(const std::optional<catalogue::EditionState> shown,
                        edition_to_show(pending->edition.edition.course));
            if (shown && !shown->is_current) pending->stand_in = shown->edition;
        }
        return each(*pending);
    };
    SATCHEL_TRY_VOID(
        state_->catalogue->for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
            const bool same = pending && pending->edition.edition.course == state.edition.course;
            if (!same) {
                SATCHEL_TRY_VOID(emit());
                pending = CourseState{};
                pending->edition = state;
                has_earlier = false;
            }
            has_earlier = has_earlier || same;
            pending->waiting.reset();
            if (!state.is_current) pending->waiting = state.edition.number;
            if (!pending->has_current || state.is_current) pending->edition = state;
            pending->has_current = pending->has_current || state.is_current;
            return {};
        }));
    return emit();
}

Result<Why> Site::why(std::string_view course) {
    Why answer;
    answer.course = course;
    SATCHEL_TRY(answer.edition, state_->catalogue->current_edition(course));
    if (!answer.edition) {
        SATCHEL_TRY(answer.edition, state_->catalogue->newest_edition(course));
        if (answer.edition) answer.state = WhyState::kWaitingForReviews;
        return answer;
    }
    const ChunkId& manifest = answer.edition->edition.manifest;
    const Result<exchange::Missing> missing = exchange::count_missing(*state_->store, manifest);
    answer.state = WhyState::kDamaged;
    if (!missing.has_value()) return is_unreadable(missing.error()) ? Result<Why>(answer) : missing.error();
    answer.missing_objects = missing->objects;
    SATCHEL_TRY(const std::vector<exchange::Subscription> subscribed, subscriptions());
    SATCHEL_TRY(const bool was_whole, exchange::is_complete(*state_->database, manifest));
    if (missing->objects == 0)
        answer.state = WhyState::kComplete;
    else if (was_whole)
        answer.state = WhyState::kDamaged;
    else if (!exchange::is_meant(subscribed, answer.edition->edition))
        answer.state = WhyState::kNotSubscribed;
    else
        SATCHEL_TRY_VOID(look_for_room(manifest, answer));
    return answer;
}

Result<void> Site::refresh_holdings(Progress& progress) {
    return exchange::refresh_holdings(replica(), progress, [](const catalogue::Edition&) {});
}

Result<Status> Site::status() {
    Status status;
    status.network = state_->network;
    status.self = state_->self;
    SATCHEL_TRY(const std::optional<trust::Root> root, state_->trust.current_root());
    if (root) {
        status.network_name = root->network;
        status.root_version = root->version;
    }
    SATCHEL_TRY(status.heads, state_->catalogue->heads());
    SATCHEL_TRY_VOID(for_each_course([&](const CourseState& course) -> Result<void> {
        status.courses += 1;
        if (course.waiting) status.waiting_for_reviews += 1;
        if (course.complete)
            status.complete += 1;
        else if (course.subscribed && course.has_current)
            status.waiting += 1;
        return {};
    }));
    if (status.waiting > 0) {
        SATCHEL_TRY(const std::vector<exchange::WantedEdition> waiting, waiting_for_room());
        status.waiting_for_room = waiting.size();
    }
    SATCHEL_TRY(status.store, state_->store->stats());
    SATCHEL_TRY(const env::Space space, state_->disk.space());
    status.free_bytes = space.free;
    SATCHEL_TRY(status.open_events, state_->records->open_events());
    SATCHEL_TRY(status.held_up_events, state_->records->held_up_events());
    SATCHEL_TRY(const exchange::CustodyUse carried, state_->carried_records->custody_use());
    status.carried_sites = carried.sites;
    status.carried_bytes = carried.bytes;
    return status;
}

namespace {

Result<catalogue::Edition> shown_of(Site& site, const std::string& course) {
    SATCHEL_TRY(const std::optional<catalogue::EditionState> shown, site.edition_to_show(course));
    if (shown) return shown->edition;
    SATCHEL_TRY(const std::optional<catalogue::EditionState> newest, site.catalogue().newest_edition(course));
    if (newest)
        return fail(ErrorCode::kRefused, course, "no edition of this course has its reviews yet",
                    "have the reviewers sign it: `satchel review list` shows who is missing");
    return fail(ErrorCode::kNotFound, course, "the catalogue has no such course",
                "list the courses with `satchel catalogue list`");
}

// A missing object is told as what it means for a person.
Error explain(Error error, const std::string& course) {
    if (error.code != ErrorCode::kNotFound) return error;
    return fail(ErrorCode::kNotFound, course, "part of this course is not here yet",
                "read a stick that carries it; `satchel why` tells how much is missing", error.about);
}

}  // namespace

Result<std::optional<catalogue::EditionState>> Site::edition_to_show(const std::string& course) {
    return shown_edition(*state_, course);
}

Result<std::optional<catalogue::EditionState>> shown_edition(Site::State& state, const std::string& course) {
    SATCHEL_TRY(std::optional<catalogue::EditionState> current, state.catalogue->current_edition(course));
    std::optional<catalogue::EditionState> shown = current;
    while (shown) {
        SATCHEL_TRY(const bool is_whole, exchange::is_complete(*state.database, shown->edition.manifest));
        if (is_whole && shown->has_quorum) return shown;
        SATCHEL_TRY(shown, state.catalogue->edition_before(course, shown->edition.number));
    }
    return current;
}

Result<void> Site::for_each_file(const std::string& course,
                                 const std::function<Result<void>(const store::ManifestEntry&)>& each) {
    SATCHEL_TRY(const catalogue::Edition edition, shown_of(*this, course));
    store::ManifestReader reader([this](const ChunkId& id) { return state_->store->read(id); },
                                 edition.manifest);
    Result<void> walked = reader.for_each(each);
    if (!walked.has_value()) return explain(walked.error(), course);
    return {};
}

Result<void> Site::read_file(const std::string& course, std::string_view path, std::uint64_t offset,
                             std::uint64_t length, const std::function<Result<void>(ByteView)>& sink) {
    SATCHEL_TRY(const catalogue::Edition edition, shown_of(*this, course));
    store::ManifestReader reader([this](const ChunkId& id) { return state_->store->read(id); },
                                 edition.manifest);
    Result<std::optional<store::ManifestEntry>> found = reader.find(path);
    if (!found.has_value()) return explain(found.error(), course);
    if (!*found || (*found)->type != store::EntryType::kFile)
        return fail(ErrorCode::kNotFound, std::string(path), "the course has no such file",
                    "list its files with `satchel catalogue show`");
    const store::ManifestEntry& entry = **found;
    if (offset > entry.size)
        return fail(ErrorCode::kUsage, std::string(path), "the range begins behind the end of the file",
                    "ask for a range inside the file");
    const std::uint64_t readable = std::min(length, entry.size - offset);
    Result<void> read = store::read_content(*state_->store, entry.content, offset, readable, sink);
    if (!read.has_value()) return explain(read.error(), course);
    return {};
}

}  // namespace satchel::site
