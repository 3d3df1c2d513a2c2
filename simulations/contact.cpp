#include "simulations/contact.hpp"

#include <algorithm>
#include <array>

namespace satchel::simulations {

namespace {

constexpr std::int64_t kBufferMs = 2'000;  // of the carrier: what is handed over ahead
constexpr std::uint64_t kLateMs = 4'000;   // a reordered message comes up to so much later

class Line {
  public:
    Line(const LineEnd& one, const LineEnd& other, std::int64_t now_ms, const LineOptions& options)
        : options_(options),
          chance_(options.seed),
          now_ms_(now_ms),
          start_ms_(now_ms),
          ends_{End{one}, End{other}} {}

    ContactResult run() {
        for (std::size_t side = 0; side < 2 && !result_.broken; ++side) begin(side);
        while (!is_over()) {
            for (std::size_t side = 0; side < 2 && !is_over(); ++side) send_all(side);
            if (is_over() || !advance()) break;
        }
        result_.done = !result_.broken && ends_[0].session->is_done() && ends_[1].session->is_done();
        for (std::size_t side = 0; side < 2; ++side) {
            if (!ends_[side].session) continue;
            ends_[side].session->on_cut();
            result_.reports[side] = ends_[side].session->report();
        }
        result_.lasted_ms = now_ms_ - start_ms_;
        return std::move(result_);
    }

  private:
    struct End {
        const LineEnd& lent;
        std::unique_ptr<exchange::Session> session{};
        std::multimap<std::int64_t, ByteBuffer> arriving{};  // by time
        std::int64_t line_free_ms = 0;                       // of what this end sends
        bool heard_any = false;
    };

    void begin(std::size_t side) {
        const SiteId& peer = ends_[1 - side].lent.replica.self.id;
        auto begun = exchange::Session::begin(ends_[side].lent.replica, ends_[side].lent.wants,
                                              {.peer = peer}, env::Instant{now_ms_});
        if (begun.has_value())
            ends_[side].session = std::move(*begun);
        else
            result_.broken = begun.error();
    }

    [[nodiscard]] bool is_over() const {
        return result_.broken || result_.bytes >= options_.cut_after_bytes ||
               now_ms_ - start_ms_ >= options_.up_for_ms ||
               (ends_[0].session->is_done() && ends_[1].session->is_done());
    }
    bool happens(unsigned percent) { return percent > 0 && chance_.below(100) < percent; }

    void send_all(std::size_t side) {
        End& end = ends_[side];
        ByteBuffer message;
        while (end.line_free_ms - now_ms_ < kBufferMs && !is_over()) {
            const Result<bool> said = end.session->next_message(message, env::Instant{now_ms_});
            if (!said.has_value()) {
                result_.broken = said.error();
                return;
            }
            if (!*said) return;
            if (options_.said) options_.said(side, message);
            result_.bytes += message.size();
            end.line_free_ms = std::max(now_ms_, end.line_free_ms) +
                               static_cast<std::int64_t>(message.size() * 1000 / options_.bytes_per_second);
            deliver(ends_[1 - side], end.line_free_ms + options_.latency_ms, message);
        }
    }

    void deliver(End& to, std::int64_t arrives_ms, const ByteBuffer& message) {
        if (happens(options_.loss_percent)) return;
        if (happens(options_.reorder_percent))
            arrives_ms += static_cast<std::int64_t>(chance_.below(kLateMs));
        if (happens(options_.twice_percent))
            to.arriving.emplace(arrives_ms + static_cast<std::int64_t>(chance_.below(kLateMs)), message);
        to.arriving.emplace(arrives_ms, message);
    }

    // On to the next thing that happens; false: nothing ever will.
    bool advance() {
        std::optional<std::int64_t> next;
        const auto consider = [&next](std::int64_t at) { next = next ? std::min(*next, at) : at; };
        for (const End& end : ends_) {
            if (!end.arriving.empty()) consider(end.arriving.begin()->first);
            if (const auto deadline = end.session->next_deadline()) consider(deadline->unix_ms);
            if (end.line_free_ms - now_ms_ >= kBufferMs) consider(end.line_free_ms - kBufferMs + 1);
        }
        if (!next) return false;
        now_ms_ = std::max(now_ms_, *next);
        for (std::size_t side = 0; side < 2 && !result_.broken; ++side) hear(ends_[side], side == 1);
        return !result_.broken;
    }

    void hear(End& end, bool answers) {
        while (!end.arriving.empty() && end.arriving.begin()->first <= now_ms_) {
            const ByteBuffer message = std::move(end.arriving.begin()->second);
            end.arriving.erase(end.arriving.begin());
            const bool replayable = answers && !end.heard_any;
            end.heard_any = true;
            if (!note(end.session->on_message(message, replayable, env::Instant{now_ms_}))) return;
        }
        const std::optional<env::Instant> deadline = end.session->next_deadline();
        if (deadline && deadline->unix_ms <= now_ms_) note(end.session->on_tick(env::Instant{now_ms_}));
    }

    bool note(Result<void> result) {
        if (!result.has_value()) result_.broken = std::move(result).error();
        return !result_.broken;
    }

    const LineOptions& options_;
    Seeded chance_;
    std::int64_t now_ms_;
    const std::int64_t start_ms_;
    std::array<End, 2> ends_;
    ContactResult result_;
};

}  // namespace

ContactResult converse(const LineEnd& one, const LineEnd& other, std::int64_t now_ms,
                       const LineOptions& options) {
    return Line(one, other, now_ms, options).run();
}

}  // namespace satchel::simulations
