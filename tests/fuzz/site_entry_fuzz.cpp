// Site documents of the roster: any bytes are refused or are what encode gives for what they say.
#include <cstdlib>

#include "engine/trust/enrolment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    const Result<trust::SiteEntry> entry = trust::decode_site_entry(bytes);
    if (!entry.has_value()) return 0;
    if (trust::encode(*entry) != text_of(bytes) || entry->id != trust::site_id_of(entry->signing_key))
        std::abort();
    return 0;
}
