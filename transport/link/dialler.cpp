#include "transport/link/dialler.hpp"

#include <algorithm>
#include <utility>

#include "transport/link/errors.hpp"

namespace satchel::link {

namespace {

// Doublings of a pause that is capped anyway.
constexpr std::size_t kDoublingsMax = 8;

bool moved_nothing(const ConversationReport& report) {
    return report.commits + report.reviews + report.segments_taken + report.segments_given +
               report.chunks_taken + report.chunks_given ==
           0;
}

}  // namespace

Dialler::Dialler(Network& network, const LinkWorld& world, Address address, DialPlan plan, DialHooks hooks)
    : network_(network),
      world_(world),
      address_(std::move(address)),
      plan_(plan),
      hooks_(std::move(hooks)),
      timer_(network.make_timer()) {}

void Dialler::start() {
    alone_since_ = failing_since_ = now();
    attempt();
}

std::int64_t Dialler::interval() const {
    const Times& times = world_.times;
    if (now() - failing_since_ < times.patient_ms) return times.connect_ms;
    const std::size_t patient =
        static_cast<std::size_t>(times.patient_ms / std::max<std::int64_t>(times.connect_ms, 1));
    const std::size_t doublings = std::min(failures_ > patient ? failures_ - patient : 0, kDoublingsMax);
    return std::min(times.connect_ms << doublings, times.retry_max_ms);
}

void Dialler::attempt() {
    state_ = State::kConnecting;
    attempt_began_ = now();
    ++attempts_;
    timer_->start(world_.times.connect_ms, [this] {
        attempt_.reset();
        fail_attempt(cannot_connect(address_.text(), ""));
    });
    attempt_ = network_.connect(
        address_, [this](Result<std::unique_ptr<Stream>> stream) { on_connected(std::move(stream)); });
}

void Dialler::on_connected(Result<std::unique_ptr<Stream>> stream) {
    timer_->stop();
    attempt_.reset();
    if (!stream.has_value()) return fail_attempt(std::move(stream).error());
    state_ = State::kLinked;
    changed_ = false;
    link_ = Link::dial(world_, address_.text(), world_.host.book().key_at(address_.text()));
    link_->note_connect(now() - attempt_began_);
    link_->when_over([this](const LinkReport& report) { on_link_over(report); });
    wire_ = hooks_.adopt(std::move(*stream), link_);
}

void Dialler::fail_attempt(Error error) {
    ++failures_;
    last_error_ = std::move(error);
    retry_later();
}

void Dialler::retry_later() {
    const std::int64_t begin = attempt_began_ + interval();
    if (!plan_.keep && std::max(begin, now()) - alone_since_ > plan_.wait_ms) return finish(last_error_);
    pause(begin - now());
}

void Dialler::pause(std::int64_t ms) {
    state_ = State::kPausing;
    timer_->start(std::max<std::int64_t>(ms, 1), [this] { attempt(); });
}

void Dialler::on_link_over(const LinkReport& report) {
    wire_.reset();
    link_.reset();
    if (report.heard_a_frame) {
        failures_ = closed_greetings_ = 0;
        failing_since_ = alone_since_ = now();
        peer_ = report.peer->site;
    }
    if (report.ending.by == EndedBy::kBothDone) told_stamp_ = report.stamp;
    hooks_.link_over(report);
    if (state_ == State::kFinished) return;
    const Ending& ending = report.ending;
    if (stopping_) return finish(ending.error);
    switch (ending.by) {
        case EndedBy::kBothDone:
            return on_good_contact(report);
        case EndedBy::kCarrier:
            // The key of this address may have changed: the next attempt asks for it.
            if (ending.closed_in_greeting && !report.first_contact)
                world_.host.book().forget(address_.text());
            else if (ending.closed_in_greeting && ++closed_greetings_ >= kClosedGreetingsMax && !plan_.keep)
                return give_up(closed_in_greeting(address_.text()));
            if (!report.heard_a_frame) ++failures_;
            last_error_ = ending.error;
            return retry_later();
        case EndedBy::kGreeting:
            if (ending.error->code == ErrorCode::kBusy) return fail_attempt(*ending.error);
            return give_up(*ending.error);
        case EndedBy::kPeer:
        case EndedBy::kEngine:
            return give_up(*ending.error);
        case EndedBy::kUs:
            if (!plan_.keep) return finish(ending.error);
            return pause(world_.times.again_ms);
    }
}

void Dialler::on_good_contact(const LinkReport& report) {
    // A box that knew nobody has learned whom it spoke with: what it has to say to that site follows.
    if (world_.host.book().is_introduced(*report.peer)) return attempt();
    if (!plan_.keep) return finish(std::nullopt);
    idle_contacts_ = moved_nothing(report.conversation) ? std::min(idle_contacts_ + 1, kDoublingsMax) : 0;
    pause(changed_ ? world_.times.change_pause_ms : world_.times.again_ms);
}

void Dialler::give_up(Error error) {
    if (!plan_.keep) return finish(std::move(error));
    last_error_ = std::move(error);
    told_stamp_.reset();
    pause(world_.times.again_ms);
}

void Dialler::finish(std::optional<Error> error) {
    if (state_ == State::kFinished) return;
    state_ = State::kFinished;
    timer_->stop();
    attempt_.reset();
    hooks_.finished(error);
}

void Dialler::stop(Error error) {
    if (state_ == State::kFinished) return;
    stopping_ = true;
    if (wire_) return wire_->stop(std::move(error));  // whose end brings ours
    finish(std::move(error));
}

void Dialler::note_change(std::uint64_t stamp) {
    if (told_stamp_ == stamp) return;
    if (state_ == State::kLinked) changed_ = true;
    // A pause after a failure has its own reason.
    if (state_ != State::kPausing || failures_ > 0) return;
    // Contacts that moved nothing make the next ones rarer, lest two sites tell each other of their telling.
    pause(std::min(world_.times.change_pause_ms << idle_contacts_, world_.times.again_ms));
}

void Dialler::note_told(const SiteId& peer, std::uint64_t stamp) {
    if (peer_ == peer) told_stamp_ = stamp;
}

}  // namespace satchel::link
