// Ends that speak no satchel: for hostile, mute and foreign peers.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engine/env/os/posix_disk.hpp"
#include "transport/link/address.hpp"

namespace satchel::link {

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

class PlainSocket {
  public:
    explicit PlainSocket(const std::string& where) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const sockaddr_in address = loopback(parse_address(where, false)->port);
        connected_ =
            ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    }
    void send(const std::string& bytes) const {
        std::size_t at = 0;
        while (at < bytes.size()) {
            const ssize_t count = ::send(socket_.get(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
            if (count <= 0) return;  // the other end has had enough
            at += static_cast<std::size_t>(count);
        }
    }
    [[nodiscard]] bool is_closed_within(int ms) const {
        char byte = 0;
        while (true) {
            pollfd poll_one{socket_.get(), POLLIN, 0};
            if (::poll(&poll_one, 1, ms) <= 0) return false;
            if (::recv(socket_.get(), &byte, 1, 0) <= 0) return true;
        }
    }
    [[nodiscard]] bool connected() const { return connected_; }

  private:
    env::os::Descriptor socket_;
    bool connected_ = false;
};

// Takes connections, says its line if it has one, and never reads.
class PlainListener {
  public:
    explicit PlainListener(std::string line = {})
        : line_(std::move(line)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof(address);
        ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size);
        ::listen(socket_.get(), 16);
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~PlainListener() { close(); }
    void close() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
        socket_ = env::os::Descriptor(-1);
    }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::size_t accepted() const { return accepted_; }

  private:
    void run() {
        std::vector<env::os::Descriptor> open;
        while (!stop_) {
            pollfd poll_one{socket_.get(), POLLIN, 0};
            if (::poll(&poll_one, 1, 10) <= 0) continue;
            open.emplace_back(::accept(socket_.get(), nullptr, nullptr));
            ++accepted_;
            if (!line_.empty())
                static_cast<void>(::send(open.back().get(), line_.data(), line_.size(), MSG_NOSIGNAL));
        }
    }
    std::string line_;
    env::os::Descriptor socket_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stop_ = false;
    std::atomic<std::size_t> accepted_ = 0;
    std::thread thread_;
};

}  // namespace satchel::link
