// What the peer's newest greeting shows that it lacks, and handing it over piece by piece.
#include <algorithm>
#include <utility>

#include "engine/exchange/haves.hpp"
#include "engine/exchange/live_session.hpp"
#include "engine/exchange/news.hpp"

namespace satchel::exchange {

namespace {

constexpr std::size_t kFeedsBytes = 1024 * 1024;  // of one message, about: kFeedsMax heads come to more

// Equal but for what does not tell of state.
bool says_the_same(Hello a, Hello b) {
    a.heard = b.heard = 0;
    a.wanted.clear();
    b.wanted.clear();
    return a == b;
}

const Feed* find_feed(const std::vector<Feed>& feeds, const SiteId& site) {
    const auto found =
        std::find_if(feeds.begin(), feeds.end(), [&](const Feed& feed) { return feed.site == site; });
    return found == feeds.end() ? nullptr : &*found;
}

}  // namespace

Result<void> LiveSession::make_plan() {
    replan_ = false;
    if (!is_known_) return {};
    const bool again = says_the_same(own_, planned_own_) && says_the_same(*peer_, planned_peer_);
    repeats_ = again ? repeats_ + 1 : 0;
    planned_own_ = own_;
    planned_peer_ = *peer_;
    if (repeats_ >= kRepeatsMax) return {};
    SATCHEL_TRY_VOID(plan_freight());
    SATCHEL_TRY_VOID(plan_feeds());
    SATCHEL_TRY_VOID(plan_reviews());
    return plan_lanes();
}

Result<void> LiveSession::plan_freight() {
    if (own_.root_version > peer_->root_version)
        SATCHEL_TRY_VOID(
            roots_from(replica_, peer_->root_version + 1, [this](const Parcel& parcel) -> Result<void> {
                parcels_.push_back(encode(parcel));
                return {};
            }));
    if (own_.have_sequence > peer_->have_known) {
        SATCHEL_TRY(ByteBuffer have, own_have(replica_));
        parcels_.push_back(encode(Parcel(HaveParcel{std::move(have)})));
    }
    if (own_.have_known > peer_->have_sequence) {  // it was put back, and learns from its own word
        SATCHEL_TRY(std::optional<ByteBuffer> theirs, peer_have_bytes(replica_, options_.peer));
        if (theirs) parcels_.push_back(encode(Parcel(HaveParcel{std::move(*theirs)})));
    }
    Hasher known;
    std::vector<std::pair<std::uint64_t, ByteBuffer>> receipts;  // at most kReceiptsKept
    SATCHEL_TRY_VOID(for_each_receipt_of(
        replica_, replica_.self.id, [&](std::uint64_t sequence, ByteView bytes) -> Result<void> {
            if (sequence <= peer_->receipts_known) known.update(bytes);
            receipts.emplace_back(sequence, ByteBuffer(bytes.begin(), bytes.end()));
            return {};
        }));
    const Digest digest = known.finish();
    const bool holds_the_older =
        peer_->receipts_digest &&
        std::equal(peer_->receipts_digest->begin(), peer_->receipts_digest->end(), digest.begin());
    for (auto& [sequence, bytes] : receipts)
        if (!holds_the_older || sequence > peer_->receipts_known)
            parcels_.push_back(encode(Parcel(ReceiptParcel{std::move(bytes)})));
    return {};
}

// Whether the other side went on where this one ends, as far as numbers tell: a head that is not here.
Result<bool> LiveSession::is_ahead_of(const FeedHead& here, const std::vector<FeedHead>& there) {
    for (const FeedHead& head : there) {
        const bool same_branch = head.incarnation_number == here.incarnation_number &&
                                 head.incarnation_tag == here.incarnation_tag;
        if (!same_branch || head.next_sequence < here.next_sequence) continue;
        SATCHEL_TRY(const bool is_here, replica_.records->has(head.head));
        if (!is_here) return true;
    }
    return false;
}

// What comes from a side that is ahead shows whether it went on from here: until then nothing of that branch
// is handed over, for the other side likely has all of it.
Result<void> LiveSession::plan_feed(const Feed& here, const std::vector<FeedHead>& there) {
    const bool is_planned = std::any_of(feeds_.begin(), feeds_.end(),
                                        [&](const FeedPush& each) { return each.site == here.site; });
    if (is_planned) return {};
    FeedPush push{here.site, {}, {}, false};
    for (const FeedHead& head : there) push.known.push_back(head.head);
    bool knows_all = true;
    for (const FeedHead& head : here.heads) {
        if (std::find(push.known.begin(), push.known.end(), head.head) != push.known.end()) continue;
        SATCHEL_TRY(const bool ahead, is_ahead_of(head, there));
        if (ahead)
            push.known.push_back(head.head);
        else
            knows_all = false;
    }
    if (!knows_all) feeds_.push_back(std::move(push));
    return {};
}

// A list of feeds, in messages that each say all of a range.
void LiveSession::tell_all(const std::vector<Feed>& feeds, bool in_custody) {
    constexpr std::size_t kHeadBytes = 100;
    FeedsMessage page;
    std::size_t heads = 0;
    for (const Feed& feed : feeds) {
        if (heads * kHeadBytes >= kFeedsBytes) {
            page.to = page.feeds.back().site;
            FeedsMessage next{page.to, {}, {page.feeds.back()}, in_custody};  // it belongs to both: harmless
            feeds_told_.push_back(std::exchange(page, std::move(next)));
            heads = 0;
        }
        page.feeds.push_back(feed);
        heads += 1 + feed.heads.size();
    }
    page.to.digest.fill(0xFF);
    page.in_custody = in_custody;
    feeds_told_.push_back(std::move(page));
}

// Once it knows what this site lacks of it, the peer hands over what it holds in custody.
Result<void> LiveSession::answer_custody(const std::vector<Feed>& held) {
    SATCHEL_TRY(const SiteTree* sites, tree());
    for (const Feed& feed : held) {
        if (!sites->holds(replica_.self.id, feed.site)) continue;
        SATCHEL_TRY(std::vector<FeedHead> heads, replica_.records->heads_of(feed.site));
        if (heads != feed.heads)
            feeds_told_.push_back({feed.site, feed.site, {Feed{feed.site, std::move(heads)}}, false});
    }
    return {};
}

// Few feeds stand in the greeting; of many only a digest, and the whole list follows where it differs.
Result<void> LiveSession::plan_feeds() {
    if (replica_.records == nullptr || peer_->capabilities == 0) return {};
    SATCHEL_TRY(const SiteTree* sites, tree());
    SATCHEL_TRY(const FeedsHere here, feeds_for(*replica_.records, *sites, replica_.self.id, options_.peer));
    SATCHEL_TRY_VOID(answer_custody(peer_->more_feeds));
    if (!here.in_custody.empty() && own_.more_feeds.empty()) {
        const Digest digest = digest_of(here.in_custody);
        if (digest != custody_told_ && !wants_.was_custody_told(options_.peer, digest))
            tell_all(here.in_custody, true);
        custody_told_ = digest;  // once in a conversation; if it was lost, the next one tells it
    }
    if (!peer_->feeds_digest) {
        for (const Feed& feed : here.shared) {
            const Feed* there = find_feed(peer_->feeds, feed.site);
            SATCHEL_TRY_VOID(plan_feed(feed, there == nullptr ? std::vector<FeedHead>() : there->heads));
        }
    }
    const bool differs =
        peer_->feeds_digest ? *peer_->feeds_digest != digest_of(here.shared) : peer_->feeds != here.shared;
    if (differs && own_.feeds_digest) tell_all(here.shared, false);
    return {};
}

Result<void> LiveSession::plan_reviews() {
    marks_due_ = own_.reviews != peer_->reviews;
    return {};
}

Result<void> LiveSession::plan_lanes() {
    for (const catalogue::LaneHead& lane : own_.lanes) {
        const auto there =
            std::find_if(peer_->lanes.begin(), peer_->lanes.end(),
                         [&](const catalogue::LaneHead& each) { return each.lane == lane.lane; });
        LanePush push{lane.lane, std::nullopt, lane.head, 0};
        if (there != peer_->lanes.end()) {
            if (there->head == lane.head || there->height >= lane.height) continue;
            SATCHEL_TRY(const bool known, replica_.catalogue.knows(there->head));
            if (!known) {  // a fork: pushing would only be refused there
                SATCHEL_TRY_VOID(
                    note(fail(ErrorCode::kRefused, lane.lane,
                              "the history that is offered does not descend from the one held here",
                              "ask the office which of the two is right", "rollback or fork")));
                continue;
            }
            push.from = there->head;
        }
        const std::optional<Gathering>& gathering = peer_->gathering;
        if (gathering && gathering->lane == lane.lane && gathering->to == lane.head) {
            if (gathering->next == kGatheredElsewhere) continue;
            if (gathering->from == push.from) push.next = gathering->next;
        }
        lanes_.push_back(std::move(push));
    }
    return {};
}

// -- handing over -----------------------------------------------------------------------------------

Body LiveSession::next_parcels() {
    FreightMessage message;
    std::size_t bytes = 0;
    const std::uint8_t kind = parcels_.front().front();
    while (!parcels_.empty() && parcels_.front().front() == kind && message.parcels.size() < kParcelsMax &&
           (message.parcels.empty() || bytes + parcels_.front().size() <= kPushBytes)) {
        bytes += parcels_.front().size();
        message.parcels.push_back(std::move(parcels_.front()));
        parcels_.pop_front();
    }
    return Body(std::move(message));
}

Result<std::optional<Body>> LiveSession::next_segments() {
    SegmentsMessage message;
    std::size_t bytes = 0;
    while (!feeds_.empty() && message.segments.size() < kSegmentsMax) {
        FeedPush& push = feeds_.front();
        if (push.next.empty() && !push.all_read) {
            std::size_t read = 0;
            push.all_read = true;
            SATCHEL_TRY_VOID(replica_.records->segments_after(
                push.site, push.known, [&](const SegmentId& id, ByteView segment) -> Result<bool> {
                    if (read + segment.size() > kPushBytes && read > 0) {
                        push.all_read = false;
                        return false;
                    }
                    read += segment.size();
                    push.known.push_back(id);
                    push.next.emplace_back(segment.begin(), segment.end());
                    return true;
                }));
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

Result<std::optional<Body>> LiveSession::next_reviews() {
    constexpr std::size_t kReviewsBytes = 512 * 1024;  // few walks over all reviews
    FreightMessage message;
    std::size_t bytes = 0;
    SATCHEL_TRY_VOID(
        replica_.catalogue.for_each_review([&](const catalogue::Review&, const std::string&,
                                               const catalogue::SignedReview& review) -> Result<void> {
            if (bytes >= kReviewsBytes || message.parcels.size() >= kParcelsMax) return {};
            if (reviews_due_.erase(mark_of(review)) == 0) return {};
            message.parcels.push_back(encode(Parcel(review)));
            bytes += message.parcels.back().size();
            return {};
        }));
    if (message.parcels.empty()) {
        reviews_due_.clear();  // gone since
        return std::optional<Body>();
    }
    return std::optional<Body>(std::move(message));
}

Result<std::optional<Body>> LiveSession::next_lane() {
    while (!lanes_.empty()) {
        LanePush& push = lanes_.front();
        SATCHEL_TRY(std::vector<catalogue::LaneHead> heads, replica_.catalogue.heads());
        const bool is_head = std::any_of(heads.begin(), heads.end(), [&](const catalogue::LaneHead& each) {
            return each.lane == push.lane && each.head == push.to;
        });
        Result<LanePiece> piece = wants_.spool().read(push.lane, push.from, push.to, push.next);
        if (!piece.has_value() && is_head) {
            SATCHEL_TRY(const std::uint32_t count, wants_.spool().prepare(push.lane, push.from, push.to));
            if (push.next >= count) push.next = 0;
            if (count > 0) piece = wants_.spool().read(push.lane, push.from, push.to, push.next);
        }
        if (!piece.has_value()) {  // moved on since; the next plan knows
            lanes_.pop_front();
            replan_ = true;
            continue;
        }
        push.next += 1;
        if (push.next == piece->count) lanes_.pop_front();
        return std::optional<Body>(std::move(*piece));
    }
    return std::optional<Body>();
}

Result<std::optional<Body>> LiveSession::next_push() {
    if (!parcels_.empty()) return std::optional(next_parcels());
    if (!acknowledge_.empty() && replica_.records != nullptr) {
        const std::vector<SiteId> sites(acknowledge_.begin(), acknowledge_.end());
        acknowledge_.clear();
        SATCHEL_TRY(ByteBuffer word, replica_.records->acknowledge(sites));
        if (!word.empty()) return std::optional<Body>(AcknowledgementMessage{std::move(word)});
    }
    if (!feeds_told_.empty()) {
        Body body(std::move(feeds_told_.front()));
        feeds_told_.pop_front();
        return std::optional(std::move(body));
    }
    if (!feeds_.empty()) {
        SATCHEL_TRY(std::optional<Body> body, next_segments());
        if (body) return body;
    }
    if (marks_due_) {
        marks_due_ = false;
        std::set<ReviewMark> marks;
        SATCHEL_TRY_VOID(
            replica_.catalogue.for_each_review([&](const catalogue::Review&, const std::string&,
                                                   const catalogue::SignedReview& review) -> Result<void> {
                if (marks.size() < kReviewMarksMax) marks.insert(mark_of(review));
                return {};
            }));
        return std::optional<Body>(ReviewMarks{{marks.begin(), marks.end()}});
    }
    if (!reviews_due_.empty()) {
        SATCHEL_TRY(std::optional<Body> body, next_reviews());
        if (body) return body;
    }
    return next_lane();
}

}  // namespace satchel::exchange
