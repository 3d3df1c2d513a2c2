#include "engine/exchange/session.hpp"

#include <algorithm>

#include "engine/exchange/live_session.hpp"

namespace satchel::exchange {

namespace {

Stage stage_of(const Body& body) {
    if (std::holds_alternative<Hello>(body) || std::holds_alternative<UnknownMessage>(body))
        return Stage::kGreeting;
    if (std::holds_alternative<End>(body)) return Stage::kEnd;
    if (const auto* freight = std::get_if<FreightMessage>(&body)) {
        constexpr std::uint8_t kRootsParcel = 1;
        const bool is_roots = !freight->parcels.empty() && !freight->parcels.front().empty() &&
                              freight->parcels.front().front() == kRootsParcel;
        return is_roots ? Stage::kRoots : Stage::kSayings;
    }
    if (std::holds_alternative<FeedNodes>(body) || std::holds_alternative<FeedsMessage>(body) ||
        std::holds_alternative<SegmentsMessage>(body))
        return Stage::kRecords;
    if (std::holds_alternative<LanePiece>(body)) return Stage::kCatalogue;
    if (std::holds_alternative<AcknowledgementMessage>(body) || std::holds_alternative<ReviewMarks>(body))
        return Stage::kSayings;
    return Stage::kContent;
}

// What the peer must be asked about again if it does not show in its next greeting.
bool is_push(const Body& body) {
    return std::holds_alternative<FreightMessage>(body) || std::holds_alternative<FeedNodes>(body) ||
           std::holds_alternative<FeedsMessage>(body) || std::holds_alternative<SegmentsMessage>(body) ||
           std::holds_alternative<ReviewMarks>(body) || std::holds_alternative<LanePiece>(body);
}

env::Instant later(env::Instant from, std::int64_t ms) { return {from.unix_ms + ms}; }

}  // namespace

Result<std::unique_ptr<Session>> Session::begin(const Replica& replica, Wants& wants,
                                                const SessionOptions& options, env::Instant now) {
    auto session = std::make_unique<LiveSession>(replica, wants, options, now);
    SATCHEL_TRY_VOID(session->check_peer());
    return std::unique_ptr<Session>(std::move(session));
}

// A site that was revoked is not spoken with. One that the roster does not name may have joined since this
// site's catalogue was written: it is listened to, and given nothing.
Result<void> LiveSession::check_peer() {
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, replica_.trust.site(options_.peer));
    if (entry && entry->state == trust::SiteState::kRevoked)
        return fail(ErrorCode::kRefused, entry->name, "this box was revoked",
                    "ask the hub; if the box is still in use it must join again with new keys");
    is_known_ = entry.has_value();
    return {};
}

Result<void> LiveSession::on_message(ByteView bytes, bool replayable, env::Instant now) {
    SATCHEL_TRY(Message message, decode_message(bytes, options_.peer));
    StageCost& cost = report_.stages[static_cast<std::size_t>(stage_of(message.body))];
    cost.messages_received += 1;
    cost.bytes_received += bytes.size();
    last_activity_ = now;
    answer_ms_ = kAnswerMs;
    if (!replayable && !confirmed_) {
        confirmed_ = true;
        SATCHEL_TRY_VOID(look_for_source());
    }
    heard_ = std::max(heard_, message.number);
    if (auto* hello = std::get_if<Hello>(&message.body))
        return take(std::move(*hello), message.number, replayable, now);
    if (replayable) return {};  // only greetings come so early
    if (const auto* end = std::get_if<End>(&message.body)) return take(*end);
    if (const auto* freight = std::get_if<FreightMessage>(&message.body)) return take(*freight);
    if (const auto* feeds = std::get_if<FeedsMessage>(&message.body)) return take(*feeds);
    if (const auto* nodes = std::get_if<FeedNodes>(&message.body)) return take(*nodes);
    if (const auto* segments = std::get_if<SegmentsMessage>(&message.body)) return take(*segments);
    if (const auto* word = std::get_if<AcknowledgementMessage>(&message.body)) return take(*word);
    if (const auto* marks = std::get_if<ReviewMarks>(&message.body)) return take(*marks);
    if (auto* piece = std::get_if<LanePiece>(&message.body)) return take(std::move(*piece), now);
    if (const auto* data = std::get_if<Data>(&message.body)) return take(*data, now);
    if (const auto* want = std::get_if<Want>(&message.body)) take(*want);
    if (const auto* not_here = std::get_if<NotHere>(&message.body)) take(*not_here);
    return {};
}

