// A link on its stream: moves bytes between the two and tells the link the time. On the network's thread.
#pragma once

#include <functional>
#include <memory>

#include "transport/link/link.hpp"
#include "transport/link/network.hpp"

namespace satchel::link {

// A last word that is not taken at once is not waited for.
inline constexpr std::int64_t kLastWordMs = 1'000;

class Wire : public std::enable_shared_from_this<Wire> {
  public:
    Wire(Network& network, env::Clock& clock, std::unique_ptr<Stream> stream, std::shared_ptr<Link> link);
    // `changed` is called after anything happened here.
    void run(std::function<void(Wire&)> changed);
    void stop(Error error);

    [[nodiscard]] Link& link() { return *link_; }
    [[nodiscard]] bool is_open() const { return stream_ != nullptr; }
    [[nodiscard]] const std::string& peer_address() const { return peer_address_; }
    bool noted_live = false;  // whoever keeps the wires has seen that its peer is live

  private:
    void pump();
    void write();
    void read();
    void arm();
    Network& network_;
    env::Clock& clock_;
    std::unique_ptr<Stream> stream_;  // none once it is closed
    const std::string peer_address_;
    std::shared_ptr<Link> link_;
    std::unique_ptr<Timer> timer_;
    std::function<void(Wire&)> changed_;
    bool reading_ = false, writing_ = false, ended_ = false, pumping_ = false, again_ = false;
};

}  // namespace satchel::link
