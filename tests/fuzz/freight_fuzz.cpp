// Freight parcels, haves and receipts: any bytes are decoded or refused; what is decoded encodes to the same.
#include <cstdlib>

#include "engine/exchange/freight.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<exchange::Parcel> parcel = exchange::decode_parcel(bytes);
    if (parcel.has_value() && !equal(exchange::encode(*parcel), bytes)) std::abort();
    static_cast<void>(exchange::decode_have(bytes).has_value());
    static_cast<void>(exchange::decode_receipt(bytes).has_value());
    return 0;
}
