// The two ends of the site's socket: the owner that answers it, and the service that asks it.
#pragma once

#include <string>

#include "cli/owner_protocol.hpp"
#include "cli/service.hpp"

namespace satchel::cli {

// A thread and at most 1 MiB of request each; people and a console send few at a time.
inline constexpr std::size_t kClientsServedMax = 16;
// Clients that may wait in the kernel's queue meanwhile; more are told that the site is busy.
inline constexpr int kClientsWaitingMax = 16;
inline constexpr int kRequestTimeoutMs = 5'000;  // a client that says nothing must not hold up the others
inline constexpr int kSendTimeoutMs = 30'000;    // one that does not take its answer is taken for gone

// Answers the socket until `should_stop`, each client on a thread of its own: the service puts their commands
// into turns. A client that goes away cancels its command. The caller holds the site's lock.
class OwnerServer {
  public:
    static Result<OwnerServer> start(const std::string& folder);
    OwnerServer(OwnerServer&&) = default;
    ~OwnerServer();  // removes the socket
    Result<void> run(SiteService& service, const ShouldStop& should_stop);

  private:
    OwnerServer(std::string folder, env::os::Descriptor socket)
        : folder_(std::move(folder)), socket_(std::move(socket)) {}
    std::string folder_;
    env::os::Descriptor socket_;
};

// Has the owner carry out a command.
class RemoteService : public SiteService {
  public:
    static Result<std::unique_ptr<RemoteService>> connect(const std::string& folder);
    int execute(const Invocation& invocation, Streams& streams) override;

  private:
    explicit RemoteService(env::os::Descriptor socket) : socket_(std::move(socket)) {}
    Result<int> converse(const Invocation& invocation, Streams& streams);
    env::os::Descriptor socket_;
};

}  // namespace satchel::cli
