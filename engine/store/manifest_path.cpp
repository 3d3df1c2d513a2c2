#include <algorithm>

#include "engine/store/manifest.hpp"

namespace satchel::store {

namespace {

constexpr std::size_t kPartMax = 255;

// Length of the well-formed UTF-8 sequence (RFC 3629) that `text` begins with, or 0; control characters count
// as ill-formed.
std::size_t printable_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const unsigned first = byte(0);
    if (first < 0x20 || first == 0x7f) return 0;
    if (first < 0x80) return 1;
    if (first == 0xc2 && byte(1) < 0xa0) return 0;  // C1 control characters
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool overlong = first == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = first == 0xed && byte(1) >= 0xa0;
        return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool overlong = first == 0xf0 && byte(1) < 0x90;
        const bool beyond = first == 0xf4 && byte(1) >= 0x90;
        return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

bool is_plain_part(std::string_view part) {
    if (part.empty() || part.size() > kPartMax || part == "." || part == "..") return false;
    while (!part.empty()) {
        const std::size_t length = printable_length(part);
        if (length == 0) return false;
        part.remove_prefix(length);
    }
    return true;
}

}  // namespace

Result<void> check_path(std::string_view path) {
    const auto refused = [&] {
        return fail(ErrorCode::kRefused, std::string(path),
                    "the name holds control characters, is not UTF-8 or lies too deep",
                    "rename the file or folder");
    };
    if (path.empty() || path.size() > kPathMax) return refused();
    std::size_t depth = 0;
    for (std::string_view rest = path;;) {
        const std::size_t slash = rest.find('/');
        if (++depth > kPathDepthMax || !is_plain_part(rest.substr(0, slash))) return refused();
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

}  // namespace satchel::store
