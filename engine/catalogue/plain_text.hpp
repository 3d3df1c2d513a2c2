// What the texts of documents may hold. Private to engine/catalogue.
#pragma once

#include <string_view>

namespace satchel::catalogue {

// No control character of ASCII or of U+0080..U+009F: nothing that could move a terminal's cursor.
[[nodiscard]] bool is_plain_text(std::string_view text);

// Letters, digits and hyphens, 1 to 35 of them (RFC 5646, section 4.4.1): "zh", "en", "zh-Hant-TW".
[[nodiscard]] bool is_language_tag(std::string_view text);

// "zh" of "zh-Hant-TW".
[[nodiscard]] std::string_view primary_language(std::string_view tag);

}  // namespace satchel::catalogue
