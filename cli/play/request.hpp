// The head of an HTTP/1 request, from foreign bytes. Strict where leniency has fooled servers before: lines
// end in CR LF, no folded lines, no control characters, no body, each header that counts at most once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::play {

// The longest path of a manifest (4,096 bytes), each byte as %XX, and a course's id before it.
inline constexpr std::size_t kTargetBytesMax = 16 * 1024;
inline constexpr std::size_t kHeadBytesMax = 32 * 1024;  // browsers send about 1 KiB beside the target
inline constexpr std::size_t kHeaderLinesMax = 64;       // browsers send about 20
inline constexpr std::uint32_t kPageNumberMax = 1'000'000;

enum class Method { kGet, kHead, kOther };

struct Request {
    int refusal = 0;  // the status to answer with when the head itself is refused; else 0
    Method method = Method::kGet;
    // The decoded parts of the path between its slashes: "/" is {""}, "/course/a%2Fb/" is {"course", "a/b",
    // ""}.
    std::vector<std::string> parts;
    std::uint32_t page = 1;    // ?page=N
    bool is_download = false;  // ?download
    std::string host;          // as it stands in a URL, lower case, without the port; empty: none was given
    std::optional<std::string> range, if_match, if_none_match, if_range;
    std::string accept_language;
    bool keeps_alive = true;
};

// `head`: the request line and the headers with the empty line that ends them.
[[nodiscard]] Request parse_head(std::string_view head);

// The decoded parts of a request target's path; nullopt for what is none.
[[nodiscard]] std::optional<std::vector<std::string>> path_parts(std::string_view path);

// Whether a browser that was sent here by this Host header may be answered: only names that nobody outside
// can point at this box. (A page of a foreign site could else read along, by DNS rebinding.)
[[nodiscard]] bool is_own_host(const std::string& host, const std::vector<std::string>& names);

}  // namespace satchel::play
