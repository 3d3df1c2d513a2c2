#include "engine/exchange/lacks.hpp"

#include <algorithm>

namespace satchel::exchange {

bool is_meant(std::span<const Subscription> subscriptions, const catalogue::Edition& edition) {
    return std::any_of(subscriptions.begin(), subscriptions.end(), [&](const Subscription& subscription) {
        const std::string& value = subscription.value;
        if (subscription.kind == "all") return true;
        if (subscription.kind == "course") return value == edition.course;
        if (subscription.kind == "theme") return value == edition.metadata.theme;
        if (subscription.kind == "audience") return value == edition.metadata.audience;
        if (subscription.kind == "producer") return value == edition.metadata.producer;
        return false;
    });
}

Result<Lacks> Lacks::create(database::Database& database, store::Store& store,
                            catalogue::Catalogue& catalogue) {
    SATCHEL_TRY(ChunkSet held, ChunkSet::create(database, "held"));
    SATCHEL_TRY(ChunkSet emitted, ChunkSet::create(database, "emitted"));
    return Lacks(store, catalogue, std::move(held), std::move(emitted));
}

namespace {
bool holds(const Have& have, const ChunkId& manifest) {
    return std::binary_search(have.complete.begin(), have.complete.end(), mark_of(manifest));
}
}  // namespace

// An edition may be held there and be gone or partial here: then what is left of it here still counts as
// held.
Result<void> Lacks::note_held(const Have& have) {
    return catalogue_->for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        const ChunkId& manifest = state.edition.manifest;
        if (!holds(have, manifest)) return {};
        const auto visit = [&](const ChunkId& id, ObjectKind kind) -> Result<bool> {
            SATCHEL_TRY(const bool is_new, held_.insert(id));
            if (!is_new || kind == ObjectKind::kContent) return false;
            return store_->contains(id);
        };
        const Result<void> walked = walk_edition(*store_, manifest, visit);
        return walked.has_value() || is_unreadable(walked.error()) ? Result<void>() : walked;
    });
}

Result<void> Lacks::of(const std::optional<Have>& have, const Emit& emit) {
    SATCHEL_TRY_VOID(held_.clear());
    if (have) SATCHEL_TRY_VOID(note_held(*have));
    const std::vector<Subscription> everything = {{"all", ""}};
    const std::vector<Subscription>& subscriptions = have ? have->subscriptions : everything;

    return catalogue_->for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        const catalogue::Edition& edition = state.edition;
        if (!state.is_current || !is_meant(subscriptions, edition)) return {};
        if (have && holds(*have, edition.manifest)) return {};
        Result<void> emitted;
        const auto visit = [&](const ChunkId& id, ObjectKind kind) -> Result<bool> {
            SATCHEL_TRY(const bool is_held, held_.contains(id));
            if (is_held) return false;
            SATCHEL_TRY(const bool is_here, store_->contains(id));
            if (!is_here) return false;
            SATCHEL_TRY(const bool is_new, emitted_.insert(id));
            if (is_new) emitted = emit(id, kind);
            SATCHEL_TRY_VOID(emitted);
            return kind != ObjectKind::kContent;
        };
        const Result<void> walked = walk_edition(*store_, edition.manifest, visit);
        // A list that can't be read was emitted before that was tried: whoever takes it knows.
        const bool goes_on = walked.has_value() || (emitted.has_value() && is_unreadable(walked.error()));
        return goes_on ? Result<void>() : walked;
    });
}

}  // namespace satchel::exchange
