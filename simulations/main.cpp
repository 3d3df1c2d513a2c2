// satchel-sim: lives through simulated worlds, and says which seed broke a promise.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/base/encoding.hpp"
#include "simulations/clones.hpp"
#include "simulations/county_week.hpp"

namespace {

using namespace satchel;

constexpr char kUse[] =
    "Use: satchel-sim county-week [--seed N] [--seeds COUNT] [--fault NAME] [--sites N] [--days N]\n"
    "     satchel-sim clones      [--seed N] [--seeds COUNT] [--fault NAME] [--trace]\n"
    "\n"
    "county-week: a county's days of faults.\n"
    "clones: a few boxes whose folders are copied and put back to older copies at any moment.\n"
    "\n"
    "Checks the promises. Every seed is a world of its own; the same seed gives the same trace. A planted "
    "fault\n"
    "shows that the checkers see: lying-syncs, forgotten-site. --trace prints what happens.\n"
    "\n"
    "Examples:\n"
    "  satchel-sim county-week --seed 7\n"
    "  satchel-sim clones --seeds 1000\n"
    "\n"
    "Exit codes: 0 all promises held, 1 one was broken, 2 the command line is wrong.\n";

struct Words {
    bool is_week = false;
    std::uint64_t seed = 1, seeds = 1;
    int sites = 0, days = 0;  // 0: as the scenario has it
    bool syncs_are_lies = false, forget_a_peer = false, trace = false;
};

std::string clock_text(std::int64_t ms) {
    char text[40];
    const long long minutes = ms / 60'000;
    std::snprintf(text, sizeof text, "day %lld %02lld:%02lld", minutes / 1440, minutes / 60 % 24,
                  minutes % 60);
    return text;
}

void tell(std::uint64_t seed, const Digest& trace, const std::string& counts,
          const std::vector<simulations::Violation>& violations) {
    std::printf("seed %llu: trace %s; %s; %zu violations\n", static_cast<unsigned long long>(seed),
                to_hex(ByteView(trace).first(8)).c_str(), counts.c_str(), violations.size());
    for (const simulations::Violation& violation : violations)
        std::printf("  seed %llu, %s, %s: %s\n", static_cast<unsigned long long>(seed),
                    clock_text(violation.at_ms).c_str(), violation.checker.c_str(), violation.text.c_str());
    std::fflush(stdout);
}

std::string counted(std::uint64_t number, const char* what) { return std::to_string(number) + " " + what; }

bool live_through_week(const Words& words) {
    simulations::WeekOptions options{
        .seed = words.seed, .syncs_are_lies = words.syncs_are_lies, .forget_a_peer = words.forget_a_peer};
    if (words.sites > 0) options.sites = words.sites;
    if (words.days > 0) options.days = words.days;
    const simulations::WeekResult week = simulations::simulate_week(options);
    tell(words.seed, week.trace,
         counted(week.recorded, "recorded, ") + counted(week.contacts, "contacts (") +
             counted(week.cut, "cut), ") + counted(week.stick_visits, "stick visits, ") +
             counted(week.power_cuts, "power cuts, ") + counted(week.editions, "editions"),
         week.violations);
    return week.violations.empty();
}

struct ClonesSums {
    std::uint64_t events = 0, lost = 0, doubled = 0, copies = 0, restores = 0, branches = 0, gone = 0;
};

bool live_through_clones(const Words& words, ClonesSums& sums) {
    simulations::ClonesOptions options{
        .seed = words.seed, .syncs_are_lies = words.syncs_are_lies, .forget_a_peer = words.forget_a_peer};
    if (words.trace) options.told = [](const std::string& line) { std::fputs(line.c_str(), stdout); };
    const simulations::ClonesResult history = simulations::simulate_clones(options);
    sums.events += history.events;
    sums.lost += history.lost;
    sums.doubled += history.doubled;
    sums.copies += history.copies;
    sums.restores += history.restores;
    sums.branches += history.branches;
    sums.gone += history.gone;
    tell(words.seed, history.trace,
         counted(history.recorded, "recorded, ") + counted(history.copies, "copies, ") +
             counted(history.restores, "restores, ") + counted(history.contacts, "contacts (") +
             counted(history.cut, "cut), ") + counted(history.stick_visits, "stick visits, ") +
             counted(history.power_cuts, "power cuts; ") + counted(history.events, "due, ") +
             counted(history.lost, "lost, ") + counted(history.doubled, "double, ") +
             counted(history.gone, "gone with a disk, ") + counted(history.branches, "ends of forks"),
         history.violations);
    return history.violations.empty();
}

bool understand(int argc, char** argv, Words& words) {
    for (int i = 2; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--trace" && !words.is_week) {
            words.trace = true;
            continue;
        }
        const std::string value = i + 1 < argc ? argv[++i] : "";
        char* end = nullptr;
        const std::uint64_t number = std::strtoull(value.c_str(), &end, 10);
        const bool is_number = !value.empty() && *end == '\0';
        if (name == "--seed" && is_number)
            words.seed = number;
        else if (name == "--seeds" && is_number)
            words.seeds = number;
        else if (name == "--sites" && words.is_week && is_number && number >= 5 && number <= 200)
            words.sites = static_cast<int>(number);
        else if (name == "--days" && words.is_week && is_number && number >= 1 && number <= 60)
            words.days = static_cast<int>(number);
        else if (name == "--fault" && value == "lying-syncs")
            words.syncs_are_lies = true;
        else if (name == "--fault" && value == "forgotten-site")
            words.forget_a_peer = true;
        else {
            std::fprintf(stderr, "satchel-sim: %s %s is not understood\n%s", name.c_str(), value.c_str(),
                         kUse);
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string scenario = argc > 1 ? argv[1] : "";
    Words words;
    words.is_week = scenario == "county-week";
    if (!words.is_week && scenario != "clones") {
        std::fputs(kUse, scenario == "--help" ? stdout : stderr);
        return scenario == "--help" ? 0 : 2;
    }
    if (!understand(argc, argv, words)) return 2;
    ClonesSums sums;
    std::uint64_t broken = 0;
    for (std::uint64_t i = 0; i < words.seeds; ++i, ++words.seed)
        broken += (words.is_week ? live_through_week(words) : live_through_clones(words, sums)) ? 0u : 1u;
    if (words.seeds > 1 && words.is_week)
        std::printf("summary: %s, %llu broke a promise\n", counted(words.seeds, "weeks").c_str(),
                    static_cast<unsigned long long>(broken));
    else if (words.seeds > 1)
        std::printf("summary: %s, %llu broke a promise; %s\n", counted(words.seeds, "histories").c_str(),
                    static_cast<unsigned long long>(broken),
                    (counted(sums.copies, "copies, ") + counted(sums.restores, "restores; ") +
                     counted(sums.events, "events due: ") + counted(sums.lost, "lost, ") +
                     counted(sums.doubled, "double; ") + counted(sums.branches, "ends of forks; ") +
                     counted(sums.gone, "gone with an overwritten disk"))
                        .c_str());
    return broken == 0 ? 0 : 1;
}
