#include "engine/exchange/news.hpp"

#include <algorithm>
#include <utility>

#include "engine/exchange/haves.hpp"

namespace satchel::exchange {

namespace {

constexpr std::size_t kRootsBytesMax =
    512 * 1024;  // of one parcel; a root is at most 64 KiB and its signatures

ByteBuffer copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// The oldest head of this lane among the sites: what they all have need not travel. nullopt: somebody has
// nothing, or nothing is known of somebody.
std::optional<catalogue::GitId> common_head(const std::string& lane,
                                            const std::vector<std::optional<Have>>& haves) {
    std::optional<catalogue::LaneHead> lowest;
    for (const std::optional<Have>& have : haves) {
        if (!have) return std::nullopt;
        const auto head =
            std::find_if(have->heads.begin(), have->heads.end(),
                         [&](const catalogue::LaneHead& candidate) { return candidate.lane == lane; });
        if (head == have->heads.end()) return std::nullopt;
        if (!lowest || head->height < lowest->height) lowest = *head;
    }
    return lowest ? std::optional(lowest->head) : std::nullopt;
}

}  // namespace

Result<void> roots_from(const Replica& replica, std::uint32_t version, const TakeParcel& take) {
    SATCHEL_TRY(std::vector<trust::SignedRoot> roots, replica.trust.roots(version));
    Roots parcel;
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

Result<void> news_for(const Replica& replica, const std::vector<std::optional<Have>>& haves,
                      const TakeParcel& take) {
    std::uint32_t root_known = 0;
    if (!haves.empty() &&
        std::all_of(haves.begin(), haves.end(), [](const auto& have) { return have.has_value(); })) {
        const auto lowest = std::min_element(haves.begin(), haves.end(), [](const auto& a, const auto& b) {
            return a->root_version < b->root_version;
        });
        root_known = (*lowest)->root_version;
    }
    SATCHEL_TRY_VOID(roots_from(replica, root_known + 1, take));
    SATCHEL_TRY(const std::vector<catalogue::LaneHead> heads, replica.catalogue.heads());
    for (const catalogue::LaneHead& head : heads) {
        const std::optional<catalogue::GitId> known = common_head(head.lane, haves);
        if (known && *known == head.head) continue;
        SATCHEL_TRY_VOID(take(LaneBegin{head.lane, head.head}));
        SATCHEL_TRY_VOID(replica.catalogue.export_objects(
            head.lane, known, [&](ByteView batch) { return take(LaneBatch{copy_of(batch)}); }));
        SATCHEL_TRY_VOID(take(LaneEnd{}));
    }
    return {};
}

// What hubs have acknowledged needs no carrying any more; so acknowledgements go along.
static Result<void> records_of(const Replica& replica, const TakeParcel& take) {
    SATCHEL_TRY_VOID(replica.records->for_each_own_acknowledgement(
        [&](ByteView statement) { return take(AcknowledgementParcel{copy_of(statement)}); }));
    std::size_t bytes = 0;
    return replica.records->for_each_unacknowledged([&](ByteView segment) -> Result<bool> {
        SATCHEL_TRY_VOID(take(SegmentParcel{copy_of(segment)}));
        bytes += segment.size();
        return bytes < kRecordsOnStickMax;
    });
}

Result<void> answers_of(const Replica& replica, const TakeParcel& take) {
    SATCHEL_TRY_VOID(replica.catalogue.for_each_review(
        [&](const catalogue::Review&, const std::string&, const catalogue::SignedReview& review) {
            return take(review);
        }));
    SATCHEL_TRY(ByteBuffer have, own_have(replica));
    SATCHEL_TRY_VOID(take(HaveParcel{std::move(have)}));
    SATCHEL_TRY_VOID(
        for_each_peer_have(replica, [&](ByteView bytes) { return take(HaveParcel{copy_of(bytes)}); }));
    SATCHEL_TRY_VOID(
        for_each_receipt(replica, [&](ByteView bytes) { return take(ReceiptParcel{copy_of(bytes)}); }));
    return replica.records == nullptr ? Result<void>() : records_of(replica, take);
}

}  // namespace satchel::exchange
