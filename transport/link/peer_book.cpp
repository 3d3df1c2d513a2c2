#include "transport/link/peer_book.hpp"

#include "engine/base/encoding.hpp"
#include "transport/channel/errors.hpp"
#include "transport/link/errors.hpp"
#include "transport/link/limits.hpp"

namespace satchel::link {

namespace {

// What a site is called whose id is not known yet: made from its key, so that two do not mix.
SiteId stranger(const trust::SealingPublicKey& key) {
    return SiteId{Hasher().update("satchel/stranger/v1").update(key.view()).finish()};
}

std::string short_name(ByteView id) { return to_hex(id).substr(0, 12); }

}  // namespace

void PeerBook::replace_sites(const std::vector<Acquaintance>& sites) {
    const std::lock_guard lock(mutex_);
    by_key_.clear();
    knows_others_ = false;
    for (const Acquaintance& each : sites) {
        by_key_[each.key] = each;
        knows_others_ = knows_others_ || each.site != self_;
    }
}

void PeerBook::replace_addresses(std::map<std::string, trust::SealingPublicKey> addresses) {
    const std::lock_guard lock(mutex_);
    addresses_ = std::move(addresses);
}

void PeerBook::remember(const std::string& address, const trust::SealingPublicKey& key) {
    const std::lock_guard lock(mutex_);
    if (addresses_.size() >= kAddressesRememberedMax) addresses_.clear();
    addresses_[address] = key;
}

void PeerBook::forget(const std::string& address) {
    const std::lock_guard lock(mutex_);
    addresses_.erase(address);
}

Result<SiteId> PeerBook::identify_dialler(const channel::Claim& claim) const {
    return identify(claim, claim.roles.dialler, false);
}

Result<SiteId> PeerBook::identify_dialled(const channel::Claim& claim) const {
    return identify(claim, claim.roles.answerer, true);
}

Result<SiteId> PeerBook::identify(const channel::Claim& claim, std::uint8_t role_said, bool strangers) const {
    const std::lock_guard lock(mutex_);
    if (claim.key == own_key_) return leads_back(short_name(claim.key.view()));
    const auto found = by_key_.find(claim.key);
    if (found == by_key_.end()) {
        if (strangers && !knows_others_) return stranger(claim.key);
        return channel::unknown_peer(short_name(claim.key.view()));
    }
    const Acquaintance& peer = found->second;
    if (peer.revoked) return channel::revoked_peer(peer.name);
    if (role_said != 0 && role_said != channel::role_byte(peer.role)) return channel::unknown_peer(peer.name);
    return peer.site;
}

std::optional<trust::SealingPublicKey> PeerBook::key_at(const std::string& address) const {
    const std::lock_guard lock(mutex_);
    const auto found = addresses_.find(address);
    if (found == addresses_.end()) return std::nullopt;
    return found->second;
}

std::optional<trust::SiteRole> PeerBook::role_of(const trust::SealingPublicKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    return found->second.role;
}

bool PeerBook::is_introduced(const channel::Peer& peer) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(peer.key);
    return found != by_key_.end() && found->second.site != peer.site;
}

std::string PeerBook::name_of(const channel::Peer& peer) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(peer.key);
    return found == by_key_.end() ? short_name(peer.site.view()) : found->second.name;
}

}  // namespace satchel::link
