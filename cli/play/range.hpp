// The header Range of RFC 9110, section 14: which bytes of a file an answer holds.
//
// One range, as first-last, first- or -suffix. What is no valid range, another unit, and several ranges at
// once are answered with the whole file, as the RFC allows: so no list of overlapping ranges costs anything.
#pragma once

#include <cstdint>
#include <string_view>

namespace satchel::play {

enum class RangeKind { kWhole, kPart, kUnsatisfiable };

struct ByteRange {
    RangeKind kind = RangeKind::kWhole;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;  // of kWhole: the size; of kUnsatisfiable: 0
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

[[nodiscard]] ByteRange range_of(std::string_view header, std::uint64_t size);

}  // namespace satchel::play
