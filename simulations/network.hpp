// What the scenarios share: what they find, how a network begins, and the lines between its sites.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/base/hash.hpp"
#include "simulations/sim_site.hpp"

namespace satchel::simulations {

inline constexpr std::int64_t kMinuteMs = 60'000, kHourMs = 60 * kMinuteMs, kDayMs = 24 * kHourMs;
inline constexpr std::int64_t kBeginMs = 1'764'000'000'000;  // 2025-11-24

struct Violation {
    std::int64_t at_ms = 0;  // since the begin
    std::string checker;
    std::string text;
};
inline constexpr std::size_t kViolationsMax = 20;

[[nodiscard]] std::string words_of(const Error& error);

// The trace of one run, hashed, and which promises it broke.
class Findings {
  public:
    // Reads the time from `now_ms`, which it keeps.
    explicit Findings(const std::int64_t& now_ms) : now_ms_(now_ms) {}

    void trace(const std::string& line);
    void violate(const std::string& checker, const std::string& text);
    template <typename T>
    bool holds(const std::string& checker, const std::string& what, const Result<T>& result) {
        if (!result.has_value()) violate(checker, what + ": " + words_of(result.error()));
        return result.has_value();
    }

    [[nodiscard]] bool is_full() const { return violations_.size() >= kViolationsMax; }
    [[nodiscard]] const std::vector<Violation>& violations() const { return violations_; }
    [[nodiscard]] Digest trace_hash() const { return Hasher(trace_).finish(); }
    // Also every line of the trace, as it comes.
    std::function<void(const std::string&)> told;

  private:
    const std::int64_t& now_ms_;
    Hasher trace_;
    std::vector<Violation> violations_;
};

// Makes a network of this one hub, and opens it; false: a finding says why not.
bool found_network(SimSite& hub, Findings& findings);
// Lets `site` ask, the hub enrol it and the site join; then opens it.
bool join_network(SimSite& hub, SimSite& site, trust::SiteRole role, Findings& findings);

// Any rate and delay, up for a while, and perhaps cut, lossy and out of order.
LineOptions some_line(Seeded& chance);
LineOptions good_line();

}  // namespace satchel::simulations
