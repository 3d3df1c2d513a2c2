#include "transport/link/engine_turn.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace satchel::link {
namespace {

TEST(EngineTurn, IsHeldByOneAtATime) {
    EngineTurn turn;
    int inside = 0, most = 0;  // deliberately not atomic: the turn is what protects them
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 500; ++round) {
                const EngineTurn::Held held = turn.take();
                most = std::max(most, ++inside);
                --inside;
            }
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(most, 1);
}

TEST(EngineTurn, GoesToThoseWhoCameFirst) {
    EngineTurn turn;
    std::vector<int> order;
    std::vector<std::thread> threads;
    {
        const EngineTurn::Held held = turn.take();
        for (int i = 0; i < 5; ++i) {
            threads.emplace_back([&, i] {
                const EngineTurn::Held mine = turn.take();
                order.push_back(i);
            });
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
        }
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(EngineTurn, CanBeGivenUpByOneWhoWaitsWithoutHoldingUpOthers) {
    EngineTurn turn;
    std::atomic<bool> stop = false;
    std::atomic<bool> gave_up = false;
    std::thread impatient, patient;
    {
        const EngineTurn::Held held = turn.take();
        impatient =
            std::thread([&] { gave_up = !turn.take_unless([&] { return stop.load(); }).has_value(); });
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        patient = std::thread([&] { const EngineTurn::Held mine = turn.take(); });
        stop = true;
        impatient.join();
        EXPECT_TRUE(gave_up);
    }
    patient.join();
}

TEST(EngineTurn, ComesToOneWhoMightHaveGivenUp) {
    EngineTurn turn;
    EXPECT_TRUE(turn.take_unless([] { return false; }).has_value());
    EXPECT_TRUE(turn.take_unless([] { return true; }).has_value()) << "it was free: nobody had to wait";
}

}  // namespace
}  // namespace satchel::link
