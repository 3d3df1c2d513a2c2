#include "transport/link/link.hpp"

#include <algorithm>
#include <utility>

#include "transport/channel/errors.hpp"
#include "transport/link/errors.hpp"

namespace satchel::link {

namespace {

env::Instant after(env::Instant begin, std::int64_t ms) { return env::Instant{begin.unix_ms + ms}; }

std::uint64_t elapsed(env::Instant begin, env::Instant end) {
    return end > begin ? static_cast<std::uint64_t>(end.unix_ms - begin.unix_ms) : 0;
}

// The peer's fault, or a trouble of this site?
EndedBy blamed(const Error& error) {
    const bool peers = error.code == ErrorCode::kDamaged || error.code == ErrorCode::kUnsupported ||
                       error.code == ErrorCode::kRefused;
    return peers ? EndedBy::kPeer : EndedBy::kEngine;
}

}  // namespace

Link::Link(const LinkWorld& world, std::string address, bool dialled)
    : world_(world), talk_(std::make_shared<Talk>(world.host, world.turn, world.clock)) {
    report_.address = std::move(address);
    report_.dialled = dialled;
    began_ = heard_ = spoke_ = now();
}

channel::Setup Link::setup() {
    const Identity& identity = world_.host.identity();
    PeerBook& book = world_.host.book();
    const bool dials = report_.dialled;
    return {.network = identity.network,
            .key = identity.key,
            .network_secret = identity.network_secret ? &*identity.network_secret : nullptr,
            .random = world_.random,
            .identify = [&book, dials](const channel::Claim& claim) {
                return dials ? book.identify_dialled(claim) : book.identify_dialler(claim);
            }};
}

std::shared_ptr<Link> Link::dial(const LinkWorld& world, std::string address,
                                 const std::optional<trust::SealingPublicKey>& remembered) {
    std::shared_ptr<Link> link(new Link(world, std::move(address), true));
    link->start_dial(remembered);
    return link;
}

std::shared_ptr<Link> Link::answer(const LinkWorld& world, std::string address) {
    std::shared_ptr<Link> link(new Link(world, std::move(address), false));
    link->channel_ = channel::Channel::answer(link->setup(), link->now());
    link->phase_ = Phase::kGreeting;
    return link;
}

void Link::start_dial(const std::optional<trust::SealingPublicKey>& remembered) {
    remembered_ = remembered;
    report_.first_contact = !remembered;
    if (!remembered) return open_channel();
    const Result<SiteId> site =
        world_.host.book().identify_dialled({channel::Contact::kKnown, *remembered, {}});
    if (!site.has_value()) return finish(EndedBy::kGreeting, site.error());
    begun_ = true;
    ask(0, [peer = *site](Talk& talk, std::size_t room) { return talk.begin(peer, room); });
}

void Link::open_channel() {
    channel::Roles roles{channel::role_byte(world_.host.identity().role), 0};
    Result<std::unique_ptr<channel::Channel>> opened =
        fail(ErrorCode::kFailed, "", "the link was cut", "connect again; what arrived whole is kept");
    if (!remembered_) {
        opened = channel::Channel::dial_first(setup(), roles, now());
    } else {
        if (const std::optional<trust::SiteRole> role = world_.host.book().role_of(*remembered_))
            roles.answerer = channel::role_byte(*role);
        ByteBuffer early;
        if (!outbox_.empty() && outbox_.front().size() <= channel::kEarlyMessageMax) {
            early = std::move(outbox_.front());
            outbox_.pop_front();
            outbox_bytes_ -= early.size();
        }
        opened = channel::Channel::dial_known(setup(), roles, *remembered_, early, now());
    }
    if (!opened.has_value()) return finish(EndedBy::kGreeting, std::move(opened).error());
    channel_ = std::move(*opened);
    phase_ = Phase::kGreeting;
    heard_ = now();
}

// -- bytes ----------------------------------------------------------------------------------------

void Link::on_bytes(ByteView bytes) {
    if (phase_ == Phase::kOver) return;
    heard_ = now();
    silence_suspected_ = false;
    append(unread_, bytes);
    drain();
    pump();
}

void Link::drain() {
    while (phase_ != Phase::kOver && channel_ && !unread_.empty() && steps_waiting_ < kStepsWaitingMax &&
           inbox_bytes_ < kInboxBytesMax) {
        Result<std::size_t> used = channel_->feed(unread_, now());
        if (!used.has_value()) {
            Error error = std::move(used).error();
            if (error.code == ErrorCode::kUnreachable) return finish(EndedBy::kCarrier, std::move(error));
            if (phase_ == Phase::kGreeting && report_.dialled && error.code == ErrorCode::kDamaged)
                error = channel::no_link();
            return finish(report_.heard_a_frame ? EndedBy::kPeer : EndedBy::kGreeting, std::move(error));
        }
        report_.bytes_in += *used;
        unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(*used));
        if (phase_ == Phase::kGreeting && channel_->state() != channel::State::kHandshake) on_open();
        std::optional<channel::Incoming> incoming = channel_->take();
        const bool took = incoming.has_value();
        if (took) deliver(std::move(*incoming));
        if (*used == 0 && !took) break;
    }
}

