#include "transport/stick/parcels.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/encoding.hpp"
#include "engine/site/meta.hpp"

namespace satchel::stick {

namespace {

constexpr char kHaveSequence[] = "have/sequence";
constexpr char kReceiptSequence[] = "receipt/sequence";
constexpr char kOwnHave[] = "have/own";
constexpr std::size_t kReceiptsKept = 256;  // of each site: enough for a year of weekly visits
constexpr std::size_t kRootsBytesMax =
    512 * 1024;  // of one parcel; a root is at most 64 KiB and its signatures

Result<void> for_each_blob(database::Database& database, std::string_view sql,
                           const std::function<Result<void>(ByteView)>& each) {
    SATCHEL_TRY(database::Statement select, database.prepare(sql));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        SATCHEL_TRY_VOID(each(select.blob(0)));
    }
}

ByteBuffer copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

Result<exchange::Have> have_as_of_now(site::Site& site) {
    exchange::Have have;
    have.network = site.network();
    have.site = site.signing_key().public_key();
    SATCHEL_TRY(const std::optional<trust::Root> root, site.trust().current_root());
    have.root_version = root ? root->version : 0;
    SATCHEL_TRY(have.heads, site.catalogue().heads());
    SATCHEL_TRY(have.subscriptions, site.subscriptions());
    SATCHEL_TRY_VOID(for_each_blob(
        site.database(), "SELECT substr(manifest, 1, 16) FROM holding WHERE complete = 1 ORDER BY manifest",
        [&](ByteView mark) -> Result<void> {
            if (have.complete.size() == exchange::kEditionsInHaveMax) return {};
            exchange::EditionMark edition;
            std::copy(mark.begin(), mark.end(), edition.begin());
            if (have.complete.empty() || have.complete.back() < edition) have.complete.push_back(edition);
            return {};
        }));
    return have;
}

// Returns whether it was new.
Result<bool> put_receipt(database::Database& database, const exchange::Receipt& receipt, ByteView bytes) {
    const SiteId site = trust::site_id_of(receipt.site);
    SATCHEL_TRY(database::Statement insert,
                database.prepare("INSERT OR IGNORE INTO receipt (site, sequence, receipt) VALUES (?, ?, ?)"));
    insert.bind_blob(1, site.view()).bind(2, static_cast<std::int64_t>(receipt.sequence)).bind_blob(3, bytes);
    SATCHEL_TRY_VOID(insert.run());
    const bool is_new = database.rows_changed() > 0;
    SATCHEL_TRY(database::Statement trim,
                database.prepare("DELETE FROM receipt WHERE site = ?1 AND sequence <= "
                                 "(SELECT max(sequence) FROM receipt WHERE site = ?1) - ?2"));
    trim.bind_blob(1, site.view()).bind(2, static_cast<std::int64_t>(kReceiptsKept));
    SATCHEL_TRY_VOID(trim.run());
    return is_new;
}

// Whether the newest receipt that this site made for the volume says the same.
Result<bool> was_said(site::Site& site, const exchange::Receipt& receipt) {
    std::optional<exchange::Receipt> last;
    SATCHEL_TRY(database::Statement select,
                site.database().prepare("SELECT receipt FROM receipt WHERE site = ? ORDER BY sequence"));
    select.bind_blob(1, site.self().id.view());
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) break;
        SATCHEL_TRY(exchange::Receipt held, exchange::decode_receipt(select.blob(0)));
        if (held.writer == receipt.writer && held.stick == receipt.stick && held.volume == receipt.volume)
            last = std::move(held);
    }
    return last && last->bytes == receipt.bytes && last->damaged == receipt.damaged;
}

}  // namespace

Result<std::optional<exchange::Have>> peer_have(site::Site& site, const SiteId& peer) {
    SATCHEL_TRY(database::Statement select,
                site.database().prepare("SELECT have FROM peer_have WHERE site = ?"));
    select.bind_blob(1, peer.view());
    SATCHEL_TRY(const bool found, select.step());
    if (!found) return std::optional<exchange::Have>();
    SATCHEL_TRY(exchange::Have have, exchange::decode_have(select.blob(0)));
    return std::optional(std::move(have));
}

Result<ByteBuffer> own_have(site::Site& site) {
    SATCHEL_TRY(exchange::Have now, have_as_of_now(site));
    SATCHEL_TRY(const std::optional<ByteBuffer> last, site::meta(site.database(), kOwnHave));
    if (last) {
        const Result<exchange::Have> before = exchange::decode_have(*last);
        if (before.has_value()) {
            now.sequence = before->sequence;
            if (now == *before) return *last;
        }
    }
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(site.database()));
    SATCHEL_TRY(now.sequence, site::next_number(site.database(), kHaveSequence));
    ByteBuffer signed_have = exchange::encode(now, site.signing_key());
    SATCHEL_TRY_VOID(site::set_meta(site.database(), kOwnHave, signed_have));
    SATCHEL_TRY_VOID(transaction.commit());
    return signed_have;
}

