#include "simulations/county_week.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>

#include "engine/base/encoding.hpp"
#include "simulations/network.hpp"
#include "simulations/world/crash_images.hpp"
#include "transport/stick/carry.hpp"

namespace satchel::simulations {

namespace {

constexpr int kHealRoundsMax = 3;  // lines without faults: to the hub, from it, and once more
constexpr std::uint64_t kSiteBytesMax = 64ull * 1024 * 1024;
constexpr int kCourses = 4;
constexpr std::size_t kStops = 6;  // of a technician's day, hub apart

using Files = std::map<std::string, std::string>;

class Week {
  public:
    explicit Week(const WeekOptions& options) : options_(options), chance_(options.seed) {}

    WeekResult run() {
        if (!found_county()) return finished();
        plan_week();
        while (!events_.empty() && !findings_.is_full()) {
            const Planned next = events_.top();
            events_.pop();
            now_ms_ = next.at_ms;
            next.action();
        }
        heal();
        check_all();
        return finished();
    }

  private:
    WeekResult finished() {
        result_.trace = findings_.trace_hash();
        result_.violations = findings_.violations();
        return std::move(result_);
    }

    struct Planned {
        std::int64_t at_ms = 0;
        std::uint64_t order = 0;
        std::function<void()> action;
        bool operator<(const Planned& other) const {
            return std::pair(at_ms, order) > std::pair(other.at_ms, other.order);
        }
    };

    // -- telling ----------------------------------------------------------------------------------------
    void trace(const std::string& line) { findings_.trace(line); }
    void violate(const std::string& checker, const std::string& text) { findings_.violate(checker, text); }
    template <typename T>
    bool holds(const std::string& checker, const std::string& what, const Result<T>& result) {
        return findings_.holds(checker, what, result);
    }

    // -- the county -------------------------------------------------------------------------------------
    bool found_county() {
        SimDiskOptions disk;
        disk.syncs_are_lies = options_.syncs_are_lies;
        now_ms_ = kBeginMs;
        hub_ = add_site("hub", {});
        if (!found_network(*hub_, findings_)) return false;
        for (int number = 1; number < options_.sites; ++number) {
            const bool second_hub = number == 1;
            SimSite* const site = add_site(second_hub ? "hub-2" : "village-" + std::to_string(number),
                                           second_hub ? SimDiskOptions{} : disk);
            const auto role = second_hub ? trust::SiteRole::kHub : trust::SiteRole::kVillage;
            if (!join_network(*hub_, *site, role, findings_)) return false;
        }
        publish();
        return findings_.violations().empty();
    }
    SimSite* add_site(const std::string& name, SimDiskOptions disk) {
        sites_.push_back(std::make_unique<SimSite>(name, chance_.next(), disk));
        SimSite& site = *sites_.back();
        // Boxes without a battery begin in 1970; others are a little fast or slow.
        if (chance_.below(3) > 0 || name.starts_with("hub")) site.world().clock.set_wall(kBeginMs);
        site.world().clock.set_drift_ppm(static_cast<std::int64_t>(chance_.below(400)) - 200);
        site.advance_to(now_ms_);
        return &site;
    }
    // -- what happens -----------------------------------------------------------------------------------
    void at(std::int64_t at_ms, std::function<void()> action) {
        events_.push({at_ms, ++order_, std::move(action)});
    }
    std::int64_t some_time(std::int64_t from_ms, std::int64_t span_ms) {
        return from_ms + static_cast<std::int64_t>(chance_.below(static_cast<std::uint64_t>(span_ms)));
    }

    void plan_week() {
        for (int day = 0; day < options_.days; ++day) {
            const std::int64_t begin = kBeginMs + day * kDayMs;
            at(some_time(begin, kDayMs), [this] { publish(); });
            for (std::size_t i = 1; i < sites_.size(); ++i) {
                SimSite* const site = sites_[i].get();
                for (std::uint64_t left = 1 + chance_.below(3); left > 0; --left)
                    at(some_time(begin, kDayMs), [this, site] { record(*site); });
                if (chance_.below(2) == 0) at(some_time(begin, kDayMs), [this, site] { call_hub(*site); });
                if (chance_.below(3) == 0)
                    at(some_time(begin, kDayMs), [this, site] { call_neighbour(*site); });
                if (chance_.below(6) == 0) at(some_time(begin, kDayMs), [this, site] { lose_power(*site); });
                if (chance_.below(6) == 0) at(some_time(begin, kDayMs), [this, site] { step_clock(*site); });
            }
            for (std::size_t technician = 0; technician < 2; ++technician)
                plan_trip(technician, begin + 8 * kHourMs);
        }
        SimSite* const original = sites_[2].get();
        at(kBeginMs + 2 * kDayMs + kHourMs, [this, original] { copy_box(*original); });
        SimSite* const restored = sites_[3].get();
        at(kBeginMs + 2 * kDayMs, [this, restored] { backup_ = restored->disk().tree(); });
        at(kBeginMs + 4 * kDayMs, [this, restored] { put_back(*restored); });
    }

