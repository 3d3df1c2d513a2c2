// Asking the hub again: the same grant while it holds, a new one afterwards, none for a revoked box.
#include <gtest/gtest.h>

#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel::site {
namespace {

using namespace support;

constexpr std::int64_t kDayMs = 24ll * 3600 * 1000;

class Enrol : public testing::Test {
  protected:
    void SetUp() override {
        world_.clock.set_wall(1'700'000'000'000);
        hub_ = found_hub(hub_disk_, world_.world());
        request_ = must(Site::request_to_join(village_disk_, world_.world(), "village"));
    }
    simulations::SimWorld world_;
    simulations::SimDisk hub_disk_, village_disk_;
    std::unique_ptr<Site> hub_;
    std::string request_;
};

TEST_F(Enrol, AnswersTheSameRequestWithTheSameGrantWhileItHolds) {
    const std::string grant = must(hub_->enrol(request_, {}));
    world_.clock.step_wall(29 * kDayMs);
    EXPECT_EQ(must(hub_->enrol(request_, {})), grant);
}

TEST_F(Enrol, AnswersWithANewGrantWhenTheFirstHasExpired) {
    const std::string expired = must(hub_->enrol(request_, {}));
    world_.clock.step_wall(31 * kDayMs);
    EXPECT_FALSE(Site::join(village_disk_, world_.world(), expired, std::nullopt).has_value());
    const std::string grant = must(hub_->enrol(request_, {}));
    EXPECT_NE(grant, expired);
    must(Site::join(village_disk_, world_.world(), grant, std::nullopt));
}

TEST_F(Enrol, GivesARevokedBoxNoGrantAgain) {
    must(hub_->enrol(request_, {}));
    must(hub_->revoke_site("village"));
    const Result<std::string> again = hub_->enrol(request_, {});
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::kRefused);
}

}  // namespace
}  // namespace satchel::site
