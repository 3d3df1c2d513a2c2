// Small forms of text that HTTP and HTML ask for.
#pragma once

#include <string>
#include <string_view>

#include "cli/text/text.hpp"

namespace satchel::play {

[[nodiscard]] bool same_word(std::string_view a, std::string_view b);  // ASCII letters in any case
[[nodiscard]] std::string lower_case(std::string_view text);           // ASCII letters only
[[nodiscard]] std::string_view trimmed(std::string_view text);         // without spaces and tabs around it

// Safe as text and in a quoted attribute; control characters become visible.
[[nodiscard]] std::string html_of(std::string_view text);
// One part of a URL's path: all but unreserved characters as %XX, so "/" too.
[[nodiscard]] std::string url_part(std::string_view part);
// A path whose parts stay apart.
[[nodiscard]] std::string url_path(std::string_view path);
// The value of Content-Disposition with the last part of the path as name: ASCII for old browsers, and the
// whole name as RFC 6266 and RFC 8187 write it.
[[nodiscard]] std::string disposition(std::string_view kind, std::string_view path);

// A text that was cut anywhere may end inside a character.
[[nodiscard]] bool begins_as_utf8(std::string_view bytes);

// The language of the pages that a browser gets: what it likes best among ours, else English.
[[nodiscard]] text::Language page_language(std::string_view accept_language);

}  // namespace satchel::play
