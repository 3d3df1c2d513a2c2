#include "simulations/clones.hpp"

#include <algorithm>

#include "simulations/clones_checks.hpp"
#include "simulations/world/crash_images.hpp"
#include "transport/stick/carry.hpp"

namespace satchel::simulations {

namespace {

constexpr std::size_t kBoxesMax = 7;   // hub and all: a history stays small enough to be read
constexpr std::size_t kStatesMax = 6;  // copies of folders in the drawer
constexpr std::size_t kSticks = 2;
constexpr std::uint64_t kContactBytes = 6'000;  // about what a contact with news comes to
constexpr std::size_t kHub = 0;                 // its place among boxes and sites
constexpr int kContactsToDone = 3;              // over a good line; one is enough unless something is wrong
// One to collect all, one to hand it out to copies, one in which nothing moves.
constexpr int kHealRoundsMax = 3;

void unite(Serials& into, const Serials& other) { into.insert(other.begin(), other.end()); }

class History {
  public:
    explicit History(const ClonesOptions& options) : options_(options), chance_(options.seed) {
        findings_.told = options.told;
    }

    ClonesResult run() {
        if (found()) {
            for (std::uint64_t left = 30 + chance_.below(60); left > 0 && !findings_.is_full(); --left)
                live_a_while();
            if (all_are_open() && heal()) check_all();
        }
        result_.trace = findings_.trace_hash();
        result_.violations = findings_.violations();
        return std::move(result_);
    }

  private:
    // A folder as it was once.
    struct State {
        Tree tree;
        std::size_t who = 0;
        LineId line = 0;
        Serials held, waiting;
        Digest begun_on{};
    };
    struct Stick {
        std::unique_ptr<SimDisk> disk;
        Serials held;  // on it, or acknowledged by the hub before
        std::optional<std::pair<Tree, Serials>> older;
    };

    void trace(const std::string& line) { findings_.trace(line); }
    void violate(const std::string& checker, const std::string& text) { findings_.violate(checker, text); }
    template <typename T>
    bool holds(const std::string& checker, const std::string& what, const Result<T>& result) {
        return findings_.holds(checker, what, result);
    }
    CloneBox& hub() { return *past_.boxes[kHub]; }
    bool happens(std::uint64_t one_in) { return chance_.below(one_in) == 0; }

    // -- the network ------------------------------------------------------------------------------------
    bool found() {
        const std::size_t villages = 2 + chance_.below(2);
        for (std::size_t number = 0; number <= villages; ++number) {
            auto box = std::make_unique<CloneBox>();
            const std::string name = number == kHub ? "hub" : "village-" + std::to_string(number);
            SimDiskOptions disk;
            disk.syncs_are_lies = options_.syncs_are_lies && number != kHub;
            box->site = std::make_unique<SimSite>(name, chance_.next(), disk, Tree(), some_machine());
            box->who = number;
            box->line = past_.lines.begin(std::nullopt);
            past_.roots.push_back(box->line);
            set_clock(*box->site);
            past_.boxes.push_back(std::move(box));
            CloneBox& added = *past_.boxes.back();
            const bool begun =
                number == kHub ? found_network(*added.site, findings_)
                               : join_network(*hub().site, *added.site, trust::SiteRole::kVillage, findings_);
            if (!begun) return false;
            note_incarnation(added);
        }
        return true;
    }
    Digest some_machine() {
        Digest machine{};
        if (!happens(3)) chance_.fill(machine);
        return machine;
    }
    void set_clock(SimSite& site) {
        // Boxes without a battery begin in 1970; a hub that signs grants does not.
        if (past_.boxes.empty() || !happens(3)) site.world().clock.set_wall(now_ms_);
        site.advance_to(now_ms_);
    }
    void note_incarnation(CloneBox& box) {
        const records::Incarnation now = box.site->site().records().branch().incarnation;
        if (now != box.incarnation) box.begun_on = box.site->machine();
        box.incarnation = now;
    }

    // -- what happens -----------------------------------------------------------------------------------
    void live_a_while() {
        now_ms_ += static_cast<std::int64_t>(1 + chance_.below(happens(8) ? 40 * 60 : 6 * 60)) * kMinuteMs;
        CloneBox& box = *past_.boxes[chance_.below(past_.boxes.size())];
        if (!box.site->is_open()) return;
        box.site->advance_to(now_ms_);
        const std::uint64_t what = chance_.below(100);
        if (what < 36)
            record(box);
        else if (what < 52)
            call(box, hub());
        else if (what < 57)
            call(box, *past_.boxes[chance_.below(past_.boxes.size())]);
        else if (what < 72)
            visit(box);
        else if (what < 80)
            keep(box);
        else if (what < 87)
            put_back(box);
        else if (what < 94)
            copy(box);
        else if (what < 98)
            stop(box);
        else
            box.site->world().clock.step_wall((static_cast<std::int64_t>(chance_.below(96)) - 48) * kHourMs);
    }

