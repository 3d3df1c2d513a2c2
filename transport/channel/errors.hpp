// How a channel ends, in words for people. One place, so that both ends say the same.
#pragma once

#include <string>

#include "engine/base/result.hpp"

namespace satchel::channel {

[[nodiscard]] Error handshake_fails(std::string detail);  // kRefused
[[nodiscard]] Error handshake_too_slow();                 // kUnreachable
[[nodiscard]] Error link_altered(std::string detail);     // kDamaged
[[nodiscard]] Error link_cut();                           // kUnreachable
[[nodiscard]] Error no_link();                            // kDamaged: some other protocol
[[nodiscard]] Error newer_version(std::string detail);    // kUnsupported
[[nodiscard]] Error message_too_large();                  // kTooLarge: ours
[[nodiscard]] Error peer_sends_too_much();                // kTooLarge: theirs
[[nodiscard]] Error no_network_secret();                  // kRefused

// What identify() may answer.
[[nodiscard]] Error unknown_peer(std::string about);  // kNotFound
[[nodiscard]] Error revoked_peer(std::string about);  // kRefused

// What the answering end said of us.
[[nodiscard]] Error unknown_there();  // kRefused
[[nodiscard]] Error revoked_there();  // kRefused
[[nodiscard]] Error not_now_there();  // kBusy

}  // namespace satchel::channel