bool LiveSession::may_speak() const { return confirmed_ || unconfirmed_bytes_ < kUnconfirmedMax; }

bool LiveSession::has_answers() const {
    return !parcels_.empty() || !told_.empty() || !feeds_.empty() || marks_due_ || !reviews_due_.empty();
}

bool LiveSession::plan_is_empty() const { return !has_answers() && lanes_.empty(); }

bool LiveSession::nothing_left() const {
    return peer_ && !greeting_owed_ && !replan_ && plan_is_empty() && acknowledge_.empty() &&
           sender_.is_idle() && wants_.asked(key_) == 0 && !may_ask_ && said_changes_ == wants_.changes();
}

Result<std::optional<Body>> LiveSession::next_want() {
    if (ask_again_) {
        ask_again_ = false;
        std::vector<Wanted> again = wants_.asked_of(key_);
        if (!again.empty()) return std::optional<Body>(Want{std::move(again)});
    }
    if (!may_ask_ || !peer_) return std::optional<Body>();
    if (not_here_.size() >= kNotHereKept || had_no_room_ > kHadNoRoomMax) {
        may_ask_ = false;
        return std::optional<Body>();
    }
    // Half a window at a time, so that asking costs few messages.
    const std::size_t asked = wants_.asked(key_);
    if (asked > kRequestsInFlightMax / 2) return std::optional<Body>();
    SATCHEL_TRY(std::vector<Wanted> wanted, wants_.ask(key_, kRequestsInFlightMax, not_here_));
    if (wanted.empty() && asked == 0) may_ask_ = false;
    if (wanted.empty()) return std::optional<Body>();
    return std::optional<Body>(Want{std::move(wanted)});
}

// Tells that all was pushed, or that nothing is left. The first time also that we are here now: the peer took
// our greeting for a copy, perhaps, and answers what it asks for only so far (kUnconfirmedMax).
std::optional<Body> LiveSession::next_end() {
    if (!peer_ || !plan_is_empty()) return std::nullopt;
    End end;
    end.pushed = last_push_;
    if (nothing_left()) {
        end.own = own_number_;
        end.about = peer_number_;
        if (own_end_ && *own_end_ == end) return std::nullopt;
    } else if (last_push_ <= told_push_ && number_ > 1) {
        return std::nullopt;
    }
    told_push_ = last_push_;
    own_end_ = end;
    return Body(end);
}

Result<std::optional<Body>> LiveSession::next_body(env::Instant now) {
    if (said_changes_ != wants_.changes()) greeting_owed_ = true;
    // What the peer's lists show it to lack goes before a greeting that would make it list the same again.
    const bool answers_first = own_number_ > 0 && may_speak() && has_answers();
    if (greeting_owed_ && !answers_first) {
        SATCHEL_TRY(Body greeting, make_greeting());
        return std::optional(std::move(greeting));
    }
    if (!may_speak()) return std::optional<Body>();
    SATCHEL_TRY(std::optional<Body> body, next_want());
    if (body) return body;
    if (replan_ && plan_is_empty() && peer_->heard >= last_push_) SATCHEL_TRY_VOID(make_plan());
    SATCHEL_TRY(body, next_push());
    if (body) return body;
    SATCHEL_TRY(Body content, sender_.next(report_.not_given));
    if (!std::holds_alternative<UnknownMessage>(content)) return std::optional(std::move(content));
    if (nothing_left() && wants_.has_taken()) {
        SATCHEL_TRY_VOID(settle(true, now));
        if (said_changes_ != wants_.changes()) return next_body(now);
    }
    return next_end();
}

