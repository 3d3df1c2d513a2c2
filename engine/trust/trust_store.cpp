#include "engine/trust/trust_store.hpp"

#include <algorithm>

namespace satchel::trust {

namespace {

constexpr std::string_view kSiteColumns = "id, name, role, parent, signing_key, sealing_key, state";

std::string joined(const std::vector<std::string>& signatures) {
    std::string text;
    for (const std::string& signature : signatures) text += signature + "\n\n";
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> signatures;
    for (std::size_t end = text.find("\n\n"); end != std::string_view::npos; end = text.find("\n\n")) {
        signatures.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 2);
    }
    return signatures;
}

template <typename Id>
Id id_of(ByteView bytes) {
    Id id;
    if (bytes.size() == id.digest.size()) std::copy(bytes.begin(), bytes.end(), id.digest.begin());
    return id;
}

SiteEntry entry_of(const database::Statement& row) {
    SiteEntry entry;
    entry.id = id_of<SiteId>(row.blob(0));
    entry.name = row.text(1);
    entry.role = site_role_of(row.text(2)).value_or(SiteRole::kVillage);
    if (!row.is_null(3)) entry.parent = id_of<SiteId>(row.blob(3));
    entry.signing_key = id_of<PublicKey>(row.blob(4));
    entry.sealing_key = id_of<SealingPublicKey>(row.blob(5));
    entry.state = row.text(6) == "active" ? SiteState::kActive : SiteState::kRevoked;
    return entry;
}

}  // namespace

Result<std::vector<SignedRoot>> TrustStore::roots(std::uint32_t from_version) {
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT document, signatures FROM root WHERE version >= ? ORDER BY version"));
    select.bind(1, std::int64_t{from_version});
    std::vector<SignedRoot> chain;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return chain;
        const ByteView document = select.blob(0);
        chain.push_back({ByteBuffer(document.begin(), document.end()), split(select.text(1))});
    }
}

Result<std::optional<Root>> TrustStore::current_root() {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT document FROM root ORDER BY version DESC LIMIT 1"));
    SATCHEL_TRY(const bool row, select.step());
    if (!row) return std::optional<Root>();
    // Asked for at every turn, and almost never another one: the last that was decoded is remembered by its
    // bytes.
    struct Decoded {
        ByteBuffer document;
        Root root;
    };
    thread_local Decoded last;
    if (!last.document.empty() && equal(last.document, select.blob(0))) return std::optional(last.root);
    SATCHEL_TRY(Root root, decode_root(select.blob(0)));
    last = {{select.blob(0).begin(), select.blob(0).end()}, root};
    return std::optional(std::move(root));
}

Result<std::uint32_t> TrustStore::accept_roots(const NetworkId& network,
                                               const std::vector<SignedRoot>& chain) {
    SATCHEL_TRY(std::optional<Root> current, current_root());
    std::uint32_t accepted = 0;
    for (const SignedRoot& next : chain) {
        SATCHEL_TRY(const Root claimed, decode_root(next.document));
        if (current && claimed.version <= current->version) {
            SATCHEL_TRY(database::Statement held,
                        database_.prepare("SELECT document FROM root WHERE version = ?"));
            held.bind(1, std::int64_t{claimed.version});
            SATCHEL_TRY(const bool there, held.step());
            if (there && !equal(held.blob(0), next.document))
                return fail(ErrorCode::kRefused, "root", "another root of the same version is held here",
                            "ask the office which of the two is right");
            continue;
        }
        SATCHEL_TRY(Root root, verify_root(current, network, next));
        SATCHEL_TRY(database::Statement insert,
                    database_.prepare("INSERT INTO root (version, document, signatures) VALUES (?, ?, ?)"));
        const std::string signatures = joined(signatures_that_count(current, root, next));
        insert.bind(1, std::int64_t{root.version}).bind_blob(2, next.document).bind(3, signatures);
        SATCHEL_TRY_VOID(insert.run());
        current = std::move(root);
        ++accepted;
    }
    return accepted;
}

