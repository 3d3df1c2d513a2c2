// What a hub's office does about sites and reviewers.
#include <algorithm>

#include "engine/site/key_files.hpp"
#include "engine/site/site_state.hpp"

namespace satchel::site {

namespace {

constexpr std::int64_t kDayMs = 24ll * 3600 * 1000;

// The grant that answered this request, while it holds.
Result<std::optional<std::string>> issued_grant(database::Database& database, const Digest& request,
                                                env::Instant now) {
    SATCHEL_TRY(database::Statement select,
                database.prepare("SELECT grant_text FROM issued_grant WHERE request = ? AND expires_ms > ?"));
    select.bind_blob(1, request).bind(2, now.unix_ms);
    SATCHEL_TRY(const bool found, select.step());
    if (!found) return std::optional<std::string>();
    return std::optional(std::string(select.text(0)));
}

Result<void> remember_grant(database::Database& database, const trust::Grant& grant, std::string_view text) {
    SATCHEL_TRY(database::Statement insert,
                database.prepare("INSERT OR REPLACE INTO issued_grant (request, grant_text, expires_ms) "
                                 "VALUES (?, ?, ?)"));
    insert.bind_blob(1, grant.request).bind(2, text).bind(3, grant.expires_ms);
    return insert.run();
}

}  // namespace

Result<trust::SigningKey> load_office_key(env::Disk& disk, std::string_view name) {
    Result<trust::SigningKey> key = load_key(disk, name);
    if (!key.has_value() && key.error().code == ErrorCode::kNotFound)
        return fail(ErrorCode::kRefused, disk.describe("keys"), "this site holds no key of the office",
                    "run the command at the hub that made the network");
    return key;
}

// One site that `name_or_id` means.
static Result<trust::SiteEntry> find_one(trust::TrustStore& trust, std::string_view name_or_id) {
    SATCHEL_TRY(const std::vector<trust::SiteEntry> found, trust.find_sites(name_or_id));
    if (found.empty())
        return fail(ErrorCode::kNotFound, std::string(name_or_id),
                    "no site of this network has that name or id",
                    "list the sites with `satchel sites list`");
    const auto exact = std::find_if(found.begin(), found.end(),
                                    [&](const trust::SiteEntry& entry) { return entry.name == name_or_id; });
    if (exact != found.end()) return *exact;
    if (found.size() > 1)
        return fail(ErrorCode::kUsage, std::string(name_or_id), "several sites begin like this",
                    "give the whole name or id, as `satchel sites list` prints it");
    return found.front();
}

Result<std::string> Site::enrol(std::string_view request_text, const EnrolOptions& options) {
    SATCHEL_TRY(const trust::JoinRequest request, trust::parse_request(request_text));
    const Digest fingerprint = trust::fingerprint_of_text(request_text);
    SATCHEL_TRY(const trust::SigningKey editor, load_office_key(state_->disk, kEditorKey));
    SATCHEL_TRY(const ByteBuffer secret, load_network_secret(state_->disk));

    trust::SiteEntry entry;
    entry.id = trust::site_id_of(request.signing_key);
    entry.name = request.site_name;
    entry.role = options.role;
    // A hub that is given no parent stands beside this one and holds all records, as this one does.
    if (options.role != trust::SiteRole::kHub) entry.parent = state_->self.id;
    entry.signing_key = request.signing_key;
    entry.sealing_key = request.sealing_key;
    if (options.parent) {
        SATCHEL_TRY(const trust::SiteEntry parent, find_one(state_->trust, *options.parent));
        entry.parent = parent.id;
    }
    SATCHEL_TRY(const std::vector<trust::SiteEntry> same_name, state_->trust.find_sites(entry.name));
    for (const trust::SiteEntry& other : same_name)
        if (other.name == entry.name && other.id != entry.id && other.state == trust::SiteState::kActive)
            return fail(ErrorCode::kExists, entry.name, "another site of this network has that name",
                        "make the request again with another --site-name, or revoke the other site first");
    SATCHEL_TRY(const std::optional<trust::SiteEntry> enrolled, state_->trust.site(entry.id));
    if (enrolled && enrolled->state == trust::SiteState::kRevoked)
        return fail(ErrorCode::kRefused, entry.name, "this box was revoked",
                    "make a new request in an empty folder, so that the box gets new keys");
    const env::Instant now = state_->world.clock.wall();
    SATCHEL_TRY(const std::optional<std::string> answered, issued_grant(*state_->database, fingerprint, now));
    if (answered) return *answered;
    if (!enrolled)
        SATCHEL_TRY_VOID(state_->catalogue->commit(kOfficeLane, editor, "Enrol " + entry.name,
                                                   {{catalogue::site_path(entry.id), encode(entry)}}));

    trust::Grant grant;
    SATCHEL_TRY(grant.roots, state_->trust.roots(1));
    grant.site = enrolled ? *enrolled : entry;
    grant.request = fingerprint;
    grant.issued_ms = now.unix_ms;
    grant.expires_ms = grant.issued_ms + options.valid_days * kDayMs;
    grant.sealed_secret = trust::seal(request.sealing_key, secret, state_->world.random);
    SATCHEL_TRY(const std::string text, trust::make_grant(grant, editor));
    SATCHEL_TRY_VOID(remember_grant(*state_->database, grant, text));
    SATCHEL_TRY_VOID(update_mirror());
    return text;
}

Result<void> Site::revoke_site(std::string_view name_or_id) {
    SATCHEL_TRY(trust::SiteEntry entry, find_one(state_->trust, name_or_id));
    if (entry.state == trust::SiteState::kRevoked) return {};
    if (entry.id == state_->self.id)
        return fail(ErrorCode::kUsage, entry.name, "a site cannot revoke itself",
                    "run the command at another hub");
    SATCHEL_TRY(const trust::SigningKey editor, load_office_key(state_->disk, kEditorKey));
    entry.state = trust::SiteState::kRevoked;
    SATCHEL_TRY_VOID(state_->catalogue->commit(kOfficeLane, editor, "Revoke " + entry.name,
                                               {{catalogue::site_path(entry.id), encode(entry)}}));
    return update_mirror();
}

Result<std::uint64_t> Site::import_register(const std::vector<catalogue::RegisteredSite>& sites) {
    SATCHEL_TRY(const trust::SigningKey editor, load_office_key(state_->disk, kEditorKey));
    std::vector<catalogue::DocumentChange> changes;
    {
        SATCHEL_TRY(database::Statement held,
                    state_->database->prepare("SELECT name, town, county, county_name, type FROM registered "
                                              "WHERE code = ?"));
        for (const catalogue::RegisteredSite& site : sites) {
            held.reset();
            held.bind(1, site.code);
            SATCHEL_TRY(const bool found, held.step());
            const bool same = found && held.text(0) == site.name && held.text(1) == site.town &&
                              held.text(2) == site.county && held.text(3) == site.county_name &&
                              held.text(4) == site.type;
            if (!same) changes.push_back({catalogue::register_path(site.code), encode(site)});
        }
    }
    if (changes.empty()) return std::uint64_t{0};
    SATCHEL_TRY_VOID(state_->catalogue->commit(
        kOfficeLane, editor, "Register " + std::to_string(changes.size()) + " sites", changes));
    SATCHEL_TRY_VOID(update_mirror());
    return changes.size();
}

namespace {

// The next version of the root with other reviewers in the office's lane.
Result<void> change_reviewers(env::Disk& disk, database::Database& database, trust::TrustStore& trust,
                              catalogue::Catalogue& catalogue, const NetworkId& network,
                              const std::function<Result<void>(std::vector<trust::KeyHolder>&)>& change) {
    SATCHEL_TRY(const trust::SigningKey root_key, load_office_key(disk, kRootKey));
    SATCHEL_TRY(std::optional<trust::Root> root, trust.current_root());
    if (!root) return site_db_not_whole(disk);
    for (trust::Lane& lane : root->lanes)
        if (lane.name == kOfficeLane) SATCHEL_TRY_VOID(change(lane.reviewers));
    root->version += 1;
    const std::string document = encode(*root);
    const trust::SignedRoot next = {ByteBuffer(document.begin(), document.end()),
                                    {trust::ssh_sign(root_key, "satchel-root", bytes_of(document))}};
    {
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database));
        SATCHEL_TRY_VOID(trust.accept_roots(network, {next}));
        SATCHEL_TRY_VOID(transaction.commit());
    }
    return catalogue.refresh_currency();
}

}  // namespace

