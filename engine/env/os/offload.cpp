#include "engine/env/os/offload.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace satchel::env::os {

ThreadOffload::ThreadOffload(std::size_t threads)
    : threads_(std::clamp<std::size_t>(threads == 0 ? std::thread::hardware_concurrency() : threads, 1,
                                       kThreadsMax)) {}

void ThreadOffload::run_all(std::span<const std::function<void()>> jobs) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < jobs.size(); i = next++) jobs[i]();
    };
    // The calling thread works too, so a box that refuses more threads still gets everything done.
    std::vector<std::thread> workers;
    const std::size_t wanted = std::min(threads_, jobs.size());
    workers.reserve(wanted);
    try {
        while (workers.size() + 1 < wanted) workers.emplace_back(work);
    } catch (const std::system_error&) {
        // Fewer hands: the loop below does what is left.
    }
    work();
    for (std::thread& worker : workers) worker.join();
}

namespace {

class GoingThread : public Offload::Going {
  public:
    explicit GoingThread(std::thread thread) : thread_(std::move(thread)) {}
    ~GoingThread() override { thread_.join(); }

  private:
    std::thread thread_;
};

}  // namespace

std::unique_ptr<Offload::Going> ThreadOffload::begin(std::function<void()> job) {
    if (threads_ > 1) {
        try {
            return std::make_unique<GoingThread>(std::thread(job));
        } catch (const std::system_error&) {
            // The box refuses: the job is done here.
        }
    }
    job();
    return nullptr;
}

}  // namespace satchel::env::os
