// When the dialler tries, in a world whose time is told.
#include "transport/link/dialler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>

#include "tests/transport/link/ends.hpp"
#include "transport/link/errors.hpp"

namespace satchel::link {
namespace {

using testing::SizeIs;

class ToldClock : public env::Clock {
  public:
    env::Instant wall() override { return env::Instant{static_cast<std::int64_t>(ms)}; }
    std::uint64_t steady_ms() override { return ms; }
    std::uint64_t ms = 1'000'000;
};

// Nothing answers here: attempts fail at once, or hang until they are given up.
class DeadNetwork : public Network {
  public:
    explicit DeadNetwork(ToldClock& clock) : clock_(clock) {}
    void on_network(std::function<void()> job) override { jobs_.push_back(std::move(job)); }
    void on_engine(std::function<void()> job) override { jobs_.push_back(std::move(job)); }
    void stop(std::function<void()>) override {}
    std::unique_ptr<Timer> make_timer() override { return std::make_unique<ToldTimer>(*this); }
    std::unique_ptr<Attempt> connect(const Address& address,
                                     std::function<void(Result<std::unique_ptr<Stream>>)> then) override {
        attempts.push_back(clock_.ms);
        if (!hangs) jobs_.push_back([then, address] { then(cannot_connect(address.text(), "refused")); });
        return std::make_unique<Hanging>(*this);
    }
    Result<std::unique_ptr<Acceptor>> listen(const Address& address,
                                             std::function<void(std::unique_ptr<Stream>)>) override {
        return cannot_listen(address.text(), "");
    }

    void pass(std::uint64_t ms) {
        const std::uint64_t end = clock_.ms + ms;
        while (true) {
            while (!jobs_.empty()) {
                const std::function<void()> job = std::move(jobs_.front());
                jobs_.pop_front();
                job();
            }
            ToldTimer* next = nullptr;
            for (ToldTimer* timer : timers_)
                if (timer->then && timer->at <= end && (next == nullptr || timer->at < next->at))
                    next = timer;
            if (next == nullptr) break;
            clock_.ms = std::max(clock_.ms, next->at);
            const std::function<void()> then = std::exchange(next->then, {});
            then();
        }
        clock_.ms = end;
    }

    bool hangs = true;
    std::vector<std::uint64_t> attempts;  // when each began
    std::size_t open = 0;                 // attempts that nobody has given up