    void record(CloneBox& box) {
        for (std::uint64_t left = 1 + chance_.below(3); left > 0; --left) {
            const std::int64_t serial = ++serial_;
            past_.who_said[serial] = box.who;
            SimDisk& disk = box.site->disk();
            if (happens(12)) disk.set_crash_after(disk.operations() + chance_.below(8));
            const Result<bool> done = box.site->record(serial, "course");
            trace(box.site->name() + " records " + std::to_string(serial) +
                  (done.has_value() ? "" : ", cut"));
            ++result_.recorded;
            if (done.has_value()) {
                past_.lines.say(box.line, serial);
                box.held.insert(serial);
            }
            disk.set_crash_after(UINT64_MAX);
            if (!done.has_value()) return stop(box);
        }
    }

    void stop(CloneBox& box) {
        ++result_.power_cuts;
        const bool kill_only = happens(3);
        if (kill_only)
            box.site->kill();
        else
            box.site->lose_power(chance_);
        trace(box.site->name() + (kill_only ? " is killed" : " loses power"));
        reopen(box);
    }

    void reopen(CloneBox& box) {
        if (!holds("durability", "open " + box.site->name(), box.site->open())) return;
        note_incarnation(box);
        checks_.check_held(box);
    }

    void call(CloneBox& box, CloneBox& other) {
        if (&box == &other || !other.site->is_open()) return;
        other.site->advance_to(now_ms_);
        SimDisk& disk = box.site->disk();
        const std::uint64_t power_for = happens(8) ? disk.operations() + chance_.below(60) : UINT64_MAX;
        disk.set_crash_after(power_for);
        LineOptions line = some_line(chance_);
        if (happens(3)) line.cut_after_bytes = 1 + chance_.below(kContactBytes);
        const ContactResult contact = converse(box.site->end(), other.site->end(), now_ms_, line);
        const bool is_cut = disk.operations() >= power_for;
        disk.set_crash_after(UINT64_MAX);
        note_contact(box, other, contact, is_cut);
        if (is_cut) stop(box);
    }

    void note_contact(CloneBox& box, CloneBox& other, const ContactResult& contact, bool is_cut) {
        ++result_.contacts;
        result_.cut += contact.done ? 0 : 1;
        const std::string names = box.site->name() + " with " + other.site->name();
        trace(names + (contact.done ? ", done, " : ", cut, ") + std::to_string(contact.bytes));
        if (contact.broken && !is_cut) violate("progress", names + ": " + words_of(*contact.broken));
        for (const exchange::SessionReport& report : contact.reports)
            for (const Error& refused : report.refused) violate("progress", names + ": " + words_of(refused));
        observe_hub();
        if (is_cut) return;
        note_incarnation(box);
        note_incarnation(other);
        if (!contact.done) return;
        if (box.who == kHub) return note_handed_over(other, box);
        note_handed_over(box, other);
    }

    void note_handed_over(CloneBox& box, CloneBox& other) {
        hand_over(box, other);
        hand_over(other, box);
        for (CloneBox* each : {&box, &other})
            if (other.who == kHub && !hub_was_put_back_) unite(each->held, std::exchange(each->waiting, {}));
        checks_.check_held(box);
        checks_.check_held(other);
    }

    // A contact that was cut brings something or nothing; what the hub counts it must keep.
    void observe_hub() {
        const auto counted = hub().site->counted(false);
        if (!holds("durability", "read the hub's records", counted)) return;
        for (const std::int64_t serial : *counted)
            if (past_.lines.line_of(serial)) hub().held.insert(serial);
    }

    // After a contact that both ended: a hub holds all, any other box what its own site said.
    void hand_over(const CloneBox& from, CloneBox& to) {
        for (const std::int64_t serial : from.held)
            if (to.who == kHub || past_.who_said[serial] == to.who) to.held.insert(serial);
    }

