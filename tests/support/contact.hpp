// Sites joined by a net in memory: contacts that are slow, lose, double and reorder messages, and are cut.
#pragma once

#include <deque>
#include <limits>
#include <map>

#include "engine/exchange/session.hpp"
#include "simulations/world/seeded.hpp"
#include "tests/support/fake_records.hpp"
#include "tests/support/site_checks.hpp"

namespace satchel::support {

// A site on its own simulated disk, with what its conversations share. Reopened after a kill: what lay in
// memory is gone.
class NetSite {
  public:
    NetSite(const simulations::Tree& tree, std::uint64_t seed) : world(seed), disk(disk_of(tree)) { open(); }
    void open() {
        site = must(site::Site::open(*disk, world.world()));
        if (!records) records = std::make_unique<FakeRecords>(site->self().id);
        wants = must(exchange::Wants::create(replica()));
    }
    void kill() {
        wants.reset();
        site.reset();
        open();
    }
    [[nodiscard]] exchange::Replica replica() {
        exchange::Replica replica = site->replica();
        if (!signs_records) replica.records = records.get();
        return replica;
    }
    [[nodiscard]] const SiteId& id() const { return site->self().id; }

    bool signs_records = false;  // its conversations carry the site's own records in place of `records`
    FixedWorld world;
    std::unique_ptr<simulations::SimDisk> disk;
    std::unique_ptr<site::Site> site;
    std::unique_ptr<FakeRecords> records;
    std::unique_ptr<exchange::Wants> wants;
};

struct NetOptions {
    std::int64_t latency_ms = 300;
    std::uint64_t bytes_per_second = 250'000;                                   // 2 Mbit/s
    std::uint64_t cut_after_bytes = std::numeric_limits<std::uint64_t>::max();  // both ways together
    std::int64_t time_max_ms = 600'000;
    unsigned loss_percent = 0, twice_percent = 0, reorder_percent = 0;
    std::uint64_t lost_message = 0;  // this one, counted from 1 over both ways
    std::uint64_t seed = 1;
    bool first_is_replayable = true;
    bool stay = false;
    // Sees each message on its way; may change it.
    std::function<void(bool from_first, ByteBuffer& message)> on_the_way;
};

struct ContactReport {
    exchange::SessionReport first, second;
    bool done = false;  // both said so
    std::uint64_t bytes = 0;
    std::uint64_t messages = 0;
    std::int64_t lasted_ms = 0;
    std::optional<Error> broken;  // a side ended it
};

// One conversation between two sites, from greeting to end or cut.
class Contact {
  public:
    Contact(NetSite& first, NetSite& second, NetOptions options)
        : options_(std::move(options)), random_(options_.seed), ends_{End(first), End(second)} {
        now_ = std::max(first.world.clock.wall(), second.world.clock.wall());
        start_ = now_;
        ends_[0].session = must(exchange::Session::begin(first.replica(), *first.wants,
                                                         {.peer = second.id(), .stay = options_.stay}, now_));
        ends_[1].session = must(exchange::Session::begin(second.replica(), *second.wants,
                                                         {.peer = first.id(), .stay = options_.stay}, now_));
    }

    // One event further; false: over, or nothing more happens by itself.
    bool step() {
        if (is_over()) return false;
        for (std::size_t from = 0; from < 2 && !report_.broken; ++from) send_all(from);
        return !is_over() && advance();
    }
    ContactReport run() {
        while (step()) {
        }
        return finish();
    }
    [[nodiscard]] env::Instant now() const { return now_; }
    [[nodiscard]] exchange::Session& session(std::size_t end) { return *ends_[end].session; }

    // As a kill -9 of the first site: what its conversation would still do at its end does not happen.
    void forget() {
        ends_[1].session->on_cut();
        ends_[0].session.reset();
    }

    ContactReport finish() {
        report_.done = ends_[0].session->is_done() && ends_[1].session->is_done();
        for (End& end : ends_) end.session->on_cut();
        report_.first = ends_[0].session->report();
        report_.second = ends_[1].session->report();
        report_.lasted_ms = now_.unix_ms - start_.unix_ms;
        return report_;
    }

