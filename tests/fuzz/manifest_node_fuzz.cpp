// Nodes of manifests: any bytes are decoded or refused; what is decoded encodes to the same, and its paths
// may be written.
#include "engine/store/manifest_node.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<store::ManifestNode> node = store::decode_manifest_node(bytes);
    if (!node.has_value()) return 0;
    if (!equal(store::encode(*node), bytes)) std::abort();
    for (const store::ManifestEntry& entry : node->entries)
        if (!store::check_path(entry.path).has_value() || entry.size > store::kFileBytesMax) std::abort();
    return 0;
}
