// A commit of a lane, byte for byte (schemas/catalogue.md). Private to engine/catalogue.
//
// Only the headers tree, parent, author, committer and gpgsig, in this order, each once; the message ends in
// the two trailers. Stock git writes such commits too (`git commit -S` with the trailers in the message).
#pragma once

#include <optional>
#include <string>

#include "engine/catalogue/git_objects.hpp"

namespace satchel::catalogue {

inline constexpr std::size_t kCommitMax = 64 * 1024;
inline constexpr std::size_t kMessageMax = 16 * 1024;
inline constexpr char kCommitNamespace[] = "git";  // of the SSHSIG, fixed by git

struct Commit {
    GitId tree{};
    std::optional<GitId> parent;
    std::string author;
    std::int64_t time_s = 0;
    std::string subject;       // first line of the message
    std::string signature;     // armor
    std::string signed_bytes;  // the commit without its gpgsig header
    TreeDigest tree_digest;    // Satchel-Tree
    Digest parent_digest{};    // Satchel-Parent
};
Result<Commit> parse_commit(const GitId& id, ByteView data);  // kRefused for anything else

// What a lane's first commit names as its parent: it ties the history to one lane of one network.
[[nodiscard]] Digest lane_origin(const NetworkId& network, std::string_view lane);

// `text` as a commit's message: without control characters, with the trailers at its end.
[[nodiscard]] std::string message_with_trailers(std::string_view text, const Digest& tree,
                                                const Digest& parent);

}  // namespace satchel::catalogue
