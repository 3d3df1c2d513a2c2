// HOST:PORT, as people write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.hpp"

namespace satchel::link {

inline constexpr std::size_t kHostMax = 253;  // of a name in DNS

struct Address {
    std::string host;  // a name or a number; empty: every address of this box
    std::uint16_t port = 0;
    [[nodiscard]] std::string text() const;  // brackets around what has colons
};

// "host:port", "1.2.3.4:port", "[::1]:port", ":port". kUsage. Port 0 only where the kernel may choose.
Result<Address> parse_address(std::string_view text, bool may_choose_port);

}  // namespace satchel::link
