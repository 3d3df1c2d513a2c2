// How a box joins: it makes its keys and a request; the hub enrols it and answers with a grant; the box
// joins with the grant (schemas/enrolment.md). Both texts are small enough for a stick, a chat or a print,
// and both have a fingerprint in words to read aloud.
#pragma once

#include <optional>
#include <string>

#include "engine/env/clock.hpp"
#include "engine/trust/root.hpp"

namespace satchel::trust {

enum class SiteRole { kHub, kVillage, kCarrier, kHousehold };
[[nodiscard]] std::string_view name_of(SiteRole role);
[[nodiscard]] std::optional<SiteRole> site_role_of(std::string_view name);

enum class SiteState { kActive, kRevoked };

// One row of the roster: a document of the catalogue ("satchel-site-1", canonical JSON).
struct SiteEntry {
    SiteId id;
    std::string name;
    SiteRole role = SiteRole::kVillage;
    std::optional<SiteId> parent;
    PublicKey signing_key;
    SealingPublicKey sealing_key;
    SiteState state = SiteState::kActive;
    friend bool operator==(const SiteEntry&, const SiteEntry&) = default;
};
inline constexpr std::size_t kSiteNameMax = 120;  // bytes of UTF-8
[[nodiscard]] std::string encode(const SiteEntry& entry);
Result<SiteEntry> decode_site_entry(ByteView document);  // kDamaged, kUnsupported

struct JoinRequest {
    std::string site_name;
    PublicKey signing_key;
    SealingPublicKey sealing_key;
    std::array<std::uint8_t, 16> nonce{};
};
inline constexpr std::size_t kRequestTextMax = 4096;
[[nodiscard]] std::string make_request(const JoinRequest& request, const SigningKey& key);  // the text
Result<JoinRequest> parse_request(std::string_view text);  // kDamaged, or kRefused where the signature fails
[[nodiscard]] Digest fingerprint_of_text(std::string_view text);  // of a request's or grant's text

struct Grant {
    std::vector<SignedRoot> roots;  // 1..N
    SiteEntry site;
    Digest request{};            // fingerprint of the request that it answers
    std::int64_t issued_ms = 0;  // by the hub's clock
    std::int64_t expires_ms = 0;
    ByteBuffer sealed_secret;  // 32 bytes for the network's first contacts, sealed to the request's key
};
// A grant carries every root: this holds some 300 of a network with ten reviewers.
inline constexpr std::size_t kEnrolmentTextMax = 1024 * 1024;
Result<std::string> make_grant(const Grant& grant, const SigningKey& editor);  // the text; kTooLarge

struct VerifiedGrant {
    Grant grant;
    Root root;  // the newest
    NetworkId network;
    ByteBuffer secret;
};
// Refuses (kRefused, each with its own reason): altered text, a chain of roots that does not hold, a signer
// who is no editor, another box's request or key, a revoked site, an expired grant. A box clock that stands
// before the grant was issued is known to be wrong and expires nothing.
Result<VerifiedGrant> verify_grant(std::string_view text, const Digest& request, const SealingKey& key,
                                   env::Instant box_time);

}  // namespace satchel::trust
