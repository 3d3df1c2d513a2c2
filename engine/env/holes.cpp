#include "engine/env/holes.hpp"

#include <algorithm>

namespace satchel::env {

namespace {

// Each may take a dying disk seconds. Behind these nothing is tried by blocks any more.
constexpr std::size_t kHolesTriedMax = 256;

}  // namespace

Result<std::size_t> HolesAsZeros::read_at(std::uint64_t offset, MutableBytes into) {
    Result<std::size_t> got = file_.read_at(offset, into);
    if (got.has_value() || got.error().code != ErrorCode::kIo) return got;
    SATCHEL_TRY(const std::uint64_t size, file_.size());
    if (offset >= size) return std::size_t{0};
    into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size - offset)));
    for (std::size_t done = 0; done < into.size();) {
        const std::uint64_t at = offset + done;
        const std::uint64_t in_block = kSectorBytes - at % kSectorBytes;
        const MutableBytes part = into.subspan(
            done, static_cast<std::size_t>(std::min<std::uint64_t>(in_block, into.size() - done)));
        const bool is_tried = holes_ < kHolesTriedMax;
        if (is_tried) got = file_.read_at(at, part);
        if (is_tried && !got.has_value() && got.error().code != ErrorCode::kIo) return got;
        if (!is_tried || !got.has_value()) {
            std::fill(part.begin(), part.end(), std::uint8_t{0});
            ++holes_;
        } else if (*got != part.size()) {
            return done + *got;
        }
        done += part.size();
    }
    return into.size();
}

Result<bool> can_append_at(File& file, std::uint64_t offset) {
    ByteBuffer begun(static_cast<std::size_t>(offset % kSectorBytes));
    if (begun.empty()) return true;
    const Result<std::size_t> got = file.read_at(offset - begun.size(), begun);
    if (!got.has_value() && got.error().code != ErrorCode::kIo) return got.error();
    return got.has_value();
}

}  // namespace satchel::env
