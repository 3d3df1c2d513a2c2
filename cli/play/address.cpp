#include "cli/play/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>
#include <optional>

#include "engine/env/os/posix_disk.hpp"

namespace satchel::play {

namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

std::optional<SocketAddress> socket_address(const Address& address) {
    SocketAddress out;
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET, address.host.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(address.port);
        std::memcpy(&out.storage, &four, sizeof four);
        out.size = sizeof four;
        return out;
    }
    if (::inet_pton(AF_INET6, address.host.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(address.port);
        std::memcpy(&out.storage, &six, sizeof six);
        out.size = sizeof six;
        return out;
    }
    return std::nullopt;
}

}  // namespace

std::string Address::url_host() const {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool Address::is_loopback() const { return host.starts_with("127.") || host == "::1"; }

Result<Address> parse_address(std::string_view option, std::string_view text, const std::string& host) {
    const auto wrong = [&] {
        return fail(ErrorCode::kUsage, std::string(option) + " " + std::string(text),
                    "this is no address to listen at",
                    "give an IP address and a port, such as 127.0.0.1:8080, or only a port");
    };
    Address address{.host = host, .port = 0};
    std::string_view port = text;
    if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
        std::string_view name = text.substr(0, colon);
        port = text.substr(colon + 1);
        const bool has_brackets = name.size() > 2 && name.front() == '[' && name.back() == ']';
        if (has_brackets) name = name.substr(1, name.size() - 2);
        if (has_brackets != (name.find(':') != std::string_view::npos)) return wrong();
        address.host = name == "localhost" ? "127.0.0.1" : std::string(name);
    }
    if (port.empty() || port.size() > 5) return wrong();
    std::uint32_t number = 0;
    for (const char digit : port) {
        if (digit < '0' || digit > '9') return wrong();
        number = number * 10 + static_cast<std::uint32_t>(digit - '0');
    }
    if (number > 65'535) return wrong();
    address.port = static_cast<std::uint16_t>(number);
    if (!socket_address(address)) return wrong();
    return address;
}

Error why_not(std::string_view option, const Address& address) {
    const std::string about =
        std::string(option) + " " + address.url_host() + ":" + std::to_string(address.port);
    const std::optional<SocketAddress> where = socket_address(address);
    int error = EADDRNOTAVAIL;
    if (where) {
        const env::os::Descriptor socket(::socket(where->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_storage copy = where->storage;
        const bool bound = socket.get() >= 0 &&
                           ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&copy), where->size) == 0;
        error = bound ? EADDRINUSE : errno;
    }
    if (error == EADDRINUSE)
        return fail(ErrorCode::kBusy, about, "another program listens at this address",
                    "choose another port, or stop that program");
    if (error == EACCES)
        return fail(ErrorCode::kFailed, about, "this port needs rights that this program does not have",
                    "choose a port from 1024 on");
    return fail(ErrorCode::kUsage, about, "this box does not have this address",
                "give one of its own, as `ip address` lists them, or 0.0.0.0 for all", std::strerror(error));
}

}  // namespace satchel::play
