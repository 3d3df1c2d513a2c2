// Edition documents: any bytes are decoded or refused; what is decoded encodes to the same and stays in its
// size.
#include <cstdlib>

#include "engine/catalogue/documents.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<catalogue::Edition> edition = catalogue::decode_edition(bytes);
    if (!edition.has_value()) return 0;
    if (size > catalogue::kEditionDocumentMax || catalogue::encode(*edition) != text_of(bytes)) std::abort();
    return 0;
}
