// Looks after the store of a site that is served: a pack at a time, evenly over a day of uptime, so that
// damage is found and mended while it is small. Who watches or links meanwhile waits for the look at one
// pack; where something is lost, also until it is known which lessons that hits.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "cli/service.hpp"

namespace satchel::cli {

// What it tells, from a thread of its own.
struct CareNews {
    std::function<void(const store::Damage& damage)> found;
    std::function<void(const site::Loss& loss)> lost;
    std::function<void(const Error& error)> failed;  // the next look may do better
};

class Caretaker {
  public:
    static constexpr std::uint64_t kBytesADay = 2'000'000'000;  // unless told otherwise
    // Chunks that it gives up until it is started anew, about 1 GB: where there are more, the disk is dying,
    // and what is fetched again would be lost again.
    static constexpr std::uint64_t kGivenUpMax = 4096;
    static constexpr std::size_t kToldMax = 50;  // of each kind in one look
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
    std::atomic<bool> is_ending_ = false;
    std::uint64_t given_up_ = 0;
    std::thread thread_;
};

}  // namespace satchel::cli
