#include "engine/trust/enrolment.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "engine/trust/json_document.hpp"

namespace satchel::trust {

namespace {

constexpr char kSiteFormat[] = "satchel-site-1";
constexpr char kRequestTitle[] = "satchel request 1";
constexpr char kGrantTitle[] = "satchel grant 1";
constexpr char kRule[] = "-----\n";
constexpr char kRequestDomain[] = "satchel/join-request/v1";
constexpr char kGrantNamespace[] = "satchel-grant";
constexpr std::size_t kSecretSize = 32;

// People send these texts through chats and editors: CRLF and white space at the end do not count.
std::string normalized(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != '\r') out.push_back(c);
    while (!out.empty() && (out.back() == '\n' || out.back() == ' ' || out.back() == '\t')) out.pop_back();
    return out;
}

std::string assemble(const char* title, const std::string& json, const std::string& signature) {
    return std::string(title) + "\n" + json + kRule + signature + "\n";
}

struct Parts {
    std::string json;
    std::string signature;
};

// The title, a canonical JSON object, the rule, the signature.
Result<Parts> take_apart(std::string_view text, std::size_t size_max, std::string_view title,
                         const char* what) {
    if (text.size() > size_max) return damaged_document(what, "too large");
    const std::string clean = normalized(text);
    const std::size_t json = std::min(clean.find('\n'), clean.size());  // from the line break before it
    const std::string_view first = std::string_view(clean).substr(0, json);
    if (first != title) {
        const std::string_view kind = title.substr(0, title.size() - 1);  // all but the version
        if (first.starts_with(kind))
            return fail(ErrorCode::kUnsupported, what, "it was written by a newer program",
                        "update satchel on this box");
        return damaged_document(what, "the first line is not \"" + std::string(title) + "\"");
    }
    constexpr std::string_view kEndOfJson = "\n}\n";  // in canonical form nothing else of it looks like this
    const std::size_t end = clean.find(kEndOfJson, json);
    if (end == std::string::npos) return damaged_document(what, "it is cut off");
    const std::size_t rule = end + kEndOfJson.size();
    if (clean.compare(rule, sizeof kRule - 1, kRule) != 0) return damaged_document(what, "it is cut off");
    return Parts{clean.substr(json + 1, rule - json - 1), clean.substr(rule + sizeof kRule - 1)};
}

bool is_site_name(const std::string& name) {
    return is_printable(name) && name.size() <= kSiteNameMax && name.find('/') == std::string::npos;
}

Json json_of(const SiteEntry& entry) {
    Json json = {{"format", kSiteFormat},
                 {"id", to_hex(entry.id.view())},
                 {"name", entry.name},
                 {"role", name_of(entry.role)},
                 {"signing_key", to_hex(entry.signing_key.view())},
                 {"sealing_key", to_hex(entry.sealing_key.view())},
                 {"state", entry.state == SiteState::kActive ? "active" : "revoked"}};
    if (entry.parent) json["parent"] = to_hex(entry.parent->view());
    return json;
}

Result<SiteEntry> site_entry_from(const Json& json) {
    Fields fields(json);
    SiteEntry entry;
    const std::string format = fields.text("format", 64);
    if (fields.ok() && format != kSiteFormat && format.starts_with("satchel-site-"))
        return fail(ErrorCode::kUnsupported, "site", "it was written by a newer program",
                    "update satchel on this box", format);
    fields.require(format == kSiteFormat);
    entry.id = fields.id<SiteId>("id");
    entry.name = fields.text("name", kSiteNameMax);
    const std::optional<SiteRole> role = site_role_of(fields.text("role", 32));
    fields.require(role.has_value());
    entry.role = role.value_or(SiteRole::kVillage);
    if (fields.has("parent")) entry.parent = fields.id<SiteId>("parent");
    entry.signing_key = fields.id<PublicKey>("signing_key");
    entry.sealing_key = fields.id<SealingPublicKey>("sealing_key");
    const std::string state = fields.text("state", 32);
    fields.require(state == "active" || state == "revoked");
    entry.state = state == "active" ? SiteState::kActive : SiteState::kRevoked;
    fields.require(is_site_name(entry.name) && is_acceptable(entry.signing_key) &&
                   entry.id == site_id_of(entry.signing_key));
    SATCHEL_TRY_VOID(fields.finish("site"));
    return entry;
}

}  // namespace

