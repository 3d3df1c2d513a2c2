#include "transport/link/engine_turn.hpp"

#include <algorithm>
#include <chrono>

namespace satchel::link {

EngineTurn::Held::~Held() {
    if (turn_ != nullptr) turn_->give_back();
}

EngineTurn::Held EngineTurn::take() {
    std::optional<Held> held = take_unless({});
    return std::move(*held);
}

std::optional<EngineTurn::Held> EngineTurn::take_unless(const std::function<bool()>& should_stop) {
    std::unique_lock lock(mutex_);
    const std::uint64_t number = next_number_++;
    waiting_.push_back(number);
    while (held_ || waiting_.front() != number) {
        if (!should_stop) {
            moved_.wait(lock);
            continue;
        }
        // By the wall clock, whose jumps only make one look come sooner or later.
        moved_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::milliseconds(kTurnPollMs));
        lock.unlock();
        const bool stop = should_stop();  // may ask a socket: not under our lock
        lock.lock();
        if (!stop) continue;
        waiting_.erase(std::find(waiting_.begin(), waiting_.end(), number));
        lock.unlock();
        moved_.notify_all();
        return std::nullopt;
    }
    waiting_.pop_front();
    held_ = true;
    return Held(*this);
}

void EngineTurn::give_back() {
    {
        const std::lock_guard lock(mutex_);
        held_ = false;
    }
    moved_.notify_all();
}

}  // namespace satchel::link
