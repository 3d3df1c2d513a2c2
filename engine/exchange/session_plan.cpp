// What the peer's newest greeting shows that it lacks, and handing it over piece by piece.
#include <algorithm>
#include <utility>

#include "engine/exchange/haves.hpp"
#include "engine/exchange/live_session.hpp"
#include "engine/exchange/news.hpp"

namespace satchel::exchange {

namespace {

// Equal but for what does not tell of state.
bool says_the_same(Hello a, Hello b) {
    a.heard = b.heard = 0;
    a.wanted.clear();
    b.wanted.clear();
    return a == b;
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
        SATCHEL_TRY_VOID(tell_words(sites));
    }
    if (!told_.empty()) {
        Body body(std::move(told_.front()));
        told_.pop_front();
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
