// What a site subscribes to and which editions are here complete.
#pragma once

#include <string_view>
#include <vector>

#include "engine/base/progress.hpp"
#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"

namespace satchel::exchange {

Result<std::vector<Subscription>> subscriptions(database::Database& database);

// Remembers that this manifest is here complete.
Result<void> note_complete(database::Database& database, const ChunkId& manifest);
Result<bool> is_complete(database::Database& database, const ChunkId& manifest);

// It was complete and lost something, which is wanted again: until that has come, what is here of it counts
// as needed, also below a list that is lost. In the caller's transaction.
Result<void> note_lapsed(database::Database& database, const ChunkId& manifest);
Result<bool> has_lapsed(database::Database& database, const ChunkId& manifest);
Result<void> forget_lapsed(database::Database& database);  // of all editions
// Neither complete nor lapsed. In the caller's transaction.
Result<void> forget_holding(database::Database& database, const ChunkId& manifest);

// Pinned courses have a row in meta of this name and their id.
inline constexpr std::string_view kPinPrefix = "pin/";
Result<bool> is_pinned(database::Database& database, std::string_view course);

// Forgets that editions are complete of which a part is no longer here; of one whose list is damaged nothing
// is known, and it stays as it is.
Result<void> recheck_holdings(const Replica& replica);
// Remembers of every edition of the catalogue whether all of it is here: for a database that was made again.
Result<void> find_holdings(const Replica& replica, Progress& progress);

// Which current editions, subscribed or pinned, became complete: told to `became`, and remembered.
using BecameComplete = std::function<void(const catalogue::Edition&)>;
Result<void> refresh_holdings(const Replica& replica, Progress& progress, const BecameComplete& became);

}  // namespace satchel::exchange
