#include "engine/catalogue/plain_text.hpp"

#include <algorithm>

namespace satchel::catalogue {

bool is_plain_text(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte == 0x7f) return false;
        if (byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0)
            return false;
    }
    return true;
}

bool is_language_tag(std::string_view text) {
    constexpr std::size_t kTagMax = 35;
    return !text.empty() && text.size() <= kTagMax && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
}

std::string_view primary_language(std::string_view tag) { return tag.substr(0, tag.find('-')); }

}  // namespace satchel::catalogue
