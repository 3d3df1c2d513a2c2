// satchel-sim: lives through simulated weeks, and says which seed broke a promise.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/base/encoding.hpp"
#include "simulations/county_week.hpp"

namespace {

using namespace satchel;

constexpr char kUse[] =
    "Use: satchel-sim county-week [--seed N] [--seeds COUNT] [--sites N] [--days N] [--fault NAME]\n"
    "\n"
    "Simulates a county's days of faults and checks the promises. Every seed is a world of its own; the same "
    "seed\n"
    "gives the same trace. A planted fault shows that the checkers see: lying-syncs, forgotten-site.\n"
    "\n"
    "Examples:\n"
    "  satchel-sim county-week --seed 7\n"
    "  satchel-sim county-week --seeds 500\n"
    "\n"
    "Exit codes: 0 all promises held, 1 one was broken, 2 the command line is wrong.\n";

std::string clock_text(std::int64_t ms) {
    char text[40];
    const long long minutes = ms / 60'000;
    std::snprintf(text, sizeof text, "day %lld %02lld:%02lld", minutes / 1440, minutes / 60 % 24,
                  minutes % 60);
    return text;
}

bool live_through(const simulations::WeekOptions& options) {
    const simulations::WeekResult week = simulations::simulate_week(options);
    std::printf(
        "seed %llu: trace %s; %llu recorded, %llu contacts (%llu cut), %llu stick visits, %llu power cuts, "
        "%llu "
        "editions; %zu violations\n",
        static_cast<unsigned long long>(options.seed), to_hex(ByteView(week.trace).first(8)).c_str(),
        static_cast<unsigned long long>(week.recorded), static_cast<unsigned long long>(week.contacts),
        static_cast<unsigned long long>(week.cut), static_cast<unsigned long long>(week.stick_visits),
        static_cast<unsigned long long>(week.power_cuts), static_cast<unsigned long long>(week.editions),
        week.violations.size());
    for (const simulations::Violation& violation : week.violations)
        std::printf("  seed %llu, %s, %s: %s\n", static_cast<unsigned long long>(options.seed),
                    clock_text(violation.at_ms).c_str(), violation.checker.c_str(), violation.text.c_str());
    std::fflush(stdout);
    return week.violations.empty();
}

}  // namespace

int main(int argc, char** argv) {
    simulations::WeekOptions options;
    std::uint64_t seeds = 1;
    if (argc < 2 || std::strcmp(argv[1], "county-week") != 0) {
        const bool asked = argc > 1 && std::strcmp(argv[1], "--help") == 0;
        std::fputs(kUse, asked ? stdout : stderr);
        return asked ? 0 : 2;
    }
    for (int i = 2; i < argc; i += 2) {
        const std::string name = argv[i];
        const char* const value = i + 1 < argc ? argv[i + 1] : "";
        char* end = nullptr;
        const std::uint64_t number = std::strtoull(value, &end, 10);
        const bool is_number = *value != '\0' && *end == '\0';
        if (name == "--seed" && is_number)
            options.seed = number;
        else if (name == "--seeds" && is_number)
            seeds = number;
        else if (name == "--sites" && is_number && number >= 5 && number <= 200)
            options.sites = static_cast<int>(number);
        else if (name == "--days" && is_number && number >= 1 && number <= 60)
            options.days = static_cast<int>(number);
        else if (name == "--fault" && std::string(value) == "lying-syncs")
            options.syncs_are_lies = true;
        else if (name == "--fault" && std::string(value) == "forgotten-site")
            options.forget_a_peer = true;
        else {
            std::fprintf(stderr, "satchel-sim: %s %s is not understood\n%s", name.c_str(), value, kUse);
            return 2;
        }
    }
    std::uint64_t broken = 0;
    for (std::uint64_t i = 0; i < seeds; ++i, ++options.seed) broken += live_through(options) ? 0u : 1u;
    if (seeds > 1)
        std::printf("summary: %llu weeks, %llu broke a promise\n", static_cast<unsigned long long>(seeds),
                    static_cast<unsigned long long>(broken));
    return broken == 0 ? 0 : 1;
}
