// Root documents: any bytes are refused or are what encode gives for what they say; no unsigned one holds.
#include <cstdlib>

#include "engine/trust/root.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<trust::Root> root = trust::decode_root(bytes);
    if (root.has_value() && trust::encode(*root) != text_of(bytes)) std::abort();
    const trust::SignedRoot first{ByteBuffer(bytes.begin(), bytes.end()), {std::string(text_of(bytes))}};
    if (trust::verify_root(std::nullopt, trust::network_id_of(first), first).has_value()) std::abort();
    return 0;
}
