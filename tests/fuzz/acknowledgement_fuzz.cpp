// A hub's acknowledgements as a stick or a peer may bring them.
#include <cstddef>
#include <cstdint>

#include "engine/base/check.hpp"
#include "engine/exchange/acknowledgement.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const Result<exchange::Acknowledgement> read = exchange::decode_acknowledgement(ByteView(data, size));
    if (!read.has_value()) return 0;
    SATCHEL_CHECK(read->feeds.size() <= exchange::kAcknowledgedFeedsMax);
    return 0;
}