Result<std::uint64_t> TrustStore::ratchet(std::string_view name) {
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT value FROM ratchet WHERE name = ?"));
    select.bind(1, name);
    SATCHEL_TRY(const bool row, select.step());
    return row ? static_cast<std::uint64_t>(select.integer(0)) : 0;
}

Result<void> TrustStore::raise(std::string_view name, std::uint64_t value) {
    SATCHEL_TRY(const std::uint64_t held, ratchet(name));
    if (value < held)
        return fail(ErrorCode::kRefused, std::string(name), "this would go back behind what is known here",
                    "use a newer stick");
    SATCHEL_TRY(database::Statement upsert,
                database_.prepare("INSERT INTO ratchet (name, value) VALUES (?1, ?2) "
                                  "ON CONFLICT (name) DO UPDATE SET value = ?2"));
    upsert.bind(1, name).bind(2, static_cast<std::int64_t>(value));
    return upsert.run();
}

Result<void> TrustStore::put_site(const SiteEntry& entry) {
    SATCHEL_TRY(const std::optional<SiteEntry> held, site(entry.id));
    if (held) {
        if (held->signing_key != entry.signing_key || held->sealing_key != entry.sealing_key)
            return fail(ErrorCode::kRefused, entry.name, "a site keeps its keys for life",
                        "enrol the box anew");
        if (held->state == SiteState::kRevoked && entry.state == SiteState::kActive)
            return fail(ErrorCode::kRefused, entry.name, "this box was revoked",
                        "make a new request in an empty folder, so that the box gets new keys");
    }
    SATCHEL_TRY(database::Statement upsert,
                database_.prepare(
                    "INSERT OR REPLACE INTO site (id, name, role, parent, signing_key, sealing_key, state) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)"));
    upsert.bind_blob(1, entry.id.view()).bind(2, entry.name).bind(3, name_of(entry.role));
    if (entry.parent)
        upsert.bind_blob(4, entry.parent->view());
    else
        upsert.bind_null(4);
    upsert.bind_blob(5, entry.signing_key.view()).bind_blob(6, entry.sealing_key.view());
    upsert.bind(7,
                entry.state == SiteState::kActive ? std::string_view("active") : std::string_view("revoked"));
    return upsert.run();
}

Result<std::optional<SiteEntry>> TrustStore::site(const SiteId& id) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT " + std::string(kSiteColumns) + " FROM site WHERE id = ?"));
    select.bind_blob(1, id.view());
    SATCHEL_TRY(const bool row, select.step());
    if (!row) return std::optional<SiteEntry>();
    return std::optional(entry_of(select));
}

Result<std::vector<SiteEntry>> TrustStore::find_sites(std::string_view name_or_id_prefix) {
    constexpr int kFoundMax = 50;  // who sees so many types more letters
    SATCHEL_TRY(database::Statement select,
                database_.prepare(
                    "SELECT " + std::string(kSiteColumns) +
                    " FROM site WHERE substr(name, 1, length(?1)) = ?1 OR "
                    "substr(lower(hex(id)), 1, length(?1)) = ?1 ORDER BY name = ?1 DESC, name LIMIT ?2"));
    select.bind(1, name_or_id_prefix).bind(2, std::int64_t{kFoundMax});
    std::vector<SiteEntry> found;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return found;
        found.push_back(entry_of(select));
    }
}

Result<std::size_t> TrustStore::active_hubs() {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT count(*) FROM site WHERE role = 'hub' AND state = 'active'"));
    SATCHEL_TRY_VOID(select.step());
    return static_cast<std::size_t>(select.integer(0));
}

Result<void> TrustStore::for_each_site(const std::function<Result<void>(const SiteEntry&)>& each) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT " + std::string(kSiteColumns) + " FROM site ORDER BY name, id"));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        SATCHEL_TRY_VOID(each(entry_of(select)));
    }
}

}  // namespace satchel::trust
