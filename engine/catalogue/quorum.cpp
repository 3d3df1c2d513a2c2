#include "engine/catalogue/quorum.hpp"

#include <algorithm>
#include <set>

#include "engine/catalogue/lane_rules.hpp"

namespace satchel::catalogue {

trust::PublicKey key_from(ByteView bytes) {
    trust::PublicKey key;
    if (bytes.size() == key.digest.size()) std::copy(bytes.begin(), bytes.end(), key.digest.begin());
    return key;
}

Result<Quorum> Quorum::create(database::Database& database, trust::TrustStore& trust) {
    SATCHEL_TRY(std::optional<trust::Root> root, trust.current_root());
    SATCHEL_TRY(
        database::Statement reviews,
        database.prepare("SELECT reviewer_key, statement FROM review WHERE course = ? AND edition = ?"));
    SATCHEL_TRY(database::Statement editions,
                database.prepare("SELECT lane, document FROM edition WHERE course = ? AND" +
                                 std::string(kHeardLane) + "ORDER BY number DESC"));
    SATCHEL_TRY(
        database::Statement mark,
        database.prepare("UPDATE edition SET is_current = (number = ?2 AND lane = ?3) WHERE course = ?1 AND "
                         "is_current != (number = ?2 AND lane = ?3)"));
    return Quorum(root ? std::move(*root) : trust::Root(), std::move(reviews), std::move(editions),
                  std::move(mark));
}

std::optional<std::string> Quorum::holder_of(const trust::PublicKey& reviewer,
                                             std::string_view lane_name) const {
    const trust::Lane* lane = root_.lane(lane_name);
    const trust::KeyHolder* holder = lane != nullptr ? find_holder(lane->reviewers, reviewer) : nullptr;
    return holder != nullptr ? std::optional(holder->holder) : std::nullopt;
}

std::optional<std::string> Quorum::holder_of(const trust::PublicKey& reviewer) const {
    for (const trust::Lane& lane : root_.lanes)
        if (std::optional<std::string> holder = holder_of(reviewer, lane.name)) return holder;
    return std::nullopt;
}

Result<EditionState> Quorum::count(Edition edition, std::string_view lane) {
    std::set<std::string> approving;
    std::set<std::string> rejecting;
    reviews_.bind(1, edition.course).bind(2, std::int64_t{edition.number});
    while (true) {
        SATCHEL_TRY(const bool row, reviews_.step());
        if (!row) break;
        const std::optional<std::string> holder = holder_of(key_from(reviews_.blob(0)), lane);
        const Result<Review> review = decode_review(reviews_.blob(1));
        if (!holder || !review.has_value() || review->manifest != edition.manifest) continue;
        (review->verdict == Verdict::kApprove ? approving : rejecting).insert(*holder);
    }
    EditionState state;
    state.edition = std::move(edition);
    state.approvals = static_cast<std::uint32_t>(approving.size());
    state.rejections = static_cast<std::uint32_t>(rejecting.size());
    return state;
}

bool Quorum::suffices(const EditionState& state, std::string_view lane_name) const {
    const trust::Lane* lane = root_.lane(lane_name);
    if (lane == nullptr) return false;
    const std::uint32_t needed = std::max(lane->reviews_needed, state.edition.reviews_needed);
    return state.approvals >= needed && state.rejections == 0;
}

Result<void> Quorum::settle(std::string_view course) {
    std::int64_t current = 0;  // no edition has this number
    std::string current_lane;
    editions_.bind(1, course);
    while (true) {
        SATCHEL_TRY(const bool row, editions_.step());
        if (!row) break;
        const std::string lane(editions_.text(0));
        SATCHEL_TRY(Edition edition, decode_edition(editions_.blob(1)));
        SATCHEL_TRY(const EditionState state, count(std::move(edition), lane));
        if (!suffices(state, lane)) continue;
        current = state.edition.number;
        current_lane = lane;
        editions_.reset();
        break;
    }
    mark_.bind(1, course).bind(2, current).bind(3, current_lane);
    return mark_.run();
}

}  // namespace satchel::catalogue
