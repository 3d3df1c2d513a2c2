// CRC-32C (Castagnoli), the checksum of records and of the index: it finds damage, and proves nothing else.
#pragma once

#include <cstdint>

#include "engine/base/bytes.hpp"

namespace satchel::store {

// Of bytes that come in parts: pass what the part before returned. The first part takes 0.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);

}  // namespace satchel::store
