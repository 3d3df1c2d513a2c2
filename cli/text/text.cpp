#include "cli/text/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace satchel::text {

std::optional<Language> language_of(std::string_view name) {
    if (name.starts_with("zh")) return Language::kChinese;
    if (name.starts_with("en") || name.starts_with("C") || name == "POSIX") return Language::kEnglish;
    return std::nullopt;
}

Language language_of_environment(std::string_view lc_all, std::string_view lc_messages,
                                 std::string_view lang) {
    const std::string_view name = !lc_all.empty() ? lc_all : !lc_messages.empty() ? lc_messages : lang;
    return language_of(name).value_or(Language::kEnglish);
}

std::string_view translate(Language language, std::string_view english) {
    if (language == Language::kEnglish) return english;
    for (const std::span<const Translation> table : {chinese_of_command_line(), chinese_of_engine()}) {
        const auto found =
            std::lower_bound(table.begin(), table.end(), english,
                             [](const Translation& row, std::string_view key) { return row.english < key; });
        if (found != table.end() && found->english == english) return found->chinese;
    }
    return english;
}

std::string fill(Language language, Literal text, Fields fields) {
    const std::string_view pattern = translate(language, text.text());
    std::string filled;
    for (std::size_t at = 0; at < pattern.size();) {
        const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string_view::npos;
        if (end != std::string_view::npos) {
            const std::string_view name = pattern.substr(at + 1, end - at - 1);
            const auto* const field = std::find_if(fields.begin(), fields.end(),
                                                   [&](const auto& each) { return each.first == name; });
            if (field != fields.end()) {
                filled += field->second;
                at = end + 1;
                continue;
            }
        }
        filled += pattern[at++];
    }
    return filled;
}

std::string printable(std::string_view text) {
    std::string shown;
    const auto escape = [&shown](unsigned char control) {
        std::array<char, 8> escaped{};
        std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(control));
        shown += control == '\n' ? "\\n" : control == '\t' ? "\\t" : escaped.data();
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0u;
        if (byte < 0x20 || byte == 0x7f) {
            escape(byte);
        } else if (byte == 0xc2 && next >= 0x80 &&
                   next < 0xa0) {  // U+0080 to U+009F, which terminals obey too
            escape(static_cast<unsigned char>(next));
            ++at;
        } else {
            shown += text[at];
        }
    }
    return shown;
}

std::string size_text(std::uint64_t bytes) {
    static constexpr std::array<const char*, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) return std::to_string(bytes) + " B";
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> shown{};
    std::snprintf(shown.data(), shown.size(), "%.1f %s", value, kUnits[unit]);
    return shown.data();
}

std::string duration_text(std::uint64_t seconds) {
    std::array<char, 48> shown{};
    const auto part = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    if (seconds >= 3600)
        std::snprintf(shown.data(), shown.size(), "%llu:%02llu:%02llu", part(seconds / 3600),
                      part(seconds / 60 % 60), part(seconds % 60));
    else
        std::snprintf(shown.data(), shown.size(), "%llu:%02llu", part(seconds / 60), part(seconds % 60));
    return shown.data();
}

}  // namespace satchel::text
