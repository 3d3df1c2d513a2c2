#include "transport/link/site_host.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"
#include "transport/link/limits.hpp"
#include "transport/link/session_conversation.hpp"

namespace satchel::link {

namespace {

constexpr char kAddressPrefix[] = "link/";

}  // namespace

SiteHost::SiteHost(site::Site& site, Identity identity, std::unique_ptr<exchange::Wants> wants)
    : site_(site),
      identity_(std::move(identity)),
      book_(identity_.site, identity_.key.public_key()),
      wants_(std::move(wants)) {}

Result<std::unique_ptr<SiteHost>> SiteHost::open(site::Site& site) {
    std::optional<channel::Secret<32>> secret;
    const Result<ByteBuffer> kept = site.network_secret();
    if (kept.has_value())
        secret.emplace(*kept);
    else if (kept.error().code != ErrorCode::kNotFound)
        return kept.error();
    SATCHEL_TRY(std::unique_ptr<exchange::Wants> wants, exchange::Wants::create(site.replica()));
    Identity identity{.network = site.network(),
                      .site = site.self().id,
                      .role = site.self().role,
                      .key = site.sealing_key(),
                      .network_secret = std::move(secret)};
    std::unique_ptr<SiteHost> host(new SiteHost(site, std::move(identity), std::move(wants)));
    SATCHEL_TRY_VOID(host->load_addresses());
    SATCHEL_TRY_VOID(host->refresh());
    return host;
}

Result<std::unique_ptr<Conversation>> SiteHost::begin(const SiteId& peer, env::Instant now) {
    SATCHEL_TRY(std::unique_ptr<exchange::Session> session,
                exchange::Session::begin(site_.replica(), *wants_, {.peer = peer}, now));
    return std::unique_ptr<Conversation>(std::make_unique<SessionConversation>(std::move(session), now));
}

Result<void> SiteHost::note_command() {
    wants_->note_change();
    SATCHEL_TRY_VOID(wants_->refresh());
    return refresh();
}

Result<void> SiteHost::refresh() {
    SATCHEL_TRY(const std::vector<catalogue::LaneHead> heads, site_.catalogue().heads());
    std::vector<std::string> seen;
    for (const catalogue::LaneHead& head : heads) seen.push_back(head.lane + " " + to_hex(head.head));
    if (roster_read_ && seen == heads_seen_) return {};
    if (roster_read_) SATCHEL_TRY_VOID(site_.update_mirror());
    std::vector<Acquaintance> sites;
    SATCHEL_TRY_VOID(site_.trust().for_each_site([&sites](const trust::SiteEntry& entry) -> Result<void> {
        sites.push_back({.site = entry.id,
                         .key = entry.sealing_key,
                         .role = entry.role,
                         .revoked = entry.state == trust::SiteState::kRevoked,
                         .name = entry.name});
        return {};
    }));
    book_.replace_sites(sites);
    heads_seen_ = std::move(seen);
    roster_read_ = true;
    return {};
}

Result<void> SiteHost::load_addresses() {
    std::map<std::string, trust::SealingPublicKey> addresses;
    SATCHEL_TRY(database::Statement select,
                site_.database().prepare("SELECT key, value FROM meta WHERE key GLOB 'link/*' LIMIT ?"));
    select.bind(1, static_cast<std::int64_t>(kAddressesRememberedMax));
    while (true) {
        SATCHEL_TRY(const bool found, select.step());
        if (!found) break;
        const ByteView value = select.blob(1);
        trust::SealingPublicKey key;
        if (value.size() != key.digest.size()) continue;
        std::copy(value.begin(), value.end(), key.digest.begin());
        addresses[std::string(select.text(0).substr(sizeof(kAddressPrefix) - 1))] = key;
    }
    book_.replace_addresses(std::move(addresses));
    return {};
}

Result<void> SiteHost::remember(const std::string& address, const trust::SealingPublicKey& key) {
    if (book_.key_at(address) == key) return {};
    database::Database& database = site_.database();
    {
        SATCHEL_TRY(database::Statement count,
                    database.prepare("SELECT count(*) FROM meta WHERE key GLOB 'link/*'"));
        SATCHEL_TRY(const bool found, count.step());
        if (found && count.integer(0) >= static_cast<std::int64_t>(kAddressesRememberedMax))
            SATCHEL_TRY_VOID(database.run("DELETE FROM meta WHERE key GLOB 'link/*'"));
    }
    SATCHEL_TRY(database::Statement insert,
                database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"));
    insert.bind(1, kAddressPrefix + address).bind_blob(2, key.view());
    SATCHEL_TRY_VOID(insert.run());
    book_.remember(address, key);
    return {};
}

std::uint64_t SiteHost::change_stamp() { return wants_->changes(); }

}  // namespace satchel::link
