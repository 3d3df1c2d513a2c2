// Jobs on threads that live for one call: batches are large, so that starting a thread costs little.
#pragma once

#include "engine/env/offload.hpp"

namespace satchel::env::os {

class ThreadOffload : public Offload {
  public:
    explicit ThreadOffload(std::size_t threads);  // 0: as many as the processor has
    void run_all(std::span<const std::function<void()>> jobs) override;
    [[nodiscard]] std::size_t parallelism() const override { return threads_; }
    [[nodiscard]] std::unique_ptr<Going> begin(std::function<void()> job) override;

  private:
    std::size_t threads_;
};

// More threads than this help no box of ours and cost memory for their stacks.
inline constexpr std::size_t kThreadsMax = 16;

}  // namespace satchel::env::os
