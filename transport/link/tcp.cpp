// The network on Asio. Plain callbacks: each handler holds its object weakly and does nothing once that is
// gone, since cancelling is a race, not a rollback. Errors are codes, never exceptions.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <asio.hpp>
#include <thread>

#include "transport/link/errors.hpp"
#include "transport/link/limits.hpp"
#include "transport/link/network.hpp"

namespace satchel::link {

namespace {

using asio::ip::tcp;

Error broken(const std::string& address, const asio::error_code& error) {
    return fail(ErrorCode::kUnreachable, address, "the link was cut",
                "connect again; what arrived whole is kept", error.message());
}

// None of these is needed for the link to work: where the kernel has one not, it goes without.
void tune(tcp::socket& socket) {
    asio::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const int native = socket.native_handle();
    const auto set = [native](int option, const void* value, std::size_t size) {
        static_cast<void>(::setsockopt(native, IPPROTO_TCP, option, value, static_cast<socklen_t>(size)));
    };
    set(TCP_NOTSENT_LOWAT, &kNotSentMax, sizeof(kNotSentMax));
    set(TCP_USER_TIMEOUT, &kUnacknowledgedMs, sizeof(kUnacknowledgedMs));
    // Its rate does not collapse under the random loss of poor links, as that of the usual one does.
    static constexpr std::string_view kBbr = "bbr";
    set(TCP_CONGESTION, kBbr.data(), kBbr.size());
}

class TcpTimer : public Timer {
  public:
    explicit TcpTimer(asio::io_context& context) : state_(std::make_shared<State>(context)) {}
    ~TcpTimer() override { TcpTimer::stop(); }
    void start(std::int64_t ms, std::function<void()> then) override {
        state_->then = std::move(then);
        const std::uint64_t generation = ++state_->generation;
        state_->timer.expires_after(std::chrono::milliseconds(ms));
        state_->timer.async_wait([weak = std::weak_ptr(state_), generation](const asio::error_code&) {
            const std::shared_ptr<State> state = weak.lock();
            if (!state || state->generation != generation) return;
            ++state->generation;
            const std::function<void()> now = std::exchange(state->then, {});
            now();
        });
    }
    void stop() override {
        ++state_->generation;
        state_->then = {};
        state_->timer.cancel();
    }

  private:
    struct State {
        explicit State(asio::io_context& context) : timer(context) {}
        asio::steady_timer timer;
        std::uint64_t generation = 0;
        std::function<void()> then;
    };
    std::shared_ptr<State> state_;
};

class TcpStream : public Stream {
  public:
    explicit TcpStream(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {
        asio::error_code error;
        const tcp::endpoint peer = state_->socket.remote_endpoint(error);
        if (!error) peer_address_ = peer.address().to_string();
        tune(state_->socket);
    }
    ~TcpStream() override {
        state_->open = false;
        state_->on_read = {};
        state_->on_written = {};
        asio::error_code ignored;
        state_->socket.close(ignored);
    }

    void read(std::function<void(Result<ByteView>)> then) override {
        state_->on_read = std::move(then);
        state_->socket.async_read_some(
            asio::buffer(state_->in),
            [state = state_, address = peer_address_](const asio::error_code& error, std::size_t count) {
                if (!state->open) return;
                const auto then_now = std::exchange(state->on_read, {});
                if (error == asio::error::eof) return then_now(ByteView());
                if (error) return then_now(broken(address, error));
                then_now(ByteView(state->in).first(count));
            });
    }

    void write(ByteView bytes, std::function<void(Result<void>)> then) override {
        state_->on_written = std::move(then);
        state_->out.assign(bytes.begin(), bytes.end());
        asio::async_write(
            state_->socket, asio::buffer(state_->out),
            [state = state_, address = peer_address_](const asio::error_code& error, std::size_t) {
                if (!state->open) return;
                const auto then_now = std::exchange(state->on_written, {});
                if (error) return then_now(broken(address, error));
                then_now(Result<void>());
            });
    }

    [[nodiscard]] const std::string& peer_address() const override { return peer_address_; }

  private:
    // Outlives the stream as long as a handler is under way: its buffers are the kernel's until then.
    struct State {
        explicit State(tcp::socket opened) : socket(std::move(opened)), in(kReadBytes) {}
        tcp::socket socket;
        ByteBuffer in, out;
        std::function<void(Result<ByteView>)> on_read;
        std::function<void(Result<void>)> on_written;
        bool open = true;
    };
    std::shared_ptr<State> state_;
    std::string peer_address_;
};

class TcpAcceptor : public Acceptor {
  public:
    TcpAcceptor(tcp::acceptor acceptor, std::string address,
                std::function<void(std::unique_ptr<Stream>)> accepted)
        : state_(std::make_shared<State>(std::move(acceptor), std::move(accepted))),
          address_(std::move(address)) {
        accept(state_);
    }
    ~TcpAcceptor() override {
        state_->open = false;
        state_->accepted = {};
        asio::error_code ignored;
        state_->acceptor.close(ignored);
        state_->pause.cancel();
    }
    [[nodiscard]] const std::string& address() const override { return address_; }

