// The register of sites: an office's table, and its documents.
#include <cstddef>
#include <cstdint>

#include "cli/commands/sites_import.hpp"
#include "engine/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    if (const auto sites = commands::parse_register(text_of(bytes)); sites.has_value())
        for (const catalogue::RegisteredSite& site : *sites)
            SATCHEL_CHECK(*catalogue::decode_registered_site(bytes_of(encode(site))) == site);
    if (const auto site = catalogue::decode_registered_site(bytes); site.has_value())
        SATCHEL_CHECK(encode(*site) == text_of(bytes));
    return 0;
}
