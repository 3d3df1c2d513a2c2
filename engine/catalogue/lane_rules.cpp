#include "engine/catalogue/lane_rules.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/documents.hpp"

namespace satchel::catalogue {

namespace {

constexpr std::string_view kCourses = "courses/";
constexpr std::string_view kSites = "sites/";
constexpr std::string_view kRegister = "register/";

// Documents that do not decode are told by their path.
template <typename T>
Result<T> about(Result<T> result, const std::string& path) {
    if (!result.has_value()) result.error().about = path;
    return result;
}

Error not_a_document(const std::string& path, const char* detail) {
    return fail(ErrorCode::kRefused, path, "the lane's history holds what does not belong there",
                "get the catalogue from the hub or another stick", detail);
}

Result<GitObject> read_document(ObjectSource& source, const std::string& path, const GitId& id) {
    SATCHEL_TRY(GitObject blob, source.get(id, GitType::kBlob));
    if (blob.data.size() > kDocumentMax) return not_a_document(path, "too large");
    return blob;
}

Result<void> check_edition(ObjectSource& source, const std::string& path, const std::optional<GitId>& before,
                           const std::optional<GitId>& after) {
    if (!after) return {};  // check_numbers sees to it that the newest stays
    if (before)
        return fail(ErrorCode::kRefused, path, "an edition never changes once it is published",
                    "publish it under the next number");
    SATCHEL_TRY(const GitObject blob, read_document(source, path, *after));
    SATCHEL_TRY(const Edition edition, about(decode_edition(blob.data), path));
    if (edition_path(edition.course, edition.number) != path) return not_a_document(path, "not its place");
    return {};
}

Result<void> check_site(ObjectSource& source, const std::string& path, const std::optional<GitId>& before,
                        const std::optional<GitId>& after) {
    if (!after)
        return fail(ErrorCode::kRefused, path, "a site's document cannot be removed",
                    "revoke the site instead");
    SATCHEL_TRY(const GitObject blob, read_document(source, path, *after));
    SATCHEL_TRY(const trust::SiteEntry entry, about(trust::decode_site_entry(blob.data), path));
    if (site_path(entry.id) != path || trust::site_id_of(entry.signing_key) != entry.id)
        return not_a_document(path, "not its place");
    if (!before) return {};
    SATCHEL_TRY(const GitObject old_blob, read_document(source, path, *before));
    SATCHEL_TRY(const trust::SiteEntry old_entry, about(trust::decode_site_entry(old_blob.data), path));
    if (old_entry.signing_key != entry.signing_key || old_entry.sealing_key != entry.sealing_key)
        return fail(ErrorCode::kRefused, entry.name, "a site keeps its keys for life", "enrol the box anew");
    if (old_entry.state == trust::SiteState::kRevoked && entry.state == trust::SiteState::kActive)
        return fail(ErrorCode::kRefused, entry.name, "this box was revoked",
                    "make a new request in an empty folder, so that the box gets new keys");
    return {};
}

Result<void> check_registered(ObjectSource& source, const std::string& path,
                              const std::optional<GitId>& after) {
    if (!after) return {};
    SATCHEL_TRY(const GitObject blob, read_document(source, path, *after));
    SATCHEL_TRY(const RegisteredSite site, about(decode_registered_site(blob.data), path));
    if (register_path(site.code) != path) return not_a_document(path, "not its place");
    return {};
}

// In the folder of a course: names are numbers of one width, so the last name is the newest edition.
Result<void> check_numbers(const std::string& path, const Tree& before, const Tree& after) {
    const bool holds_editions =
        std::any_of(before.begin(), before.end(), [](const TreeEntry& entry) { return !entry.is_tree; });
    if (!holds_editions) return {};
    const std::string& newest = before.back().name;
    const bool only_up = find_entry(after, newest) != nullptr &&
                         std::all_of(after.begin(), after.end(), [&](const TreeEntry& entry) {
                             return entry.name > newest || find_entry(before, entry.name) != nullptr;
                         });
    if (only_up) return {};
    return fail(ErrorCode::kRefused, path, "the numbers of a course's editions only go up",
                "publish it under the next number");
}

}  // namespace

const trust::KeyHolder* find_holder(const std::vector<trust::KeyHolder>& holders,
                                    const trust::PublicKey& key) {
    const auto found = std::find_if(holders.begin(), holders.end(),
                                    [&](const trust::KeyHolder& holder) { return holder.key == key; });
    return found == holders.end() ? nullptr : &*found;
}

Result<LaneRules> LaneRules::of(trust::TrustStore& trust, std::string_view lane) {
    SATCHEL_TRY(std::optional<trust::Root> root, trust.current_root());
    const trust::Lane* found = root ? root->lane(lane) : nullptr;
    if (found == nullptr)
        return fail(ErrorCode::kRefused, std::string(lane), "the root names no such lane",
                    "get the network's roots from the hub or another stick");
    trust::Lane copy = *found;
    return LaneRules(trust, std::move(*root), std::move(copy));
}

Result<bool> LaneRules::was_editor(const trust::PublicKey& key) {
    if (!past_editors_) {
        past_editors_.emplace();
        SATCHEL_TRY(const std::vector<trust::SignedRoot> roots, trust_->roots(1));
        for (const trust::SignedRoot& accepted : roots) {
            SATCHEL_TRY(const trust::Root root, trust::decode_root(accepted.document));
            const trust::Lane* lane = root.lane(lane_.name);
            if (lane == nullptr) continue;
            for (const trust::KeyHolder& editor : lane->editors) past_editors_->push_back(editor.key);
        }
    }
    return std::find(past_editors_->begin(), past_editors_->end(), key) != past_editors_->end();
}

namespace {

Error no_editor(const GitId& id) {
    return fail(ErrorCode::kRefused, to_hex(id), "a commit of the lane is not by one of its editors",
                "get the catalogue from the hub or another stick");
}

Result<trust::PublicKey> signer_of(const GitId& id, const Commit& commit) {
    return about(trust::ssh_verify(commit.signature, kCommitNamespace, bytes_of(commit.signed_bytes)),
                 to_hex(id));
}

}  // namespace

Result<void> LaneRules::check_signature(const GitId& id, const Commit& commit) {
    SATCHEL_TRY(const trust::PublicKey signer, signer_of(id, commit));
    if (find_holder(lane_.editors, signer) != nullptr) {
        current_editor_seen_ = true;
        return {};
    }
    if (!current_editor_seen_) return no_editor(id);
    SATCHEL_TRY(const bool was_one, was_editor(signer));
    return was_one ? Result<void>() : no_editor(id);
}

Result<void> LaneRules::check_past_signature(const GitId& id, const Commit& commit) {
    SATCHEL_TRY(const trust::PublicKey signer, signer_of(id, commit));
    SATCHEL_TRY(const bool was_one, was_editor(signer));
    return was_one ? Result<void>() : no_editor(id);
}

Result<void> LaneRules::check_documents(ObjectSource& source, const std::optional<GitId>& before,
                                        const std::optional<GitId>& after) const {
    TreeChanges changes;
    changes.on_folder = [](const std::string& path, const Tree& old_tree,
                           const Tree& new_tree) -> Result<void> {
        if (!path.starts_with(kCourses)) return {};
        return check_numbers(path, old_tree, new_tree);
    };
    changes.on_document = [&](const std::string& path, const std::optional<GitId>& old_blob,
                              const std::optional<GitId>& new_blob) -> Result<void> {
        const bool in_scope = lane_.scope.empty() || std::any_of(lane_.scope.begin(), lane_.scope.end(),
                                                                 [&](const std::string& prefix) {
                                                                     return path.starts_with(prefix);
                                                                 });
        if (!in_scope)
            return fail(ErrorCode::kRefused, path, "the document lies outside the lane's scope",
                        "ask the office for a new root");
        if (path.starts_with(kCourses)) return check_edition(source, path, old_blob, new_blob);
        if (path.starts_with(kSites)) return check_site(source, path, old_blob, new_blob);
        if (path.starts_with(kRegister)) return check_registered(source, path, new_blob);
        return not_a_document(path, "no known kind of document");
    };
    return compare_trees(source, before, after, changes);
}

}  // namespace satchel::catalogue