    // -- sticks -----------------------------------------------------------------------------------------
    void visit(CloneBox& box) {
        Stick& stick = sticks_[chance_.below(kSticks)];
        if (!stick.disk)
            stick.disk = std::make_unique<SimDisk>(SimDiskOptions{.profile = SimDiskOptions::kFat});
        if (stick.older && happens(8)) {  // a copy from some time ago is used by mistake
            stick.disk = std::make_unique<SimDisk>(stick.disk->options(), stick.older->first);
            stick.held = stick.older->second;
        }
        ++result_.stick_visits;
        const std::uint64_t pulled_after =
            happens(8) ? stick.disk->operations() + chance_.below(80) : UINT64_MAX;
        stick.disk->set_crash_after(pulled_after);
        NoProgress silent;
        const auto read = read_stick(box, *stick.disk);
        const auto written = stick::write_stick(box.site->site(), *stick.disk, {}, silent);
        const bool is_pulled = stick.disk->operations() >= pulled_after;
        trace(box.site->name() + " has a stick" + (read.has_value() ? ", read" : ", not read") +
              (written.has_value() ? ", written" : ", not written"));
        holds("progress", "learn", box.site->learn());
        note_incarnation(box);
        if (is_pulled) {
            forget(stick, box);
            stick.disk = image(*stick.disk, random_plan(*stick.disk, chance_.next()));
        } else {
            const bool both =
                holds("progress", "read a stick", read) && holds("progress", "write a stick", written);
            if (both) note_visit(box, stick);
        }
        if (happens(4)) stick.older = {stick.disk->tree(), stick.held};
    }

    // Nothing was ever written to an empty one.
    Result<void> read_stick(CloneBox& box, env::Disk& stick) {
        NoProgress silent;
        SATCHEL_TRY(const std::vector<env::EntryInfo> entries, stick.list(""));
        if (entries.empty()) return {};
        const auto read = stick::read_stick(box.site->site(), stick, silent);
        return read.has_value() ? Result<void>() : read.error();
    }

    // A stick that came to its end gave the box what its site said before, and holds all that the box does.
    void note_visit(CloneBox& box, Stick& stick) {
        if (hub_was_put_back_) return;  // boxes leave out what they know as acknowledged
        if (box.who == kHub) {
            unite(box.held, stick.held);
        } else {
            for (const std::int64_t serial : stick.held)
                if (past_.who_said[serial] == box.who && !hub().held.contains(serial))
                    box.waiting.insert(serial);
            unite(stick.held, box.held);
            unite(stick.held, box.waiting);
        }
        checks_.check_held(box);
        observe_hub();
    }

    // Pulled out while this box wrote: what it had written there is not counted on.
    void forget(Stick& stick, const CloneBox& box) {
        std::erase_if(stick.held, [&](std::int64_t serial) { return past_.who_said[serial] == box.who; });
    }

    // -- copies -----------------------------------------------------------------------------------------
    // Whoever goes on from here, the box itself too, has a line of its own.
    State state_of(CloneBox& box) {
        State state{box.site->disk().tree(), box.who, box.line, box.held, box.waiting, box.begun_on};
        box.line = past_.lines.begin(box.line);
        return state;
    }

    void keep(CloneBox& box) {
        if (states_.size() == kStatesMax) states_.erase(states_.begin());
        states_.push_back(state_of(box));
        trace(box.site->name() + " is backed up");
    }

    void put_back(CloneBox& box) {
        std::vector<const State*> own;
        for (const State& state : states_)
            if (state.who == box.who) own.push_back(&state);
        if (own.empty()) return;
        trace(box.site->name() + " is put back to a backup");
        ++result_.restores;
        if (box.who == kHub) hub_was_put_back_ = true;
        overwrite(box, *own[chance_.below(own.size())]);
    }

    void copy(CloneBox& original) {
        if (original.who == kHub) return;
        const State state = state_of(original);
        ++result_.copies;
        // Onto the box of another village, or another one of its own, or a new one.
        CloneBox& other = *past_.boxes[1 + chance_.below(past_.boxes.size() - 1)];
        if (&other != &original && other.site->is_open() && (happens(3) || past_.boxes.size() == kBoxesMax)) {
            trace(original.site->name() + " is copied onto " + other.site->name());
            other.site->advance_to(now_ms_);
            return overwrite(other, state);
        }
        if (past_.boxes.size() == kBoxesMax) return;
        auto box = std::make_unique<CloneBox>();
        const Digest machine = happens(3) ? original.site->machine() : some_machine();
        const std::string name = original.site->name() + "-copy-" + std::to_string(past_.boxes.size());
        box->site =
            std::make_unique<SimSite>(name, chance_.next(), original.site->disk().options(), Tree(), machine);
        set_clock(*box->site);
        trace("box " + name + " begins as a copy");
        past_.boxes.push_back(std::move(box));
        overwrite(*past_.boxes.back(), state);
    }

