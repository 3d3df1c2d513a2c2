// What a link carries, and who it is for. A link knows nothing of courseware: it brings whole messages to a
// conversation and takes whole messages from it.
//
// All of this is called on the engine's thread with the turn held; only the peer book is anybody's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/env/clock.hpp"
#include "engine/trust/enrolment.hpp"
#include "transport/channel/secret.hpp"
#include "transport/link/peer_book.hpp"

namespace satchel::link {

struct StageLine {
    Literal stage;
    std::uint64_t messages_sent = 0, bytes_sent = 0;
    std::uint64_t messages_received = 0, bytes_received = 0;
};

inline constexpr std::size_t kRefusedListMax = 100;  // of a contact; a peer may have any number

struct ConversationReport {
    std::vector<StageLine> stages;  // always all of them, in the same order
    std::uint64_t commits = 0, reviews = 0;
    std::uint64_t segments_taken = 0, segments_given = 0;
    std::uint64_t chunks_taken = 0, chunks_given = 0;
    std::uint64_t bytes_again = 0;       // came although they were here
    std::vector<Error> refused;          // the rest was done
    std::vector<Error> not_given;        // damaged here
    std::vector<std::string> completed;  // courses
    std::uint64_t greeting_ms = 0;       // from the begin to the peer's greeting; 0: never came
    std::uint64_t first_content_ms = 0;  // likewise, to the first content
};

void add(ConversationReport& sum, const ConversationReport& one);

// Instants come from a clock that does not jump.
class Conversation {
  public:
    virtual ~Conversation() = default;
    // An error ends the link: the peer broke the rules, or this site cannot go on.
    virtual Result<void> on_message(ByteView message, bool replayable, env::Instant now) = 0;
    virtual Result<void> on_tick(env::Instant now) = 0;
    // One message, which is not empty, into `out`; false: nothing to say now.
    virtual Result<bool> next_message(ByteBuffer& out, env::Instant now) = 0;
    [[nodiscard]] virtual std::optional<env::Instant> next_deadline() const = 0;
    [[nodiscard]] virtual bool is_done() const = 0;  // both ends have told each other that nothing is left
    virtual void on_cut() = 0;
    struct Counts {
        std::uint64_t chunks_taken = 0, chunks_given = 0;
    };
    [[nodiscard]] virtual Counts counts() const = 0;  // of the report, cheaply
    [[nodiscard]] virtual ConversationReport report() const = 0;
};

struct Identity {
    NetworkId network;
    SiteId site;
    trust::SiteRole role;
    const trust::SealingKey& key;
    std::optional<channel::Secret<32>> network_secret;
};

// The site behind the links.
class Host {
  public:
    virtual ~Host() = default;
    [[nodiscard]] virtual const Identity& identity() const = 0;  // anybody's: it never changes
    [[nodiscard]] virtual PeerBook& book() = 0;                  // anybody's
    virtual Result<std::unique_ptr<Conversation>> begin(const SiteId& peer, env::Instant now) = 0;
    // After anything that may have changed the catalogue: brings the book, and the mirror, up to date.
    virtual Result<void> refresh() = 0;
    // This key answered at this address.
    virtual Result<void> remember(const std::string& address, const trust::SealingPublicKey& key) = 0;
    // Differs when something may be here that a peer does not know.
    [[nodiscard]] virtual std::uint64_t change_stamp() = 0;
};

}  // namespace satchel::link
