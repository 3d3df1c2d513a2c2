// Words for people. The English literals in the sources are the keys; a language that lacks one shows the
// English. tests/cli/text_test.cpp fails for a literal that has no Chinese.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/result.hpp"

namespace satchel::text {

enum class Language { kEnglish, kChinese };

[[nodiscard]] std::optional<Language> language_of(std::string_view name);  // "en", "zh", "zh_CN.UTF-8"
// As the environment says: the first of these that is not empty.
[[nodiscard]] Language language_of_environment(std::string_view lc_all, std::string_view lc_messages,
                                               std::string_view lang);

[[nodiscard]] std::string_view translate(Language language, std::string_view english);

using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;
// The text with each {name} replaced by its field.
[[nodiscard]] std::string fill(Language language, Literal text, Fields fields = {});

struct Translation {
    std::string_view english;
    std::string_view chinese;
};
// Each sorted by the bytes of the English; no key is in both.
[[nodiscard]] std::span<const Translation> chinese_of_command_line();
[[nodiscard]] std::span<const Translation> chinese_of_engine();

// Control characters, which a name from outside may hold, become "\n", "\t" or "\x1b": no name plays with the
// terminal.
[[nodiscard]] std::string printable(std::string_view text);

// -- numbers for people ----------------------------------------------------------------------------
[[nodiscard]] std::string size_text(std::uint64_t bytes);        // "1.5 MiB"
[[nodiscard]] std::string duration_text(std::uint64_t seconds);  // "2:05", "1:02:05"

}  // namespace satchel::text
