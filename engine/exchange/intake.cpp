#include "engine/exchange/intake.hpp"

namespace satchel::exchange {

Result<Intake> Intake::create(database::Database& database, store::Store& store) {
    SATCHEL_TRY(ChunkSet wants, ChunkSet::create(database, "wanted"));
    SATCHEL_TRY(ChunkSet passed_over, ChunkSet::create(database, "passed_over"));
    return Intake(store, std::move(wants), std::move(passed_over));
}

Result<bool> Intake::want_if_missing(const ChunkId& id, ObjectKind kind) {
    SATCHEL_TRY(const bool here, store_->contains(id));
    if (here) return true;
    SATCHEL_TRY_VOID(wants_.insert(id, static_cast<std::int64_t>(kind)));
    return false;
}

Result<void> Intake::want_edition(const ChunkId& manifest) {
    return walk_edition(*store_, manifest,
                        [this](const ChunkId& id, ObjectKind kind) { return want_if_missing(id, kind); });
}

Result<Intake::Offer> Intake::offer(const ChunkId& id, ByteView record) {
    SATCHEL_TRY(const std::optional<std::int64_t> wanted, wants_.find(id));
    if (!wanted) {
        SATCHEL_TRY(const bool here, store_->contains(id));
        if (here) return Offer::kHere;
        SATCHEL_TRY_VOID(passed_over_.insert(id));
        return Offer::kNotWanted;
    }
    SATCHEL_TRY_VOID(store_->put_record(record));
    SATCHEL_TRY_VOID(wants_.erase(id));
    const auto visit = [this](const ChunkId& inner, ObjectKind kind) { return want_if_missing(inner, kind); };
    switch (static_cast<ObjectKind>(*wanted)) {
        case ObjectKind::kNode:
            SATCHEL_TRY_VOID(walk_edition(*store_, id, visit));
            break;
        case ObjectKind::kRecipe:
            SATCHEL_TRY_VOID(walk_recipe(*store_, id, visit));
            break;
        case ObjectKind::kContent:
            break;
    }
    return Offer::kTaken;
}

}  // namespace satchel::exchange
