// The web server that plays courses: two ports over one library, each with its own bounded threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/play/library.hpp"
#include "engine/base/result.hpp"
#include "engine/env/random.hpp"

namespace satchel::play {

// A thread serves one connection. A class of forty that watches one film keeps few of them busy at a time:
// whose buffer is full gives its thread back and comes again by range.
inline constexpr std::size_t kThreadsAPort = 8;
inline constexpr std::size_t kConnectionsWaitingMax = 64;  // more wait in the kernel's queue, which is short
inline constexpr std::size_t kRequestsAConnectionMax = 100;

struct PlayOptions {
    std::string address;                     // HOST:PORT or PORT, for pages and files
    std::optional<std::string> web_address;  // for web lessons; otherwise the port after it
    std::vector<std::string> names;          // by which browsers may call this box, beside its addresses
};

class PlayServer {
  public:
    // Listens when it returns. kBusy, kUsage: the address.
    static Result<std::unique_ptr<PlayServer>> start(const PlayOptions& options,
                                                     std::unique_ptr<PlayLibrary> library,
                                                     env::Random& random);
    ~PlayServer();  // ends all connections
    [[nodiscard]] const std::string& url() const;
    [[nodiscard]] const std::string& web_url() const;
    [[nodiscard]] bool is_loopback() const;

  private:
    struct State;
    explicit PlayServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace satchel::play
