#include "cli/play/words.hpp"

#include <algorithm>
#include <cstdint>

namespace satchel::play {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

std::string percent(std::string_view text, std::string_view kept) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c) || kept.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kDigits[byte >> 4U];
            out += kDigits[byte & 15U];
        }
    }
    return out;
}

// How many bytes the character that begins with `byte` has; 0 for one that begins none.
std::size_t character_size(unsigned char byte) {
    if (byte < 0x80) return 1;
    if (byte >= 0xC2 && byte < 0xE0) return 2;
    if (byte >= 0xE0 && byte < 0xF0) return 3;
    if (byte >= 0xF0 && byte < 0xF5) return 4;
    return 0;
}

// A weight from "q=0.8", in thousandths; 0 for what is none.
int weight_of(std::string_view parameter) {
    parameter = trimmed(parameter);
    if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') return 1000;
    const std::string_view number = parameter.substr(2);
    if (number[0] == '1') return 1000;
    if (number[0] != '0') return 0;
    int weight = 0, scale = 100;
    for (std::size_t at = 2; at < std::min<std::size_t>(number.size(), 5); ++at, scale /= 10) {
        if (number[at] < '0' || number[at] > '9') return 0;
        weight += (number[at] - '0') * scale;
    }
    return weight;
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string html_of(std::string_view text) {
    std::string out;
    for (const char c : text::printable(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string url_part(std::string_view part) { return percent(part, ""); }
std::string url_path(std::string_view path) { return percent(path, "/"); }

std::string disposition(std::string_view kind, std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
    std::string plain;
    for (const char c : name) {
        const bool is_plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '%';
        if (is_plain)
            plain += c;
        else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U)  // one mark for each character
            plain += '_';
    }
    return std::string(kind) + "; filename=\"" + plain + "\"; filename*=UTF-8''" + percent(name, "");
}

bool begins_as_utf8(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = character_size(static_cast<unsigned char>(bytes[at]));
        if (size == 0) return false;
        for (std::size_t next = 1; next < size; ++next) {
            if (at + next >= bytes.size()) return true;
            if ((static_cast<unsigned char>(bytes[at + next]) & 0xC0U) != 0x80U) return false;
        }
        at += size;
    }
    return true;
}

text::Language page_language(std::string_view accept_language) {
    text::Language best = text::Language::kEnglish;
    int best_weight = 0;
    while (!accept_language.empty()) {
        const std::size_t comma = std::min(accept_language.find(','), accept_language.size());
        const std::string_view item = accept_language.substr(0, comma);
        accept_language.remove_prefix(std::min(comma + 1, accept_language.size()));
        const std::size_t semicolon = std::min(item.find(';'), item.size());
        const std::string_view tag = trimmed(item.substr(0, semicolon));
        const std::string_view primary = tag.substr(0, tag.find('-'));
        const bool is_chinese = same_word(primary, "zh");
        if (!is_chinese && !same_word(primary, "en")) continue;
        const int weight = weight_of(item.substr(std::min(semicolon + 1, item.size())));
        if (weight <= best_weight) continue;
        best_weight = weight;
        best = is_chinese ? text::Language::kChinese : text::Language::kEnglish;
    }
    return best;
}

}  // namespace satchel::play
