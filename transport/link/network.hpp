// TCP, timers and two threads, without a library's headers: the network's thread, which never touches a disk,
// and the engine's thread, where whoever touches the site waits for its turn.
//
// Guarantee: after an object here is destroyed, none of its callbacks comes any more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/bytes.hpp"
#include "engine/base/result.hpp"
#include "transport/link/address.hpp"

namespace satchel::link {

class Timer {
  public:
    virtual ~Timer() = default;
    virtual void start(std::int64_t ms, std::function<void()> then) = 0;  // in place of what was started
    virtual void stop() = 0;
};

// One connection. Destroying it closes it.
class Stream {
  public:
    virtual ~Stream() = default;
    // One read and one write at a time. A view of no bytes: the other end has closed.
    virtual void read(std::function<void(Result<ByteView>)> then) = 0;
    virtual void write(ByteView bytes, std::function<void(Result<void>)> then) = 0;  // copies; writes all
    [[nodiscard]] virtual const std::string& peer_address() const = 0;               // without the port
};

class Acceptor {
  public:
    virtual ~Acceptor() = default;
    [[nodiscard]] virtual const std::string& address() const = 0;  // with the port that it really has
};

class Attempt {
  public:
    virtual ~Attempt() = default;
};

class Network {
  public:
    static std::unique_ptr<Network> start();
    virtual ~Network() = default;  // stop() must have been called

    // From any thread.
    virtual void on_network(std::function<void()> job) = 0;
    virtual void on_engine(std::function<void()> job) = 0;
    // Runs `last` on the network's thread, then all that waits for the engine, then ends both threads.
    virtual void stop(std::function<void()> last) = 0;

    // On the network's thread only.
    virtual std::unique_ptr<Timer> make_timer() = 0;
    // Resolves, then tries the addresses in turn until the attempt is destroyed.
    virtual std::unique_ptr<Attempt> connect(const Address& address,
                                             std::function<void(Result<std::unique_ptr<Stream>>)> then) = 0;
    virtual Result<std::unique_ptr<Acceptor>> listen(
        const Address& address, std::function<void(std::unique_ptr<Stream>)> accepted) = 0;
};

}  // namespace satchel::link
