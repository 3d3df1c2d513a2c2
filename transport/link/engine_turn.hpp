// Whose turn it is to touch the site. The site's engine is one thread's at a time; commands, links and
// whoever else comes stand in one queue, first come, first served.
//
//     const EngineTurn::Held held = turn.take();   // until the end of the block
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace satchel::link {

// How often somebody who waits looks whether it should stop waiting.
inline constexpr int kTurnPollMs = 100;

class EngineTurn {
  public:
    class Held {
      public:
        Held(Held&& other) noexcept : turn_(other.turn_) { other.turn_ = nullptr; }
        Held& operator=(Held&&) = delete;
        ~Held();

      private:
        friend class EngineTurn;
        explicit Held(EngineTurn& turn) : turn_(&turn) {}
        EngineTurn* turn_;
    };

    [[nodiscard]] Held take();
    // Nothing when `should_stop` said so before the turn came.
    [[nodiscard]] std::optional<Held> take_unless(const std::function<bool()>& should_stop);

  private:
    void give_back();
    std::mutex mutex_;
    std::condition_variable moved_;
    std::deque<std::uint64_t> waiting_;  // numbers, in the order in which they came
    std::uint64_t next_number_ = 0;
    bool held_ = false;
};

}  // namespace satchel::link
