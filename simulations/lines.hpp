// What a history of copies and restores itself knows of who said what: told by the scenario, never by the
// sites.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace satchel::simulations {

using Serials = std::set<std::int64_t>;
using LineId = std::size_t;

// A line is what one box says from one state on, until that state is copied or kept: then whoever goes on
// from it has a line of its own below.
class Lines {
  public:
    LineId begin(std::optional<LineId> from);
    void say(LineId line, std::int64_t serial);
    [[nodiscard]] std::optional<LineId> line_of(std::int64_t serial) const;

    // The lines from `root` down of which something is in `there`, and nothing of any line below: so many
    // branches there must be.
    [[nodiscard]] std::set<LineId> ends(LineId root, const Serials& there) const;
    // Whether either said anything since they parted.
    [[nodiscard]] bool have_diverged(LineId one, LineId other) const;

  private:
    struct Line {
        std::optional<LineId> from;
        bool is_silent = true;
    };
    [[nodiscard]] std::vector<LineId> path_to(LineId line) const;  // from the root

    std::vector<Line> lines_;
    std::map<std::int64_t, LineId> said_;
};

}  // namespace satchel::simulations