    void plan_trip(std::size_t technician, std::int64_t begin_ms) {
        std::int64_t when = begin_ms;
        at(when, [this, technician] { visit(technician, *hub_); });
        for (std::size_t stop = 0; stop < kStops; ++stop) {
            when = some_time(when + 20 * kMinuteMs, kHourMs);
            SimSite* const site = sites_[1 + chance_.below(sites_.size() - 1)].get();
            at(when, [this, technician, site] { visit(technician, *site); });
        }
        at(when + kHourMs, [this, technician] { visit(technician, *hub_); });
    }

    void publish() {
        hub_->advance_to(now_ms_);
        const std::string course = "course-" + std::to_string(chance_.below(kCourses));
        Files& files = published_[course];
        for (int i = 0; i < 3; ++i) {
            std::string bytes(200 + chance_.below(30'000), '\0');
            chance_.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
            files["lesson-" + std::to_string(chance_.below(5)) + ".bin"] = bytes;
        }
        SimDisk folder;
        if (!holds("progress", "make the folder", folder.make_directory(course))) return;
        for (const auto& [name, bytes] : files) {
            auto file = folder.open(course + "/" + name, env::OpenMode::kWrite);
            if (!holds("progress", "write courseware", file)) return;
            if (!holds("progress", "write courseware", (*file)->write_at(0, bytes_of(bytes)))) return;
        }
        NoProgress silent;
        if (!holds("progress", "publish", hub_->site().publish(folder, "courseware", {}, silent))) return;
        if (!holds("progress", "learn", hub_->learn())) return;
        ++result_.editions;
        trace("publish " + course);
    }

    void record(SimSite& site) {
        if (!site.is_open()) return;
        site.advance_to(now_ms_);
        const std::int64_t serial = ++serial_;
        attempted_.insert(serial);
        // Now and then the power goes in the middle of it.
        if (chance_.below(12) == 0) site.disk().set_crash_after(site.disk().operations() + chance_.below(8));
        const Result<bool> done = site.record(serial, "course-" + std::to_string(chance_.below(kCourses)));
        trace(site.name() + " records " + std::to_string(serial) + (done.has_value() ? "" : ", cut"));
        ++result_.recorded;
        if (!done.has_value()) lose_power(site);
        site.disk().set_crash_after(UINT64_MAX);
    }

    void lose_power(SimSite& site) {
        if (!site.is_open()) return;
        ++result_.power_cuts;
        const bool kill_only = chance_.below(3) == 0;
        if (kill_only)
            site.kill();
        else
            site.lose_power(chance_);
        trace(site.name() + (kill_only ? " is killed" : " loses power"));
        site.advance_to(now_ms_);
        if (!holds("durability", "open " + site.name() + " after a stop", site.open())) return;
        check_kept(site);
    }

    void step_clock(SimSite& site) {
        site.advance_to(now_ms_);
        const std::uint64_t kind = chance_.below(3);
        if (kind == 0)
            site.world().clock.set_wall(946'684'800'000);  // 2000-01-01: no battery
        else if (kind == 1)
            site.world().clock.set_wall(now_ms_);  // somebody put it right
        else
            site.world().clock.step_wall(static_cast<std::int64_t>(chance_.below(16)) * kHourMs -
                                         8 * kHourMs);
        trace(site.name() + " steps its clock");
    }

    void call_hub(SimSite& site) {
        call(site,
             chance_.below(4) == 0 && &site != sites_[1].get() && sites_[1]->is_open() ? *sites_[1] : *hub_);
    }

    // By the mesh: a village that may carry what this one recorded.
    void call_neighbour(SimSite& site) {
        SimSite& other = *sites_[2 + chance_.below(sites_.size() - 2)];
        if (site.is_open() && other.is_open() && other.site().self().id != site.site().self().id)
            call(site, other);
    }

    void call(SimSite& site, SimSite& other) {
        if (!site.is_open()) return;
        other.advance_to(now_ms_);
        site.advance_to(now_ms_);
        const std::uint64_t power_for =
            chance_.below(8) == 0 ? site.disk().operations() + chance_.below(60) : UINT64_MAX;
        site.disk().set_crash_after(power_for);
        const ContactResult contact = converse(site.end(), other.end(), now_ms_, some_line(chance_));
        ++result_.contacts;
        result_.cut += contact.done ? 0 : 1;
        trace(site.name() + " calls " + other.name() + (contact.done ? ", done, " : ", cut, ") +
              std::to_string(contact.bytes));
        if (contact.broken) {
            if (contact.broken->code == ErrorCode::kDamaged || contact.broken->code == ErrorCode::kRefused)
                violate("integrity", site.name() + " and " + other.name() + ": " + contact.broken->about +
                                         " " + contact.broken->reason.text());
        }
        // The power may also go as the conversation ends, when nobody asks any more.
        if (contact.broken || site.disk().operations() >= power_for) lose_power(site);
        site.disk().set_crash_after(UINT64_MAX);
    }

    // -- sticks -----------------------------------------------------------------------------------------
    struct Stick {
        std::unique_ptr<SimDisk> disk;
        std::optional<Tree> older;
    };
    Stick& stick_of(std::size_t technician) {
        Stick& stick = sticks_[technician];
        if (!stick.disk)
            stick.disk = std::make_unique<SimDisk>(SimDiskOptions{.profile = SimDiskOptions::kFat});
        return stick;
    }

    void visit(std::size_t technician, SimSite& site) {
        if (!site.is_open()) return;
        site.advance_to(now_ms_);
        Stick& stick = stick_of(technician);
        ++result_.stick_visits;
        const std::uint64_t fate = chance_.below(10);
        if (fate == 0)
            stick.disk->set_crash_after(stick.disk->operations() + chance_.below(80));  // pulled out
        if (fate == 1 && stick.older)  // a copy from some time ago is used by mistake
            stick.disk = std::make_unique<SimDisk>(stick.disk->options(), *stick.older);
        NoProgress silent;
        const auto read = stick::read_stick(site.site(), *stick.disk, silent);
        const auto written = stick::write_stick(site.site(), *stick.disk, {}, silent);
        trace("stick " + std::to_string(technician) + " at " + site.name() +
              (read.has_value() ? ", read" : ", not read") +
              (written.has_value() ? ", written" : ", not written"));
        // A box that was put back holds less than its last have says: a stick that was written for that have
        // may lack what it lost, and then says so. The next contact by line brings it.
        const bool may_lack = &site == sites_[3].get();
        if (read.has_value() && !may_lack)
            for (const Error& error : read->refused)
                violate("authority",
                        "stick at " + site.name() + ": " + error.about + " " + error.reason.text());
        holds("progress", "learn", site.learn());
        if (fate == 0) stick.disk = image(*stick.disk, random_plan(*stick.disk, chance_.next()));
        if (chance_.below(4) == 0) stick.older = stick.disk->tree();
    }

    // -- copies -----------------------------------------------------------------------------------------
    void copy_box(SimSite& original) {
        if (!original.is_open()) return;
        auto copy = std::make_unique<SimSite>(original.name() + "-copy", chance_.next(),
                                              original.disk().options(), original.disk().tree());
        copy->world().clock.set_wall(now_ms_);
        copy->advance_to(now_ms_);
        trace(original.name() + " is copied");
        if (!holds("durability", "open a copy", copy->open())) return;
        SimSite* const box = copy.get();
        sites_.push_back(std::move(copy));
        for (std::int64_t when = now_ms_ + kHourMs; when < kBeginMs + options_.days * kDayMs;
             when += 9 * kHourMs) {
            at(when, [this, box] { record(*box); });
            at(when + kHourMs, [this, box] { call_hub(*box); });
        }
    }

    // A backup takes away what only this box held; so it first gives all to the hub.
    void put_back(SimSite& site) {
        if (!backup_ || !site.is_open()) return;
        if (!meet_until_done(site, *hub_)) return violate("progress", "no full contact before a restore");
        site.put_back(*backup_);
        site.acknowledged.clear();
        site.advance_to(now_ms_);
        trace(site.name() + " is put back to a backup");
        holds("durability", "open a backup", site.open());
    }

    // -- afterwards -------------------------------------------------------------------------------------
    bool meet_until_done(SimSite& one, SimSite& other) {
        for (int i = 0; i < kHealRoundsMax; ++i) {
            one.advance_to(now_ms_);
            other.advance_to(now_ms_);
            const ContactResult contact = converse(one.end(), other.end(), now_ms_, good_line());
            trace(one.name() + " heals with " + other.name() + ", " + std::to_string(contact.bytes));
            if (contact.broken)
                violate("progress", one.name() + " with " + other.name() + ": " + words_of(*contact.broken));
            if (contact.done) return true;
        }
        return false;
    }

    void heal() {
        now_ms_ = kBeginMs + options_.days * kDayMs;
        for (int round = 0; round < 2; ++round) {
            ++result_.heal_rounds;
            for (std::size_t i = 1; i < sites_.size(); ++i) {
                if (options_.forget_a_peer && i == 4) continue;
                if (!sites_[i]->is_open()) return;
                if (!meet_until_done(*sites_[i], *hub_))
                    violate("progress", sites_[i]->name() + " and the hub do not come to an end");
            }
        }
    }

    void check_kept(SimSite& site) {
        const auto counted = site.counted(true);
        if (!holds("durability", "read the records of " + site.name(), counted)) return;
        for (const std::int64_t serial : site.acknowledged)
            if (counted->count(serial) == 0)
                violate("durability", site.name() + " lost record " + std::to_string(serial));
    }

    void check_all() {
        for (const auto& site : sites_)
            if (!site->is_open()) return;
        check_counts(*hub_);
        check_counts(*sites_[1]);
        check_equal_hubs();
        for (std::size_t i = 1; i < sites_.size(); ++i) check_site(*sites_[i]);
        if (options_.days > 3) {
            const auto heads = hub_->site().records().heads_of(sites_[2]->site().self().id);
            if (holds("exactly-once", "heads of the copied box", heads) && heads->size() < 2)
                violate("exactly-once", "only one branch of the copied box is at the hub");
        }
    }

    void check_counts(SimSite& hub) {
        const auto counted = hub.counted(false);
        if (!holds("exactly-once", "read the hub's records", counted)) return;
        for (const std::int64_t serial : *counted) {
            if (counted->count(serial) > 1)
                violate("exactly-once", hub.name() + " counts twice: " + std::to_string(serial));
            if (!attempted_.contains(serial))
                violate("exactly-once", "never said: " + std::to_string(serial));
        }
        for (const auto& site : sites_)
            for (const std::int64_t serial : site->acknowledged)
                if (counted->count(serial) == 0)
                    violate("durability", hub.name() + " never got record " + std::to_string(serial) +
                                              " of " + site->name());
    }

    void check_equal_hubs() {
        const auto one = hub_->site().records().digest();
        const auto other = sites_[1]->site().records().digest();
        if (!one.has_value() || !other.has_value() || *one != *other)
            violate("convergence", "the hubs' digests differ");
        const auto report = hub_->report();
        const auto same = sites_[1]->report();
        if (!report.has_value() || !same.has_value() || *report != *same)
            violate("convergence", "the hubs' reports differ");
    }

    void check_site(SimSite& site) {
        const auto heads = site.site().catalogue().heads();
        const auto wanted = hub_->site().catalogue().heads();
        if (!heads.has_value() || !wanted.has_value() || *heads != *wanted)
            violate("convergence", site.name() + " holds another catalogue than the hub");
        for (const auto& [course, files] : published_) check_course(site, course, files);
        holds("integrity", "verify " + site.name(),
              site.site().store().verify(
                  [&](const store::Damage&) { violate("integrity", site.name() + " holds damage"); },
                  [](std::uint64_t, std::uint64_t) {}));
        holds("integrity", "verify records of " + site.name(),
              site.site().records().verify(
                  [&](const Error& error) { violate("integrity", site.name() + ": " + error.about); }));
        const auto status = site.site().status();
        if (holds("bounds", "status of " + site.name(), status) &&
            site.disk().options().capacity - status->free_bytes > kSiteBytesMax)
            violate("bounds", site.name() + " takes more room than it may");
        if (status.has_value() && status->carried_sites > 0)
            violate("bounds", site.name() + " still carries records that the hubs have");
    }

    void check_course(SimSite& site, const std::string& course, const Files& files) {
        for (const auto& [name, bytes] : files) {
            std::string held;
            const auto read =
                site.site().read_file(course, name, 0, bytes.size(), [&](ByteView part) -> Result<void> {
                    held += std::string(text_of(part));
                    return {};
                });
            if (!holds("progress", site.name() + " " + course + "/" + name, read)) return;
            if (held != bytes)
                violate("integrity", site.name() + " shows other bytes of " + course + "/" + name);
        }
    }

    const WeekOptions options_;
    Seeded chance_;
    WeekResult result_;
    std::int64_t now_ms_ = kBeginMs;
    Findings findings_{now_ms_};
    std::vector<std::unique_ptr<SimSite>> sites_;  // the hub, the second hub, villages, copies
    SimSite* hub_ = nullptr;
    std::map<std::string, Files> published_;  // newest edition of each course
    std::priority_queue<Planned> events_;
    std::uint64_t order_ = 0;
    std::int64_t serial_ = 0;
    std::set<std::int64_t> attempted_;
    Stick sticks_[2];
    std::optional<Tree> backup_;
};

}  // namespace

WeekResult simulate_week(const WeekOptions& options) { return Week(options).run(); }

}  // namespace satchel::simulations
