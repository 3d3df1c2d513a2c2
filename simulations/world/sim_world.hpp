// Clock, randomness and processor time of a simulated world: nothing moves unless the test moves it.
#pragma once

#include "engine/env/world.hpp"
#include "simulations/world/seeded.hpp"

namespace satchel::simulations {

// Starts in 1970, as boxes without a battery do.
class SimClock : public env::Clock {
  public:
    env::Instant wall() override { return {wall_ms_}; }
    std::uint64_t steady_ms() override { return steady_ms_; }

    void set_wall(std::int64_t unix_ms) { wall_ms_ = unix_ms; }
    void step_wall(std::int64_t by_ms) { wall_ms_ += by_ms; }  // somebody or something set the clock
    void set_drift_ppm(std::int64_t ppm) { drift_ppm_ = ppm; }
    void advance(std::uint64_t ms);  // true time goes by; the wall clock runs at its own rate

  private:
    std::int64_t wall_ms_ = 0;
    std::uint64_t steady_ms_ = 0;
    std::int64_t drift_ppm_ = 0;
    std::int64_t drift_left_ = 0;  // in millionths of a millisecond, so that small steps add up
};

class SimRandom : public env::Random {
  public:
    explicit SimRandom(std::uint64_t seed = 1) : seeded_(seed) {}
    void fill(MutableBytes bytes) override { seeded_.fill(bytes); }

  private:
    Seeded seeded_;
};

class InlineOffload : public env::Offload {
  public:
    void run_all(std::span<const std::function<void()>> jobs) override {
        for (const std::function<void()>& job : jobs) job();
    }
    [[nodiscard]] std::size_t parallelism() const override { return 1; }
};

struct SimWorld {
    explicit SimWorld(std::uint64_t seed = 1) : random(seed) {}
    SimClock clock;
    SimRandom random;
    InlineOffload offload;
    env::World world() { return {clock, random, offload}; }
};

}  // namespace satchel::simulations
