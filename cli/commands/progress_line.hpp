// Progress on a terminal: stage, items, bytes, rate and time left, at most ten times a second. Elsewhere it
// only carries the wish to stop.
#pragma once

#include <string>

#include "cli/commands/output.hpp"
#include "engine/base/progress.hpp"
#include "engine/env/clock.hpp"

namespace satchel::commands {

inline constexpr std::uint64_t kProgressIntervalMs = 100;

class ProgressLine : public Progress {
  public:
    ProgressLine(Output& output, env::Clock& clock) : output_(output), clock_(clock) {}
    Result<void> update(const ProgressUpdate& now) override;

  private:
    [[nodiscard]] std::string line_of(const ProgressUpdate& now, std::uint64_t elapsed_ms) const;
    Output& output_;
    env::Clock& clock_;
    const char* stage_ = nullptr;
    std::uint64_t stage_began_ms_ = 0;
    std::uint64_t stage_began_bytes_ = 0;
    std::uint64_t shown_ms_ = 0;
};

[[nodiscard]] Error cancelled();

}  // namespace satchel::commands
