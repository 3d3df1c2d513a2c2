// Processor time, as lent by the world. Jobs touch only what they were given, which nobody else touches until
// they have ended.
#pragma once

#include <functional>
#include <memory>
#include <span>

namespace satchel::env {

class Offload {
  public:
    virtual ~Offload() = default;
    // Runs all jobs, in any order, perhaps at the same time; returns when every one has ended.
    virtual void run_all(std::span<const std::function<void()>> jobs) = 0;
    [[nodiscard]] virtual std::size_t parallelism() const = 0;

    class Going {
      public:
        virtual ~Going() = default;  // waits until the job has ended
    };
    // A job that may go on beside the caller, who holds what is returned until the job must have ended; where
    // no processor was free before, it is done then. None: it has ended already, as always where there is one
    // processor.
    [[nodiscard]] virtual std::unique_ptr<Going> begin(std::function<void()> job) {
        job();
        return nullptr;
    }
};

}  // namespace satchel::env
