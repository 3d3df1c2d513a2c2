// The bare repository that people and stock git look at: objects and packs, refs/heads/LANE, config and
// allowed_signers. It is written after each accept, never read for trust, and remade when missing, not whole
// or of another site.db. `git -C FOLDER` finds allowed_signers; `--git-dir=FOLDER` does not.
#pragma once

#include <string_view>

#include "engine/database/database.hpp"
#include "engine/env/disk.hpp"
#include "engine/trust/trust_store.hpp"

namespace satchel::catalogue {

Result<void> write_mirror(database::Database& database, trust::TrustStore& trust, env::Disk& disk,
                          std::string_view directory);

// For a site.db that was made again from this very mirror: what the mirror holds need not be written once more.
Result<void> adopt_mirror(database::Database& database, env::Disk& disk, std::string_view directory);

}  // namespace satchel::catalogue
