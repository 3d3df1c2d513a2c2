// Bytes hidden from whoever chose them, so that nothing in a file of ours looks as somebody else meant it to.
// Not for secrecy.
#pragma once

#include <span>

#include "engine/base/bytes.hpp"
#include "engine/base/ids.hpp"

namespace satchel {

// Adds (XOR) the ChaCha20 stream of RFC 8439 with `key`, a nonce of zeros and the counter from 0. Twice gives
// the bytes back.
void mask(std::span<std::uint8_t> bytes, const Digest& key);

}  // namespace satchel
