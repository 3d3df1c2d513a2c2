#include "transport/link/errors.hpp"

namespace satchel::link {

Error bad_address(std::string text) {
    return fail(ErrorCode::kUsage, std::move(text), "this is no address",
                "give a host and a port, as in hub.example:7247 or [2001:db8::1]:7247");
}

Error unknown_host(std::string address, std::string detail) {
    return fail(ErrorCode::kUnreachable, std::move(address), "no host of this name is known here",
                "check the name and the network, or give the number of the address", std::move(detail));
}

Error cannot_connect(std::string address, std::string detail) {
    return fail(ErrorCode::kUnreachable, std::move(address), "the other side does not answer",
                "check the address and the network, and that `satchel serve --listen` runs there",
                std::move(detail));
}

Error cannot_listen(std::string address, std::string detail) {
    return fail(ErrorCode::kIo, std::move(address), "no links can be taken at this address",
                "give an address of this box and a free port", std::move(detail));
}

Error silent(std::string address) {
    return fail(ErrorCode::kUnreachable, std::move(address), "the other side fell silent",
                "connect again; what arrived whole is kept");
}

Error left_early(std::string address) {
    return fail(ErrorCode::kUnreachable, std::move(address), "the other side left before the end",
                "connect again; what arrived whole is kept");
}

Error closed_in_greeting(std::string address) {
    return fail(ErrorCode::kRefused, std::move(address), "the other side closes the link when it is greeted",
                "check the address, and that both boxes belong to the same network");
}

Error leads_back(std::string about) {
    return fail(ErrorCode::kUsage, std::move(about),
                "this address leads back to this box, or to a copy of it",
                "give the address of another site");
}

Error replaced(std::string address) {
    return fail(ErrorCode::kUnreachable, std::move(address), "a newer link to the same site took its place",
                "nothing needs to be done");
}

Error stopping() {
    return fail(ErrorCode::kCancelled, "", "stopped before the end",
                "run the same command again: it goes on where it stopped");
}

}  // namespace satchel::link
