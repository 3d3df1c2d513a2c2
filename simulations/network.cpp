#include "simulations/network.hpp"

namespace satchel::simulations {

std::string words_of(const Error& error) {
    return error.about + " " + error.reason.text() + " " + error.detail;
}

void Findings::trace(const std::string& line) {
    const std::string timed = std::to_string(now_ms_ - kBeginMs) + " " + line + "\n";
    trace_.update(timed);
    if (told) told(timed);
}

void Findings::violate(const std::string& checker, const std::string& text) {
    trace("VIOLATION " + checker + " " + text);
    if (!is_full()) violations_.push_back({now_ms_ - kBeginMs, checker, text});
}

bool found_network(SimSite& hub, Findings& findings) {
    auto founded = site::Site::create_network(hub.disk(), hub.lent(),
                                              {.network = "Simulated county", .site_name = hub.name()});
    if (!findings.holds("progress", "found the network", founded)) return false;
    founded->reset();
    return findings.holds("progress", "open " + hub.name(), hub.open());
}

bool join_network(SimSite& hub, SimSite& site, trust::SiteRole role, Findings& findings) {
    const auto request = site::Site::request_to_join(site.disk(), site.lent(), site.name());
    if (!findings.holds("progress", "ask to join", request)) return false;
    site::EnrolOptions options;
    options.role = role;
    const auto grant = hub.site().enrol(*request, options);
    if (!findings.holds("progress", "enrol", grant)) return false;
    auto joined = site::Site::join(site.disk(), site.lent(), *grant, std::nullopt);
    if (!findings.holds("progress", "join", joined)) return false;
    joined->reset();
    return findings.holds("progress", "open " + site.name(), site.open());
}

LineOptions some_line(Seeded& chance) {
    LineOptions line;
    constexpr std::uint64_t kRates[] = {8'000, 50'000, 250'000, 2'500'000};
    line.bytes_per_second = kRates[chance.below(4)];
    line.latency_ms = 10 + static_cast<std::int64_t>(chance.below(600));
    line.up_for_ms = 5'000 + static_cast<std::int64_t>(chance.below(120'000));
    if (chance.below(3) == 0) line.cut_after_bytes = 1 + chance.below(80'000);
    if (chance.below(2) == 0) {
        line.loss_percent = static_cast<unsigned>(chance.below(20));
        line.twice_percent = static_cast<unsigned>(chance.below(10));
        line.reorder_percent = static_cast<unsigned>(chance.below(20));
    }
    line.seed = chance.next();
    return line;
}

LineOptions good_line() {
    LineOptions line;
    line.bytes_per_second = 2'500'000;
    line.latency_ms = 20;
    line.up_for_ms = 3 * kHourMs;
    return line;
}

}  // namespace satchel::simulations