std::string_view name_of(SiteRole role) {
    switch (role) {
        case SiteRole::kHub:
            return "hub";
        case SiteRole::kVillage:
            return "village";
        case SiteRole::kCarrier:
            return "carrier";
        case SiteRole::kHousehold:
            return "household";
    }
    return "village";
}

std::optional<SiteRole> site_role_of(std::string_view name) {
    for (const SiteRole role : {SiteRole::kHub, SiteRole::kVillage, SiteRole::kCarrier, SiteRole::kHousehold})
        if (name_of(role) == name) return role;
    return std::nullopt;
}

std::string encode(const SiteEntry& entry) { return canonical(json_of(entry)); }

Result<SiteEntry> decode_site_entry(ByteView document) {
    constexpr std::size_t kSiteDocumentMax = 4096;
    SATCHEL_TRY(const Json json, parse_canonical(document, kSiteDocumentMax, "site"));
    return site_entry_from(json);
}

Digest fingerprint_of_text(std::string_view text) { return hash_of(bytes_of(normalized(text))); }

std::string make_request(const JoinRequest& request, const SigningKey& key) {
    const std::string json = canonical({{"site_name", request.site_name},
                                        {"signing_key", to_hex(request.signing_key.view())},
                                        {"sealing_key", to_hex(request.sealing_key.view())},
                                        {"nonce", to_hex(request.nonce)}});
    return assemble(kRequestTitle, json, to_base64(key.sign(kRequestDomain, bytes_of(json)).bytes));
}

Result<JoinRequest> parse_request(std::string_view text) {
    SATCHEL_TRY(const Parts parts, take_apart(text, kRequestTextMax, kRequestTitle, "request"));
    SATCHEL_TRY(const Json json, parse_canonical(bytes_of(parts.json), kRequestTextMax, "request"));
    Fields fields(json);
    JoinRequest request;
    request.site_name = fields.text("site_name", kSiteNameMax);
    request.signing_key = fields.id<PublicKey>("signing_key");
    request.sealing_key = fields.id<SealingPublicKey>("sealing_key");
    const std::optional<ByteBuffer> nonce = from_hex(fields.text("nonce", 32));
    fields.require(nonce && nonce->size() == request.nonce.size());
    SATCHEL_TRY_VOID(fields.finish("request"));
    if (!is_site_name(request.site_name))
        return fail(ErrorCode::kUsage, "request",
                    "a site's name has 1 to 120 bytes, no slash and no control characters",
                    "choose another name");
    std::copy(nonce->begin(), nonce->end(), request.nonce.begin());
    const std::optional<ByteBuffer> raw = from_base64(parts.signature);
    Signature signature;
    if (!raw || raw->size() != signature.bytes.size())
        return damaged_document("request", "no whole signature");
    std::copy(raw->begin(), raw->end(), signature.bytes.begin());
    if (!verify(request.signing_key, kRequestDomain, bytes_of(parts.json), signature))
        return fail(ErrorCode::kRefused, "request", "the request was altered after it was made",
                    "have it sent again from the box, and compare the words");
    return request;
}

Result<std::string> make_grant(const Grant& grant, const SigningKey& editor) {
    Json roots = Json::array();
    for (const SignedRoot& root : grant.roots)
        roots.push_back({{"document", std::string(text_of(root.document))}, {"signatures", root.signatures}});
    const std::string json = canonical({{"roots", roots},
                                        {"site", json_of(grant.site)},
                                        {"request", to_hex(grant.request)},
                                        {"issued_ms", grant.issued_ms},
                                        {"expires_ms", grant.expires_ms},
                                        {"sealed_secret", to_base64(grant.sealed_secret)}});
    const std::string text = assemble(kGrantTitle, json, ssh_sign(editor, kGrantNamespace, bytes_of(json)));
    if (text.size() > kEnrolmentTextMax)
        return fail(ErrorCode::kTooLarge, "grant", "the network's roots are too many for a grant",
                    "report this to the makers of satchel", std::to_string(text.size()) + " bytes");
    return text;
}

