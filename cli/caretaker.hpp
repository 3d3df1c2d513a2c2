// Looks after the store of a site that is served: a pack at a time, evenly over the day, so that nobody who
// watches or links waits for more than one, and damage is found and mended while it is small.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "cli/service.hpp"

namespace satchel::cli {

// What it tells. Called while the engine's turn is held.
struct CareNews {
    std::function<void(const store::Damage& damage)> found;
    std::function<void(const site::Loss& loss)> lost;
    std::function<void(const Error& error)> failed;  // the next look may do better
};

class Caretaker {
  public:
    static constexpr std::uint64_t kBytesADay = 2'000'000'000;  // unless told otherwise
    // How long it waits so that full packs make about so many bytes in a day of uptime, but for the first
    // look at most ten minutes.
    static std::chrono::milliseconds pause_for(std::uint64_t bytes_a_day);

    // Works until it is destroyed. Borrows the service. No bytes a day: it does nothing.
    Caretaker(LocalService& service, std::uint64_t bytes_a_day, CareNews news);
    ~Caretaker();

  private:
    void work(std::chrono::milliseconds pause);
    void look();

    LocalService& service_;
    const CareNews news_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool is_ending_ = false;
    std::thread thread_;
};

}  // namespace satchel::cli
