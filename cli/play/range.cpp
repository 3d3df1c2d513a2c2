#include "cli/play/range.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "cli/play/words.hpp"

namespace satchel::play {

namespace {

constexpr std::string_view kUnit = "bytes=";

// Numbers beyond 64 bits lie behind the end of any file: they count as the largest.
std::optional<std::uint64_t> number_of(std::string_view digits) {
    constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();
    if (digits.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return std::nullopt;
        const auto add = static_cast<std::uint64_t>(digit - '0');
        value = value > (kLargest - add) / 10 ? kLargest : value * 10 + add;
    }
    return value;
}

}  // namespace

ByteRange range_of(std::string_view header, std::uint64_t size) {
    const ByteRange whole{RangeKind::kWhole, 0, size};
    const ByteRange unsatisfiable{RangeKind::kUnsatisfiable, 0, 0};
    if (header.size() < kUnit.size() || !same_word(header.substr(0, kUnit.size()), kUnit)) return whole;
    const std::string_view set = trimmed(header.substr(kUnit.size()));
    const std::size_t dash = set.find('-');
    if (dash == std::string_view::npos) return whole;
    const std::string_view before = set.substr(0, dash), after = set.substr(dash + 1);
    if (before.empty()) {
        const std::optional<std::uint64_t> suffix = number_of(after);
        if (!suffix) return whole;
        if (*suffix == 0 || size == 0) return unsatisfiable;
        const std::uint64_t length = std::min(*suffix, size);
        return {RangeKind::kPart, size - length, length};
    }
    const std::optional<std::uint64_t> first = number_of(before);
    const std::optional<std::uint64_t> last =
        after.empty() ? std::numeric_limits<std::uint64_t>::max() : number_of(after);
    if (!first || !last || *first > *last) return whole;
    if (*first >= size) return unsatisfiable;
    return {RangeKind::kPart, *first, std::min(*last, size - 1) - *first + 1};
}

}  // namespace satchel::play