  private:
    struct ToldTimer : Timer {
        explicit ToldTimer(DeadNetwork& network) : of(network) { of.timers_.push_back(this); }
        ~ToldTimer() override { of.timers_.remove(this); }
        void start(std::int64_t ms, std::function<void()> what) override {
            at = of.clock_.ms + static_cast<std::uint64_t>(ms);
            then = std::move(what);
        }
        void stop() override { then = {}; }
        DeadNetwork& of;
        std::uint64_t at = 0;
        std::function<void()> then;
    };
    struct Hanging : Attempt {
        explicit Hanging(DeadNetwork& network) : of(network) { ++of.open; }
        ~Hanging() override { --of.open; }
        DeadNetwork& of;
    };
    ToldClock& clock_;
    std::list<ToldTimer*> timers_;
    std::deque<std::function<void()>> jobs_;
};

class Dialling : public testing::Test {
  protected:
    Dialler make(DialPlan plan) {
        DialHooks hooks;
        hooks.adopt = [](std::unique_ptr<Stream>, std::shared_ptr<Link>) { return nullptr; };
        hooks.link_over = [](const LinkReport&) {};
        hooks.finished = [this](const std::optional<Error>& error) {
            ++finished;
            last = error;
        };
        return {network, world, Address{"hub", 7247}, plan, std::move(hooks)};
    }
    [[nodiscard]] std::vector<std::uint64_t> pauses() const {
        std::vector<std::uint64_t> between;
        for (std::size_t i = 1; i < network.attempts.size(); ++i)
            between.push_back(network.attempts[i] - network.attempts[i - 1]);
        return between;
    }
    ToldClock clock;
    DeadNetwork network{clock};
    env::os::SystemRandom random;
    EngineTurn turn;
    FakeHost host{2, trust::SiteRole::kVillage};
    LinkWorld world{.host = host,
                    .turn = turn,
                    .clock = clock,
                    .random = random,
                    .times = Times{},
                    .on_engine = [this](std::function<void()> job) { network.on_engine(std::move(job)); },
                    .on_network = [this](std::function<void()> job) { network.on_network(std::move(job)); }};
    std::size_t finished = 0;
    std::optional<Error> last;
};

TEST_F(Dialling, BeginsAnAttemptEveryTwoSecondsWhetherItIsRefusedOrHangs) {
    for (const bool hangs : {true, false}) {
        network.hangs = hangs;
        network.attempts.clear();
        Dialler dialler = make({.keep = true});
        dialler.start();
        network.pass(20'500);
        EXPECT_THAT(network.attempts, SizeIs(11)) << hangs;
        for (const std::uint64_t pause : pauses()) EXPECT_NEAR(static_cast<double>(pause), 2'000.0, 10.0);
        EXPECT_LE(network.open, 1u) << "older attempts are given up";
    }
}

TEST_F(Dialling, GrowsItsPausesOnlyAfterALongOutageAndUpToALimit) {
    Dialler dialler = make({.keep = true});
    dialler.start();
    network.pass(121'000);
    const std::size_t patient = network.attempts.size();
    EXPECT_GE(patient, 55u);
    network.pass(600'000);
    const std::vector<std::uint64_t> all = pauses();
    const std::vector<std::uint64_t> later(all.begin() + static_cast<std::ptrdiff_t>(patient) - 1, all.end());
    ASSERT_GE(later.size(), 8u);
    for (std::size_t i = 1; i < later.size(); ++i) {
        EXPECT_GE(later[i] + 10, later[i - 1]);
        EXPECT_LE(later[i], 30'010u);
    }
    EXPECT_GE(later.back(), 29'990u);
    EXPECT_EQ(finished, 0u);
}

TEST_F(Dialling, GivesUpASingleContactAfterItsTimeWithTheLastReason) {
    network.hangs = false;
    Dialler dialler = make({.keep = false, .wait_ms = 60'000});
    dialler.start();
    network.pass(59'000);
    EXPECT_EQ(finished, 0u);
    network.pass(5'000);
    EXPECT_EQ(finished, 1u);
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->code, ErrorCode::kUnreachable);
    EXPECT_EQ(last->detail, "refused");
    const std::size_t attempts = network.attempts.size();
    network.pass(600'000);
    EXPECT_EQ(network.attempts.size(), attempts);
}

TEST_F(Dialling, TriesOnceWhenNoTimeIsGiven) {
    Dialler dialler = make({.keep = false, .wait_ms = 0});
    dialler.start();
    network.pass(10'000);
    EXPECT_THAT(network.attempts, SizeIs(1));
    EXPECT_EQ(finished, 1u);
}

TEST_F(Dialling, StopsAtOnce) {
    Dialler dialler = make({.keep = true});
    dialler.start();
    network.pass(1'000);
    dialler.stop(stopping());
    EXPECT_EQ(network.open, 0u);
    EXPECT_EQ(finished, 1u);
    network.pass(600'000);
    EXPECT_THAT(network.attempts, SizeIs(1));
}

TEST_F(Dialling, IsNotHurriedByChangesWhileThePeerDoesNotAnswer) {
    Dialler dialler = make({.keep = true});
    dialler.start();
    network.pass(1'000'000);
    const std::size_t before = network.attempts.size();
    dialler.note_change(5);
    network.pass(3'000);
    EXPECT_LE(network.attempts.size(), before + 1);
}

}  // namespace
}  // namespace satchel::link
