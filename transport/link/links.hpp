// All links of a site: those that it takes, those that it keeps up, and single contacts.
//
// Two threads serve them: the network's, which never touches the disk, and the engine's, which takes the
// turn for each step. A command may therefore run beside any number of links.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/progress.hpp"
#include "transport/link/address.hpp"
#include "transport/link/limits.hpp"
#include "transport/link/link.hpp"

namespace satchel::link {

struct Event {
    enum class Kind : std::uint8_t { kGreeted, kOver };
    Kind kind = Kind::kGreeted;
    std::string peer;   // its name, if it is known
    LinkReport report;  // so far
};

// Everything is borrowed and outlives the links. `clock` and `random` are used by several threads.
struct LinksSetup {
    Host& host;
    EngineTurn& turn;
    env::Clock& clock;
    env::Random& random;
    Times times{};
    Ceilings ceilings{};
    std::function<void(const Event&)> on_event;  // on the network's thread; may be empty
};

inline constexpr std::size_t kCutsListMax = 32;

// One contact, over as many links as it took; sums of all of them.
struct ContactReport {
    std::optional<Error> error;  // none: both had nothing left
    std::size_t links = 0;       // that were greeted
    std::string peer;
    std::vector<Error> cuts;  // how the links before the last one ended; at most kCutsListMax
    std::uint64_t bytes_in = 0, bytes_out = 0;
    std::uint64_t handshake_bytes_in = 0, handshake_bytes_out = 0;
    std::uint64_t connect_ms = 0, handshake_ms = 0, talk_ms = 0;
    ConversationReport conversation;
};

class Links {
  public:
    explicit Links(LinksSetup setup);
    ~Links();  // ends all links soundly
    Links(const Links&) = delete;
    Links& operator=(const Links&) = delete;

    // Not on the threads of the links.
    Result<std::string> listen(const Address& address);  // the address that it really is
    void keep(const Address& address);
    // One contact, over as many links as it takes. Blocks; the turn must not be held.
    ContactReport contact(const Address& address, std::int64_t wait_ms, Progress& progress);
    // Something may have changed in the site. The turn is held.
    void note_change();

    struct Counts {
        std::size_t open = 0, greeting = 0, refused = 0;
    };
    [[nodiscard]] Counts counts();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace satchel::link
