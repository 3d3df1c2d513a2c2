#include "simulations/lines.hpp"

#include <algorithm>

namespace satchel::simulations {

LineId Lines::begin(std::optional<LineId> from) {
    lines_.push_back({from, true});
    return lines_.size() - 1;
}

void Lines::say(LineId line, std::int64_t serial) {
    said_[serial] = line;
    lines_[line].is_silent = false;
}

std::optional<LineId> Lines::line_of(std::int64_t serial) const {
    const auto found = said_.find(serial);
    return found == said_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<LineId> Lines::path_to(LineId line) const {
    std::vector<LineId> path;
    for (std::optional<LineId> at = line; at; at = lines_[*at].from) path.push_back(*at);
    std::reverse(path.begin(), path.end());
    return path;
}

std::set<LineId> Lines::ends(LineId root, const Serials& there) const {
    std::set<LineId> heard, above;
    for (const std::int64_t serial : there) {
        const std::optional<LineId> line = line_of(serial);
        if (!line) continue;
        const std::vector<LineId> path = path_to(*line);
        if (path.front() != root) continue;
        heard.insert(*line);
        above.insert(path.begin(), path.end() - 1);
    }
    std::set<LineId> ends;
    std::set_difference(heard.begin(), heard.end(), above.begin(), above.end(),
                        std::inserter(ends, ends.end()));
    return ends;
}

bool Lines::have_diverged(LineId one, LineId other) const {
    const std::vector<LineId> a = path_to(one), b = path_to(other);
    const auto [from_a, from_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const auto spoke = [this](LineId line) { return !lines_[line].is_silent; };
    return std::any_of(from_a, a.end(), spoke) || std::any_of(from_b, b.end(), spoke);
}

}  // namespace satchel::simulations
