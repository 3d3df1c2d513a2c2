#include "engine/exchange/freight_gate.hpp"

#include "engine/exchange/haves.hpp"
#include "engine/records/segment.hpp"

namespace satchel::exchange {

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
            if (taken_.refused.size() < kRefusedMax) taken_.refused.push_back(result.error());
            return {};
        default:
            return result;
    }
}

Result<void> FreightGate::take(const Parcel& parcel) {
    if (const auto* roots = std::get_if<Roots>(&parcel)) return note(take_roots(*roots));
    if (const auto* begin = std::get_if<LaneBegin>(&parcel)) {
        const Result<void> begun = replica_.catalogue.begin_accept(begin->lane, begin->head);
        lane_open_ = begun.has_value();
        return note(begun);
    }
    if (const auto* batch = std::get_if<LaneBatch>(&parcel)) {
        if (!lane_open_) return {};
        const Result<void> added = replica_.catalogue.add_batch(batch->objects);
        lane_open_ = added.has_value();
        return note(added);
    }
    if (std::holds_alternative<LaneEnd>(parcel)) return note(finish_lane());
    if (const auto* review = std::get_if<catalogue::SignedReview>(&parcel)) {
        const Result<bool> added = replica_.catalogue.add_review(*review);
        if (!added.has_value()) return note(added.error());
        taken_.reviews += *added ? 1u : 0u;
        return {};
    }
    if (const auto* have = std::get_if<HaveParcel>(&parcel)) return note(take_have(have->have));
    if (const auto* receipt = std::get_if<ReceiptParcel>(&parcel))
        return note(take_receipt(receipt->receipt));
    if (const auto* segment = std::get_if<SegmentParcel>(&parcel))
        return note(take_segment(segment->segment));
    if (const auto* word = std::get_if<AcknowledgementParcel>(&parcel))
        return note(take_acknowledgement(word->statement));
    return {};
}

// Good roots before a bad one stay: each was signed under the one before it.
Result<void> FreightGate::take_roots(const Roots& roots) {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(replica_.database));
    const Result<std::uint32_t> accepted = replica_.trust.accept_roots(replica_.network, roots.chain);
    SATCHEL_TRY_VOID(transaction.commit());
    if (accepted.has_value() && *accepted == 0) return {};
    SATCHEL_TRY_VOID(replica_.catalogue.refresh_currency());
    if (!accepted.has_value()) return accepted.error();
    return {};
}

Result<void> FreightGate::finish_lane() {
    if (!lane_open_) return {};
    lane_open_ = false;
    SATCHEL_TRY(const catalogue::Accepted accepted, replica_.catalogue.finish_accept());
    taken_.commits += accepted.commits;
    return {};
}

// A summary counts only from a site that the roster names and that was not revoked. Whom the roster does not
// name may have joined since this site's catalogue was written: no refusal, it is said again.
Result<bool> FreightGate::is_heard(const trust::PublicKey& key, const NetworkId& network, const char* what) {
    if (network != replica_.network)
        return fail(ErrorCode::kRefused, what, "it belongs to another network",
                    "use a stick of this network");
    SATCHEL_TRY(const std::optional<trust::SiteEntry> entry, replica_.trust.site(trust::site_id_of(key)));
    if (!entry || entry->signing_key != key) return false;
    if (entry->state == trust::SiteState::kRevoked)
        return fail(ErrorCode::kRefused, entry->name, "this box was revoked",
                    "ask the hub; if the box is still in use it must join again with new keys");
    return true;
}

Result<void> FreightGate::take_have(const ByteBuffer& bytes) {
    SATCHEL_TRY(const bool known, is_known_have(replica_, bytes));
    if (known) return {};
    SATCHEL_TRY(const Have have, decode_have(bytes));
    SATCHEL_TRY(const bool heard, is_heard(have.site, have.network, "have"));
    if (!heard) return {};
    if (have.site == replica_.signing_key.public_key()) {
        SATCHEL_TRY(const bool unknown, outnumber_own_have(replica_, have, bytes));
        taken_.haves += unknown ? 1u : 0u;
        return {};
    }
    SATCHEL_TRY(const bool is_new, keep_have(replica_, have, bytes));
    taken_.haves += is_new ? 1u : 0u;
    return {};
}

Result<void> FreightGate::take_receipt(const ByteBuffer& bytes) {
    SATCHEL_TRY(const bool known, is_known_receipt(replica_, bytes));
    if (known) return {};
    SATCHEL_TRY(const Receipt receipt, decode_receipt(bytes));
    if (receipt.site == replica_.signing_key.public_key()) return {};
    SATCHEL_TRY(const bool heard, is_heard(receipt.site, receipt.network, "receipt"));
    if (!heard) return {};
    SATCHEL_TRY(const bool is_new, keep_receipt(replica_, receipt, bytes));
    taken_.receipts += is_new ? 1u : 0u;
    return {};
}

// Only what it is this site's place to hold; the rest stays on the stick for others. Sure after commit().
Result<void> FreightGate::take_segment(const ByteBuffer& bytes) {
    if (replica_.records == nullptr) return {};
    SATCHEL_TRY(const SiteId site, records::site_of_segment(bytes));
    if (!tree_) {
        SATCHEL_TRY(SiteTree tree, SiteTree::read(replica_.trust));
        tree_ = std::move(tree);
    }
    if (!tree_->holds(replica_.self.id, site)) return {};
    const Result<RecordsPort::Taken> taken = replica_.records->accept(bytes);
    // The catalogue that names the site may not have come yet: it is said again.
    if (!taken.has_value() && taken.error().code == ErrorCode::kNotFound) return {};
    if (!taken.has_value()) return taken.error();
    taken_.segments += taken->is_new ? 1u : 0u;
    return {};
}

Result<void> FreightGate::take_acknowledgement(const ByteBuffer& bytes) {
    if (replica_.records == nullptr) return {};
    SATCHEL_TRY_VOID(replica_.records->accept_acknowledgement(bytes));
    taken_.acknowledgements += 1;
    return {};
}

}  // namespace satchel::exchange
