// What a site subscribes to and which editions are here complete.
#pragma once

#include <vector>

#include "engine/base/progress.hpp"
#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

Result<std::vector<Subscription>> subscriptions(database::Database& database);

// Remembers that this manifest is here complete.
Result<void> note_complete(database::Database& database, const ChunkId& manifest);
Result<bool> is_complete(database::Database& database, const ChunkId& manifest);

// Forgets that editions are complete of which a part is no longer here.
Result<void> recheck_holdings(const Replica& replica);
// Remembers of every edition of the catalogue whether all of it is here: for a database that was made again.
Result<void> find_holdings(const Replica& replica, Progress& progress);

// Which current, subscribed editions became complete: told to `became`, and remembered.
using BecameComplete = std::function<void(const catalogue::Edition&)>;
Result<void> refresh_holdings(const Replica& replica, Progress& progress, const BecameComplete& became);

}  // namespace satchel::exchange