Result<void> add_own_receipt(site::Site& site, exchange::Receipt receipt) {
    receipt.network = site.network();
    receipt.site = site.signing_key().public_key();
    if (receipt.chunks_taken == 0) {
        SATCHEL_TRY(const bool said, was_said(site, receipt));
        if (said) return {};
    }
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(site.database()));
    SATCHEL_TRY(receipt.sequence, site::next_number(site.database(), kReceiptSequence));
    SATCHEL_TRY_VOID(put_receipt(site.database(), receipt, exchange::encode(receipt, site.signing_key())));
    return transaction.commit();
}

namespace {

// The oldest head of this lane among the sites: what they all have need not travel. nullopt: somebody has
// nothing, or nothing is known of somebody.
std::optional<catalogue::GitId> common_head(const std::string& lane,
                                            const std::vector<std::optional<exchange::Have>>& haves) {
    std::optional<catalogue::LaneHead> lowest;
    for (const std::optional<exchange::Have>& have : haves) {
        if (!have) return std::nullopt;
        const auto head =
            std::find_if(have->heads.begin(), have->heads.end(),
                         [&](const catalogue::LaneHead& candidate) { return candidate.lane == lane; });
        if (head == have->heads.end()) return std::nullopt;
        if (!lowest || head->height < lowest->height) lowest = *head;
    }
    return lowest ? std::optional(lowest->head) : std::nullopt;
}

// In parcels that are far smaller than a record may be.
Result<void> roots_from(site::Site& site, std::uint32_t version, const TakeParcel& take) {
    SATCHEL_TRY(std::vector<trust::SignedRoot> roots, site.trust().roots(version));
    exchange::Roots parcel;
    std::size_t bytes = 0;
    for (trust::SignedRoot& root : roots) {
        bytes += root.document.size();
        for (const std::string& signature : root.signatures) bytes += signature.size();
        parcel.chain.push_back(std::move(root));
        if (bytes < kRootsBytesMax) continue;
        SATCHEL_TRY_VOID(take(std::exchange(parcel, {})));
        bytes = 0;
    }
    return parcel.chain.empty() ? Result<void>() : take(std::move(parcel));
}

}  // namespace

Result<void> news_for(site::Site& site, const std::vector<std::optional<exchange::Have>>& haves,
                      const TakeParcel& take) {
    std::uint32_t root_known = 0;
    if (!haves.empty() &&
        std::all_of(haves.begin(), haves.end(), [](const auto& have) { return have.has_value(); })) {
        const auto lowest = std::min_element(haves.begin(), haves.end(), [](const auto& a, const auto& b) {
            return a->root_version < b->root_version;
        });
        root_known = (*lowest)->root_version;
    }
    SATCHEL_TRY_VOID(roots_from(site, root_known + 1, take));
    SATCHEL_TRY(const std::vector<catalogue::LaneHead> heads, site.catalogue().heads());
    for (const catalogue::LaneHead& head : heads) {
        const std::optional<catalogue::GitId> known = common_head(head.lane, haves);
        if (known && *known == head.head) continue;
        SATCHEL_TRY_VOID(take(exchange::LaneBegin{head.lane, head.head}));
        SATCHEL_TRY_VOID(site.catalogue().export_objects(
            head.lane, known, [&](ByteView batch) { return take(exchange::LaneBatch{copy_of(batch)}); }));
        SATCHEL_TRY_VOID(take(exchange::LaneEnd{}));
    }
    return {};
}

Result<void> answers_of(site::Site& site, const TakeParcel& take) {
    SATCHEL_TRY_VOID(site.catalogue().for_each_review(
        [&](const catalogue::Review&, const std::string&, const catalogue::SignedReview& review) {
            return take(review);
        }));
    SATCHEL_TRY(ByteBuffer have, own_have(site));
    SATCHEL_TRY_VOID(take(exchange::HaveParcel{std::move(have)}));
    SATCHEL_TRY_VOID(
        for_each_blob(site.database(), "SELECT have FROM peer_have ORDER BY site",
                      [&](ByteView bytes) { return take(exchange::HaveParcel{copy_of(bytes)}); }));
    return for_each_blob(site.database(), "SELECT receipt FROM receipt ORDER BY site, sequence",
                         [&](ByteView bytes) { return take(exchange::ReceiptParcel{copy_of(bytes)}); });
}

Result<void> FreightGate::note(Result<void> result) {
    if (result.has_value()) return {};
    if (freight_damaged_ && result.error().code == ErrorCode::kRefused) return {};
    switch (result.error().code) {
        case ErrorCode::kRefused:
        case ErrorCode::kDamaged:
        case ErrorCode::kUnsupported:
        case ErrorCode::kTooLarge:
        case ErrorCode::kNotFound:
        case ErrorCode::kUsage:
            if (report_.refused.size() < site::kSkippedListMax) report_.refused.push_back(result.error());
            return {};
        default:
            return result;
    }
}

