// Guards of packs: any bytes are a guard that encodes to itself, or none; and a pack in which one is found is
// checked and mended without a step outside it, to the same pack each time.
#include <algorithm>
#include <cstdlib>

#include "engine/store/pack_check.hpp"

namespace {

using namespace satchel;

class InputFile : public env::File {
  public:
    explicit InputFile(ByteView input) : bytes(input.begin(), input.end()) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        if (offset >= bytes.size()) return std::size_t{0};
        const std::size_t count = std::min(into.size(), bytes.size() - static_cast<std::size_t>(offset));
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
        return count;
    }
    Result<void> write_at(std::uint64_t offset, ByteView from) override {
        if (offset + from.size() > store::kPackBytesMax) std::abort();
        // An imitated guard may speak of a pack far longer than the input: that much memory proves nothing
        // here.
        if (offset + from.size() > kHeldMax) return refused();
        if (bytes.size() < offset + from.size()) bytes.resize(static_cast<std::size_t>(offset) + from.size());
        std::copy(from.begin(), from.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
    }
    Result<void> truncate(std::uint64_t size) override {
        if (size > bytes.size()) std::abort();
        bytes.resize(static_cast<std::size_t>(size));
        return {};
    }
    Result<std::uint64_t> size() override { return std::uint64_t{bytes.size()}; }
    Result<void> sync() override { return {}; }
    Result<void> set_mode(std::uint32_t) override { std::abort(); }
    Result<void> set_mtime(std::int64_t) override { std::abort(); }

    ByteBuffer bytes;

  private:
    static constexpr std::size_t kHeldMax = 8 * 1024 * 1024;
    static Error refused() { return fail(ErrorCode::kNoSpace, "input", "no space is left", "free some"); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    if (const std::optional<store::Guard> guard = store::decode_guard(bytes)) {
        const ByteBuffer again = store::encode(*guard);
        if (!equal(again, bytes.first(again.size()))) std::abort();
        if (store::end_of(*guard).pack_bytes > store::kPackBytesMax) std::abort();
    }
    InputFile file(bytes);
    const Result<store::PackCheck> check = store::check_pack(file, std::nullopt);
    if (!check.has_value() || !check->guard) return 0;
    for (const std::uint32_t i : check->bad)
        if (i >= check->guard->layout.guarded()) std::abort();
    const Result<store::PackMending> mending = store::mend_pack(file, *check);
    if (!mending.has_value() || !mending->lost.empty()) return 0;
    const Result<store::PackCheck> second = store::check_pack(file, std::nullopt);
    if (!second.has_value() || !second->is_sound()) std::abort();
    return 0;
}
