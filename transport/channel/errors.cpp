#include "transport/channel/errors.hpp"

namespace satchel::channel {

Error handshake_fails(std::string detail) {
    return fail(ErrorCode::kRefused, "link", "the other end does not prove that it belongs to this network",
                "check the address, and that both boxes belong to the same network", std::move(detail));
}

Error handshake_too_slow() {
    return fail(ErrorCode::kUnreachable, "link", "the other end did not finish its greeting in time",
                "connect again; what arrived whole is kept");
}

Error link_altered(std::string detail) {
    return fail(ErrorCode::kDamaged, "link", "what came over the link was altered or is out of order",
                "connect again; what arrived whole is kept", std::move(detail));
}

Error link_cut() {
    return fail(ErrorCode::kUnreachable, "link", "the link was cut",
                "connect again; what arrived whole is kept");
}

Error no_link() {
    return fail(ErrorCode::kDamaged, "link", "the other end does not speak satchel's language",
                "check the address and the port");
}

Error newer_version(std::string detail) {
    return fail(ErrorCode::kUnsupported, "link", "the other end speaks a newer version",
                "update satchel on this box", std::move(detail));
}

Error message_too_large() {
    return fail(ErrorCode::kTooLarge, "link", "the message is larger than a link carries",
                "split it into smaller parts");
}

Error peer_sends_too_much() {
    return fail(ErrorCode::kTooLarge, "link", "the other end sent a larger message than a link carries",
                "update satchel on both boxes");
}

Error no_network_secret() {
    return fail(ErrorCode::kRefused, "link", "this site has no secret for first contacts",
                "connect to a site of the roster, or join the network first");
}

Error unknown_peer(std::string about) {
    return fail(ErrorCode::kNotFound, std::move(about), "the roster here does not name the other site",
                "read the newest catalogue here, or have the hub enrol that site");
}

Error revoked_peer(std::string about) {
    return fail(ErrorCode::kRefused, std::move(about), "the other site was revoked",
                "ask the hub; if the box is still in use it must join again with new keys");
}

Error unknown_there() {
    return fail(ErrorCode::kRefused, "link", "the roster of the other site does not name this box",
                "read the newest catalogue there, or have the hub enrol this box");
}

Error revoked_there() {
    return fail(ErrorCode::kRefused, "link", "this box was revoked",
                "ask the hub; if the box is still in use it must join again with new keys");
}

Error not_now_there() {
    return fail(ErrorCode::kBusy, "link", "the other site takes no link now", "try again later");
}

}  // namespace satchel::channel
