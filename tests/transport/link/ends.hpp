// Two ends of a link over loopback, with a conversation that only counts. Times are shortened.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "engine/env/os/clock.hpp"
#include "engine/env/os/random.hpp"
#include "transport/link/links.hpp"

namespace satchel::link {

inline ByteBuffer buffer_of(std::string_view text) { return {text.begin(), text.end()}; }

// What conversations of one end did; of several threads.
struct Board {
    std::mutex mutex;
    std::vector<std::string> heard;
    std::size_t begun = 0, cut = 0, replayable = 0, said = 0;
    std::vector<Event> events;

    template <typename Read>
    auto look(Read read) {
        const std::lock_guard lock(mutex);
        return read(*this);
    }
};

// Says its lines, then "end"; is done when it has said and heard that.
class FakeConversation : public Conversation {
  public:
    FakeConversation(Board& board, std::vector<std::string> lines, Result<void> verdict, int hear_ms)
        : board_(board), lines_(std::move(lines)), verdict_(std::move(verdict)), hear_ms_(hear_ms) {
        lines_.emplace_back("end");
    }
    Result<void> on_message(ByteView message, bool replayable, env::Instant) override {
        if (hear_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(hear_ms_));
        const std::lock_guard lock(board_.mutex);
        if (replayable) ++board_.replayable;
        board_.heard.emplace_back(text_of(message));
        if (text_of(message) == "end") heard_end_ = true;
        return verdict_;
    }
    Result<void> on_tick(env::Instant) override { return {}; }
    Result<bool> next_message(ByteBuffer& out, env::Instant) override {
        out.clear();
        if (at_ == lines_.size()) return false;
        out = buffer_of(lines_[at_++]);
        const std::lock_guard lock(board_.mutex);
        ++board_.said;
        return true;
    }
    [[nodiscard]] std::optional<env::Instant> next_deadline() const override { return std::nullopt; }
    [[nodiscard]] bool is_done() const override { return heard_end_ && at_ == lines_.size(); }
    void on_cut() override {
        const std::lock_guard lock(board_.mutex);
        ++board_.cut;
    }
    [[nodiscard]] Counts counts() const override { return {0, at_}; }
    [[nodiscard]] ConversationReport report() const override {
        ConversationReport report;
        report.stages = {StageLine{.stage = "content", .messages_sent = at_}};
        report.chunks_given = at_;
        return report;
    }

  private:
    Board& board_;
    std::vector<std::string> lines_;
    Result<void> verdict_;
    const int hear_ms_;
    std::size_t at_ = 0;
    bool heard_end_ = false;
};

inline trust::SealingKey key_of(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed.fill(number);
    return trust::SealingKey::from_seed(seed);
}

inline SiteId site_of(std::uint8_t number) {
    SiteId site;
    site.digest.fill(number);
    return site;
}

class FakeHost : public Host {
  public:
    FakeHost(std::uint8_t number, trust::SiteRole role, std::uint8_t network = 0x11)
        : key_(key_of(number)),
          identity_{.network = network_of(network),
                    .site = site_of(number),
                    .role = role,
                    .key = key_,
                    .network_secret = channel::Secret<32>(ByteBuffer(32, 0x55))},
          book_(identity_.site, key_.public_key()) {}
    [[nodiscard]] const Identity& identity() const override { return identity_; }
    [[nodiscard]] PeerBook& book() override { return book_; }
    Result<std::unique_ptr<Conversation>> begin(const SiteId& peer, env::Instant) override {
        const std::lock_guard lock(board.mutex);
        ++board.begun;
        last_peer = peer;
        return std::unique_ptr<Conversation>(
            std::make_unique<FakeConversation>(board, lines, verdict, hear_ms));
    }
    Result<void> refresh() override { return {}; }
    Result<void> remember(const std::string& address, const trust::SealingPublicKey& key) override {
        book_.remember(address, key);
        return {};
    }
    [[nodiscard]] std::uint64_t change_stamp() override { return stamp; }

    // Set before links begin, or with the turn held.
    std::vector<std::string> lines;
    Result<void> verdict;
    int hear_ms = 0;
    std::atomic<std::uint64_t> stamp = 1;
    SiteId last_peer{};
    Board board;

  private:
    static NetworkId network_of(std::uint8_t number) {
        NetworkId network;
        network.digest.fill(number);
        return network;
    }
    trust::SealingKey key_;
    Identity identity_;
    PeerBook book_;
};

inline Times quick() {
    Times times;
    times.silence_ms = 1'000;
    times.keepalive_ms = 200;
    times.connect_ms = 200;
    times.patient_ms = 100'000;
    times.retry_max_ms = 400;
    times.handshake_ms = 1'500;
    times.goodbye_ms = 2'000;
    times.again_ms = 60'000;
    times.change_pause_ms = 50;
    return times;
}

// One site with its links.
class End {
  public:
    End(std::uint8_t number, trust::SiteRole role, Times times = quick(), Ceilings ceilings = {},
        std::uint8_t network = 0x11)
        : host(number, role, network),
          links({.host = host,
                 .turn = turn,
                 .clock = clock,
                 .random = random,
                 .times = times,
                 .ceilings = ceilings,
                 .on_event = [this](const Event& event) {
                     const std::lock_guard lock(host.board.mutex);
                     host.board.events.push_back(event);
                 }}) {}

    env::os::SystemClock clock;
    env::os::SystemRandom random;
    EngineTurn turn;
    FakeHost host;
    Links links;
};

// The roster of a hub (number 1) and villages (2, 3, ...), as everybody has read it.
inline std::vector<Acquaintance> roster(std::uint8_t count) {
    std::vector<Acquaintance> sites;
    for (std::uint8_t number = 1; number <= count; ++number)
        sites.push_back({.site = site_of(number),
                         .key = key_of(number).public_key(),
                         .role = number == 1 ? trust::SiteRole::kHub : trust::SiteRole::kVillage,
                         .revoked = false,
                         .name = number == 1 ? "hub" : "village" + std::to_string(number)});
    return sites;
}

inline Address address_of(const std::string& text) { return *parse_address(text, false); }

// Waits until it is so; false after ten seconds.
template <typename Condition>
bool comes_true(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

inline std::int64_t ms_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin)
        .count();
}

}  // namespace satchel::link