FreightRound FreightGate::round_of(const exchange::Parcel& parcel) {
    if (std::holds_alternative<exchange::Roots>(parcel)) return FreightRound::kRoots;
    const bool of_a_lane = std::holds_alternative<exchange::LaneBegin>(parcel) ||
                           std::holds_alternative<exchange::LaneBatch>(parcel) ||
                           std::holds_alternative<exchange::LaneEnd>(parcel);
    return of_a_lane ? FreightRound::kLanes : FreightRound::kSayings;
}

Result<void> FreightGate::take(const exchange::Parcel& parcel) {
    if (round_of(parcel) != round_) return {};
    if (const auto* roots = std::get_if<exchange::Roots>(&parcel)) return note(take_roots(*roots));
    if (const auto* begin = std::get_if<exchange::LaneBegin>(&parcel)) {
        const Result<void> begun = site_.catalogue().begin_accept(begin->lane, begin->head);
        lane_open_ = begun.has_value();
        return note(begun);
    }
    if (const auto* batch = std::get_if<exchange::LaneBatch>(&parcel)) {
        if (!lane_open_) return {};
        const Result<void> added = site_.catalogue().add_batch(batch->objects);
        lane_open_ = added.has_value();
        return note(added);
    }
    if (std::holds_alternative<exchange::LaneEnd>(parcel)) return note(finish_lane());
    if (const auto* review = std::get_if<catalogue::SignedReview>(&parcel)) {
        const Result<bool> added = site_.catalogue().add_review(*review);
        if (!added.has_value()) return note(added.error());
        report_.reviews += *added ? 1u : 0u;
        return {};
    }
    if (const auto* have = std::get_if<exchange::HaveParcel>(&parcel)) return note(take_have(have->have));
    if (const auto* receipt = std::get_if<exchange::ReceiptParcel>(&parcel))
        return note(take_receipt(receipt->receipt));
    return {};
}

// Good roots before a bad one stay: each was signed under the one before it.
Result<void> FreightGate::take_roots(const exchange::Roots& roots) {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(site_.database()));
    const Result<std::uint32_t> accepted = site_.trust().accept_roots(site_.network(), roots.chain);
    SATCHEL_TRY_VOID(transaction.commit());
    if (accepted.has_value() && *accepted == 0) return {};
    SATCHEL_TRY_VOID(site_.catalogue().refresh_currency());
    if (!accepted.has_value()) return accepted.error();
    return {};
}

Result<void> FreightGate::finish_lane() {
    if (!lane_open_) return {};
    lane_open_ = false;
    SATCHEL_TRY(const catalogue::Accepted accepted, site_.catalogue().finish_accept());
    report_.commits += accepted.commits;
    return {};
}

// A summary counts only from a site that the roster names and that was not revoked. Whom the roster does not
// name may have joined since this site's catalogue was written: no refusal, it is said again.
Result<bool> FreightGate::is_heard(const trust::PublicKey& key, const NetworkId& network, const char* what) {
    if (network != site_.network())
        return fail(ErrorCode::kRefused, what, "it belongs to another network",
                    "use a stick of this network");
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, site_.trust().site(trust::site_id_of(key)));
    if (!entry || entry->signing_key != key) return false;
    if (entry->state == trust::SiteState::kRevoked)
        return fail(ErrorCode::kRefused, entry->name, "this box was revoked",
                    "ask the hub; if the box is still in use it must join again with new keys");
    return true;
}

Result<void> FreightGate::take_have(const ByteBuffer& bytes) {
    SATCHEL_TRY(const exchange::Have have, exchange::decode_have(bytes));
    if (have.site == site_.signing_key().public_key()) return {};
    SATCHEL_TRY(const bool heard, is_heard(have.site, have.network, "have"));
    if (!heard) return {};
    SATCHEL_TRY(database::Statement upsert,
                site_.database().prepare(
                    "INSERT INTO peer_have (site, sequence, have) VALUES (?1, ?2, ?3) "
                    "ON CONFLICT (site) DO UPDATE SET sequence = ?2, have = ?3 WHERE ?2 > sequence"));
    const SiteId id = trust::site_id_of(have.site);
    upsert.bind_blob(1, id.view()).bind(2, static_cast<std::int64_t>(have.sequence)).bind_blob(3, bytes);
    SATCHEL_TRY_VOID(upsert.run());
    report_.haves += site_.database().rows_changed() > 0 ? 1u : 0u;
    return {};
}

Result<void> FreightGate::take_receipt(const ByteBuffer& bytes) {
    SATCHEL_TRY(const exchange::Receipt receipt, exchange::decode_receipt(bytes));
    if (receipt.site == site_.signing_key().public_key()) return {};
    SATCHEL_TRY(const bool heard, is_heard(receipt.site, receipt.network, "receipt"));
    if (!heard) return {};
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(site_.database()));
    SATCHEL_TRY(const bool is_new, put_receipt(site_.database(), receipt, bytes));
    SATCHEL_TRY_VOID(transaction.commit());
    report_.receipts += is_new ? 1u : 0u;
    return {};
}

}  // namespace satchel::stick
