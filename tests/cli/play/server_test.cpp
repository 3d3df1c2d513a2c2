// The server on real sockets of this box, with clients that keep to nothing.
#include "cli/play/server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "cli/play/wire.hpp"
#include "engine/env/os/random.hpp"
#include "tests/cli/play/fake_library.hpp"

namespace satchel::play {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLarge = 64;  // MiB

class Client {
  public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const int small = 4096;  // so that a large answer does not fit in between
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        is_there_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { ::close(socket_); }
    [[nodiscard]] bool is_there() const { return is_there_; }
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    // All that comes until the server closes, or the time is up.
    [[nodiscard]] std::string all(int timeout_ms = 10'000) const {
        std::string got;
        std::string step(64 * 1024, '\0');
        while (true) {
            pollfd one{socket_, POLLIN, 0};
            if (::poll(&one, 1, timeout_ms) <= 0) return got + "[no end]";
            const ssize_t size = ::recv(socket_, step.data(), step.size(), 0);
            if (size <= 0) return got;
            got.append(step.data(), static_cast<std::size_t>(size));
        }
    }

  private:
    int socket_;
    bool is_there_ = false;
};

std::string get(const std::string& path, const std::string& headers = "Connection: close\r\n") {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

std::string body_of(const std::string& answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? "" : answer.substr(end + 4);
}

std::uint16_t port_of(const std::string& url) {
    return static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
}

class PlayServerTest : public testing::Test {
  protected:
    PlayServerTest() {
        auto library = std::make_unique<FakeLibrary>();
        for (int i = 0; i < 256; ++i) film_ += std::string(2048, static_cast<char>(i));
        library->add("maths", "film.mp4", {.bytes = film_});
        library->add("maths", "large.mp4", {.bytes = std::string(1024 * 1024, 'x'), .repeats = kLarge});
        library->add("maths", "torn.mp4", {.bytes = film_, .damaged_from = 300'000});
        auto server =
            PlayServer::start({.address = "0", .web_address = {}, .names = {}}, std::move(library), random_);
        EXPECT_TRUE(server.has_value());
        server_ = std::move(*server);
        port_ = port_of(server_->url());
    }
    [[nodiscard]] std::string ask(const std::string& request) const {
        const Client client(port_);
        client.send(request);
        return client.all();
    }

    env::os::SystemRandom random_;
    std::string film_;
    std::unique_ptr<PlayServer> server_;
    std::uint16_t port_ = 0;
};

TEST_F(PlayServerTest, SendsTheBytesAndNothingElse) {
    EXPECT_EQ(body_of(ask(get("/lesson/maths/film.mp4"))), film_);
    const std::string part =
        ask(get("/lesson/maths/film.mp4", "Range: bytes=2040-2055\r\nConnection: close\r\n"));
    EXPECT_THAT(part, StartsWith("HTTP/1.1 206 "));
    EXPECT_THAT(part, HasSubstr("Content-Length: 16\r\n"));
    EXPECT_EQ(body_of(part), film_.substr(2040, 16));
    const std::string head =
        ask("HEAD /lesson/maths/film.mp4 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("Content-Length: 524288\r\n"));
    EXPECT_EQ(body_of(head), "");
    EXPECT_TRUE(server_->is_loopback());
}

TEST_F(PlayServerTest, AnswersPipelinedRequestsInTheirOrder) {
    const auto piece = [](int at) {
        return "Range: bytes=" + std::to_string(at * 2048) + "-" + std::to_string(at * 2048) + "\r\n";
    };
    std::string requests = "\r\n";
    for (int at = 1; at <= 5; ++at) requests += get("/lesson/maths/film.mp4", piece(at));
    requests += "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/nothing");
    const std::string answers = ask(requests);
    std::size_t place = 0;
    for (int at = 1; at <= 5; ++at) {
        place = answers.find("\r\n\r\n" + std::string(1, static_cast<char>(at)) + "HTTP/1.1 ", place);
        ASSERT_NE(place, std::string::npos) << at;
    }
    EXPECT_NE(answers.find("HTTP/1.1 404 ", place), std::string::npos);
}

TEST_F(PlayServerTest, ServesManyClientsAtOnce) {
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 40; ++i)
        threads.emplace_back([&, i] {
            for (int round = 0; round < 5; ++round) {
                const auto first = static_cast<std::size_t>(i * 5000 + round);
                const std::string range = "Range: bytes=" + std::to_string(first) + "-" +
                                          std::to_string(first + 300'000 - 1) + "\r\n";
                if (body_of(ask(get("/lesson/maths/film.mp4", range + "Connection: close\r\n"))) ==
                    film_.substr(first, 300'000))
                    ++good;
            }
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 200);
}

TEST_F(PlayServerTest, IsNotHeldUpByClientsThatSayNothing) {
    std::vector<std::unique_ptr<Client>> silent;
    for (std::size_t i = 0; i < 2 * kThreadsAPort; ++i) silent.push_back(std::make_unique<Client>(port_));
    const Clock::time_point began = Clock::now();
    EXPECT_EQ(body_of(ask(get("/lesson/maths/film.mp4"))), film_);
    EXPECT_LT(Clock::now() - began, kFirstByteMax);
}

TEST_F(PlayServerTest, TakesItsThreadBackFromClientsThatDoNotRead) {
    std::vector<std::unique_ptr<Client>> lazy;
    for (std::size_t i = 0; i < kThreadsAPort; ++i) {
        lazy.push_back(std::make_unique<Client>(port_));
        lazy.back()->send(get("/lesson/maths/large.mp4"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const Client client(port_);
    client.send(get("/lesson/maths/film.mp4"));
    EXPECT_EQ(body_of(client.all(static_cast<int>(2 * kStallMax.count()))), film_);
    EXPECT_LT(lazy.front()->all().size(), kLarge * 1024 * 1024) << "the slow answer was not cut";
}

TEST_F(PlayServerTest, RefusesAHeadWithoutEnd) {
    const Client client(port_);
    std::string head = "GET / HTTP/1.1\r\nHost: localhost\r\n";
    for (int i = 0; i < 100'000 && client.send(head); ++i) head = "X: 0123456789\r\n";
    EXPECT_EQ(body_of(ask(get("/lesson/maths/film.mp4"))), film_);
    const std::string long_line = ask("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'a'));
    EXPECT_THAT(long_line, StartsWith("HTTP/1.1 431 "));
}

TEST_F(PlayServerTest, OutlivesHostileHeads) {
    for (const std::string& head :
         {std::string("\r\n\r\n\r\n\r\n"), std::string(100, '\0') + "\r\n\r\n", std::string("GET\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nRange: bytes=") + std::string(9000, '9') + "-\r\nHost: a\r\n\r\n",
          get("/lesson/maths/film.mp4",
              "Range: bytes=" + std::string(10'000, ',') + "\r\nConnection: close\r\n"),
          get("/%"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nGET / "
                      "HTTP/1.1\r\n\r\n")}) {
        const Client client(port_);
        client.send(head);
        EXPECT_FALSE(client.all().ends_with("[no end]")) << head.substr(0, 60);
    }
    EXPECT_EQ(body_of(ask(get("/lesson/maths/film.mp4"))), film_);
}

TEST_F(PlayServerTest, EndsShortWhereAFileTurnsOutToBeDamaged) {
    const std::string answer = ask(get("/lesson/maths/torn.mp4", ""));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 524288\r\n"));
    const std::string body = body_of(answer);
    EXPECT_EQ(body, film_.substr(0, 300'000));
}

TEST_F(PlayServerTest, EndsSoonWhateverItsClientsDo) {
    const Client silent(port_);
    const Client lazy(port_);
    lazy.send(get("/lesson/maths/large.mp4"));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const Clock::time_point began = Clock::now();
    server_.reset();
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(2));
    EXPECT_FALSE(Client(port_).is_there());
}

TEST_F(PlayServerTest, SaysThatAPortIsTaken) {
    const auto second = PlayServer::start({.address = std::to_string(port_), .web_address = "0", .names = {}},
                                          std::make_unique<FakeLibrary>(), random_);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    const auto web = PlayServer::start({.address = "0", .web_address = std::to_string(port_), .names = {}},
                                       std::make_unique<FakeLibrary>(), random_);
    ASSERT_FALSE(web.has_value());
    EXPECT_THAT(web.error().about, StartsWith("--play-web "));
}

}  // namespace
}  // namespace satchel::play
