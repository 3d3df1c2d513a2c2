// Records: any bytes are opened or refused; what is opened has the id that it says, within the limits.
#include "engine/store/record.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<ByteBuffer> plain = store::open_record(bytes);
    if (!plain.has_value()) return 0;
    const Result<store::RecordHeader> header = store::decode_header(bytes);
    if (!header.has_value() || header->raw_size != plain->size() || plain->size() > store::kObjectMax)
        std::abort();
    if (hash_of(*plain) != header->id) std::abort();
    ByteBuffer again;
    store::encode_record(again, header->type, *plain);
    const Result<ByteBuffer> reopened = store::open_record(again);
    if (!reopened.has_value() || *reopened != *plain) std::abort();
    return 0;
}