  private:
    struct State {
        State(tcp::acceptor opened, std::function<void(std::unique_ptr<Stream>)> callback)
            : acceptor(std::move(opened)), pause(acceptor.get_executor()), accepted(std::move(callback)) {}
        tcp::acceptor acceptor;
        asio::steady_timer pause;
        std::function<void(std::unique_ptr<Stream>)> accepted;
        bool open = true;
    };
    static void accept(const std::shared_ptr<State>& state) {
        state->acceptor.async_accept([state](const asio::error_code& error, tcp::socket socket) {
            if (!state->open) return;
            if (!error) {
                state->accepted(std::make_unique<TcpStream>(std::move(socket)));
                if (state->open) accept(state);
                return;
            }
            // Out of descriptors, say: to try again at once would only turn round.
            state->pause.expires_after(std::chrono::milliseconds(100));
            state->pause.async_wait([state](const asio::error_code&) {
                if (state->open) accept(state);
            });
        });
    }
    std::shared_ptr<State> state_;
    std::string address_;
};

class TcpAttempt : public Attempt {
  public:
    TcpAttempt(asio::io_context& context, const Address& address,
               std::function<void(Result<std::unique_ptr<Stream>>)> then)
        : state_(std::make_shared<State>(context, address, std::move(then))) {
        state_->resolver.async_resolve(
            address.host, std::to_string(address.port),
            [state = state_](const asio::error_code& error, const tcp::resolver::results_type& found) {
                if (!state->open) return;
                if (error) return finish(*state, unknown_host(state->address.text(), error.message()));
                for (const auto& each : found)
                    if (state->endpoints.size() < kEndpointsMax) state->endpoints.push_back(each.endpoint());
                next(state);
            });
    }
    ~TcpAttempt() override {
        state_->open = false;
        state_->then = {};
        state_->resolver.cancel();
        asio::error_code ignored;
        state_->socket.close(ignored);
    }

  private:
    struct State {
        State(asio::io_context& context, Address to,
              std::function<void(Result<std::unique_ptr<Stream>>)> done)
            : resolver(context), socket(context), address(std::move(to)), then(std::move(done)) {}
        tcp::resolver resolver;
        tcp::socket socket;
        Address address;
        std::vector<tcp::endpoint> endpoints;
        std::size_t at = 0;
        std::string complaint;
        std::function<void(Result<std::unique_ptr<Stream>>)> then;
        bool open = true;
    };
    static void finish(State& state, Result<std::unique_ptr<Stream>> result) {
        state.open = false;
        const auto then_now = std::exchange(state.then, {});
        then_now(std::move(result));
    }
    static void next(const std::shared_ptr<State>& state) {
        if (state->at == state->endpoints.size())
            return finish(*state, cannot_connect(state->address.text(), state->complaint));
        const tcp::endpoint endpoint = state->endpoints[state->at++];
        asio::error_code ignored;
        state->socket.close(ignored);
        state->socket.async_connect(endpoint, [state](const asio::error_code& error) {
            if (!state->open) return;
            if (!error) return finish(*state, std::make_unique<TcpStream>(std::move(state->socket)));
            state->complaint = error.message();
            next(state);
        });
    }
    std::shared_ptr<State> state_;
};

class TcpNetwork : public Network {
  public:
    TcpNetwork() : work_(asio::make_work_guard(context_)), thread_([this] { context_.run(); }) {}
    ~TcpNetwork() override = default;

    void on_network(std::function<void()> job) override { asio::post(context_, std::move(job)); }
    void on_engine(std::function<void()> job) override { asio::post(engine_, std::move(job)); }
    void stop(std::function<void()> last) override {
        asio::post(context_, [this, last = std::move(last)] {
            last();
            // What the engine's last jobs answer comes before the end, since they are waited for first.
            ending_ = std::thread([this] {
                engine_.join();
                asio::post(context_, [this] { work_.reset(); });
            });
        });
        thread_.join();
        ending_.join();
    }

    std::unique_ptr<Timer> make_timer() override { return std::make_unique<TcpTimer>(context_); }
    std::unique_ptr<Attempt> connect(const Address& address,
                                     std::function<void(Result<std::unique_ptr<Stream>>)> then) override {
        return std::make_unique<TcpAttempt>(context_, address, std::move(then));
    }
    Result<std::unique_ptr<Acceptor>> listen(const Address& address,
                                             std::function<void(std::unique_ptr<Stream>)> accepted) override;

  private:
    asio::io_context context_{1};
    asio::thread_pool engine_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread ending_;
    std::thread thread_;
};

Result<std::unique_ptr<Acceptor>> TcpNetwork::listen(const Address& address,
                                                     std::function<void(std::unique_ptr<Stream>)> accepted) {
    asio::error_code error;
    tcp::endpoint endpoint(tcp::v6(), address.port);  // takes both kinds of addresses
    bool both = address.host.empty();
    if (!both) {
        tcp::resolver resolver(context_);
        const auto found =
            resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
        if (error || found.empty()) return unknown_host(address.text(), error.message());
        endpoint = found.begin()->endpoint();
    }
    tcp::acceptor acceptor(context_);
    acceptor.open(endpoint.protocol(), error);
    if (error && both) {  // a kernel without IPv6
        both = false;
        endpoint = tcp::endpoint(tcp::v4(), address.port);
        acceptor.open(endpoint.protocol(), error);
    }
    asio::error_code ignored;
    if (both) acceptor.set_option(asio::ip::v6_only(false), ignored);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(kListenQueue, error);
    if (error) return cannot_listen(address.text(), error.message());
    const tcp::endpoint real = acceptor.local_endpoint(error);
    if (error) return cannot_listen(address.text(), error.message());
    const Address shown{real.address().to_string(), real.port()};
    return std::unique_ptr<Acceptor>(
        std::make_unique<TcpAcceptor>(std::move(acceptor), shown.text(), std::move(accepted)));
}

}  // namespace

std::unique_ptr<Network> Network::start() { return std::make_unique<TcpNetwork>(); }

}  // namespace satchel::link
