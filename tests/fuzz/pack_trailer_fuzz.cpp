// Packs: any bytes are a pack, with an index whose rows lie inside it, or are refused; scanning them ends,
// and gives whole records alone.
#include <cstdlib>

#include "engine/store/pack_scan.hpp"
#include "tests/fuzz/input_file.hpp"

using namespace satchel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    fuzz::InputFile file(bytes);
    static_cast<void>(store::decode_pack_header(bytes).has_value());
    if (const Result<store::PackTrailer> trailer = store::read_trailer(file); trailer.has_value()) {
        static_cast<void>(store::read_index(file, *trailer, [&](const store::IndexRow& row) -> Result<void> {
                              if (row.place + store::kRecordHeaderSize + row.stored_size > size) std::abort();
                              return {};
                          }).has_value());
    }
    const Result<std::uint64_t> end =
        store::scan_records(file, {0, size, 0}, [&](const store::IndexRow& row) -> Result<void> {
            const ByteView record = bytes.subspan(row.place, store::kRecordHeaderSize + row.stored_size);
            if (!store::open_record(record).has_value()) std::abort();
            return {};
        });
    if (end.has_value() && *end > size) std::abort();
    return 0;
}
