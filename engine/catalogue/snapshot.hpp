// A plain copy of what the heads hold, for people without satchel, in an empty folder:
//
//     lanes/LANE/...                  documents, at their paths in the lane's tree
//     HEADS                           lane, commit id, height
//     roots/000001.json               with its signatures beside it: 000001.json.1.sig, ...
//     reviews/HASH16/000003-KEY16.txt statement, by course, edition and reviewer's key; its signature:
//     .txt.sig allowed_signers                 for `ssh-keygen -Y verify` of the signatures SNAPSHOT sums of
//     all these for `b2sum -l 256 -c`; written last
//
// kExists: the folder is not empty. kDamaged: a document is not what its head signs; then nothing is written.
#pragma once

#include <string_view>

#include "engine/database/database.hpp"
#include "engine/env/disk.hpp"
#include "engine/trust/trust_store.hpp"

namespace satchel::catalogue {

Result<void> write_snapshot(database::Database& database, trust::TrustStore& trust, env::Disk& target,
                            std::string_view directory);

}  // namespace satchel::catalogue
