// Whose records a site holds by its place in the network, and what two sites have to compare of them. A hub
// without a parent holds all feeds, a hub with one its subtree, any other site its own.
#pragma once

#include <map>
#include <set>

#include "engine/exchange/messages.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

// The roster as a tree, read once.
class SiteTree {
  public:
    static Result<SiteTree> read(trust::TrustStore& trust);
    [[nodiscard]] bool is_hub(const SiteId& site) const;
    [[nodiscard]] bool holds(const SiteId& holder, const SiteId& feed) const;

  private:
    struct Node {
        trust::SiteRole role = trust::SiteRole::kVillage;
        std::optional<SiteId> parent;
    };
    std::map<SiteId, Node> nodes_;
};

// What of the records here concerns one peer.
struct FeedsHere {
    std::vector<Feed> shared;      // both hold them by their place
    std::vector<Feed> in_custody;  // held here for the peer, outside this site's own scope
};
Result<FeedsHere> feeds_for(RecordsPort& records, const SiteTree& tree, const SiteId& self,
                            const SiteId& peer);

[[nodiscard]] Digest digest_of(const std::vector<Feed>& feeds);

}  // namespace satchel::exchange
