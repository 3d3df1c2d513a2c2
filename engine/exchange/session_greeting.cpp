// What a greeting says: the state of this site, as of now and sure.
#include <algorithm>

#include "engine/exchange/haves.hpp"
#include "engine/exchange/live_session.hpp"

namespace satchel::exchange {

namespace {

std::size_t heads_in(const std::vector<Feed>& feeds) {
    std::size_t heads = 0;
    for (const Feed& feed : feeds) heads += feed.heads.size();
    return heads;
}

ShortDigest short_of(const Digest& digest) {
    ShortDigest cut;
    std::copy_n(digest.begin(), cut.size(), cut.begin());
    return cut;
}

}  // namespace

ReviewMark mark_of(const catalogue::SignedReview& review) {
    Hasher hasher;
    hasher.update(review.statement).update(review.signature);
    const Digest digest = hasher.finish();
    ReviewMark mark;
    std::copy_n(digest.begin(), mark.size(), mark.begin());
    return mark;
}

Result<const SiteTree*> LiveSession::tree() {
    if (!tree_) {
        SATCHEL_TRY(tree_, SiteTree::read(replica_.trust));
    }
    return &*tree_;
}

// Marks are hashes, so their sum in order is one too.
Result<void> LiveSession::tell_reviews(Hello& hello) {
    std::set<ReviewMark> marks;
    SATCHEL_TRY_VOID(
        replica_.catalogue.for_each_review([&](const catalogue::Review&, const std::string&,
                                               const catalogue::SignedReview& review) -> Result<void> {
            marks.insert(mark_of(review));
            return {};
        }));
    if (marks.empty()) return {};
    Hasher hasher;
    for (const ReviewMark& mark : marks) hasher.update(mark);
    hello.reviews = short_of(hasher.finish());
    return {};
}

Result<void> LiveSession::tell_receipts(Hello& hello) {
    Hasher hasher;
    SATCHEL_TRY_VOID(for_each_receipt_of(replica_, options_.peer,
                                         [&](std::uint64_t sequence, ByteView bytes) -> Result<void> {
                                             hello.receipts_known = sequence;
                                             hasher.update(bytes);
                                             return {};
                                         }));
    if (hello.receipts_known > 0) hello.receipts_digest = short_of(hasher.finish());
    return {};
}

Result<void> LiveSession::tell_feeds(Hello& hello) {
    if (replica_.records == nullptr) return {};
    hello.capabilities |= kSpeaksRecords;
    SATCHEL_TRY_VOID(replica_.records->close_segment());
    SATCHEL_TRY_VOID(replica_.records->commit());
    SATCHEL_TRY(const bool room, replica_.records->has_room_for_others());
    if (room) hello.capabilities |= kHasRoomForOthers;
    SATCHEL_TRY(const SiteTree* sites, tree());
    SATCHEL_TRY(FeedsHere here, feeds_for(*replica_.records, *sites, replica_.self.id, options_.peer));
    if (heads_in(here.shared) <= kGreetingFeedsMax) {
        hello.feeds = std::move(here.shared);
    } else {
        hello.feeds_count = static_cast<std::uint32_t>(here.shared.size());
        hello.feeds_digest = digest_of(here.shared);
    }
    if (heads_in(here.in_custody) <= kGreetingFeedsMax) hello.more_feeds = std::move(here.in_custody);
    return {};
}

void LiveSession::tell_gathering(Hello& hello) const {
    const std::optional<Wants::Gathered>& gathered = wants_.gathered();
    if (!gathered) return;
    hello.gathering = gathered->what;
    if (gathered->session != key_ && gathered->session != 0) hello.gathering->next = kGatheredElsewhere;
}

Result<Body> LiveSession::make_greeting() {
    SATCHEL_TRY_VOID(check_peer());
    Hello hello;
    hello.heard = heard_;
    SATCHEL_TRY(const std::optional<trust::Root> root, replica_.trust.current_root());
    hello.root_version = root ? root->version : 0;
    SATCHEL_TRY(hello.lanes, replica_.catalogue.heads());
    SATCHEL_TRY_VOID(tell_reviews(hello));
    SATCHEL_TRY(const ByteBuffer own, own_have(replica_));
    SATCHEL_TRY(const Have have, decode_have(own));
    hello.have_sequence = have.sequence;
    SATCHEL_TRY(const std::optional<Have> theirs, peer_have(replica_, options_.peer));
    hello.have_known = theirs ? theirs->sequence : 0;
    SATCHEL_TRY_VOID(tell_receipts(hello));
    SATCHEL_TRY_VOID(tell_feeds(hello));
    tell_gathering(hello);
    may_ask_ = true;
    if (own_number_ == 0) {  // content flows after one round trip, then
        SATCHEL_TRY(hello.wanted, wants_.ask(key_, kGreetingWantedMax, not_here_));
    }
    own_heard_ = heard_;
    said_changes_ = wants_.changes();
    replan_ = peer_.has_value();
    return Body(std::move(hello));
}

}  // namespace satchel::exchange
