// The engine's half of a link: one conversation, used on the engine's thread alone. Each step takes the turn
// once, does one thing, and fetches what there is to say while there is room for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "transport/link/conversation.hpp"
#include "transport/link/engine_turn.hpp"

namespace satchel::link {

// What a step comes back with.
struct Answer {
    std::vector<ByteBuffer> messages;
    bool quiet = false;  // there was nothing more to say
    bool done = false;
    std::optional<env::Instant> deadline;
    std::optional<Error> error;
    Conversation::Counts counts;
};

class Talk {
  public:
    Talk(Host& host, EngineTurn& turn, env::Clock& clock) : host_(host), turn_(turn), clock_(clock) {}

    // `room`: bytes that may be fetched to say; the message that passes it is the last one.
    Answer begin(const SiteId& peer, std::size_t room);
    Answer on_message(ByteView message, bool replayable, std::size_t room);
    Answer on_tick(std::size_t room);
    Answer fetch(std::size_t room);
    // The link is over. `proved`: where the peer's key was proved, if it was.
    struct Proved {
        std::string address;
        trust::SealingPublicKey key;
    };
    struct End {
        ConversationReport conversation;
        std::uint64_t stamp = 0;
    };
    End end(const std::optional<Proved>& proved);

  private:
    Answer answer(Result<void> done, std::size_t room);
    [[nodiscard]] env::Instant now() const {
        return env::Instant{static_cast<std::int64_t>(clock_.steady_ms())};
    }
    Host& host_;
    EngineTurn& turn_;
    env::Clock& clock_;
    std::unique_ptr<Conversation> conversation_;  // none before begin() and after end()
};

}  // namespace satchel::link