Result<bool> LiveSession::next_message(ByteBuffer& out, env::Instant now) {
    out.clear();
    SATCHEL_TRY(std::optional<Body> body, next_body(now));
    if (!body) return false;
    const Stage stage = stage_of(*body);
    Message message{++number_, std::move(*body)};
    encode_message(out, message, replica_.self.id);
    if (auto* hello = std::get_if<Hello>(&message.body)) {
        while (out.size() > kGreetingMax && !hello->wanted.empty()) {  // what does not fit is asked for later
            wants_.not_here(key_, hello->wanted.back().id);
            hello->wanted.pop_back();
            may_ask_ = true;
            encode_message(out, message, replica_.self.id);
        }
        own_ = std::move(*hello);
        own_number_ = number_;
        greeting_owed_ = false;
    }
    if (is_push(message.body)) last_push_ = number_;
    if (stage != Stage::kGreeting && !confirmed_) unconfirmed_bytes_ += out.size();
    report_.chunks_given = sender_.records_sent();
    StageCost& cost = report_.stages[static_cast<std::size_t>(stage)];
    cost.messages_sent += 1;
    cost.bytes_sent += out.size();
    last_activity_ = now;
    return true;
}

Result<void> LiveSession::settle(bool look_at_all, env::Instant now) {
    last_settled_ = now;
    if (look_at_all) last_look_ = now;
    if (replica_.records != nullptr) SATCHEL_TRY_VOID(replica_.records->commit());
    SATCHEL_TRY(std::vector<std::string> courses, wants_.settle(look_at_all));
    for (std::string& course : courses) report_.completed.push_back(std::move(course));
    return {};
}

Result<void> LiveSession::on_tick(env::Instant now) {
    if (now >= later(last_settled_, kSettleMs))
        SATCHEL_TRY_VOID(settle(now >= later(last_look_, kLookMs), now));
    if (wants_.asked(key_) > 0 && now >= later(last_content_, kContentAnswerMs)) {
        last_content_ = now;
        ask_again_ = true;
    }
    if (said_changes_ != wants_.changes()) greeting_owed_ = true;
    if (is_settled()) return {};
    if (now < later(last_activity_, answer_ms_)) return {};
    last_activity_ = now;
    answer_ms_ = std::min(answer_ms_ * 2, kAnswerMsMax);
    greeting_owed_ = true;
    return {};
}

std::optional<env::Instant> LiveSession::next_deadline() const {
    if (cut_ || is_settled()) return std::nullopt;
    // Something changed elsewhere: on_tick() makes next_message() tell it, once the carrier has room.
    if (!greeting_owed_ && said_changes_ != wants_.changes()) return last_activity_;
    env::Instant next = later(last_activity_, answer_ms_);
    if (wants_.asked(key_) > 0) next = std::min(next, later(last_content_, kContentAnswerMs));
    if (wants_.has_taken()) next = std::min(next, later(last_settled_, kSettleMs));
    return next;
}

bool LiveSession::is_done() const { return !options_.stay && is_settled(); }

bool LiveSession::is_settled() const {
    if (!nothing_left() || !own_end_ || !peer_end_) return false;
    return own_end_->own == own_number_ && own_end_->about == peer_number_ &&
           peer_end_->own == peer_number_ && peer_end_->about == own_number_ &&
           peer_end_->pushed <= own_heard_ && last_push_ <= peer_->heard;
}

void LiveSession::on_cut() {
    if (cut_) return;
    if (custody_told_ && is_settled()) wants_.note_custody_told(options_.peer, *custody_told_);
    cut_ = true;
    if (unnamed_ && report_.refused.size() < kRefusedMax) report_.refused.push_back(*unnamed_);
    wants_.release(key_);
    // What cannot be made sure now is found again at the next opening, or fetched again.
    if (replica_.records != nullptr) static_cast<void>(replica_.records->commit().has_value());
    const Result<std::vector<std::string>> courses = wants_.settle(true);
    if (courses.has_value())
        report_.completed.insert(report_.completed.end(), courses->begin(), courses->end());
}

}  // namespace satchel::exchange
