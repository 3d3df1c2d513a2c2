// Segments of records as a carrier may bring them.
#include <cstddef>
#include <cstdint>

#include "engine/base/check.hpp"
#include "engine/records/segment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    NetworkId network;
    network.digest.fill(0x11);
    const ByteView bytes(data, size);
    const Result<SiteId> site = records::site_of_segment(bytes);
    const Result<records::OpenedSegment> opened = records::open_segment(bytes, network);
    if (!opened.has_value()) return 0;
    SATCHEL_CHECK(site.has_value() && *site == trust::site_id_of(opened->segment.site));
    SATCHEL_CHECK(opened->segment.events.size() <= records::kEventsPerSegmentMax);
    for (const ByteBuffer& event : opened->segment.events) SATCHEL_CHECK(records::decode_event(event).has_value());
    return 0;
}
