#include "engine/trust/root.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/trust/json_document.hpp"

namespace satchel::trust {

namespace {

constexpr char kFormat[] = "satchel-root-1";
constexpr char kNamespace[] = "satchel-root";
constexpr std::size_t kNameMax = 200;
constexpr std::size_t kLanesMax = 64;
constexpr std::size_t kScopesMax = 64;
constexpr std::int64_t kOffsetMax = 14 * 60;

Json json_of(const std::vector<KeyHolder>& holders) {
    Json list = Json::array();
    for (const KeyHolder& holder : holders)
        list.push_back({{"holder", holder.holder}, {"key", to_hex(holder.key.view())}});
    return list;
}

// No key twice, every key usable, every holder named.
bool read_holders(const Json& list, std::vector<KeyHolder>& into) {
    std::set<PublicKey> seen;
    for (const Json& item : list) {
        Fields fields(item);
        KeyHolder holder;
        holder.holder = fields.text("holder", kNameMax);
        holder.key = fields.id<PublicKey>("key");
        const bool sound =
            fields.ok() && fields.all_known() && is_acceptable(holder.key) && is_printable(holder.holder);
        if (!sound || !seen.insert(holder.key).second) return false;
        into.push_back(std::move(holder));
    }
    return true;
}

std::size_t distinct_holders(const std::vector<KeyHolder>& holders) {
    std::set<std::string> names;
    for (const KeyHolder& holder : holders) names.insert(holder.holder);
    return names.size();
}

Result<Lane> read_lane(const Json& json) {
    Fields fields(json);
    Lane lane;
    lane.name = fields.text("name", 64);
    fields.require(read_holders(fields.list("editors", kRootKeysMax), lane.editors));
    fields.require(read_holders(fields.list("reviewers", kRootKeysMax), lane.reviewers));
    lane.reviews_needed = static_cast<std::uint32_t>(fields.number("reviews_needed", 0, kRootKeysMax));
    for (const Json& prefix : fields.list("scope", kScopesMax)) {
        fields.require(prefix.is_string() && prefix.get_ref<const std::string&>().size() <= kNameMax);
        if (fields.ok()) lane.scope.push_back(prefix.get<std::string>());
    }
    fields.require(is_printable(lane.name) && !lane.editors.empty());
    fields.require(lane.reviews_needed <= distinct_holders(lane.reviewers));
    SATCHEL_TRY_VOID(fields.finish("root"));
    return lane;
}

// Distinct holders among `keys` who signed.
std::size_t signers(const SignedRoot& root, const std::vector<KeyHolder>& keys) {
    std::set<std::string> holders;
    for (const std::string& armor : root.signatures) {
        const Result<PublicKey> signer = ssh_verify(armor, kNamespace, root.document);
        if (!signer.has_value()) continue;
        for (const KeyHolder& holder : keys)
            if (holder.key == *signer) holders.insert(holder.holder);
    }
    return holders.size();
}

bool has_key(const std::vector<KeyHolder>& holders, const PublicKey& key) {
    return std::any_of(holders.begin(), holders.end(),
                       [&](const KeyHolder& holder) { return holder.key == key; });
}

Error refused(Literal reason) {
    return fail(ErrorCode::kRefused, "root", reason, "get the network's roots from the hub or another stick");
}

}  // namespace

const Lane* Root::lane(std::string_view name) const {
    const auto found =
        std::find_if(lanes.begin(), lanes.end(), [&](const Lane& lane) { return lane.name == name; });
    return found == lanes.end() ? nullptr : &*found;
}

std::string encode(const Root& root) {
    Json lanes = Json::array();
    for (const Lane& lane : root.lanes)
        lanes.push_back({{"name", lane.name},
                         {"editors", json_of(lane.editors)},
                         {"reviewers", json_of(lane.reviewers)},
                         {"reviews_needed", lane.reviews_needed},
                         {"scope", lane.scope}});
    return canonical({{"format", kFormat},
                      {"version", root.version},
                      {"network", root.network},
                      {"utc_offset_minutes", root.utc_offset_minutes},
                      {"keys", json_of(root.keys)},
                      {"threshold", root.threshold},
                      {"time_hubs", root.time_hubs},
                      {"ack_hubs", root.ack_hubs},
                      {"lanes", lanes}});
}

Result<Root> decode_root(ByteView document) {
    SATCHEL_TRY(const Json json, parse_canonical(document, kRootDocumentMax, "root"));
    Fields fields(json);
    const std::string format = fields.text("format", 64);
    if (fields.ok() && format != kFormat && format.starts_with("satchel-root-"))
        return fail(ErrorCode::kUnsupported, "root", "it was written by a newer program",
                    "update satchel on this box", format);
    fields.require(format == kFormat);
    Root root;
    root.version = static_cast<std::uint32_t>(fields.number("version", 1, kRootVersionMax));
    root.network = fields.text("network", kNameMax);
    root.utc_offset_minutes =
        static_cast<std::int32_t>(fields.number("utc_offset_minutes", -kOffsetMax, kOffsetMax));
    fields.require(read_holders(fields.list("keys", kRootKeysMax), root.keys));
    root.threshold = static_cast<std::uint32_t>(fields.number("threshold", 1, kRootKeysMax));
    root.time_hubs = static_cast<std::uint32_t>(fields.number("time_hubs", 1, kRootKeysMax));
    root.ack_hubs = static_cast<std::uint32_t>(fields.number("ack_hubs", 1, kRootKeysMax));
    std::set<std::string> names;
    for (const Json& item : fields.list("lanes", kLanesMax)) {
        SATCHEL_TRY(Lane lane, read_lane(item));
        fields.require(names.insert(lane.name).second);
        root.lanes.push_back(std::move(lane));
    }
    fields.require(is_printable(root.network) && root.threshold <= distinct_holders(root.keys));
    SATCHEL_TRY_VOID(fields.finish("root"));
    return root;
}

NetworkId network_id_of(const SignedRoot& first) { return NetworkId{hash_of(first.document)}; }

Result<Root> verify_root(const std::optional<Root>& current, const NetworkId& network,
                         const SignedRoot& next) {
    SATCHEL_TRY(Root root, decode_root(next.document));
    if (next.signatures.size() > kRootKeysMax)
        return refused("a root has more signatures than it can have keys");
    if (!current) {
        if (root.version != 1 || network_id_of(next) != network)
            return refused("this is not the first root of the network");
    } else {
        if (root.version != current->version + 1)
            return refused("roots must follow each other without a gap");
        if (signers(next, current->keys) < current->threshold)
            return refused("too few of the current root's key holders signed the next root");
    }
    if (signers(next, root.keys) < root.threshold)
        return refused("too few of a root's own key holders signed it");
    return root;
}

std::vector<std::string> signatures_that_count(const std::optional<Root>& current, const Root& root,
                                               const SignedRoot& next) {
    std::vector<std::string> kept;
    std::set<PublicKey> seen;
    for (const std::string& armor : next.signatures) {
        const Result<PublicKey> signer = ssh_verify(armor, kNamespace, next.document);
        if (!signer.has_value()) continue;
        const bool counts = has_key(root.keys, *signer) || (current && has_key(current->keys, *signer));
        if (counts && seen.insert(*signer).second) kept.push_back(armor);
    }
    return kept;
}

}  // namespace satchel::trust
