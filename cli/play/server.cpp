// The library (cpp-httplib) accepts connections, runs the threads and writes answers. What it reads is not
// what a client sent: its parser puts no bound on the number of headers, and of ranges it refuses valid ones
// and takes lists without limit. So each head is read by Wire and judged by parse_head, and the library gets
// a plain "GET /" in its place.
#include "cli/play/server.hpp"

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "cli/play/address.hpp"
#include "cli/play/answers.hpp"
#include "cli/play/wire.hpp"

namespace satchel::play {

namespace {

// The request that this thread answers.
thread_local const Request* answered = nullptr;

class Threads : public httplib::TaskQueue {
  public:
    explicit Threads(std::atomic<std::size_t>& waiting) : waiting_(waiting) {
        for (std::size_t i = 0; i < kThreadsAPort; ++i) threads_.emplace_back([this] { work(); });
    }
    // Waits while the queue is full: then the kernel's is what fills.
    void enqueue(std::function<void()> job) override {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return jobs_.size() < kConnectionsWaitingMax; });
        jobs_.push_back(std::move(job));
        waiting_ = jobs_.size();
        work_.notify_one();
    }
    // Jobs that wait are still run: each owns a socket, and sees that it is time to close it.
    void shutdown() override {
        {
            const std::scoped_lock lock(mutex_);
            is_over_ = true;
        }
        work_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

  private:
    void work() {
        while (true) {
            std::unique_lock lock(mutex_);
            work_.wait(lock, [&] { return is_over_ || !jobs_.empty(); });
            if (jobs_.empty()) return;
            const std::function<void()> job = std::move(jobs_.front());
            jobs_.pop_front();
            waiting_ = jobs_.size();
            room_.notify_one();
            lock.unlock();
            job();
        }
    }

    std::atomic<std::size_t>& waiting_;
    std::mutex mutex_;
    std::condition_variable work_, room_;
    std::deque<std::function<void()>> jobs_;
    std::vector<std::thread> threads_;
    bool is_over_ = false;
};

// What the library reads from and writes to.
class PlainStream : public httplib::Stream {
  public:
    PlainStream(Wire& wire, Method method)
        : wire_(wire),
          head_(method == Method::kHead ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n") {}
    [[nodiscard]] bool is_readable() const override { return !head_.empty(); }
    [[nodiscard]] bool is_writable() const override { return !wire_.is_broken(); }
    ssize_t read(char* bytes, std::size_t size) override {
        const std::size_t got = head_.copy(bytes, size);
        head_.remove_prefix(got);
        return static_cast<ssize_t>(got);
    }
    ssize_t write(const char* bytes, std::size_t size) override {
        return wire_.write({bytes, size}) ? static_cast<ssize_t>(size) : -1;
    }
    void get_remote_ip_and_port(std::string&, int&) const override {}
    void get_local_ip_and_port(std::string&, int&) const override {}
    [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

  private:
    Wire& wire_;
    std::string_view head_;
};

void put(Answer answer, httplib::Response& response) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    if (answer.file == nullptr) {
        if (!answer.type.empty()) response.set_content(answer.body, answer.type);
        return;
    }
    // Where a chunk turns out to be missing or damaged the answer ends short, and so does the connection.
    const std::shared_ptr<PlayReader> reader = std::move(answer.file);
    response.set_content_provider(
        static_cast<std::size_t>(answer.length), answer.type,
        [reader, offset = answer.offset](std::size_t at, std::size_t left, httplib::DataSink& sink) {
            const Result<std::string_view> bytes = reader->read(offset + at);
            return bytes.has_value() && sink.write(bytes->data(), std::min(left, bytes->size()));
        });
}

class Front : public httplib::Server {
  public:
    // The answers need not be there before it serves.
    Front(const std::unique_ptr<Answers>& answers, Port port, const std::atomic<bool>& stopping)
        : stopping_(stopping) {
        new_task_queue = [this] { return new Threads(waiting_); };
        set_tcp_nodelay(true);
        set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(kIdleMax).count());
        set_keep_alive_max_count(kRequestsAConnectionMax);
        // Not the library's own, which let a second program share the port.
        set_socket_options([](socket_t socket) {
            const int yes = 1;
            ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        set_pre_routing_handler([&answers, port](const httplib::Request&, httplib::Response& response) {
            put(answers->to(port, *answered), response);
            return HandlerResponse::Handled;
        });
        set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
            response = httplib::Response();
            response.status = 500;
        });
    }