void Link::on_open() {
    phase_ = Phase::kTalking;
    opened_ = now();
    report_.peer = channel_->peer();
    report_.handshake_ms = elapsed(began_, opened_);
    report_.handshake_bytes_in = report_.bytes_in;
    report_.handshake_bytes_out = report_.bytes_out + channel_->to_send().size();
    if (begun_) return;
    begun_ = true;
    ask(0, [peer = report_.peer->site](Talk& talk, std::size_t room) { return talk.begin(peer, room); });
}

void Link::deliver(channel::Incoming incoming) {
    if (!incoming.replayable) report_.heard_a_frame = true;
    if (incoming.bytes.empty()) return;  // only says that the other end is there
    const std::size_t size = incoming.bytes.size();
    ask(size, [message = std::move(incoming)](Talk& talk, std::size_t room) {
        return talk.on_message(message.bytes, message.replayable, room);
    });
}

void Link::on_end_of_stream() {
    if (phase_ == Phase::kOver) return;
    const bool greeting = report_.dialled && !report_.heard_a_frame;
    const bool said_all = channel_ && channel_->end_of_stream().has_value();
    if (channel_ && channel_->state() == channel::State::kClosed)
        return finish(EndedBy::kBothDone, std::nullopt);
    if (said_all && (steps_waiting_ > 0 || !unread_.empty())) return;  // what came is still being judged
    report_.ending.closed_in_greeting = greeting;
    finish(EndedBy::kCarrier, said_all ? left_early(report_.address) : channel::link_cut());
}

void Link::on_broken(Error error) {
    if (channel_ && channel_->state() == channel::State::kClosed)
        return finish(EndedBy::kBothDone, std::nullopt);  // both have said and heard all
    finish(EndedBy::kCarrier, std::move(error));
}

void Link::stop(Error error) { finish(EndedBy::kUs, std::move(error)); }

bool Link::wants_bytes() const {
    return channel_ && phase_ != Phase::kOver && unread_.empty() && steps_waiting_ < kStepsWaitingMax &&
           inbox_bytes_ < kInboxBytesMax;
}

// What a channel that failed has left is its last word.
ByteView Link::to_send() const { return channel_ ? channel_->to_send() : ByteView(); }

void Link::on_sent(std::size_t count) {
    spoke_ = now();
    report_.bytes_out += count;
    channel_->on_sent(count);
    pump();
}

// -- the engine's half ----------------------------------------------------------------------------

void Link::ask(std::size_t bytes_brought, std::function<Answer(Talk&, std::size_t room)> step) {
    const std::size_t held = outbox_bytes_ + room_asked_;
    const std::size_t room = held < kOutboxBytesMax ? kOutboxBytesMax - held : 0;
    ++steps_waiting_;
    room_asked_ += room;
    inbox_bytes_ += bytes_brought;
    world_.on_engine([talk = talk_, step = std::move(step), room, bytes_brought, weak = weak_from_this(),
                      &world = world_] {
        auto answer = std::make_shared<Answer>(step(*talk, room));
        world.on_network([weak, answer, room, bytes_brought] {
            if (const std::shared_ptr<Link> link = weak.lock())
                link->on_answer(std::move(*answer), room, bytes_brought);
        });
    });
}

void Link::on_answer(Answer answer, std::size_t room, std::size_t bytes_brought) {
    --steps_waiting_;
    room_asked_ -= room;
    inbox_bytes_ -= bytes_brought;
    if (steps_waiting_ == 0) ticking_ = false;
    if (phase_ == Phase::kOver) return;
    // While nothing was read, nothing could be heard.
    heard_ = now();
    for (ByteBuffer& message : answer.messages) {
        outbox_bytes_ += message.size();
        outbox_.push_back(std::move(message));
    }
    quiet_ = answer.quiet;
    done_ = answer.done;
    deadline_ = answer.deadline;
    counts_ = answer.counts;
    if (answer.error) {
        const EndedBy by = blamed(*answer.error);
        finish(by, std::move(answer.error));
    } else {
        if (phase_ == Phase::kPreparing) open_channel();
        drain();
        pump();
    }
    if (moved_) moved_();
}

