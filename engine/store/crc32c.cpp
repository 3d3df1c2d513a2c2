#include "engine/store/crc32c.hpp"

#include <isa-l/crc.h>

namespace satchel::store {

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
    // ISA-L takes no const and an int length; it only reads, and nothing of ours is near that long.
    auto* data = const_cast<std::uint8_t*>(bytes.data());
    return ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~before);
}

}  // namespace satchel::store
