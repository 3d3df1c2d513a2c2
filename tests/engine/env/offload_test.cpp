#include "engine/env/os/offload.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace satchel::env::os {
namespace {

TEST(ThreadOffload, RunsEveryJobOnce) {
    ThreadOffload offload(3);
    EXPECT_EQ(offload.parallelism(), 3U);
    std::vector<int> runs(100, 0);
    std::vector<std::function<void()>> jobs;
    for (int& count : runs) jobs.emplace_back([&count] { ++count; });
    offload.run_all(jobs);
    offload.run_all({});
    EXPECT_EQ(runs, std::vector<int>(100, 1));
}

TEST(ThreadOffload, ABegunJobHasEndedWhenItIsLetGo) {
    for (const std::size_t threads : {1u, 2u, 4u}) {
        ThreadOffload offload(threads);
        for (int round = 0; round < 200; ++round) {
            std::array<int, 6> done = {};
            std::vector<std::unique_ptr<Offload::Going>> going;
            for (int& one : done) going.push_back(offload.begin([&one] { ++one; }));
            std::vector<int> runs(5, 0);
            std::vector<std::function<void()>> jobs;
            for (int& count : runs) jobs.emplace_back([&count] { ++count; });
            offload.run_all(jobs);
            EXPECT_EQ(runs, std::vector<int>(5, 1));
            going.clear();
            for (const int one : done) EXPECT_EQ(one, 1);
        }
    }
}

// What waits for the disk holds a thread; others' jobs are done meanwhile, by whoever wants them.
TEST(ThreadOffload, JobsThatWaitHoldNobodyUp) {
    ThreadOffload offload(2);
    std::promise<void> gate;
    const std::shared_future<void> opened = gate.get_future().share();
    std::vector<std::unique_ptr<Offload::Going>> waiting;
    for (int i = 0; i < 4; ++i) waiting.push_back(offload.begin([opened] { opened.wait(); }));
    int runs = 0;
    const std::function<void()> job = [&runs] { ++runs; };
    for (int round = 0; round < 10; ++round) offload.run_all({&job, 1});
    std::vector<int> counts(4, 0);
    std::vector<std::function<void()>> jobs;
    for (int& count : counts) jobs.emplace_back([&count] { ++count; });
    offload.run_all(jobs);
    EXPECT_EQ(runs, 10);
    EXPECT_EQ(counts, std::vector<int>(4, 1));
    gate.set_value();
}

TEST(ThreadOffload, ServesSeveralCallersAtOnce) {
    ThreadOffload offload(3);
    std::array<int, 4> sums = {};
    std::vector<std::thread> callers;
    for (int& sum : sums) {
        callers.emplace_back([&offload, &sum] {
            for (int round = 0; round < 100; ++round) {
                std::vector<int> counts(8, 0);
                std::vector<std::function<void()>> jobs;
                for (int& count : counts) jobs.emplace_back([&count] { ++count; });
                offload.run_all(jobs);
                for (const int count : counts) sum += count;
            }
        });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(sums, (std::array<int, 4>{800, 800, 800, 800}));
}

}  // namespace
}  // namespace satchel::env::os