void Link::pump() {
    if (phase_ == Phase::kOver || !channel_) return;
    while (phase_ == Phase::kTalking && !outbox_.empty() && channel_->can_send()) {
        const Result<void> sent = channel_->send(outbox_.front(), now());
        if (!sent.has_value()) return finish(EndedBy::kEngine, sent.error());
        outbox_bytes_ -= outbox_.front().size();
        outbox_.pop_front();
    }
    if (phase_ == Phase::kTalking && !quiet_ && begun_ && room_asked_ == 0 && steps_waiting_ == 0 &&
        outbox_bytes_ < kOutboxBytesMax / 2)
        ask(0, [](Talk& talk, std::size_t room) { return talk.fetch(room); });
    maybe_leave();
}

void Link::maybe_leave() {
    const bool idle = begun_ && quiet_ && steps_waiting_ == 0 && outbox_.empty() && unread_.empty();
    if (phase_ == Phase::kTalking && idle) {
        if (done_) {
            const Result<void> closed = channel_->close(now());
            if (!closed.has_value()) return finish(EndedBy::kCarrier, closed.error());
            phase_ = Phase::kLeaving;
            left_ = now();
        } else if (channel_->is_peer_done()) {
            return finish(EndedBy::kCarrier, left_early(report_.address));
        }
    }
    if (phase_ == Phase::kLeaving && channel_->state() == channel::State::kClosed &&
        channel_->to_send().empty())
        finish(EndedBy::kBothDone, std::nullopt);
}

void Link::finish(EndedBy by, std::optional<Error> error) {
    if (phase_ == Phase::kOver) return;
    if (is_greeted()) report_.talk_ms = elapsed(opened_, now());
    phase_ = Phase::kOver;
    report_.ending.by = by;
    report_.ending.error = std::move(error);
    ByteBuffer().swap(unread_);
    outbox_.clear();
    std::optional<Talk::Proved> proved;
    if (report_.dialled && report_.heard_a_frame && report_.peer)
        proved = Talk::Proved{report_.address, report_.peer->key};
    world_.on_engine([talk = talk_, proved, self = shared_from_this(), &world = world_] {
        auto end = std::make_shared<Talk::End>(talk->end(proved));
        world.on_network([self, end] {
            self->report_.conversation = std::move(end->conversation);
            self->report_.stamp = end->stamp;
            if (self->over_) self->over_(self->report_);
        });
    });
}

// -- times ----------------------------------------------------------------------------------------

bool Link::minds_silence() const {
    switch (phase_) {
        case Phase::kPreparing:
        case Phase::kOver:
            return false;
        case Phase::kGreeting:  // who has not proved himself yet has the handshake's time
            return report_.dialled;
        case Phase::kTalking:
        case Phase::kLeaving:
            return wants_bytes() && !channel_->is_peer_done();
    }
    return false;
}

std::optional<env::Instant> Link::next_deadline() const {
    std::optional<env::Instant> first;
    const auto consider = [&first](env::Instant when) { first = first ? std::min(*first, when) : when; };
    if (phase_ == Phase::kOver) return first;
    if (!is_greeted()) consider(after(began_, world_.times.handshake_ms));
    if (minds_silence())
        consider(
            after(heard_, world_.times.silence_ms + (silence_suspected_ ? world_.times.last_look_ms : 0)));
    if (phase_ == Phase::kTalking && to_send().empty()) consider(after(spoke_, world_.times.keepalive_ms));
    if (phase_ == Phase::kTalking && deadline_ && !ticking_) consider(*deadline_);
    if (phase_ == Phase::kLeaving) consider(after(left_, world_.times.goodbye_ms));
    return first;
}

void Link::on_tick() {
    const env::Instant time = now();
    if (phase_ == Phase::kOver) return;
    if (!is_greeted() && time >= after(began_, world_.times.handshake_ms))
        return finish(EndedBy::kCarrier, channel::handshake_too_slow());
    if (minds_silence() && time >= after(heard_, world_.times.silence_ms)) {
        if (silence_suspected_) return finish(EndedBy::kCarrier, silent(report_.address));
        // On a busy box this very thread may be late: what has come in the meantime is read first.
        silence_suspected_ = true;
        heard_ = env::Instant{time.unix_ms - world_.times.silence_ms};
    }
    if (phase_ == Phase::kLeaving && time >= after(left_, world_.times.goodbye_ms))
        return finish(EndedBy::kCarrier, silent(report_.address));
    if (phase_ != Phase::kTalking) return;
    if (deadline_ && !ticking_ && time >= *deadline_) {
        ticking_ = true;
        ask(0, [](Talk& talk, std::size_t room) { return talk.on_tick(room); });
    }
    if (to_send().empty() && channel_->can_send() && time >= after(spoke_, world_.times.keepalive_ms)) {
        const Result<void> sent = channel_->send({}, time);
        if (!sent.has_value()) return finish(EndedBy::kEngine, sent.error());
    }
    pump();
}

}  // namespace satchel::link
