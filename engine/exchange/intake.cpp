#include "engine/exchange/intake.hpp"

namespace satchel::exchange {

namespace {
constexpr int kOrderBits = 48;  // more objects than any disk holds
constexpr std::int64_t kStructureOnly = std::int64_t{1} << (kOrderBits - 1);
}  // namespace

Result<Intake> Intake::create(database::Database& database, store::Store& store, const std::string& name) {
    SATCHEL_TRY(ChunkSet wants, ChunkSet::create(database, name + "_wanted", true));
    SATCHEL_TRY(ChunkSet passed_over, ChunkSet::create(database, name + "_passed_over"));
    return Intake(store, std::move(wants), std::move(passed_over));
}

// Returns whether it is here.
Result<bool> Intake::want_if_missing(const ChunkId& id, ObjectKind kind, Depth depth) {
    SATCHEL_TRY(const bool here, store_->contains(id));
    if (here) return true;
    if (depth == Depth::kStructure && kind == ObjectKind::kContent) return false;
    const std::int64_t flag = depth == Depth::kStructure ? kStructureOnly : 0;
    const std::int64_t value = (static_cast<std::int64_t>(kind) << kOrderBits) + flag + next_in_order_;
    SATCHEL_TRY(const std::optional<std::int64_t> before, wants_.find(id));
    const bool goes_deeper = before && (*before & kStructureOnly) != 0 && flag == 0;
    if (goes_deeper) SATCHEL_TRY_VOID(wants_.erase(id));
    if (before && !goes_deeper) return false;
    SATCHEL_TRY_VOID(wants_.insert(id, value));
    next_in_order_ += 1;
    return false;
}

Result<void> Intake::for_first_wanted(std::size_t count_max, const EachWanted& each) {
    return wants_.for_first(count_max, [&](const ChunkId& id, std::int64_t) { return each(id); });
}

Result<void> Intake::want_edition(const ChunkId& manifest, Depth depth) {
    if (depth == Depth::kDeclined) return {};
    return walk_edition(*store_, manifest, [this, depth](const ChunkId& id, ObjectKind kind) {
        return want_if_missing(id, kind, depth);
    });
}

Result<bool> Intake::has_passed_over(const ChunkId& manifest) {
    bool has_all = true;
    SATCHEL_TRY_VOID(walk_edition(*store_, manifest, [&](const ChunkId& id, ObjectKind) -> Result<bool> {
        SATCHEL_TRY(const bool here, store_->contains(id));
        if (here) return true;
        SATCHEL_TRY(const bool offered, passed_over_.contains(id));
        has_all = has_all && offered;
        return false;
    }));
    return has_all;
}

// For these something may go, so a carrier that only says that it has them is not believed.
Result<void> Intake::note_passed_over(const ChunkId& id, ByteView record) {
    SATCHEL_TRY(const bool is_known, passed_over_.contains(id));
    if (is_known) return {};
    has_passed_over_more_ = has_passed_over_more_ || passed_over_count_ >= kPassedOverMax;
    if (has_passed_over_more_) return {};
    const Result<ByteBuffer> plain = store::open_record(record);
    if (!plain.has_value()) return plain.error();
    SATCHEL_TRY_VOID(passed_over_.insert(id));
    ++passed_over_count_;
    return {};
}

Result<bool> Intake::wants_what_was_passed_over() {
    if (!has_passed_over_more_) return passed_over_.meets(wants_);
    SATCHEL_TRY(const std::uint64_t wanted, wants_.size());
    return wanted > 0;
}

Result<Intake::Offer> Intake::offer(const ChunkId& id, ByteView record) {
    SATCHEL_TRY(const std::optional<std::int64_t> wanted, wants_.find(id));
    if (!wanted) {
        const Result<bool> here = store_->contains(id);
        if (!here.has_value() && !is_unreadable(here.error())) return here.error();
        if (here.has_value() && *here) return Offer::kHere;
        SATCHEL_TRY_VOID(note_passed_over(id, record));
        return Offer::kNotWanted;
    }
    const auto object = static_cast<ObjectKind>(*wanted >> kOrderBits);
    const bool names_others = object != ObjectKind::kContent;
    SATCHEL_TRY_VOID(store_->put_record(
        record, names_others ? store::Reach::kBeyondByALittle : store::Reach::kToTheLimit));
    SATCHEL_TRY_VOID(wants_.erase(id));
    const Depth depth = (*wanted & kStructureOnly) != 0 ? Depth::kStructure : Depth::kAll;
    const auto visit = [this, depth](const ChunkId& inner, ObjectKind kind) {
        return want_if_missing(inner, kind, depth);
    };
    Result<void> walked;
    if (object == ObjectKind::kNode) walked = walk_edition(*store_, id, visit);
    if (object == ObjectKind::kRecipe) walked = walk_recipe(*store_, id, visit);
    // Of what is below and damaged here, `store verify` tells; this one came whole.
    if (!walked.has_value() && !is_unreadable(walked.error())) return walked.error();
    return Offer::kTaken;
}

}  // namespace satchel::exchange
