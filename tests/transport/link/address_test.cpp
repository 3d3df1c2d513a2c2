#include "transport/link/address.hpp"

#include <gtest/gtest.h>

namespace satchel::link {
namespace {

TEST(Address, IsReadAsPeopleWriteIt) {
    const auto name = parse_address("hub.example:7247", false);
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->host, "hub.example");
    EXPECT_EQ(name->port, 7247);
    const auto number6 = parse_address("[2001:db8::1]:80", false);
    ASSERT_TRUE(number6.has_value());
    EXPECT_EQ(number6->host, "2001:db8::1");
    EXPECT_EQ(number6->text(), "[2001:db8::1]:80");
    EXPECT_EQ(parse_address("10.0.0.1:1", false)->text(), "10.0.0.1:1");
}

TEST(Address, ToListenAtMayLeaveOutTheHostAndThePort) {
    const auto any = parse_address(":0", true);
    ASSERT_TRUE(any.has_value());
    EXPECT_TRUE(any->host.empty());
    EXPECT_FALSE(parse_address(":7247", false).has_value());
    EXPECT_FALSE(parse_address("hub:0", false).has_value());
}

TEST(Address, ThatMakesNoSenseIsRefused) {
    for (const char* const text : {"", "hub", "hub:", "hub:port", "hub:70000", "hub:-1", "hub:1x", "::1:80",
                                   "[]:80", "[::1]", "[::1]80", "a b:80", "http://hub:80", "hub\n:80"}) {
        const auto address = parse_address(text, true);
        ASSERT_FALSE(address.has_value()) << text;
        EXPECT_EQ(address.error().code, ErrorCode::kUsage);
    }
    EXPECT_FALSE(parse_address(std::string(kHostMax + 1, 'a') + ":80", false).has_value());
}

}  // namespace
}  // namespace satchel::link