    bool take(const Address& address, std::uint16_t& port) {
        const int got = address.port == 0 ? bind_to_any_port(address.host)
                                          : (bind_to_port(address.host, address.port) ? address.port : -1);
        if (got <= 0) return false;
        port = static_cast<std::uint16_t>(got);
        return true;
    }

    // Until `stopping`. The library gives its socket up on errors of accept() that pass; so it is taken anew.
    void serve(const Address& address) {
        std::uint16_t port = address.port;
        bool is_bound = true;
        while (!stopping_) {
            if (is_bound) listen_after_bind();
            if (stopping_) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            is_bound = take(address, port);
        }
        is_done_ = true;
    }

    // After `stopping` was set. The library's stop() has an effect only, and only once, while it listens.
    void end() {
        while (!is_running() && !is_done_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (!is_done_) stop();
    }

  private:
    bool process_and_close_socket(socket_t socket) override {
        Wire wire(socket, stopping_, waiting_);
        for (std::size_t number = 1; !stopping_; ++number) {
            const std::optional<std::string> head = wire.next_head(number == 1);
            if (!head) break;
            const Request request = parse_head(*head);
            answered = &request;
            const bool is_last = !request.keeps_alive || number == kRequestsAConnectionMax;
            if (!answer(wire, request, is_last) || is_last) break;
        }
        wire.linger();
        return true;
    }

    bool answer(Wire& wire, const Request& request, bool is_last) {
        PlainStream stream(wire, request.method);
        wire.begin_answer();
        bool closed = false;
        try {
            return process_request(stream, is_last, closed, nullptr) && !closed && !wire.is_broken();
        } catch (const std::exception&) {
            return false;  // out of memory: this client only
        }
    }

    const std::atomic<bool>& stopping_;
    std::atomic<std::size_t> waiting_ = 0;
    std::atomic<bool> is_done_ = false;
};

}  // namespace

struct PlayServer::State {
    std::unique_ptr<PlayLibrary> library;
    std::unique_ptr<Answers> answers;
    std::atomic<bool> stopping = false;
    Address address, web_address;
    std::unique_ptr<Front> pages, web;
    std::vector<std::thread> threads;
    std::string url, web_url;
};

PlayServer::PlayServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

namespace {

std::string url_of(const Address& address) {
    return "http://" + address.url_host() + ":" + std::to_string(address.port) + "/";
}

}  // namespace

Result<std::unique_ptr<PlayServer>> PlayServer::start(const PlayOptions& options,
                                                      std::unique_ptr<PlayLibrary> library,
                                                      env::Random& random) {
    auto state = std::make_unique<State>();
    SATCHEL_TRY(state->address, parse_address("--play", options.address, "127.0.0.1"));
    state->web_address = state->address;
    if (options.web_address) {
        SATCHEL_TRY(state->web_address,
                    parse_address("--play-web", *options.web_address, state->address.host));
    } else if (state->address.port == 65'535) {
        return fail(ErrorCode::kUsage, "--play " + options.address, "no port follows this one",
                    "name the port of web lessons with --play-web");
    } else if (state->address.port != 0) {
        state->web_address.port = static_cast<std::uint16_t>(state->address.port + 1);
    }
    state->pages = std::make_unique<Front>(state->answers, Port::kPages, state->stopping);
    state->web = std::make_unique<Front>(state->answers, Port::kWebLessons, state->stopping);
    if (!state->pages->take(state->address, state->address.port)) return why_not("--play", state->address);
    if (!state->web->take(state->web_address, state->web_address.port))
        return why_not("--play-web", state->web_address);
    Origins origins{.bound_host = state->address.url_host(),
                    .pages_port = state->address.port,
                    .web_port = state->web_address.port,
                    .names = options.names};
    random.fill(origins.secret);
    state->library = std::move(library);
    state->answers = std::make_unique<Answers>(*state->library, std::move(origins));
    state->url = url_of(state->address);
    state->web_url = url_of(state->web_address);
    State& running = *state;
    running.threads.emplace_back([&running] { running.pages->serve(running.address); });
    running.threads.emplace_back([&running] { running.web->serve(running.web_address); });
    return std::unique_ptr<PlayServer>(new PlayServer(std::move(state)));
}

PlayServer::~PlayServer() {
    state_->stopping = true;
    state_->pages->end();
    state_->web->end();
    for (std::thread& thread : state_->threads) thread.join();
}

const std::string& PlayServer::url() const { return state_->url; }
const std::string& PlayServer::web_url() const { return state_->web_url; }
bool PlayServer::is_loopback() const {
    return state_->address.is_loopback() && state_->web_address.is_loopback();
}

}  // namespace satchel::play
