// Crash points. let_go is one transaction; what a collection had not given back yet is found again by the
// next one, since it begins from what is kept.
#include "engine/site/retention.hpp"

#include <algorithm>
#include <map>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/exchange/admission.hpp"
#include "engine/exchange/holdings.hpp"
#include "engine/exchange/lacks.hpp"

namespace satchel::site {

namespace {

using exchange::kPinPrefix;
constexpr std::string_view kDroppedPrefix = "dropped/";

std::string key_of(std::string_view prefix, std::string_view rest) {
    return std::string(prefix) + std::string(rest);
}

// Why an edition stays here, if it does.
class Claims {
  public:
    static Result<Claims> create(Site::State& state) {
        Claims claims(state);
        SATCHEL_TRY(claims.subscribed_, exchange::subscriptions(*state.database));
        claims.is_hub_ = state.self.role == trust::SiteRole::kHub;
        return claims;
    }

    Result<std::optional<Claim>> of(const catalogue::EditionState& edition) {
        const std::string& course = edition.edition.course;
        const ChunkId& manifest = edition.edition.manifest;
        SATCHEL_TRY(const bool complete, exchange::is_complete(*state_->database, manifest));
        SATCHEL_TRY(const std::optional<ChunkId> newer, replaced_by(edition));
        if (newer == manifest) return std::optional<Claim>();  // of the same files: the newer one keeps them
        SATCHEL_TRY(const bool pinned, exchange::is_pinned(*state_->database, course));
        if (pinned && complete) {
            // The one that people see stays until a newer one is whole here, or the pin would keep nothing.
            SATCHEL_TRY(const std::optional<catalogue::EditionState> shown, shown_edition(*state_, course));
            const bool is_shown = shown && shown->edition.manifest == manifest;
            if (!newer || is_shown) return std::optional(Claim::kPinned);
        }
        if (newer) return of_replaced(manifest, complete);
        const bool meant = exchange::is_meant(subscribed_, edition.edition);
        if (complete) return std::optional(meant ? Claim::kSubscribed : Claim::kRest);
        if (edition.is_current && meant) return std::optional(Claim::kStaging);
        if (edition.is_current && pinned) {  // it lost something, and what is left of it stays
            SATCHEL_TRY(const bool is_left, state_->store->contains(manifest));
            if (is_left) return std::optional(Claim::kPinned);
        }
        return is_hub_ ? std::optional(Claim::kSubscribed) : std::nullopt;
    }

    Result<bool> is_stand_in(const HeldEdition& held) {
        if (held.claim != Claim::kOld || is_hub_) return false;
        SATCHEL_TRY(const std::optional<catalogue::EditionState> current,
                    state_->catalogue->current_edition(held.course));
        if (!current || !exchange::is_meant(subscribed_, current->edition)) return false;
        SATCHEL_TRY(const bool is_over, exchange::is_complete(*state_->database, current->edition.manifest));
        if (is_over) return false;
        SATCHEL_TRY(const std::optional<catalogue::EditionState> shown, shown_edition(*state_, held.course));
        return shown && shown->edition.manifest == held.manifest;
    }

  private:
    explicit Claims(Site::State& state) : state_(&state) {}

    Result<std::optional<ByteBuffer>> marked(std::string_view prefix, std::string_view rest) {
        return database::meta(*state_->database, key_of(prefix, rest));
    }

    // Only these can be dropped: a newer edition may be of the same files, and then of the same manifest.
    Result<std::optional<Claim>> of_replaced(const ChunkId& manifest, bool complete) {
        SATCHEL_TRY(const std::optional<ByteBuffer> dropped, marked(kDroppedPrefix, to_hex(manifest.view())));
        const bool stays = !dropped && (complete || is_hub_);
        return stays ? std::optional(Claim::kOld) : std::nullopt;
    }

    // The manifest of the current edition, if that is a newer one.
    Result<std::optional<ChunkId>> replaced_by(const catalogue::EditionState& edition) {
        if (edition.is_current) return std::optional<ChunkId>();
        SATCHEL_TRY(const std::optional<catalogue::EditionState> current,
                    state_->catalogue->current_edition(edition.edition.course));
        const bool is_newer = current && current->edition.number > edition.edition.number;
        return is_newer ? std::optional(current->edition.manifest) : std::nullopt;
    }

