// Whom this site knows, kept in memory so that a greeting never waits for the engine. Anybody's, at any time.
//
// Who greets us must stand in the roster. Whom we dial too, unless this roster names nobody else yet: a box
// that has just joined knows its network's secret, but not one key of it.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "transport/channel/channel.hpp"

namespace satchel::link {

struct Acquaintance {
    SiteId site{};
    trust::SealingPublicKey key{};
    trust::SiteRole role = trust::SiteRole::kVillage;
    bool revoked = false;
    std::string name;
};

class PeerBook {
  public:
    PeerBook(const SiteId& self, const trust::SealingPublicKey& own_key) : self_(self), own_key_(own_key) {}

    void replace_sites(const std::vector<Acquaintance>& sites);
    void replace_addresses(std::map<std::string, trust::SealingPublicKey> addresses);
    void remember(const std::string& address, const trust::SealingPublicKey& key);
    void forget(const std::string& address);

    Result<SiteId> identify_dialler(const channel::Claim& claim) const;
    Result<SiteId> identify_dialled(const channel::Claim& claim) const;
    [[nodiscard]] std::optional<trust::SealingPublicKey> key_at(const std::string& address) const;
    [[nodiscard]] std::optional<trust::SiteRole> role_of(const trust::SealingPublicKey& key) const;
    // Dialled as a stranger, and named by the roster by now.
    [[nodiscard]] bool is_introduced(const channel::Peer& peer) const;
    [[nodiscard]] std::string name_of(const channel::Peer& peer) const;  // its id's begin if it has none here

  private:
    Result<SiteId> identify(const channel::Claim& claim, std::uint8_t role_said, bool strangers) const;
    const SiteId self_;
    const trust::SealingPublicKey own_key_;
    mutable std::mutex mutex_;
    std::map<trust::SealingPublicKey, Acquaintance> by_key_;
    std::map<std::string, trust::SealingPublicKey> addresses_;
    bool knows_others_ = false;
};

}  // namespace satchel::link
