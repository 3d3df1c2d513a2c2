#include "engine/env/reserve.hpp"

#include <gtest/gtest.h>

#include "simulations/world/sim_disk.hpp"

namespace satchel::env {
namespace {

using simulations::SimDisk;

constexpr std::uint64_t kReserve = 1'000'000;

TEST(Reserve, LeavesTheLastRoomToOthers) {
    SimDisk disk({.capacity = kReserve + 50'000});
    Reserve reserve(disk, kReserve);
    EXPECT_TRUE(reserve.allow(30'000, "packs").has_value());
    EXPECT_TRUE(reserve.allow(20'000, "packs").has_value());
    disk.set_capacity(kReserve);  // as what was written leaves it
    const Result<void> refused = reserve.allow(1, "packs");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace);
    EXPECT_EQ(refused.error().about, disk.describe("packs"));
}

TEST(Reserve, SaysYesAgainOnceThereIsRoom) {
    SimDisk disk({.capacity = kReserve / 2});
    Reserve reserve(disk, kReserve);
    EXPECT_FALSE(reserve.allow(1, "packs").has_value());
    disk.set_capacity(kReserve + 1);
    EXPECT_TRUE(reserve.allow(1, "packs").has_value());
}

TEST(Reserve, NoticesWhatOthersTookAfterAFewMegabytes) {
    SimDisk disk({.capacity = kReserve + 100'000'000});
    Reserve reserve(disk, kReserve);
    EXPECT_TRUE(reserve.allow(10, "packs").has_value());
    disk.set_capacity(kReserve);
    EXPECT_TRUE(reserve.allow(Reserve::kAskEveryBytes - 10, "packs").has_value());
    EXPECT_FALSE(reserve.allow(1, "packs").has_value());
}

TEST(Reserve, AllowsALargeFileOnlyAsAWhole) {
    SimDisk disk({.capacity = kReserve + 3 * Reserve::kAskEveryBytes});
    Reserve reserve(disk, kReserve);
    EXPECT_FALSE(reserve.allow(3 * Reserve::kAskEveryBytes + 1, "film").has_value());
    EXPECT_TRUE(reserve.allow(3 * Reserve::kAskEveryBytes, "film").has_value());
}

}  // namespace
}  // namespace satchel::env
