#include "cli/play/wire.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>

#include "cli/play/request.hpp"

namespace satchel::play {

namespace {

constexpr milliseconds kPollStep{100};  // how soon a wish to stop is seen
constexpr std::size_t kReceiveBytes = 8 * 1024;
constexpr milliseconds kLingerMax{500};
constexpr std::size_t kLingerBytesMax = 256 * 1024;

}  // namespace

Wire::~Wire() { ::close(socket_); }

bool Wire::wait_for(short events, Clock::time_point deadline, bool is_idle) {
    const Clock::time_point began = Clock::now();
    while (!stopping_) {
        const Clock::time_point now = Clock::now();
        if (now >= deadline) return false;
        if (is_idle && waiting_ > 0 && now - began >= kIdleWhenBusyMax) return false;
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - now) + milliseconds(1);
        pollfd one{socket_, events, 0};
        const int ready = ::poll(&one, 1, static_cast<int>(std::min(left, kPollStep).count()));
        if (ready < 0 && errno != EINTR) return false;
        if (ready > 0) return true;
    }
    return false;
}

bool Wire::receive() {
    std::array<char, kReceiveBytes> bytes;
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    return got > 0;
}

// 0: its end has not come yet.
std::size_t Wire::head_size() {
    constexpr std::string_view kEnd = "\r\n\r\n";
    const std::size_t from = searched_ < kEnd.size() ? 0 : searched_ - (kEnd.size() - 1);
    const std::size_t end = buffer_.find(kEnd, from);
    searched_ = buffer_.size();
    return end == std::string::npos ? 0 : end + kEnd.size();
}

std::optional<std::string> Wire::next_head(bool is_first) {
    const Clock::time_point began = Clock::now();
    const milliseconds idle = is_first ? kFirstByteMax : kIdleMax;
    searched_ = 0;
    while (true) {
        // Empty lines before a request are borne (RFC 9112, 2.2).
        while (buffer_.starts_with("\r\n")) buffer_.erase(0, 2), searched_ = 0;
        if (std::size_t size = head_size(); size > 0 || buffer_.size() > kHeadBytesMax) {
            if (size == 0) size = buffer_.size();
            std::string head = buffer_.substr(0, size);
            buffer_.erase(0, size);
            return head;
        }
        const bool is_idle = buffer_.empty();
        if (!wait_for(POLLIN, began + (is_idle ? idle : idle + kHeadMax), is_idle) || !receive()) {
            is_broken_ = true;
            return std::nullopt;
        }
    }
}

void Wire::begin_answer() {
    answer_began_ = Clock::now();
    sent_ = 0;
}

bool Wire::write(std::string_view bytes) {
    while (!bytes.empty() && !is_broken_) {
        const ssize_t took = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (took > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(took));
            sent_ += static_cast<std::uint64_t>(took);
            continue;
        }
        const auto allowed = kSlowStart + std::chrono::seconds(sent_ / kSlowestBytesASecond);
        const Clock::time_point deadline = std::min(answer_began_ + allowed, Clock::now() + kStallMax);
        if (took < 0 && errno == EINTR) continue;
        if ((took < 0 && errno != EAGAIN) || !wait_for(POLLOUT, deadline, false)) is_broken_ = true;
    }
    return !is_broken_;
}

void Wire::linger() {
    if (is_broken_) return;
    ::shutdown(socket_, SHUT_WR);
    const Clock::time_point deadline = Clock::now() + kLingerMax;
    std::size_t dropped = 0;
    while (dropped < kLingerBytesMax && wait_for(POLLIN, deadline, true)) {
        buffer_.clear();
        if (!receive()) return;
        dropped += buffer_.size();
    }
}

}  // namespace satchel::play
