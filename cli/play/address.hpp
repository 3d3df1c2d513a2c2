// Addresses to listen at, as people write them: "8080", "127.0.0.1:8080", "[::1]:8080", "localhost:8080".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.hpp"

namespace satchel::play {

struct Address {
    std::string host;                            // an IP address, without brackets
    std::uint16_t port = 0;                      // 0: any that is free
    [[nodiscard]] std::string url_host() const;  // with brackets if it is IPv6
    [[nodiscard]] bool is_loopback() const;
};

// `host`: what a port alone means. `option` is named by the error.
Result<Address> parse_address(std::string_view option, std::string_view text, const std::string& host);

// Why nobody can listen at an address, tried once more: in use, not of this box, not allowed.
Error why_not(std::string_view option, const Address& address);

}  // namespace satchel::play
