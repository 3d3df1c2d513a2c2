// Jobs on threads that stay: a batch of a few megabytes is done in less time than a thread takes to start.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/env/offload.hpp"

namespace satchel::env::os {

// May be called from several threads. Its own are started when the first jobs come, and end with it.
class ThreadOffload : public Offload {
  public:
    explicit ThreadOffload(std::size_t threads);  // 0: as many as the processor has
    ThreadOffload(const ThreadOffload&) = delete;
    ThreadOffload& operator=(const ThreadOffload&) = delete;
    ~ThreadOffload() override;

    // A job that throws, or memory that is not there for the bookkeeping, ends the program: others' jobs
    // would go on with what is gone.
    void run_all(std::span<const std::function<void()>> jobs) noexcept override;
    [[nodiscard]] std::size_t parallelism() const override { return threads_; }
    [[nodiscard]] std::unique_ptr<Going> begin(std::function<void()> job) noexcept override;

  private:
    struct Task {
        std::function<void()> job;
        bool is_taken = false;
        bool has_ended = false;
    };
    class GoingTask;

    [[nodiscard]] std::shared_ptr<Task> give(std::function<void()> job);
    [[nodiscard]] bool take_back(const std::shared_ptr<Task>& task);
    void wait_for(const Task& task);
    void work();

    const std::size_t threads_;
    std::mutex mutex_;
    std::condition_variable given_;
    std::condition_variable ended_;
    std::deque<std::shared_ptr<Task>> waiting_;  // not taken
    std::size_t idle_ = 0;                       // workers that wait for a task
    bool is_closing_ = false;
    std::vector<std::thread> workers_;
};

// More threads than this help no box of ours and cost memory for their stacks.
inline constexpr std::size_t kThreadsMax = 16;

}  // namespace satchel::env::os
