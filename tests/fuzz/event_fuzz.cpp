// Events and lines of JSON that say them.
#include <cstddef>
#include <cstdint>

#include "engine/base/check.hpp"
#include "engine/records/record_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    const ByteView bytes(data, size);
    if (const Result<records::Event> event = records::decode_event(bytes); event.has_value()) {
        const Result<records::Event> again = records::decode_event(records::encode(*event));
        SATCHEL_CHECK(again.has_value() && *again == *event);
    }
    if (const Result<records::Event> event = records::event_from_json(text_of(bytes), 480); event.has_value()) {
        const Result<records::Event> again = records::decode_event(records::encode(*event));
        SATCHEL_CHECK(again.has_value() && *again == *event);
        static_cast<void>(records::json_of({"origin", 1, 2, ""}, *event, 480));
    }
    static_cast<void>(records::parse_identity(text_of(bytes)));
    static_cast<void>(records::decode_kind(bytes));
    return 0;
}
