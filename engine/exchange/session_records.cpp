// Which records the two sides have to compare, and what of them goes over.
#include <algorithm>
#include <utility>

#include "engine/exchange/live_session.hpp"

namespace satchel::exchange {

namespace {

constexpr std::size_t kFeedsBytes = 1024 * 1024;  // of one message, about: kFeedsMax heads come to more

const Feed* find_feed(const std::vector<Feed>& feeds, const SiteId& site) {
    const auto found =
        std::find_if(feeds.begin(), feeds.end(), [&](const Feed& feed) { return feed.site == site; });
    return found == feeds.end() ? nullptr : &*found;
}

}  // namespace

// -- comparing --------------------------------------------------------------------------------------

Result<bool> LiveSession::both_carry() {
    SATCHEL_TRY(const SiteTree* sites, tree());
    return sites->both_carry(replica_.self.id, options_.peer);
}

// What the other side carries, or waits to see carried, while hubs have it: it is told their words. And of
// this site's own feed it may carry what is lost here.
Result<void> LiveSession::answer_carrier(const Feed& there) {
    SATCHEL_TRY(const bool as_carriers, both_carry());
    if (!as_carriers) return {};
    SATCHEL_TRY(const std::vector<FeedHead> settled, replica_.records->settled_heads(there.site));
    bool is_lacking = false;
    for (const FeedHead& head : there.heads) {
        for (const FeedHead& sure : settled)
            if (same_branch(head, sure) && head.next_sequence <= sure.next_sequence)
                acknowledge_.insert(there.site);
        SATCHEL_TRY(const bool is_here, replica_.records->has(head.head));
        is_lacking = is_lacking || !is_here;
    }
    const bool listed = own_.feeds_digest || find_feed(own_.feeds, there.site) != nullptr;
    const bool asks = there.site == replica_.self.id && is_lacking && !listed;
    return asks ? tell_where_it_differs(there) : Result<void>();
}

// Whether the other side went on where this one ends, as far as numbers tell: a head that is not here.
Result<bool> LiveSession::is_ahead_of(const FeedHead& here, const std::vector<FeedHead>& there) {
    for (const FeedHead& head : there) {
        if (!same_branch(head, here) || head.next_sequence <= here.next_sequence) continue;
        SATCHEL_TRY(const bool is_here, replica_.records->has(head.head));
        if (!is_here) return true;
    }
    return false;
}

// What comes from a side that is ahead shows whether it went on from here: until then nothing of that branch
// is handed over, for the other side likely has all of it. Who only carries gets nothing of it, and does not
// wait.
Result<void> LiveSession::plan_feed(const Feed& here, const std::vector<FeedHead>& there, bool may_wait) {
    SATCHEL_TRY(const bool as_carriers, both_carry());
    if (as_carriers && here.site != options_.peer && (peer_->capabilities & kHasRoomForOthers) == 0)
        return {};
    const bool is_planned = std::any_of(feeds_.begin(), feeds_.end(),
                                        [&](const FeedPush& each) { return each.site == here.site; });
    if (is_planned) return {};
    FeedPush push{here.site, {}, {}, false};
    for (const FeedHead& head : there) push.known.push_back(head.head);
    bool knows_all = true;
    for (const FeedHead& head : here.heads) {
        if (std::find(push.known.begin(), push.known.end(), head.head) != push.known.end()) continue;
        SATCHEL_TRY(const bool ahead, is_ahead_of(head, there));
        if (ahead && may_wait)
            push.known.push_back(head.head);
        else
            knows_all = false;
    }
    if (!knows_all) feeds_.push_back(std::move(push));
    return {};
}

// A list of feeds, in messages that each say all of a range, or all that these nodes have in it.
void LiveSession::tell_all(const std::vector<Feed>& feeds, bool in_custody,
                           const std::vector<NodeKey>& only) {
    constexpr std::size_t kHeadBytes = 100;
    FeedsMessage page{{}, {}, {}, in_custody, only};
    std::size_t heads = 0;
    for (const Feed& feed : feeds) {
        if (heads * kHeadBytes >= kFeedsBytes) {
            page.to = page.feeds.back().site;
            FeedsMessage next{
                page.to, {}, {page.feeds.back()}, in_custody, only};  // it belongs to both: harmless
            told_.emplace_back(std::exchange(page, std::move(next)));
            heads = 0;
        }
        page.feeds.push_back(feed);
        heads += 1 + feed.heads.size();
    }
    page.to.digest.fill(0xFF);
    told_.emplace_back(std::move(page));
}

// The other side then hands over what this one lacks of the feed.
Result<void> LiveSession::tell_where_it_differs(const Feed& there) {
    SATCHEL_TRY(std::vector<FeedHead> heads, replica_.records->heads_of(there.site));
    if (heads != there.heads)
        told_.emplace_back(
            FeedsMessage{there.site, there.site, {Feed{there.site, std::move(heads)}}, false, {}});
    return {};
}

// Once it knows what this site lacks of it, the peer hands over what it holds in custody.
Result<void> LiveSession::answer_custody(const std::vector<Feed>& held) {
    SATCHEL_TRY(const SiteTree* sites, tree());
    for (const Feed& feed : held) {
        if (!sites->holds(replica_.self.id, feed.site) || sites->is_revoked(feed.site)) continue;
        bool is_lacking = false;
        for (const FeedHead& head : feed.heads) {
            SATCHEL_TRY(const bool is_here, replica_.records->has(head.head));
            if (is_here) acknowledge_.insert(feed.site);  // it need not be carried any more
            is_lacking = is_lacking || !is_here;
        }
        if (is_lacking) SATCHEL_TRY_VOID(tell_where_it_differs(feed));
    }
    return {};
}

// Few feeds stand in the greeting; of many only a digest. Where two of these differ, digests by node of the
// site tree follow, and then the lists of those nodes that differ.
Result<void> LiveSession::plan_feeds() {
    if (replica_.records == nullptr || peer_->capabilities == 0) return {};
    SATCHEL_TRY(const SiteTree* sites, tree());
    SATCHEL_TRY(const FeedsHere here, feeds_for(*replica_.records, *sites, replica_.self.id, options_.peer));
    SATCHEL_TRY_VOID(answer_custody(peer_->more_feeds));
    if (!here.in_custody.empty() && own_.more_feeds.empty()) {
        const Digest digest = digest_of(here.in_custody);
        if (digest != custody_told_ && !wants_.was_custody_told(options_.peer, digest))
            tell_all(here.in_custody, true, {});
        custody_told_ = digest;  // once in a conversation; if it was lost, the next one tells it
    }
    if (!peer_->feeds_digest) return plan_listed(here.shared);
    if (!own_.feeds_digest || *peer_->feeds_digest == digest_of(here.shared)) return {};
    FeedNodes nodes{digests_of(by_node(*sites, here.shared))};
    if (nodes.digests.size() > kFeedNodesMax)
        tell_all(here.shared, false, {});
    else
        told_.emplace_back(std::move(nodes));
    return {};
}

Result<void> LiveSession::plan_listed(const std::vector<Feed>& shared) {
    SATCHEL_TRY(const SiteTree* sites, tree());
    SATCHEL_TRY(const bool as_carriers, both_carry());
    for (const Feed& feed : shared) {
        const Feed* there = find_feed(peer_->feeds, feed.site);
        // Its own feed, of which it thinks that hubs have all: it asks if it lacks something.
        if (as_carriers && feed.site == options_.peer && there == nullptr) continue;
        SATCHEL_TRY_VOID(plan_feed(feed, there == nullptr ? std::vector<FeedHead>() : there->heads));
    }
    for (const Feed& there : peer_->feeds) {
        SATCHEL_TRY_VOID(answer_carrier(there));
        const bool compared = as_carriers || sites->holds(replica_.self.id, there.site);
        if (own_.feeds_digest && compared) SATCHEL_TRY_VOID(tell_where_it_differs(there));
    }
    return {};
}

// -- handing over -----------------------------------------------------------------------------------

Result<std::optional<Body>> LiveSession::next_segments() {
    SegmentsMessage message;
    std::size_t bytes = 0;
    while (!feeds_.empty() && message.segments.size() < kSegmentsMax) {
        FeedPush& push = feeds_.front();
        if (push.next.empty() && !push.all_read) {
            std::size_t read = 0;
            push.all_read = true;
            const auto take_up = [&](const SegmentId& id, ByteView segment) -> Result<bool> {
                if (read + segment.size() > kPushBytes && read > 0) {
                    push.all_read = false;
                    return false;
                }
                read += segment.size();
                push.known.push_back(id);
                push.next.emplace_back(segment.begin(), segment.end());
                return true;
            };
            SATCHEL_TRY(const bool as_carriers, both_carry());
            const bool has_room = (peer_->capabilities & kHasRoomForOthers) != 0;
            if (as_carriers && push.site != options_.peer && !has_room) {
                feeds_.pop_front();
                continue;
            }
            if (as_carriers && push.site != options_.peer)
                SATCHEL_TRY_VOID(replica_.records->unsettled_after(push.site, push.known, take_up));
            else
                SATCHEL_TRY_VOID(replica_.records->segments_after(push.site, push.known, take_up));
            // The rest follows on the peer's next greeting: a run is bounded.
            if (push.known.size() > kPushedIdsMax) push.all_read = true;
        }
        if (push.next.empty()) {
            feeds_.pop_front();
            continue;
        }
        if (!message.segments.empty() && bytes + push.next.front().size() > kPushBytes) break;
        bytes += push.next.front().size();
        message.segments.push_back(std::move(push.next.front()));
        push.next.pop_front();
        report_.segments_given += 1;
    }
    if (message.segments.empty()) return std::optional<Body>();
    return std::optional<Body>(std::move(message));
}

// A hub gives its own word; carriers hand on to each other what hubs said.
Result<void> LiveSession::tell_words(std::span<const SiteId> sites) {
    SATCHEL_TRY(const SiteTree* places, tree());
    SATCHEL_TRY(const bool as_carriers, both_carry());
    if (!as_carriers && !places->is_hub(replica_.self.id)) return {};
    SATCHEL_TRY_VOID(replica_.records->commit());
    SATCHEL_TRY(std::vector<ByteBuffer> words, replica_.records->acknowledge(sites));
    for (ByteBuffer& word : words) told_.emplace_back(AcknowledgementMessage{std::move(word)});
    return {};
}

// -- taking -----------------------------------------------------------------------------------------

// Without a greeting nothing is known of the other side yet; it will be told again.
Result<void> LiveSession::take(const FeedsMessage& message) {
    if (replica_.records == nullptr || !is_known_ || !peer_) return {};
    if (message.in_custody) return answer_custody(message.feeds);
    SATCHEL_TRY(const SiteTree* sites, tree());
    SATCHEL_TRY(const FeedsHere here, feeds_for(*replica_.records, *sites, replica_.self.id, options_.peer));
    const auto told = [&](const SiteId& site) -> const Feed* {
        const auto found =
            std::lower_bound(message.feeds.begin(), message.feeds.end(), site,
                             [](const Feed& feed, const SiteId& id) { return feed.site < id; });
        return found == message.feeds.end() || found->site != site ? nullptr : &*found;
    };
    for (const Feed& feed : here.shared) {
        if (feed.site < message.from || message.to < feed.site) continue;
        if (!message.only.empty() &&
            !std::binary_search(message.only.begin(), message.only.end(), sites->node_of(feed.site)))
            continue;
        const Feed* there = told(feed.site);
        SATCHEL_TRY_VOID(plan_feed(feed, there == nullptr ? std::vector<FeedHead>() : there->heads));
    }
    for (const Feed& feed : message.feeds) SATCHEL_TRY_VOID(answer_carrier(feed));
    for (const Feed& feed : here.in_custody)  // only what the peer asks about
        if (const Feed* there = told(feed.site)) SATCHEL_TRY_VOID(plan_feed(feed, there->heads, false));
    return {};
}

Result<void> LiveSession::take(const FeedNodes& message) {
    if (replica_.records == nullptr || !is_known_ || !peer_ || nodes_answered_ == peer_number_) return {};
    nodes_answered_ = peer_number_;
    SATCHEL_TRY(const SiteTree* sites, tree());
    SATCHEL_TRY(const FeedsHere here, feeds_for(*replica_.records, *sites, replica_.self.id, options_.peer));
    const std::map<NodeKey, std::vector<Feed>> nodes = by_node(*sites, here.shared);
    const std::map<NodeKey, ShortDigest> digests = digests_of(nodes);
    std::vector<NodeKey> differ;
    const auto look = [&](const NodeKey& node) {
        const auto mine = digests.find(node), theirs = message.digests.find(node);
        if (mine == digests.end() || theirs == message.digests.end() || mine->second != theirs->second)
            differ.push_back(node);
    };
    for (const auto& [node, digest] : digests) look(node);
    for (const auto& [node, digest] : message.digests)
        if (!digests.contains(node)) look(node);
    std::sort(differ.begin(), differ.end());
    if (differ.empty()) return {};
    std::vector<Feed> listed;
    for (const NodeKey& node : differ)
        if (const auto feeds = nodes.find(node); feeds != nodes.end())
            listed.insert(listed.end(), feeds->second.begin(), feeds->second.end());
    std::sort(listed.begin(), listed.end(), [](const Feed& a, const Feed& b) { return a.site < b.site; });
    tell_all(listed, false, differ);
    return {};
}

Result<void> LiveSession::take(const SegmentsMessage& message) {
    if (replica_.records == nullptr) return {};
    bool is_new = false;
    for (const ByteBuffer& segment : message.segments) {
        const Result<RecordsPort::Taken> taken = replica_.records->accept(segment);
        if (!taken.has_value()) {
            // No offence: the catalogue that names the site comes behind the records, which are then sent
            // again.
            if (taken.error().code == ErrorCode::kNotFound)
                unnamed_ = taken.error();
            else
                SATCHEL_TRY_VOID(note(taken.error()));
            continue;
        }
        if (acknowledge_.size() < kFeedsMax) acknowledge_.insert(taken->site);
        report_.segments_taken += taken->is_new ? 1u : 0u;
        is_new = is_new || taken->is_new;
    }
    SATCHEL_TRY(const bool room, replica_.records->has_room_for_others());
    const bool is_full = !room && (own_.capabilities & kHasRoomForOthers) != 0;
    return is_new || is_full ? changed_by_peer(false) : Result<void>();
}

Result<void> LiveSession::take(const AcknowledgementMessage& message) {
    if (replica_.records == nullptr) return {};
    const Result<void> accepted = replica_.records->accept_acknowledgement(message.bytes);
    if (!accepted.has_value()) return note(accepted.error());
    SATCHEL_TRY(const bool as_carriers, both_carry());
    return as_carriers ? changed_by_peer(false) : Result<void>();
}

}  // namespace satchel::exchange
