// Packs: any bytes are a pack, with an index whose rows lie inside it, or are refused; scanning them ends,
// and gives whole records alone.
#include <algorithm>
#include <cstdlib>

#include "engine/store/pack_scan.hpp"

namespace {

using namespace satchel;

// The input as a file that nobody writes to.
class InputFile : public env::File {
  public:
    explicit InputFile(ByteView bytes) : bytes_(bytes) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        if (offset >= bytes_.size()) return std::size_t{0};
        const std::size_t count = std::min(into.size(), bytes_.size() - static_cast<std::size_t>(offset));
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
        return count;
    }
    Result<std::uint64_t> size() override { return std::uint64_t{bytes_.size()}; }
    Result<void> write_at(std::uint64_t, ByteView) override { std::abort(); }
    Result<void> truncate(std::uint64_t) override { std::abort(); }
    Result<void> sync() override { std::abort(); }
    Result<void> set_mode(std::uint32_t) override { std::abort(); }
    Result<void> set_mtime(std::int64_t) override { std::abort(); }

  private:
    ByteView bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    InputFile file(bytes);
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
