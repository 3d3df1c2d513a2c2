#include "engine/exchange/intake.hpp"

namespace satchel::exchange {

namespace {
constexpr int kOrderBits = 48;  // more objects than any disk holds
}

Result<Intake> Intake::create(database::Database& database, store::Store& store, const std::string& name) {
    SATCHEL_TRY(ChunkSet wants, ChunkSet::create(database, name + "_wanted", true));
    SATCHEL_TRY(ChunkSet passed_over, ChunkSet::create(database, name + "_passed_over"));
    return Intake(store, std::move(wants), std::move(passed_over));
}

Result<bool> Intake::want_if_missing(const ChunkId& id, ObjectKind kind) {
    SATCHEL_TRY(const bool here, store_->contains(id));
    if (here) return true;
    const std::int64_t value = (static_cast<std::int64_t>(kind) << kOrderBits) + next_in_order_;
    SATCHEL_TRY(const bool is_new, wants_.insert(id, value));
    next_in_order_ += is_new ? 1 : 0;
    return false;
}

Result<void> Intake::for_first_wanted(std::size_t count_max, const EachWanted& each) {
    return wants_.for_first(count_max, [&](const ChunkId& id, std::int64_t) { return each(id); });
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
    switch (static_cast<ObjectKind>(*wanted >> kOrderBits)) {
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
