// Processor time, as lent by the world. Jobs are pure: they touch only what they were given.
#pragma once

#include <functional>
#include <span>

namespace satchel::env {

class Offload {
  public:
    virtual ~Offload() = default;
    // Runs all jobs, in any order, perhaps at the same time; returns when every one has ended.
    virtual void run_all(std::span<const std::function<void()>> jobs) = 0;
    [[nodiscard]] virtual std::size_t parallelism() const = 0;
};

}  // namespace satchel::env