    void overwrite(CloneBox& box, const State& state) {
        box.site->put_back(state.tree);
        box.who = state.who;
        box.line = past_.lines.begin(state.line);
        box.held = state.held;
        box.waiting = state.waiting;
        box.begun_on = state.begun_on;
        box.incarnation = {};
        if (!holds("durability", "open a copy of a folder", box.site->open())) return;
        const records::Branch branch = box.site->site().records().branch();
        const bool is_foreign = state.begun_on != Digest{} && box.site->machine() != Digest{} &&
                                state.begun_on != box.site->machine();
        if (is_foreign && branch.reason != records::Anew::kOtherMachine)
            violate("noticed", box.site->name() + " goes on as if it were the original");
        box.incarnation = branch.incarnation;
        if (is_foreign) box.begun_on = box.site->machine();
        checks_.check_held(box);
    }

    // -- afterwards -------------------------------------------------------------------------------------
    bool all_are_open() {
        return std::all_of(past_.boxes.begin(), past_.boxes.end(),
                           [](const auto& box) { return box->site->is_open(); });
    }

    bool heal() {
        for (Stick& stick : sticks_) {
            if (!stick.disk) continue;
            if (!holds("progress", "read a stick at the hub", read_stick(hub(), *stick.disk))) return false;
            if (!hub_was_put_back_) unite(hub().held, stick.held);
        }
        if (!holds("progress", "learn", hub().site->learn())) return false;
        trace("healing");
        for (const auto& box : past_.boxes) {
            unite(must_be_there_, box->held);
            if (!hub_was_put_back_) unite(must_be_there_, box->waiting);
        }
        std::vector<Digest> before;
        for (int round = 0; round < kHealRoundsMax; ++round) {
            ++result_.heal_rounds;
            now_ms_ += kHourMs;
            for (std::size_t i = 1; i < past_.boxes.size(); ++i)
                if (!(options_.forget_a_peer && i == 1) && !meet(*past_.boxes[i])) return false;
            std::vector<Digest> after;
            for (const auto& box : past_.boxes) {
                const auto digest = box->site->site().records().digest();
                if (!holds("integrity", "digest of " + box->site->name(), digest)) return false;
                after.push_back(*digest);
            }
            if (after == before) return true;
            before = std::move(after);
        }
        violate("progress", "records still move after " + std::to_string(kHealRoundsMax) + " rounds");
        return true;
    }

    bool meet(CloneBox& box) {
        for (int i = 0; i < kContactsToDone; ++i) {
            box.site->advance_to(now_ms_);
            hub().site->advance_to(now_ms_);
            const ContactResult contact = converse(box.site->end(), hub().site->end(), now_ms_, good_line());
            note_contact(box, hub(), contact, false);
            if (contact.done) return true;
        }
        violate("progress", box.site->name() + " and the hub do not come to an end");
        return false;
    }

    void check_all() {
        const auto counted = hub().site->counted(false);
        if (!holds("durability", "read the hub's records", counted)) return;
        const Serials there(counted->begin(), counted->end());
        result_.events = must_be_there_.size();
        result_.doubled = checks_.check_once(hub(), *counted);
        for (const std::int64_t serial : must_be_there_) {
            if (there.contains(serial)) continue;
            ++result_.lost;
            violate("durability", "the hub never got " + std::to_string(serial));
        }
        for (const auto& [serial, who] : past_.who_said)
            if (past_.lines.line_of(serial) && !there.contains(serial) && !must_be_there_.contains(serial))
                ++result_.gone;
        checks_.check_report(hub(), there);
        for (std::size_t who = 0; who < past_.roots.size(); ++who)
            result_.branches += checks_.check_branches(who, there);
        if (options_.forget_a_peer) return;  // it is behind, which has been said
        for (std::size_t i = 1; i < past_.boxes.size(); ++i) checks_.check_box(*past_.boxes[i], there);
        checks_.check_noticed();
    }

    const ClonesOptions options_;
    Seeded chance_;
    std::int64_t now_ms_ = kBeginMs;
    Findings findings_{now_ms_};
    ClonesResult result_;
    ClonesPast past_;
    ClonesChecks checks_{past_, findings_};
    std::vector<State> states_;
    Stick sticks_[kSticks];
    std::int64_t serial_ = 0;
    Serials must_be_there_;
    bool hub_was_put_back_ = false;
};

}  // namespace

ClonesResult simulate_clones(const ClonesOptions& options) { return History(options).run(); }

}  // namespace satchel::simulations