    Site::State* state_;
    std::vector<exchange::Subscription> subscribed_;
    bool is_hub_ = false;
};

}  // namespace

Result<void> for_each_held(Site::State& state,
                           const std::function<Result<void>(const HeldEdition& edition)>& each) {
    SATCHEL_TRY(Claims claims, Claims::create(state));
    return state.catalogue->for_each_edition([&](const catalogue::EditionState& edition) -> Result<void> {
        SATCHEL_TRY(const std::optional<Claim> claim, claims.of(edition));
        if (!claim) return {};
        HeldEdition held{edition.edition.course, edition.edition.number, edition.edition.manifest,
                         edition.edition.bytes, *claim};
        SATCHEL_TRY(held.is_stand_in, claims.is_stand_in(held));
        return each(held);
    });
}

Result<std::optional<HeldEdition>> leave_what_others_keep(
    Site::State& state, std::vector<HeldEdition>& going,
    const std::function<bool(const HeldEdition& edition)>& may_go) {
    std::optional<HeldEdition> keeper;
    SATCHEL_TRY_VOID(for_each_held(state, [&](const HeldEdition& other) -> Result<void> {
        const bool goes = std::any_of(going.begin(), going.end(), [&](const HeldEdition& each) {
            const bool is_same =
                each.number == other.number || (each.manifest == other.manifest && each.claim == other.claim);
            return each.course == other.course && is_same;
        });
        if (goes || may_go(other)) return {};
        const auto erased =
            std::erase_if(going, [&](const HeldEdition& each) { return each.manifest == other.manifest; });
        if (erased > 0) keeper = other;
        return {};
    }));
    return keeper;
}

Result<void> note_published(Site::State& state, const ChunkId& manifest) {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(*state.database));
    SATCHEL_TRY_VOID(exchange::note_complete(*state.database, manifest));
    SATCHEL_TRY_VOID(database::remove_meta(*state.database, key_of(kDroppedPrefix, to_hex(manifest.view()))));
    return transaction.commit();
}

Result<void> let_go(Site::State& state, const std::vector<HeldEdition>& editions) {
    if (editions.empty()) return {};
    const bool is_hub = state.self.role == trust::SiteRole::kHub;
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(*state.database));
    for (const HeldEdition& edition : editions) {
        const std::string dropped = key_of(kDroppedPrefix, to_hex(edition.manifest.view()));
        SATCHEL_TRY_VOID(exchange::forget_holding(*state.database, edition.manifest));
        if (is_hub) SATCHEL_TRY_VOID(database::set_meta(*state.database, dropped, {}));
    }
    return transaction.commit();
}

// -- pins and drops -------------------------------------------------------------------------------

Result<void> Site::pin(const std::string& course) {
    return database::set_meta(*state_->database, key_of(kPinPrefix, course), {});
}

Result<void> Site::unpin(const std::string& course) {
    SATCHEL_TRY_VOID(exchange::forget_declined(*state_->database));
    return database::remove_meta(*state_->database, key_of(kPinPrefix, course));
}

Result<bool> Site::is_pinned(const std::string& course) {
    return exchange::is_pinned(*state_->database, course);
}

namespace {

Error must_stay(const Site::State& state, const HeldEdition& edition) {
    if (edition.claim == Claim::kPinned)
        return fail(ErrorCode::kRefused, edition.course, "this course is pinned",
                    "run `satchel store unpin` first");
    if (state.self.role == trust::SiteRole::kHub)
        return fail(ErrorCode::kRefused, edition.course, "others fetch this edition from the hub",
                    "publish a newer edition first; then this one may go");
    return fail(ErrorCode::kRefused, edition.course,
                "this site subscribes to the course and would fetch it again",
                "`satchel subscribe list` shows by what; end that first, after adding what shall stay");
}

}  // namespace

Result<std::uint64_t> Site::drop_editions(const std::vector<std::string>& courses,
                                          std::optional<std::uint32_t> number) {
    std::vector<HeldEdition> dropped;
    std::map<std::string, HeldEdition> staying;
    SATCHEL_TRY_VOID(for_each_held(*state_, [&](const HeldEdition& edition) -> Result<void> {
        const bool is_named = std::find(courses.begin(), courses.end(), edition.course) != courses.end();
        if (!is_named || (number && edition.number != *number)) return {};
        const bool may_go = edition.claim == Claim::kOld || edition.claim == Claim::kRest;
        if (may_go)
            dropped.push_back(edition);
        else
            staying.insert_or_assign(edition.course, edition);
        return {};
    }));
    for (const HeldEdition& edition : dropped) staying.erase(edition.course);
    if (!staying.empty()) return must_stay(*state_, staying.begin()->second);
    SATCHEL_TRY(const std::optional<HeldEdition> keeper,
                leave_what_others_keep(*state_, dropped, [](const HeldEdition&) { return false; }));
    if (keeper)
        return fail(ErrorCode::kRefused, keeper->course, "this course has the same files, and keeps them",
                    "drop both at once, or unpin or unsubscribe this one first");
    SATCHEL_TRY_VOID(exchange::forget_declined(*state_->database));
    SATCHEL_TRY_VOID(let_go(*state_, dropped));
    return dropped.size();
}

}  // namespace satchel::site
