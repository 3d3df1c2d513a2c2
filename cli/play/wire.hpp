// One accepted connection, with limits on all that a client may make it wait for: it costs a thread for a
// bounded time only, and memory for one head.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::play {

using std::chrono::milliseconds;

inline constexpr milliseconds kFirstByteMax{
    3'000};                                     // browsers open spare connections and say nothing on them
inline constexpr milliseconds kIdleMax{2'000};  // between two requests of one connection
inline constexpr milliseconds kIdleWhenBusyMax{200};  // either of them, while others wait for a thread
inline constexpr milliseconds kHeadMax{10'000};       // from its first byte to its last
inline constexpr milliseconds kStallMax{5'000};       // a browser whose buffer is full comes back by range
// An answer must keep up a rate below that of any film (128 kbit/s), after a while in which it may stop.
inline constexpr milliseconds kSlowStart{20'000};
inline constexpr std::uint64_t kSlowestBytesASecond = 16 * 1024;

class Wire {
  public:
    // Borrows the flag and the count of clients that wait for a thread; owns the socket.
    Wire(int socket, const std::atomic<bool>& stopping, const std::atomic<std::size_t>& waiting)
        : socket_(socket), stopping_(stopping), waiting_(waiting) {}
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire();

    // The next head, or as much as is too long for one; nullopt when the client is gone, too late or idle.
    std::optional<std::string> next_head(bool is_first);

    void begin_answer();
    bool write(std::string_view bytes);  // all of it, else false from then on
    [[nodiscard]] bool is_broken() const { return is_broken_; }
    // Lets the client read what was sent before the end of the connection reaches it.
    void linger();

  private:
    using Clock = std::chrono::steady_clock;
    bool wait_for(short events, Clock::time_point deadline, bool is_idle);
    bool receive();
    [[nodiscard]] std::size_t head_size();

    int socket_;
    const std::atomic<bool>& stopping_;
    const std::atomic<std::size_t>& waiting_;
    std::string buffer_;        // what came and is not used yet: pipelined requests
    std::size_t searched_ = 0;  // of it, for the end of a head
    bool is_broken_ = false;
    Clock::time_point answer_began_;
    std::uint64_t sent_ = 0;
};

}  // namespace satchel::play