namespace {

Result<Grant> parse_grant(const std::string& text) {
    constexpr std::int64_t kTimeMax = std::numeric_limits<std::int64_t>::max();
    SATCHEL_TRY(const Json json, parse_canonical(bytes_of(text), kEnrolmentTextMax, "grant"));
    Fields fields(json);
    Grant grant;
    for (const Json& item : fields.list("roots", kRootVersionMax)) {
        Fields root_fields(item);
        SignedRoot root;
        const std::string document = root_fields.text("document", kRootDocumentMax);
        root.document.assign(document.begin(), document.end());
        for (const Json& signature : root_fields.list("signatures", kRootKeysMax)) {
            root_fields.require(signature.is_string());
            if (root_fields.ok()) root.signatures.push_back(signature.get<std::string>());
        }
        SATCHEL_TRY_VOID(root_fields.finish("grant"));
        grant.roots.push_back(std::move(root));
    }
    const Json* site = fields.take("site");
    if (site == nullptr) return damaged_document("grant", "no site");
    SATCHEL_TRY(grant.site, site_entry_from(*site));
    const std::optional<Digest> request = digest_from_hex(fields.text("request", 64));
    fields.require(request.has_value());
    grant.request = request.value_or(Digest{});
    grant.issued_ms = fields.number("issued_ms", 0, kTimeMax);
    grant.expires_ms = fields.number("expires_ms", 0, kTimeMax);
    const std::optional<ByteBuffer> secret = from_base64(fields.text("sealed_secret", 1024));
    fields.require(secret.has_value());
    grant.sealed_secret = secret.value_or(ByteBuffer());
    SATCHEL_TRY_VOID(fields.finish("grant"));
    return grant;
}

Result<Root> walk_roots(const std::vector<SignedRoot>& roots) {
    if (roots.empty()) return damaged_document("grant", "no root");
    const NetworkId network = network_id_of(roots.front());
    std::optional<Root> current;
    for (const SignedRoot& next : roots) {
        SATCHEL_TRY(current, verify_root(current, network, next));
    }
    return *current;
}

bool is_editor(const Root& root, const PublicKey& key) {
    return std::any_of(root.lanes.begin(), root.lanes.end(), [&](const Lane& lane) {
        return std::any_of(lane.editors.begin(), lane.editors.end(),
                           [&](const KeyHolder& editor) { return editor.key == key; });
    });
}

}  // namespace

Result<VerifiedGrant> verify_grant(std::string_view text, const Digest& request, const SealingKey& key,
                                   env::Instant box_time) {
    SATCHEL_TRY(const Parts parts, take_apart(text, kEnrolmentTextMax, kGrantTitle, "grant"));
    VerifiedGrant verified;
    SATCHEL_TRY(verified.grant, parse_grant(parts.json));
    const Grant& grant = verified.grant;
    SATCHEL_TRY(verified.root, walk_roots(grant.roots));
    verified.network = network_id_of(grant.roots.front());
    SATCHEL_TRY(const PublicKey signer, ssh_verify(parts.signature, kGrantNamespace, bytes_of(parts.json)));
    if (!is_editor(verified.root, signer))
        return fail(ErrorCode::kRefused, "grant", "who signed the grant is no editor of this network",
                    "get the grant from the hub of your network");
    if (grant.request != request || grant.site.sealing_key != key.public_key())
        return fail(ErrorCode::kRefused, "grant", "the grant answers another box's request",
                    "have the hub answer the request that was made in this folder");
    if (grant.site.state == SiteState::kRevoked)
        return fail(ErrorCode::kRefused, "grant", "this box was revoked",
                    "make a new request in an empty folder, so that the box gets new keys");
    const bool clock_is_wrong = box_time.unix_ms < grant.issued_ms;
    if (!clock_is_wrong && box_time.unix_ms > grant.expires_ms)
        return fail(ErrorCode::kRefused, "grant", "the grant has expired",
                    "check this box's clock with `date`, or ask the hub to enrol again");
    SATCHEL_TRY(verified.secret, key.open(grant.sealed_secret));
    if (verified.secret.size() != kSecretSize)
        return damaged_document("grant", "the sealed secret has a wrong size");
    return verified;
}

}  // namespace satchel::trust
