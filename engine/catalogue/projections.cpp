// What the heads say, as rows to ask: editions and the roster. A head's move brings only the changed
// documents over; the same transaction moves the ratchet.
#include <set>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/catalogue/quorum.hpp"
#include "engine/catalogue/site_catalogue.hpp"
#include "engine/catalogue/tree_diff.hpp"

namespace satchel::catalogue {

namespace {

std::string searchable(const CourseMetadata& metadata) {
    std::string titles;
    for (const auto& [language, title] : metadata.title) titles.append("\n").append(title);
    return titles;
}

// The edition rows of one lane.
class EditionRows {
  public:
    static Result<EditionRows> open(database::Database& database, std::string lane) {
        SATCHEL_TRY(
            database::Statement insert,
            database.prepare(
                "INSERT OR REPLACE INTO edition (course, number, lane, manifest, reviews_needed, title, "
                "document, is_current) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"));
        SATCHEL_TRY(database::Statement remove,
                    database.prepare("DELETE FROM edition WHERE course = ? AND number = ? AND lane = ?"));
        return EditionRows(std::move(insert), std::move(remove), std::move(lane));
    }

    Result<void> put(ByteView document) {
        SATCHEL_TRY(const Edition edition, decode_edition(document));
        insert_.bind(1, edition.course).bind(2, std::int64_t{edition.number}).bind(3, lane_);
        insert_.bind_blob(4, edition.manifest.view()).bind(5, std::int64_t{edition.reviews_needed});
        insert_.bind(6, searchable(edition.metadata)).bind_blob(7, document);
        touched_.insert(edition.course);
        return insert_.run();
    }

    Result<void> remove(ByteView document) {
        SATCHEL_TRY(const Edition edition, decode_edition(document));
        remove_.bind(1, edition.course).bind(2, std::int64_t{edition.number}).bind(3, lane_);
        touched_.insert(edition.course);
        return remove_.run();
    }

    [[nodiscard]] const std::set<std::string>& touched_courses() const { return touched_; }

  private:
    EditionRows(database::Statement insert, database::Statement remove, std::string lane)
        : insert_(std::move(insert)), remove_(std::move(remove)), lane_(std::move(lane)) {}
    database::Statement insert_;
    database::Statement remove_;
    std::string lane_;
    std::set<std::string> touched_;
};

// Rows of the register, whichever lane they come by: the codes of two offices do not meet.
Result<void> put_registered(database::Database& database, const RegisteredSite& site) {
    SATCHEL_TRY(
        database::Statement put,
        database.prepare("INSERT OR REPLACE INTO registered (code, name, town, county, county_name, type) "
                         "VALUES (?, ?, ?, ?, ?, ?)"));
    put.bind(1, site.code).bind(2, site.name).bind(3, site.town);
    put.bind(4, site.county).bind(5, site.county_name).bind(6, site.type);
    return put.run();
}

Result<void> remove_registered(database::Database& database, const RegisteredSite& site) {
    SATCHEL_TRY(database::Statement remove, database.prepare("DELETE FROM registered WHERE code = ?"));
    remove.bind(1, site.code);
    return remove.run();
}

}  // namespace

// A site that several lanes name is as the lane says whose name comes first, and revoked if one of them says
// so.
Result<void> SiteCatalogue::project_site(const std::string& path, const GitId& blob) {
    SATCHEL_TRY(const std::vector<LaneHead> lanes, heads());
    if (lanes.size() == 1) {
        SATCHEL_TRY(const GitObject document, kept_.get(blob, GitType::kBlob));
        SATCHEL_TRY(const trust::SiteEntry entry, trust::decode_site_entry(document.data));
        return trust_.put_site(entry);
    }
    std::optional<trust::SiteEntry> said;
    for (const LaneHead& lane : lanes) {
        SATCHEL_TRY(const Commit head, commit_at(lane.head));
        SATCHEL_TRY(const std::optional<GitId> id, find_blob(kept_, head.tree, path));
        if (!id) continue;
        SATCHEL_TRY(const GitObject document, kept_.get(*id, GitType::kBlob));
        SATCHEL_TRY(trust::SiteEntry entry, trust::decode_site_entry(document.data));
        if (!said)
            said = std::move(entry);
        else if (entry.state == trust::SiteState::kRevoked)
            said->state = trust::SiteState::kRevoked;
    }
    return said ? trust_.put_site(*said) : Result<void>();
}

Result<void> SiteCatalogue::project(const std::string& lane, const std::optional<GitId>& before,
                                    const GitId& after) {
    SATCHEL_TRY(EditionRows editions, EditionRows::open(database_, lane));
    TreeChanges changes;
    changes.on_document = [&](const std::string& path, const std::optional<GitId>& old_blob,
                              const std::optional<GitId>& new_blob) -> Result<void> {
        if (path.starts_with("sites/")) return new_blob ? project_site(path, *new_blob) : Result<void>();
        if (path.starts_with("register/")) {
            SATCHEL_TRY(const GitObject document,
                        kept_.get(new_blob ? *new_blob : *old_blob, GitType::kBlob));
            SATCHEL_TRY(const RegisteredSite site, decode_registered_site(document.data));
            return new_blob ? put_registered(database_, site) : remove_registered(database_, site);
        }
        if (new_blob) {
            SATCHEL_TRY(const GitObject document, kept_.get(*new_blob, GitType::kBlob));
            return editions.put(document.data);
        }
        SATCHEL_TRY(const GitObject document, kept_.get(*old_blob, GitType::kBlob));
        return editions.remove(document.data);
    };
    SATCHEL_TRY_VOID(compare_trees(kept_, before, after, changes));
    SATCHEL_TRY(Quorum quorum, Quorum::create(database_, trust_));
    for (const std::string& course : editions.touched_courses()) SATCHEL_TRY_VOID(quorum.settle(course));
    return {};
}

Result<void> SiteCatalogue::move_head(const std::optional<LaneHead>& from, const LaneHead& to) {
    SATCHEL_CHECK(database_.in_transaction());
    SATCHEL_TRY(database::Statement upsert,
                database_.prepare("INSERT INTO lane (name, head, height) VALUES (?1, ?2, ?3) "
                                  "ON CONFLICT (name) DO UPDATE SET head = ?2, height = ?3"));
    upsert.bind(1, to.lane).bind_blob(2, to.head).bind(3, static_cast<std::int64_t>(to.height));
    SATCHEL_TRY_VOID(upsert.run());
    SATCHEL_TRY_VOID(trust_.raise("lane/" + to.lane + "/height", to.height));
    std::optional<GitId> before;
    if (from) {
        SATCHEL_TRY(const Commit old_head, commit_at(from->head));
        before = old_head.tree;
    }
    SATCHEL_TRY(const Commit new_head, commit_at(to.head));
    return project(to.lane, before, new_head.tree);
}

}  // namespace satchel::catalogue
