#include "engine/exchange/scope.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::exchange {

Result<SiteTree> SiteTree::read(trust::TrustStore& trust) {
    SiteTree tree;
    SATCHEL_TRY_VOID(trust.for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
        tree.nodes_[entry.id] = {entry.role, entry.parent, 0, entry.state == trust::SiteState::kRevoked};
        return {};
    }));
    for (const auto& [id, node] : tree.nodes_) {
        if (!node.parent) continue;
        const auto above = tree.nodes_.find(*node.parent);
        if (above != tree.nodes_.end()) above->second.below += 1;
    }
    return tree;
}

bool SiteTree::is_hub(const SiteId& site) const {
    const auto place = nodes_.find(site);
    return place != nodes_.end() && place->second.role == trust::SiteRole::kHub;
}

bool SiteTree::both_carry(const SiteId& self, const SiteId& peer) const {
    return self != peer && !is_hub(self) && !is_hub(peer);
}

bool SiteTree::is_revoked(const SiteId& site) const {
    const auto place = nodes_.find(site);
    return place != nodes_.end() && place->second.is_revoked;
}

bool SiteTree::holds(const SiteId& holder, const SiteId& feed) const {
    if (holder == feed) return true;
    const auto place = nodes_.find(holder);
    if (place == nodes_.end() || place->second.role != trust::SiteRole::kHub) return false;
    if (!place->second.parent) return true;
    auto at = nodes_.find(feed);
    for (std::size_t depth = 0; depth < kTreeDepthMax && at != nodes_.end(); ++depth) {
        if (!at->second.parent) return false;
        if (*at->second.parent == holder) return true;
        at = nodes_.find(*at->second.parent);
    }
    return false;
}

NodeKey SiteTree::node_of(const SiteId& feed) const {
    const auto place = nodes_.find(feed);
    if (place == nodes_.end()) return {};
    const SiteId node =
        place->second.role == trust::SiteRole::kHub ? feed : place->second.parent.value_or(SiteId{});
    const auto above = nodes_.find(node);
    const std::uint32_t below = above == nodes_.end() ? 0 : above->second.below;
    const std::uint32_t slices = std::min(below / kFeedsPerSlice + 1, kSlicesMax);
    return {node, feed.digest[0] * slices / kSlicesMax};
}

Result<FeedsHere> feeds_for(RecordsPort& records, const SiteTree& tree, const SiteId& self,
                            const SiteId& peer) {
    FeedsHere here;
    if (tree.both_carry(self, peer)) {
        SATCHEL_TRY_VOID(records.for_each_unsettled_feed(
            [&](const SiteId& site, std::span<const FeedHead> heads) -> Result<void> {
                here.shared.push_back({site, {heads.begin(), heads.end()}});
                return {};
            }));
        return here;
    }
    if (!tree.is_hub(peer)) {  // the common case, without a walk over all feeds
        SATCHEL_TRY(std::vector<FeedHead> heads, records.heads_of(peer));
        if (heads.empty()) return here;
        std::vector<Feed>& list = tree.holds(self, peer) ? here.shared : here.in_custody;
        list.push_back({peer, std::move(heads)});
        return here;
    }
    SATCHEL_TRY_VOID(
        records.for_each_feed([&](const SiteId& site, std::span<const FeedHead> heads) -> Result<void> {
            if (!tree.holds(peer, site)) return {};
            const bool is_mine = tree.holds(self, site);
            std::vector<Feed>& list = is_mine ? here.shared : here.in_custody;
            list.push_back({site, {heads.begin(), heads.end()}});
            return {};
        }));
    return here;
}

Digest digest_of(const std::vector<Feed>& feeds) {
    Hasher hasher;
    ByteBuffer bytes;
    for (const Feed& feed : feeds) {
        bytes.clear();
        Writer writer(bytes);
        writer.raw(feed.site.view()).varint(feed.heads.size());
        for (const FeedHead& head : feed.heads) writer.raw(head.head.view());
        hasher.update(bytes);
    }
    return hasher.finish();
}

std::map<NodeKey, std::vector<Feed>> by_node(const SiteTree& tree, const std::vector<Feed>& feeds) {
    std::map<NodeKey, std::vector<Feed>> nodes;
    for (const Feed& feed : feeds) nodes[tree.node_of(feed.site)].push_back(feed);
    return nodes;
}

std::map<NodeKey, ShortDigest> digests_of(const std::map<NodeKey, std::vector<Feed>>& nodes) {
    std::map<NodeKey, ShortDigest> digests;
    for (const auto& [node, feeds] : nodes) {
        const Digest digest = digest_of(feeds);
        std::copy_n(digest.begin(), sizeof(ShortDigest), digests[node].begin());
    }
    return digests;
}

}  // namespace satchel::exchange
