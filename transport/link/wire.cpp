#include "transport/link/wire.hpp"

#include <algorithm>
#include <utility>

namespace satchel::link {

Wire::Wire(Network& network, env::Clock& clock, std::unique_ptr<Stream> stream, std::shared_ptr<Link> link)
    : network_(network),
      clock_(clock),
      stream_(std::move(stream)),
      peer_address_(stream_->peer_address()),
      link_(std::move(link)),
      timer_(network_.make_timer()) {}

void Wire::run(std::function<void(Wire&)> changed) {
    changed_ = std::move(changed);
    link_->when_moved([weak = weak_from_this()] {
        if (const std::shared_ptr<Wire> wire = weak.lock()) wire->pump();
    });
    pump();
}

void Wire::stop(Error error) {
    link_->stop(std::move(error));
    pump();
}

void Wire::pump() {
    const std::shared_ptr<Wire> keep = shared_from_this();
    if (pumping_) {  // a callback of ours came back to us
        again_ = true;
        return;
    }
    pumping_ = true;
    do {
        again_ = false;
        write();
        read();
        const bool over = link_->phase() == Phase::kOver;
        const bool last_word =
            link_->report().ending.by == EndedBy::kGreeting && (writing_ || !link_->to_send().empty());
        if (over && stream_ && !last_word) stream_.reset();
        arm();
        if (changed_) changed_(*this);
    } while (again_);
    pumping_ = false;
}

void Wire::write() {
    if (!stream_ || writing_) return;
    const ByteView bytes = link_->to_send();
    if (bytes.empty()) return;
    writing_ = true;
    const std::size_t count = bytes.size();
    stream_->write(bytes, [this](const Result<void>& written) {
        writing_ = false;
        if (!written.has_value()) {
            link_->on_broken(written.error());
            stream_.reset();
        }
        pump();
    });
    link_->on_sent(count);
}

void Wire::read() {
    if (!stream_ || reading_ || ended_ || !link_->wants_bytes()) return;
    reading_ = true;
    stream_->read([this](const Result<ByteView>& bytes) {
        reading_ = false;
        if (!bytes.has_value()) {
            ended_ = true;
            link_->on_broken(bytes.error());
        } else if (bytes->empty()) {
            ended_ = true;
            link_->on_end_of_stream();
        } else {
            link_->on_bytes(*bytes);
        }
        pump();
    });
}

void Wire::arm() {
    if (link_->phase() == Phase::kOver) {
        if (!stream_) return timer_->stop();
        return timer_->start(kLastWordMs, [this] {
            stream_.reset();
            pump();
        });
    }
    const std::optional<env::Instant> deadline = link_->next_deadline();
    if (!deadline) return timer_->stop();
    const std::int64_t now = static_cast<std::int64_t>(clock_.steady_ms());
    timer_->start(std::max<std::int64_t>(deadline->unix_ms - now, 1), [this] {
        link_->on_tick();
        pump();
    });
}

}  // namespace satchel::link
