// What this site still wants, and the gate through which a carrier's chunks come in: only wanted objects are
// taken, each verified by its hash, so nobody can fill a site with what it did not ask for.
#pragma once

#include <cstdint>

#include "engine/exchange/chunk_set.hpp"
#include "engine/exchange/edition_walk.hpp"

namespace satchel::exchange {

class Intake {
  public:
    static Result<Intake> create(database::Database& database, store::Store& store);

    // Wants whatever of this edition is not here.
    Result<void> want_edition(const ChunkId& manifest);

    enum class Offer { kTaken, kHere, kNotWanted };
    // `record`: header and payload, as a carrier brought it. A taken node or recipe makes what it names
    // wanted. kDamaged if the bytes are not what the id says.
    Result<Offer> offer(const ChunkId& id, ByteView record);

    Result<std::uint64_t> wanted() { return wants_.size(); }
    // Whether something became wanted after it had been offered: the carrier should offer it once more.
    Result<bool> wants_what_was_passed_over() { return passed_over_.meets(wants_); }

  private:
    Intake(store::Store& store, ChunkSet wants, ChunkSet passed_over)
        : store_(&store), wants_(std::move(wants)), passed_over_(std::move(passed_over)) {}
    Result<bool> want_if_missing(const ChunkId& id, ObjectKind kind);
    store::Store* store_;
    ChunkSet wants_;
    ChunkSet passed_over_;  // offered when nobody wanted it
};

}  // namespace satchel::exchange
