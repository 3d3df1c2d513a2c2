#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "cli/owner.hpp"
#include "cli/site_lock.hpp"
#include "engine/env/os/errno_error.hpp"

namespace satchel::cli {

namespace {

class SocketStreams : public Streams {
  public:
    SocketStreams(int socket, const ShouldStop& should_stop) : socket_(socket), should_stop_(should_stop) {}

    Result<void> out(std::string_view bytes) override { return send(FrameKind::kOut, bytes); }
    void err(std::string_view bytes) override { static_cast<void>(send(FrameKind::kErr, bytes).has_value()); }
    bool cancelled() override { return broken_ || should_stop_() || peer_is_gone(socket_); }

  private:
    Result<void> send(FrameKind kind, std::string_view bytes) {
        // A wish to stop ends the command, which then still says so: sending does not ask for it.
        while (!bytes.empty()) {
            if (broken_)
                return fail(ErrorCode::kCancelled, "", "nobody reads the answer any more",
                            "run the command again");
            const std::string_view part = bytes.substr(0, kOutputFrameBytes);
            bytes.remove_prefix(part.size());
            Result<void> sent = send_frame(socket_, kind, bytes_of(part), kSendTimeoutMs, {});
            broken_ = !sent.has_value();
        }
        return {};
    }

    int socket_;
    const ShouldStop& should_stop_;
    bool broken_ = false;
};

// Errors here are the client's: it went away, or talks nonsense. The next one is served.
Result<void> serve_one(int socket, SiteService& service, const ShouldStop& should_stop) {
    SATCHEL_TRY_VOID(
        send_frame(socket, FrameKind::kHello, encode_number(kOwnerVersion), kRequestTimeoutMs, should_stop));
    SATCHEL_TRY(const Frame request, receive_frame(socket, kRequestTimeoutMs, should_stop));
    if (request.kind != FrameKind::kRequest)
        return fail(ErrorCode::kDamaged, "owner", "what came over the site's socket makes no sense",
                    "stop the running satchel serve and start it again");
    SATCHEL_TRY(const Invocation invocation, decode_invocation(request.bytes));
    SocketStreams streams(socket, should_stop);
    const int code = service.execute(invocation, streams);
    return send_frame(socket, FrameKind::kExit, encode_number(static_cast<std::uint32_t>(code)),
                      kSendTimeoutMs, {});
}

// One thread for each client: a long command holds up those that need its turn, and nobody else.
class ClientThreads {
  public:
    ~ClientThreads() {
        for (const std::unique_ptr<Client>& client : clients_) client->thread.join();
    }
    [[nodiscard]] std::size_t count() const { return clients_.size(); }
    void join_ended() {
        std::erase_if(clients_, [](const std::unique_ptr<Client>& client) {
            if (!client->ended) return false;
            client->thread.join();
            return true;
        });
    }
    void serve(env::os::Descriptor socket, SiteService& service, const ShouldStop& should_stop) {
        clients_.push_back(std::make_unique<Client>(std::move(socket)));
        Client& client = *clients_.back();
        client.thread = std::thread([&client, &service, &should_stop] {
            static_cast<void>(serve_one(client.socket.get(), service, should_stop).has_value());
            client.socket = env::os::Descriptor(-1);  // now: the client waits for it
            client.ended = true;
        });
    }

  private:
    struct Client {
        explicit Client(env::os::Descriptor accepted) : socket(std::move(accepted)) {}
        env::os::Descriptor socket;
        std::thread thread;
        std::atomic<bool> ended = false;
    };
    std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace

Result<OwnerServer> OwnerServer::start(const std::string& folder) {
    SATCHEL_TRY(env::os::Descriptor socket, listen_in(folder, kClientsWaitingMax));
    return OwnerServer(folder, std::move(socket));
}

OwnerServer::~OwnerServer() {
    if (socket_.get() >= 0) ::unlink((folder_ + "/" + kSocketName).c_str());
}

Result<void> OwnerServer::run(SiteService& service, const ShouldStop& should_stop) {
    ClientThreads clients;
    while (!should_stop()) {
        clients.join_ended();
        pollfd poll_one{socket_.get(), POLLIN, 0};
        // More clients than may be served at once wait in the kernel's queue.
        if (clients.count() >= kClientsServedMax) poll_one.events = 0;
        if (::poll(&poll_one, 1, kPollMs) < 0 && errno != EINTR)
            return env::os::error_of(errno, env::os::Access::kReading, folder_ + "/" + kSocketName);
        if (poll_one.revents == 0) continue;
        env::os::Descriptor client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (client.get() < 0) {
            if (errno == EINTR || errno == EAGAIN || errno == ECONNABORTED) continue;
            return env::os::error_of(errno, env::os::Access::kReading, folder_ + "/" + kSocketName);
        }
        clients.serve(std::move(client), service, should_stop);
    }
    return {};
}

}  // namespace satchel::cli
