#include "transport/link/address.hpp"

#include <charconv>

#include "transport/link/errors.hpp"

namespace satchel::link {

std::string Address::text() const {
    const bool number6 = host.find(':') != std::string::npos;
    return (number6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(std::string_view text, bool may_choose_port) {
    const auto bad = [&] { return bad_address(std::string(text)); };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad();
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    if (host.starts_with('[')) {
        if (!host.ends_with(']') || host.size() < 4) return bad();
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return bad();
    }
    for (const char letter : host)
        if (letter <= ' ' || letter == '[' || letter == ']' || letter == '/') return bad();
    Address address{std::string(host), 0};
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size() || port.empty()) return bad();
    if (host.size() > kHostMax || (address.port == 0 && !may_choose_port)) return bad();
    if (host.empty() && !may_choose_port) return bad();  // to connect, a host must be named
    return address;
}

}  // namespace satchel::link
