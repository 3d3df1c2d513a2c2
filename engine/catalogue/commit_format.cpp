#include "engine/catalogue/commit_format.hpp"

#include <algorithm>
#include <charconv>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/plain_text.hpp"

namespace satchel::catalogue {

namespace {

constexpr std::string_view kTreeTrailer = "Satchel-Tree: ";
constexpr std::string_view kParentTrailer = "Satchel-Parent: ";
constexpr std::string_view kOriginDomain("satchel/lane/v1\0", 16);

Error foreign_commit(const GitId& id, const char* detail) {
    return fail(ErrorCode::kRefused, to_hex(id), "the lane's history holds what does not belong there",
                "get the catalogue from the hub or another stick", detail);
}

// Takes "NAME value\n" off the front.
std::optional<std::string_view> take_header(std::string_view& rest, std::string_view name) {
    if (!rest.starts_with(name)) return std::nullopt;
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = rest.substr(name.size(), end - name.size());
    rest.remove_prefix(end + 1);
    return value;
}

// A header whose further lines begin with a space.
std::optional<std::string> take_folded(std::string_view& rest, std::string_view name) {
    const std::optional<std::string_view> first = take_header(rest, name);
    if (!first) return std::nullopt;
    std::string value(*first);
    while (const std::optional<std::string_view> more = take_header(rest, " "))
        value.append("\n").append(*more);
    return value;
}

bool is_number(std::string_view text, std::int64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool padded = text.size() > 1 && text.front() == '0';
    return error == std::errc() && end == text.data() + text.size() && value >= 0 && !padded;
}

bool is_zone(std::string_view text) {
    return text.size() == 5 && (text[0] == '+' || text[0] == '-') &&
           std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "NAME <MAIL> SECONDS ZONE", as `git fsck --strict` wants it.
bool read_person(std::string_view line, std::string& name, std::int64_t& time_s) {
    const std::size_t open = line.find(" <");
    const std::size_t close = line.find("> ", open == std::string_view::npos ? line.size() : open);
    if (open == std::string_view::npos || open == 0 || close == std::string_view::npos) return false;
    const std::string_view mail = line.substr(open + 2, close - open - 2);
    const std::string_view when = line.substr(close + 2);
    const std::size_t space = when.find(' ');
    name = line.substr(0, open);
    return name.find_first_of("<>") == std::string::npos &&
           mail.find_first_of("<> ") == std::string_view::npos && is_plain_text(line) &&
           space != std::string_view::npos && is_number(when.substr(0, space), time_s) &&
           is_zone(when.substr(space + 1));
}

// Takes the trailer line off the end.
bool take_trailer(std::string_view& message, std::string_view name, Digest& digest) {
    const std::size_t size = name.size() + 2 * digest.size() + 1;
    if (message.size() < size || message.back() != '\n') return false;
    const std::string_view line = message.substr(message.size() - size, size - 1);
    if (!line.starts_with(name)) return false;
    const std::optional<Digest> value = digest_from_hex(line.substr(name.size()));
    if (!value) return false;
    digest = *value;
    message.remove_suffix(size);
    return true;
}

bool is_plain_message(std::string_view message) {
    while (!message.empty()) {
        const std::size_t end = std::min(message.find('\n'), message.size());
        if (!is_plain_text(message.substr(0, end))) return false;
        message.remove_prefix(std::min(end + 1, message.size()));
    }
    return true;
}

}  // namespace

Result<Commit> parse_commit(const GitId& id, ByteView data) {
    if (data.size() > kCommitMax) return foreign_commit(id, "too large");
    const std::string_view whole = text_of(data);
    std::string_view rest = whole;
    Commit commit;
    const std::optional<std::string_view> tree = take_header(rest, "tree ");
    const std::optional<GitId> tree_id = tree ? git_id_from_hex(*tree) : std::nullopt;
    if (!tree_id) return foreign_commit(id, "tree");
    commit.tree = *tree_id;
    if (const std::optional<std::string_view> parent = take_header(rest, "parent ")) {
        commit.parent = git_id_from_hex(*parent);
        if (!commit.parent) return foreign_commit(id, "parent");
    }
    const std::optional<std::string_view> author = take_header(rest, "author ");
    const std::optional<std::string_view> committer = take_header(rest, "committer ");
    std::string committer_name;
    std::int64_t committer_time = 0;
    if (!author || !committer || !read_person(*author, commit.author, commit.time_s) ||
        !read_person(*committer, committer_name, committer_time))
        return foreign_commit(id, "author or committer");
    const std::size_t before_signature = whole.size() - rest.size();
    std::optional<std::string> signature = take_folded(rest, "gpgsig ");
    if (!signature || !rest.starts_with('\n')) return foreign_commit(id, "headers");
    commit.signature = std::move(*signature);
    commit.signed_bytes.append(whole.substr(0, before_signature)).append(rest);
    std::string_view message = rest.substr(1);
    if (!is_plain_message(message)) return foreign_commit(id, "message");
    if (!take_trailer(message, kParentTrailer, commit.parent_digest) ||
        !take_trailer(message, kTreeTrailer, commit.tree_digest.digest) || !message.ends_with("\n\n"))
        return foreign_commit(id, "trailers");
    commit.subject = message.substr(0, message.find('\n'));
    if (commit.subject.empty()) return foreign_commit(id, "message");
    return commit;
}

Digest lane_origin(const NetworkId& network, std::string_view lane) {
    ByteBuffer bytes;
    Writer(bytes).raw(kOriginDomain).raw(network.view()).raw(lane);
    return hash_of(bytes);
}

std::string message_with_trailers(std::string_view text, const Digest& tree, const Digest& parent) {
    std::string message;
    for (std::size_t at = 0; at < text.size(); ++at) {
        // What could move a terminal's cursor is one byte, or two of which the first is 0xc2.
        const bool is_pair = text[at] == '\xc2' && !is_plain_text(text.substr(at, 2));
        const bool is_kept = text[at] == '\n' || (!is_pair && is_plain_text(text.substr(at, 1)));
        message += is_kept ? text[at] : ' ';
        at += is_pair ? 1 : 0;
    }
    message.erase(0, message.find_first_not_of(" \n"));
    message.erase(message.find_last_not_of(" \n") + 1);
    message.append("\n\n").append(kTreeTrailer).append(to_hex(ByteView(tree)));
    message.append("\n").append(kParentTrailer).append(to_hex(ByteView(parent))).append("\n");
    return message;
}

}  // namespace satchel::catalogue