Result<void> Site::add_reviewer(const trust::KeyHolder& reviewer) {
    return change_reviewers(state_->disk, *state_->database, state_->trust, *state_->catalogue,
                            state_->network, [&](std::vector<trust::KeyHolder>& reviewers) -> Result<void> {
                                for (const trust::KeyHolder& known : reviewers)
                                    if (known.key == reviewer.key)
                                        return fail(ErrorCode::kExists, known.holder,
                                                    "this key is a reviewer's already",
                                                    "list them with `satchel reviewers list`");
                                reviewers.push_back(reviewer);
                                return {};
                            });
}

Result<void> Site::remove_reviewer(std::string_view holder) {
    return change_reviewers(
        state_->disk, *state_->database, state_->trust, *state_->catalogue, state_->network,
        [&](std::vector<trust::KeyHolder>& reviewers) -> Result<void> {
            const auto gone =
                std::remove_if(reviewers.begin(), reviewers.end(),
                               [&](const trust::KeyHolder& known) { return known.holder == holder; });
            if (gone == reviewers.end())
                return fail(ErrorCode::kNotFound, std::string(holder), "no reviewer has that name",
                            "list them with `satchel reviewers list`");
            reviewers.erase(gone, reviewers.end());
            return {};
        });
}

Result<trust::SigningKey> Site::own_reviewer_key() { return load_office_key(state_->disk, kReviewerKey); }

Result<catalogue::Review> Site::review_of(std::string_view course, catalogue::Verdict verdict,
                                          catalogue::ReviewRole role) {
    SATCHEL_TRY(const std::optional<catalogue::EditionState> newest,
                state_->catalogue->newest_edition(course));
    if (!newest)
        return fail(ErrorCode::kNotFound, std::string(course), "the catalogue has no such course",
                    "list the courses with `satchel catalogue list`");
    catalogue::Review review;
    review.network = state_->network;
    review.course = newest->edition.course;
    review.edition = newest->edition.number;
    review.manifest = newest->edition.manifest;
    review.verdict = verdict;
    review.role = role;
    return review;
}

Result<bool> Site::sign_review(const catalogue::Review& review, const trust::SigningKey& reviewer) {
    const std::string statement = encode(review);
    return import_review({ByteBuffer(statement.begin(), statement.end()),
                          trust::ssh_sign(reviewer, "satchel-review", bytes_of(statement))});
}

Result<bool> Site::import_review(const catalogue::SignedReview& review) {
    return state_->catalogue->add_review(review);
}

}  // namespace satchel::site
