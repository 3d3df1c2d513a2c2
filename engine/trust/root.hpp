// The root document: who may sign what in a network (schemas/root.md). Canonical JSON, signed with SSHSIG
// in namespace "satchel-root". Roots walk from version N to N+1 under the thresholds of both; the hash of
// version 1 names the network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/trust/ssh.hpp"

namespace satchel::trust {

struct KeyHolder {
    PublicKey key;
    std::string holder;  // an office or a role number, never a person's name; thresholds count holders
    friend bool operator==(const KeyHolder&, const KeyHolder&) = default;
};

struct Lane {
    std::string name;                  // "office"
    std::vector<KeyHolder> editors;    // one editor signs a commit
    std::vector<KeyHolder> reviewers;  // may state reviews
    std::uint32_t reviews_needed = 0;  // distinct holders before an edition becomes current
    std::vector<std::string> scope;    // prefixes of document paths; empty: all
    friend bool operator==(const Lane&, const Lane&) = default;
};

struct Root {
    std::uint32_t version = 1;
    std::string network;                  // its name for people
    std::int32_t utc_offset_minutes = 0;  // of the whole network
    std::vector<KeyHolder> keys;
    std::uint32_t threshold = 1;
    std::uint32_t time_hubs = 1;
    std::uint32_t ack_hubs = 1;
    std::vector<Lane> lanes;
    friend bool operator==(const Root&, const Root&) = default;
    [[nodiscard]] const Lane* lane(std::string_view name) const;
};

inline constexpr std::size_t kRootDocumentMax = 64 * 1024;
inline constexpr std::size_t kRootKeysMax = 64;
inline constexpr std::uint32_t kRootVersionMax = 1024;

struct SignedRoot {
    ByteBuffer document;                  // as received; never serialized again
    std::vector<std::string> signatures;  // armors; others than the holders' count for nothing
};

[[nodiscard]] std::string encode(const Root& root);
Result<Root> decode_root(ByteView document);  // refuses what is not canonical or breaks a limit
[[nodiscard]] NetworkId network_id_of(const SignedRoot& first);
// The root that `next` carries, if it is valid behind `current` (nullopt: as version 1 of `network`).
Result<Root> verify_root(const std::optional<Root>& current, const NetworkId& network,
                         const SignedRoot& next);
// Of a verified root's signatures those by holders of its own keys or of `current`'s, one a key. Only these
// are kept: whoever carries a root can add others, until no one would take it any more.
[[nodiscard]] std::vector<std::string> signatures_that_count(const std::optional<Root>& current,
                                                             const Root& root, const SignedRoot& next);

}  // namespace satchel::trust
