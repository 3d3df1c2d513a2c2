#include "cli/play/request.hpp"

#include <arpa/inet.h>
#include <algorithm>

#include "cli/play/words.hpp"

namespace satchel::play {

namespace {

constexpr int kBadRequest = 400, kTooLong = 414, kHeadersTooLarge = 431, kHasBody = 413, kVersion = 505;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_token(std::string_view text) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

// Printable ASCII, and bytes from 0x80 on: some clients send UTF-8 as it is.
bool is_plain(std::string_view text, bool may_have_space) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 ? byte != 0x7F : may_have_space && (c == ' ' || c == '\t');
    });
}

std::optional<std::string> decoded(std::string_view part) {
    std::string out;
    for (std::size_t at = 0; at < part.size(); ++at) {
        if (part[at] != '%') {
            out += part[at];
            continue;
        }
        if (at + 2 >= part.size()) return std::nullopt;
        const int high = hex_digit(part[at + 1]), low = hex_digit(part[at + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return out;
}

// "name:80" or "[::1]:80"; nullopt for what is no host.
std::optional<std::string> host_of(std::string_view authority) {
    std::string_view host = authority, port;
    const std::size_t end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
    if (authority.starts_with('[')) {
        if (end == std::string_view::npos) return std::nullopt;
        host = authority.substr(0, end + 1);
        port = authority.substr(end + 1);
    } else if (end != std::string_view::npos) {
        host = authority.substr(0, end);
        port = authority.substr(end);
    }
    const bool good_port =
        port.empty() || (port[0] == ':' && port.size() <= 6 &&
                         port.find_first_not_of("0123456789", 1) == std::string_view::npos);
    const bool good_host = std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '.' || c == '_' || c == ':' || c == '[' || c == ']';
    });
    if (!good_port || !good_host || host.empty()) return std::nullopt;
    return lower_case(host);
}

void read_query(std::string_view query, Request& request) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view item = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (item == "download") request.is_download = true;
        if (!item.starts_with("page=")) continue;
        std::uint32_t page = 0;
        for (const char digit : item.substr(5))
            page = digit < '0' || digit > '9' || page > kPageNumberMax
                       ? kPageNumberMax + 1
                       : page * 10 + static_cast<std::uint32_t>(digit - '0');
        request.page = page == 0 || page > kPageNumberMax ? 1 : page;
    }
}

// "/path?query", or "http://host/path?query" as a proxy gets it.
int read_target(std::string_view target, Request& request) {
    constexpr std::string_view kScheme = "http://";
    if (target.size() > kTargetBytesMax) return kTooLong;
    if (!is_plain(target, false)) return kBadRequest;
    if (target.size() > kScheme.size() && same_word(target.substr(0, kScheme.size()), kScheme)) {
        target.remove_prefix(kScheme.size());
        const std::size_t end = std::min(target.find_first_of("/?"), target.size());
        const std::optional<std::string> host = host_of(target.substr(0, end));
        if (!host) return kBadRequest;
        request.host = *host;
        target.remove_prefix(end);
        if (target.empty()) target = "/";
    }
    target = target.substr(0, target.find('#'));
    const std::size_t question = target.find('?');
    std::optional<std::vector<std::string>> parts = path_parts(target.substr(0, question));
    if (!parts) return kBadRequest;
    request.parts = std::move(*parts);
    if (question != std::string_view::npos) read_query(target.substr(question + 1), request);
    return 0;
}

int read_request_line(std::string_view line, Request& request) {
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return kBadRequest;
    const std::string_view method = line.substr(0, first), version = line.substr(last + 1);
    if (!is_token(method) || !version.starts_with("HTTP/")) return kBadRequest;
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return kVersion;
    request.keeps_alive = version == "HTTP/1.1";
    request.method = method == "GET" ? Method::kGet : method == "HEAD" ? Method::kHead : Method::kOther;
    return read_target(line.substr(first + 1, last - first - 1), request);
}

struct Seen {
    bool host = false, body = false, close = false, keep = false;
    std::string host_value;
};

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (same_word(trimmed(list.substr(0, comma)), word)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

// A header that came twice has no single meaning; the empty text matches nothing.
void put_once(std::optional<std::string>& slot, std::string_view value) {
    slot = slot ? std::string() : std::string(value);
}

int read_header(std::string_view line, Request& request, Seen& seen) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return kBadRequest;
    const std::string name = lower_case(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_plain(value, true)) return kBadRequest;
    if (name == "host") {
        if (seen.host) return kBadRequest;
        seen.host = true;
        seen.host_value = value;
    } else if (name == "content-length") {
        seen.body = seen.body || value.find_first_not_of('0') != std::string_view::npos || value.empty();
    } else if (name == "transfer-encoding") {
        seen.body = true;
    } else if (name == "connection") {
        seen.close = seen.close || has_word(value, "close");
        seen.keep = seen.keep || has_word(value, "keep-alive");
    } else if (name == "range") {
        put_once(request.range, value);
    } else if (name == "if-match") {
        put_once(request.if_match, value);
    } else if (name == "if-none-match") {
        put_once(request.if_none_match, value);
    } else if (name == "if-range") {
        put_once(request.if_range, value);
    } else if (name == "accept-language") {
        request.accept_language = value;
    }
    return 0;
}

int read_head(std::string_view head, Request& request) {
    if (head.size() > kHeadBytesMax) return kHeadersTooLarge;
    Seen seen;
    std::size_t lines = 0;
    while (true) {
        const std::size_t end = head.find("\r\n");
        if (end == std::string_view::npos) return kBadRequest;
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        if (line.empty() && lines > 0) break;
        if (lines > kHeaderLinesMax) return kHeadersTooLarge;
        const int refusal = lines == 0 ? read_request_line(line, request) : read_header(line, request, seen);
        if (refusal != 0) return refusal;
        ++lines;
    }
    const bool is_newer = request.keeps_alive;
    request.keeps_alive = !seen.close && (is_newer || seen.keep);
    if (seen.host && request.host.empty()) {
        const std::optional<std::string> host = host_of(seen.host_value);
        if (!host) return kBadRequest;
        request.host = *host;
    }
    if (!seen.host && is_newer) return kBadRequest;
    return seen.body ? kHasBody : 0;
}

}  // namespace

std::optional<std::vector<std::string>> path_parts(std::string_view path) {
    if (!path.starts_with('/')) return std::nullopt;
    std::vector<std::string> parts;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        std::optional<std::string> part = decoded(path.substr(0, end));
        if (!part) return std::nullopt;
        parts.push_back(std::move(*part));
        path.remove_prefix(end);
    }
    return parts;
}

Request parse_head(std::string_view head) {
    Request request;
    request.refusal = read_head(head, request);
    // Where a refused request ends is not certain: nothing after it is read.
    if (request.refusal != 0) request.keeps_alive = false;
    return request;
}

bool is_own_host(const std::string& host, const std::vector<std::string>& names) {
    if (host.empty() || host == "localhost") return true;  // without a host: HTTP/1.0, never a browser
    in6_addr address{};
    if (::inet_pton(AF_INET, host.c_str(), &address) == 1) return true;
    if (host.starts_with('[') && host.ends_with(']') &&
        ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) == 1)
        return true;
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return same_word(name, host); });
}

}  // namespace satchel::play