  private:
    struct End {
        explicit End(NetSite& net_site) : site(net_site) {}
        NetSite& site;
        std::unique_ptr<exchange::Session> session;
        std::multimap<std::int64_t, ByteBuffer> arriving;  // by time
        std::int64_t line_free_ms = 0;                     // of what this end sends
        bool heard_any = false;
    };
    static constexpr std::int64_t kBufferMs = 2'000;  // of the carrier: what is handed over ahead

    bool is_over() {
        return report_.broken || report_.bytes >= options_.cut_after_bytes ||
               now_.unix_ms - start_.unix_ms >= options_.time_max_ms ||
               (ends_[0].session->is_done() && ends_[1].session->is_done());
    }
    bool chance(unsigned percent) { return percent > 0 && random_.below(100) < percent; }

    void send_all(std::size_t from) {
        End& end = ends_[from];
        ByteBuffer message;
        while (end.line_free_ms - now_.unix_ms < kBufferMs) {
            const Result<bool> said = end.session->next_message(message, now_);
            if (!said.has_value()) {
                report_.broken = said.error();
                return;
            }
            if (!*said) return;
            require(message.size() <= exchange::kSessionMessageMax, "a message is too large");
            if (options_.on_the_way) options_.on_the_way(from == 0, message);
            report_.bytes += message.size();
            report_.messages += 1;
            if (report_.bytes >= options_.cut_after_bytes) return;
            const std::int64_t begins = std::max(now_.unix_ms, end.line_free_ms);
            end.line_free_ms =
                begins + static_cast<std::int64_t>(message.size() * 1000 / options_.bytes_per_second);
            std::int64_t arrives = end.line_free_ms + options_.latency_ms;
            if (chance(options_.loss_percent) || report_.messages == options_.lost_message) continue;
            if (chance(options_.reorder_percent)) arrives += static_cast<std::int64_t>(random_.below(4'000));
            End& other = ends_[1 - from];
            if (chance(options_.twice_percent))
                other.arriving.emplace(arrives + static_cast<std::int64_t>(random_.below(4'000)), message);
            other.arriving.emplace(arrives, message);
        }
    }

    // On to the next thing that happens; false: nothing ever will.
    bool advance() {
        std::optional<std::int64_t> next;
        const auto consider = [&](std::int64_t at) { next = next ? std::min(*next, at) : at; };
        for (End& end : ends_) {
            if (!end.arriving.empty()) consider(end.arriving.begin()->first);
            if (const auto deadline = end.session->next_deadline()) consider(deadline->unix_ms);
            if (end.line_free_ms - now_.unix_ms >= kBufferMs) consider(end.line_free_ms - kBufferMs + 1);
        }
        if (!next) return false;
        now_.unix_ms = std::max(now_.unix_ms, *next);
        for (End& end : ends_) {
            while (!end.arriving.empty() && end.arriving.begin()->first <= now_.unix_ms) {
                const ByteBuffer message = std::move(end.arriving.begin()->second);
                end.arriving.erase(end.arriving.begin());
                const bool replayable = options_.first_is_replayable && !end.heard_any && &end == &ends_[1];
                end.heard_any = true;
                const Result<void> taken = end.session->on_message(message, replayable, now_);
                if (!taken.has_value()) {
                    report_.broken = taken.error();
                    return false;
                }
            }
            const auto deadline = end.session->next_deadline();
            if (deadline && *deadline <= now_) must(end.session->on_tick(now_));
        }
        return true;
    }

    NetOptions options_;
    simulations::Seeded random_;
    std::array<End, 2> ends_;
    env::Instant now_, start_;
    ContactReport report_;
};

inline ContactReport meet(NetSite& first, NetSite& second, NetOptions options = {}) {
    return Contact(first, second, std::move(options)).run();
}

}  // namespace satchel::support
