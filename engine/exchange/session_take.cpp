// What comes from the peer. Each thing is judged by itself; what is refused changes nothing.
#include <algorithm>

#include "engine/exchange/haves.hpp"
#include "engine/exchange/live_session.hpp"

namespace satchel::exchange {

// Refusals are noted; a peer that goes on sending what is not what it says is not listened to any longer.
Result<void> LiveSession::note(const Error& error) {
    switch (error.code) {
        case ErrorCode::kRefused:
        case ErrorCode::kDamaged:
        case ErrorCode::kUnsupported:
        case ErrorCode::kTooLarge:
        case ErrorCode::kNotFound:
        case ErrorCode::kUsage:
            break;
        default:
            return error;
    }
    if (report_.refused.size() < kRefusedMax) report_.refused.push_back(error);
    if (++strikes_ < kStrikesMax) return {};
    return fail(ErrorCode::kRefused, "link", "the other side goes on sending what is not allowed",
                "look at what was refused, and ask whoever keeps that box", error.about);
}

// The peer's run of pushes goes on until its END; only then is it greeted anew.
Result<void> LiveSession::changed_by_peer(bool catalogue) {
    const bool all_said = said_changes_ == wants_.changes();
    wants_.note_change();
    if (catalogue) {
        unnamed_.reset();  // what is still not named is sent again, and refused again
        SATCHEL_TRY_VOID(wants_.refresh());
        tree_.reset();
        may_ask_ = true;
        SATCHEL_TRY_VOID(check_peer());
    }
    if (all_said) said_changes_ = wants_.changes();
    return {};
}

// Once it is there now, and its word of what it has is the newest that it gave.
Result<void> LiveSession::look_for_source() {
    if (!confirmed_ || !peer_) return {};
    SATCHEL_TRY(const std::optional<Have> have, peer_have(replica_, options_.peer));
    if (!have || have->sequence != peer_->have_sequence) return {};
    return wants_.note_source(key_, options_.peer, have->sequence);
}

Result<void> LiveSession::take(Hello&& hello, std::uint64_t number, bool replayable, env::Instant now) {
    if (number <= peer_number_) return {};  // late, or a copy
    SATCHEL_TRY_VOID(check_peer());
    if (!hello.must_understand.empty())
        return fail(ErrorCode::kUnsupported, "message", "it was written by a newer program",
                    "update satchel on this box");
    static_cast<void>(replayable);  // next_message() is what keeps answers small
    const Want want{std::move(hello.wanted)};
    hello.wanted.clear();
    Hello as_before = hello;
    if (peer_) as_before.heard = peer_->heard;
    if (!peer_ || as_before != *peer_) {
        not_here_.clear();
        may_ask_ = true;
    }
    peer_ = std::move(hello);
    peer_number_ = number;
    peer_end_.reset();
    replan_ = true;
    if (!report_.greeted) report_.greeted = now;
    SATCHEL_TRY_VOID(look_for_source());
    take(want);
    return {};
}

Result<void> LiveSession::take(const End& end) {
    if (end.pushed > heard_) return {};  // nobody sent so much
    if (end.own != 0) peer_end_ = end;
    if (end.pushed > own_heard_) greeting_owed_ = true;
    return {};
}

Result<void> LiveSession::take(const FreightMessage& message) {
    FreightTaken taken;
    FreightGate gate(replica_, taken, false);
    SATCHEL_TRY(const std::optional<trust::Root> before, replica_.trust.current_root());
    for (const ByteBuffer& bytes : message.parcels) {
        const Result<Parcel> parcel = decode_parcel(bytes);
        if (!parcel.has_value()) {
            SATCHEL_TRY_VOID(note(parcel.error()));
            continue;
        }
        const bool of_a_lane = std::holds_alternative<LaneBegin>(*parcel) ||
                               std::holds_alternative<LaneBatch>(*parcel) ||
                               std::holds_alternative<LaneEnd>(*parcel);
        if (!of_a_lane) SATCHEL_TRY_VOID(gate.take(*parcel));
    }
    SATCHEL_TRY(const std::optional<trust::Root> after, replica_.trust.current_root());
    report_.reviews += taken.reviews;
    const bool new_root = after && (!before || before->version != after->version);
    if (new_root || taken.reviews > 0) SATCHEL_TRY_VOID(changed_by_peer(true));
    if (taken.haves > 0) SATCHEL_TRY_VOID(look_for_source());
    if (taken.haves + taken.receipts > 0) SATCHEL_TRY_VOID(changed_by_peer(false));
    for (const Error& refused : taken.refused) SATCHEL_TRY_VOID(note(refused));
    return {};
}

// What the peer does not list it lacks.
Result<void> LiveSession::take(const ReviewMarks& message) {
    if (!is_known_) return {};
    return replica_.catalogue.for_each_review([&](const catalogue::Review&, const std::string&,
                                                  const catalogue::SignedReview& review) -> Result<void> {
        const ReviewMark mark = mark_of(review);
        const bool there = std::binary_search(message.marks.begin(), message.marks.end(), mark);
        if (!there && reviews_due_.size() < kReviewMarksMax) reviews_due_.insert(mark);
        return {};
    });
}

// -- lanes ------------------------------------------------------------------------------------------

void LiveSession::drop_lane() {
    wants_.gathered().reset();
    wants_.note_change();  // another conversation may gather now
}

Result<void> LiveSession::finish_lane() {
    const Result<catalogue::Accepted> accepted = replica_.catalogue.finish_accept();
    wants_.gathered().reset();
    if (!accepted.has_value()) return note(accepted.error());
    report_.commits += accepted->commits;
    return accepted->commits > 0 ? changed_by_peer(true) : Result<void>();
}

Result<void> LiveSession::take(LanePiece&& piece, env::Instant now) {
    std::optional<Wants::Gathered>& gathered = wants_.gathered();
    const bool is_same = gathered && gathered->what.lane == piece.lane && gathered->what.from == piece.from &&
                         gathered->what.to == piece.to && gathered->there.size() == piece.count;
    if (gathered && gathered->session != key_ && gathered->session != 0 &&
        now.unix_ms - gathered->last_ms < kGatherIdleMs)
        return {};  // one at a time; the peer is told in the next greeting
    if (!is_same) {
        SATCHEL_TRY(const bool known, replica_.catalogue.knows(piece.to));
        if (known) return {};  // it came by another way
        const Result<void> begun = replica_.catalogue.begin_accept(piece.lane, piece.to);
        if (!begun.has_value()) return note(begun.error());
        gathered = Wants::Gathered{key_, {piece.lane, piece.from, piece.to, 0}, {}, 0};
        gathered->there.resize(piece.count);
    }
    gathered->session = key_;
    gathered->last_ms = now.unix_ms;
    if (gathered->there[piece.index]) return {};
    const Result<void> added = replica_.catalogue.add_batch(piece.batch);
    if (!added.has_value()) {
        drop_lane();
        // kUsage: another carrier used the quarantine meanwhile. It is sent again.
        return added.error().code == ErrorCode::kUsage ? Result<void>() : note(added.error());
    }
    gathered->there[piece.index] = true;
    const auto missing = std::find(gathered->there.begin(), gathered->there.end(), false);
    gathered->what.next = static_cast<std::uint32_t>(missing - gathered->there.begin());
    return missing == gathered->there.end() ? finish_lane() : Result<void>();
}

// -- content ----------------------------------------------------------------------------------------

Result<void> LiveSession::take(const Data& data, env::Instant now) {
    last_content_ = now;
    const Result<Wants::Took> took = wants_.take(key_, data);
    if (!took.has_value() && took.error().code == ErrorCode::kNoSpace)
        return go_without(data.id, took.error());
    if (!took.has_value()) return took.error();
    switch (*took) {
        case Wants::Took::kPiece:
            break;
        case Wants::Took::kRecord:
            report_.chunks_taken += 1;
            may_ask_ = true;
            break;
        case Wants::Took::kNotAsked:
            report_.bytes_again += data.bytes.size();
            return {};
        case Wants::Took::kRefused:
            if (not_here_.size() < kNotHereKept) not_here_.insert(data.id);
            may_ask_ = true;
            return note(fail(ErrorCode::kDamaged, "chunk", "the bytes are damaged",
                             "fetch it again from a stick or another site"));
    }
    if (!report_.first_content) report_.first_content = now;
    return {};
}

// All else goes on. The plan is made anew, as the disk is now; where it does not help, because a document
// told too little of its edition, no more is asked for in this conversation.
Result<void> LiveSession::go_without(const ChunkId& id, const Error& no_room) {
    if (not_here_.size() < kNotHereKept) not_here_.insert(id);
    if (++had_no_room_ <= kHadNoRoomMax) SATCHEL_TRY_VOID(wants_.refresh());
    may_ask_ = true;
    const bool is_told = std::any_of(report_.refused.begin(), report_.refused.end(),
                                     [](const Error& each) { return each.code == ErrorCode::kNoSpace; });
    if (!is_told && report_.refused.size() < kRefusedMax) report_.refused.push_back(no_room);
    return {};
}

void LiveSession::take(const Want& want) {
    for (const Wanted& wanted : want.wanted) {
        if (is_known_)
            sender_.add(wanted);
        else
            sender_.refuse(wanted.id);
    }
}

void LiveSession::take(const NotHere& message) {
    for (const ChunkId& id : message.ids) {
        wants_.not_here(key_, id);
        if (not_here_.size() < kNotHereKept) not_here_.insert(id);
    }
    may_ask_ = true;
}

}  // namespace satchel::exchange
