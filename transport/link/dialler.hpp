// Keeps trying one peer. Each attempt is given up after a while and the next one begins at once, so that the
// first moment of a window is used; only after a long outage the pauses grow.
//
//     kPausing --timer--> kConnecting --connected--> kLinked --over--> kPausing, or kFinished
//                             +------ failed, or too slow -----> kPausing
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "transport/link/address.hpp"
#include "transport/link/wire.hpp"

namespace satchel::link {

struct DialPlan {
    // Again and again: when something changed here, else after Times::again_ms. Otherwise one contact, until
    // both have nothing left.
    bool keep = false;
    std::int64_t wait_ms = 60'000;  // of a single contact: gives up after so long without a link
};

// What the dialler asks of whoever keeps the wires.
struct DialHooks {
    std::function<std::shared_ptr<Wire>(std::unique_ptr<Stream>, std::shared_ptr<Link>)> adopt;
    std::function<void(const LinkReport&)> link_over;           // each link
    std::function<void(const std::optional<Error>&)> finished;  // once; of a single contact
};

class Dialler {
  public:
    enum class State : std::uint8_t { kPausing, kConnecting, kLinked, kFinished };

    Dialler(Network& network, const LinkWorld& world, Address address, DialPlan plan, DialHooks hooks);
    void start();
    void stop(Error error);
    // The site's stamp of changes has this value now.
    void note_change(std::uint64_t stamp);
    // A link with this site ended well, whoever dialled it: it knows all that was here at `stamp`.
    void note_told(const SiteId& peer, std::uint64_t stamp);

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const Address& address() const { return address_; }
    [[nodiscard]] const Link* link() const { return link_.get(); }  // none unless kLinked
    [[nodiscard]] std::size_t attempts() const { return attempts_; }

  private:
    void attempt();
    void on_connected(Result<std::unique_ptr<Stream>> stream);
    void on_link_over(const LinkReport& report);
    void on_good_contact(const LinkReport& report);
    void fail_attempt(Error error);
    void retry_later();
    void give_up(Error error);  // until something changes, or for good
    void pause(std::int64_t ms);
    void finish(std::optional<Error> error);
    [[nodiscard]] std::int64_t now() const { return static_cast<std::int64_t>(world_.clock.steady_ms()); }
    [[nodiscard]] std::int64_t interval() const;

    Network& network_;
    const LinkWorld& world_;
    const Address address_;
    const DialPlan plan_;
    DialHooks hooks_;
    State state_ = State::kPausing;
    std::unique_ptr<Timer> timer_;
    std::unique_ptr<Attempt> attempt_;
    std::shared_ptr<Wire> wire_;
    std::shared_ptr<Link> link_;
    std::optional<Error> last_error_;
    std::optional<SiteId> peer_;
    std::int64_t attempt_began_ = 0;
    std::int64_t alone_since_ = 0;  // without a link
    std::int64_t failing_since_ = 0;
    std::size_t failures_ = 0;  // in a row
    std::size_t attempts_ = 0;
    std::size_t closed_greetings_ = 0;
    std::size_t idle_contacts_ = 0;  // in a row, that brought nothing either way
    std::optional<std::uint64_t> told_stamp_;
    bool changed_ = false;
    bool stopping_ = false;
};

}  // namespace satchel::link
