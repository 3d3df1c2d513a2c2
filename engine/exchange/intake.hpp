// What this site still wants, and the gate through which a carrier's chunks come in: only wanted objects are
// taken, each verified by its hash, so nobody can fill a site with what it did not ask for.
#pragma once

#include <cstdint>

#include "engine/exchange/admission.hpp"
#include "engine/exchange/chunk_set.hpp"
#include "engine/exchange/edition_walk.hpp"

namespace satchel::exchange {

// Twice the largest county library; in temporary storage, some 45 bytes each.
inline constexpr std::uint64_t kPassedOverMax = 8 * 1024 * 1024;

class Intake {
  public:
    // `name`: of its sets, so that two intakes do not empty each other's.
    static Result<Intake> create(database::Database& database, store::Store& store,
                                 const std::string& name = "stick");

    // Wants whatever of this edition is not here, down to `depth`; an edition may be wanted again, deeper.
    Result<void> want_edition(const ChunkId& manifest, Depth depth = Depth::kAll);

    enum class Offer { kTaken, kHere, kNotWanted };
    // `record`: header and payload, as a carrier brought it. A taken node or recipe makes what it names
    // wanted. kDamaged if the bytes are not what the id says, also of what nobody wants.
    Result<Offer> offer(const ChunkId& id, ByteView record);

    // What to ask for first: manifest nodes, recipes, content, each in the order in which it became wanted.
    using EachWanted = std::function<Result<void>(const ChunkId& id)>;
    Result<void> for_first_wanted(std::size_t count_max, const EachWanted& each);
    Result<bool> wants(const ChunkId& id) { return wants_.contains(id); }

    // Whether all that this edition lacks was offered when nobody wanted it, so that the carrier has it.
    Result<bool> has_passed_over(const ChunkId& manifest);

    Result<void> clear() { return wants_.clear(); }
    Result<std::uint64_t> wanted() { return wants_.size(); }
    // Whether something became wanted after it had been offered: the carrier should offer it once more. Where
    // more was offered than is remembered, also if it may have been.
    Result<bool> wants_what_was_passed_over();

  private:
    Intake(store::Store& store, ChunkSet wants, ChunkSet passed_over)
        : store_(&store), wants_(std::move(wants)), passed_over_(std::move(passed_over)) {}
    Result<bool> want_if_missing(const ChunkId& id, ObjectKind kind, Depth depth);
    Result<void> note_passed_over(const ChunkId& id, ByteView record);
    store::Store* store_;
    ChunkSet wants_;  // value: kind, then whether only structure is wanted, then the order of becoming wanted
    std::int64_t next_in_order_ = 0;
    ChunkSet passed_over_;  // offered, and whole, when nobody wanted it
    std::uint64_t passed_over_count_ = 0;
    bool has_passed_over_more_ = false;  // than kPassedOverMax
};

}  // namespace satchel::exchange
