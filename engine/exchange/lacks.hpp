// What other sites lack, as far as their haves tell: the objects of current editions meant for them that no
// edition they hold complete contains.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "engine/exchange/chunk_set.hpp"
#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/freight.hpp"

namespace satchel::exchange {

// Whether an edition is meant for a site with these subscriptions.
[[nodiscard]] bool is_meant(std::span<const Subscription> subscriptions, const catalogue::Edition& edition);

class Lacks {
  public:
    static Result<Lacks> create(database::Database& database, store::Store& store,
                                catalogue::Catalogue& catalogue);

    // Calls `emit` once for each object that the site with this have lacks and that no earlier call emitted.
    // nullopt: nothing is known of the site; it is taken to hold nothing and to want everything. Objects that
    // are not here are passed over.
    using Emit = std::function<Result<void>(const ChunkId& id, ObjectKind kind)>;
    Result<void> of(const std::optional<Have>& have, const Emit& emit);

  private:
    Lacks(store::Store& store, catalogue::Catalogue& catalogue, ChunkSet held, ChunkSet emitted)
        : store_(&store), catalogue_(&catalogue), held_(std::move(held)), emitted_(std::move(emitted)) {}
    Result<void> note_held(const Have& have);
    store::Store* store_;
    catalogue::Catalogue* catalogue_;
    ChunkSet held_;
    ChunkSet emitted_;
};

}  // namespace satchel::exchange
