// Method. A task that waits may be taken by a worker or taken back by whoever gave it, who then does it
// himself: so nobody waits for a job that is not being done, and a box that refuses threads gets everything
// done.
#include "engine/env/os/offload.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>

namespace satchel::env::os {

ThreadOffload::ThreadOffload(std::size_t threads)
    : threads_(std::clamp<std::size_t>(threads == 0 ? std::thread::hardware_concurrency() : threads, 1,
                                       kThreadsMax)) {}

ThreadOffload::~ThreadOffload() {
    {
        const std::lock_guard lock(mutex_);
        is_closing_ = true;
    }
    given_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

// As many workers as processors, besides the caller: one of them may wait for the disk.
std::shared_ptr<ThreadOffload::Task> ThreadOffload::give(std::function<void()> job) {
    auto task = std::make_shared<Task>();
    task->job = std::move(job);
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(task);
        if (waiting_.size() > idle_ && workers_.size() < threads_) {
            try {
                workers_.emplace_back([this] { work(); });
            } catch (const std::system_error&) {
                // Fewer hands.
            }
        }
    }
    given_.notify_one();
    return task;
}

bool ThreadOffload::take_back(const std::shared_ptr<Task>& task) {
    const std::lock_guard lock(mutex_);
    if (task->is_taken) return false;
    task->is_taken = true;
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), task));
    return true;
}

void ThreadOffload::wait_for(const Task& task) {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return task.has_ended; });
}

void ThreadOffload::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_;
        given_.wait(lock, [&] { return is_closing_ || !waiting_.empty(); });
        --idle_;
        if (waiting_.empty()) return;
        const std::shared_ptr<Task> task = std::move(waiting_.front());
        waiting_.pop_front();
        task->is_taken = true;
        lock.unlock();
        task->job();
        lock.lock();
        task->has_ended = true;
        ended_.notify_all();
    }
}

void ThreadOffload::run_all(std::span<const std::function<void()>> jobs) noexcept {
    std::atomic<std::size_t> next = 0;
    const auto share = [&] {
        for (std::size_t i = next++; i < jobs.size(); i = next++) jobs[i]();
    };
    std::vector<std::shared_ptr<Task>> helpers;
    const std::size_t wanted = std::min(threads_, jobs.size());
    while (helpers.size() + 1 < wanted) helpers.push_back(give(share));
    share();
    for (const std::shared_ptr<Task>& helper : helpers)
        if (!take_back(helper)) wait_for(*helper);
}

class ThreadOffload::GoingTask : public Offload::Going {
  public:
    GoingTask(ThreadOffload& offload, std::shared_ptr<Task> task)
        : offload_(offload), task_(std::move(task)) {}
    ~GoingTask() override {
        if (offload_.take_back(task_))
            task_->job();
        else
            offload_.wait_for(*task_);
    }

  private:
    ThreadOffload& offload_;
    std::shared_ptr<Task> task_;
};

std::unique_ptr<Offload::Going> ThreadOffload::begin(std::function<void()> job) noexcept {
    if (threads_ > 1) return std::make_unique<GoingTask>(*this, give(std::move(job)));
    job();
    return nullptr;
}

}  // namespace satchel::env::os
