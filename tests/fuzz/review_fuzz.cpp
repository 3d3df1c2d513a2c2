// Review statements: any bytes are decoded or refused; what is decoded encodes to the same.
#include <cstdlib>

#include "engine/catalogue/review.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<catalogue::Review> review = catalogue::decode_review(bytes);
    if (review.has_value() && catalogue::encode(*review) != text_of(bytes)) std::abort();
    return 0;
}
