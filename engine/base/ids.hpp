// The names of things. Each is 32 bytes and a type of its own.
#pragma once

#include "engine/base/hash.hpp"

namespace satchel {

using ChunkId = HashId<struct ChunkIdTag>;        // BLAKE2b-256 of a store object's plain bytes
using PackId = HashId<struct PackIdTag>;          // hash of a sealed pack's trailer
using NetworkId = HashId<struct NetworkIdTag>;    // hash of the network's first root document
using SiteId = HashId<struct SiteIdTag>;          // hash of a site's public signing key
using TreeDigest = HashId<struct TreeDigestTag>;  // Satchel-Tree: BLAKE2b-256 Merkle hash of a git tree

// Manifests and recipes are store objects: their id is the chunk id of their bytes.

}  // namespace satchel
