// A site behind its links.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/exchange/wants.hpp"
#include "engine/site/site.hpp"
#include "transport/link/conversation.hpp"

namespace satchel::link {

class SiteHost : public Host {
  public:
    // The turn is held. The site is borrowed.
    static Result<std::unique_ptr<SiteHost>> open(site::Site& site);
    [[nodiscard]] const Identity& identity() const override { return identity_; }
    [[nodiscard]] PeerBook& book() override { return book_; }
    Result<std::unique_ptr<Conversation>> begin(const SiteId& peer, env::Instant now) override;
    Result<void> refresh() override;
    // A command has changed the site: what is wanted, and what there is to tell, may be other than before.
    Result<void> note_command();
    Result<void> remember(const std::string& address, const trust::SealingPublicKey& key) override;
    [[nodiscard]] std::uint64_t change_stamp() override;

  private:
    SiteHost(site::Site& site, Identity identity, std::unique_ptr<exchange::Wants> wants);
    Result<void> load_addresses();
    site::Site& site_;
    const Identity identity_;
    PeerBook book_;
    const std::unique_ptr<exchange::Wants> wants_;  // of all conversations
    std::vector<std::string> heads_seen_;           // of the lanes, when the roster was read last
    bool roster_read_ = false;
};

}  // namespace satchel::link
