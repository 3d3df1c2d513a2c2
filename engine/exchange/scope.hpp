// Whose records a site holds by its place in the network, and what two sites have to compare of them. A hub
// without a parent holds all feeds, a hub with one its subtree, any other site its own.
#pragma once

#include <map>
#include <set>

#include "engine/exchange/messages.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

inline constexpr std::size_t kTreeDepthMax = 16;  // province, city, county, town, village and room to spare
inline constexpr std::uint32_t kFeedsPerSlice = 32;  // of a node, about: their list is some 3 KB
inline constexpr std::uint32_t kSlicesMax = 256;

// The roster as a tree, read once.
class SiteTree {
  public:
    static Result<SiteTree> read(trust::TrustStore& trust);
    [[nodiscard]] bool is_hub(const SiteId& site) const;
    [[nodiscard]] bool is_revoked(const SiteId& site) const;
    // Neither is a hub: each takes the other's records, and those that it carries, on their way to one. (A
    // copy of this very box is another matter: it holds the same feed.)
    [[nodiscard]] bool both_carry(const SiteId& self, const SiteId& peer) const;
    [[nodiscard]] bool holds(const SiteId& holder, const SiteId& feed) const;
    // Where the feed stands in the tree: at the hub right above, a hub at itself. Two sites whose rosters
    // differ may see it elsewhere: then the digests of both places differ, and both are compared.
    [[nodiscard]] NodeKey node_of(const SiteId& feed) const;

  private:
    struct Node {
        trust::SiteRole role = trust::SiteRole::kVillage;
        std::optional<SiteId> parent;
        std::uint32_t below = 0;  // sites right below
        bool is_revoked = false;
    };
    std::map<SiteId, Node> nodes_;
};

// What of the records here concerns one peer.
struct FeedsHere {
    std::vector<Feed> shared;      // both hold them by their place, or both carry them to the hubs
    std::vector<Feed> in_custody;  // held here for the peer, outside this site's own scope
};
Result<FeedsHere> feeds_for(RecordsPort& records, const SiteTree& tree, const SiteId& self,
                            const SiteId& peer);

[[nodiscard]] Digest digest_of(const std::vector<Feed>& feeds);
// By node of the tree, each ascending by site.
[[nodiscard]] std::map<NodeKey, std::vector<Feed>> by_node(const SiteTree& tree,
                                                           const std::vector<Feed>& feeds);
[[nodiscard]] std::map<NodeKey, ShortDigest> digests_of(const std::map<NodeKey, std::vector<Feed>>& nodes);

}  // namespace satchel::exchange
