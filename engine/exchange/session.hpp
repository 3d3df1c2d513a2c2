// One conversation with another site, over any carrier that hands over whole messages (schemas/exchange.md).
//
// Every message stands alone and says what is true of its sender, or brings a thing that is checked by
// itself: loss, repeats and disorder of messages cost time, never correctness. A conversation therefore keeps
// no state that a cut could spoil; what must outlive it (what is wanted, what is in flight, beginnings of
// chunks) belongs to the site's Wants and is shared by all its conversations.
//
//   begin() -> next_message() until false   our greeting is the first message, at most kGreetingMax bytes
//   on_message() for each of the peer's     then next_message() again
//   on_tick() at next_deadline()            says again what got no answer
//   is_done()                               both sides have told each other that nothing is left
//
// Order of what is sent: roots, haves and receipts, records, reviews, catalogue, then content, small before
// large. Both directions run at once.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/env/clock.hpp"
#include "engine/exchange/messages.hpp"
#include "engine/exchange/replica.hpp"
#include "engine/exchange/wants.hpp"

namespace satchel::exchange {

struct SessionOptions {
    SiteId peer;        // proved by the channel
    bool stay = false;  // is_done() stays false; a greeting follows whenever something changed here
};

// What a conversation cost, in payload bytes of messages.
struct StageCost {
    std::uint64_t messages_sent = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t messages_received = 0;
    std::uint64_t bytes_received = 0;
};
enum class Stage { kGreeting, kRoots, kSayings, kRecords, kCatalogue, kContent, kEnd };
inline constexpr std::size_t kStages = 7;

struct SessionReport {
    std::array<StageCost, kStages> stages;
    std::uint64_t commits = 0;
    std::uint64_t reviews = 0;
    std::uint64_t segments_taken = 0;
    std::uint64_t segments_given = 0;
    std::uint64_t chunks_taken = 0;
    std::uint64_t chunks_given = 0;
    std::uint64_t bytes_again = 0;       // of content that came and was here or not asked for
    std::vector<Error> refused;          // at most kRefusedMax; kNoSpace: something came and had no room
    std::vector<Error> not_given;        // at most kRefusedMax: what the peer asked for and is damaged here
    std::vector<std::string> completed;  // courses
    std::optional<env::Instant> greeted, first_content;
    [[nodiscard]] const StageCost& cost_of(Stage stage) const {
        return stages[static_cast<std::size_t>(stage)];
    }
};

class Session {
  public:
    // Borrows what `replica` names, and `wants`. kRefused if the peer was revoked.
    static Result<std::unique_ptr<Session>> begin(const Replica& replica, Wants& wants,
                                                  const SessionOptions& options, env::Instant now);
    virtual ~Session() = default;
    // kDamaged, kUnsupported or kRefused: the peer broke the rules, end the link; other codes: this site
    // failed. `replayable`: it may be somebody's copy of an older greeting; what it asks for is answered
    // within kUnconfirmedMax bytes only.
    virtual Result<void> on_message(ByteView message, bool replayable, env::Instant now) = 0;
    virtual Result<void> on_tick(env::Instant now) = 0;
    // One message into `out` (cleared first); false: nothing to say now. Called while the carrier has room.
    virtual Result<bool> next_message(ByteBuffer& out, env::Instant now) = 0;
    [[nodiscard]] virtual std::optional<env::Instant> next_deadline() const = 0;
    [[nodiscard]] virtual bool is_done() const = 0;
    [[nodiscard]] virtual const SessionReport& report() const = 0;
    // The carrier is gone: makes sure what came, gives back what was in flight. Nothing else may follow.
    virtual void on_cut() = 0;
};

}  // namespace satchel::exchange
