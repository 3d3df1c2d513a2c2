#include "transport/channel/frame_reader.hpp"

#include <algorithm>
#include <string>

#include "engine/base/encoding.hpp"
#include "transport/channel/errors.hpp"

namespace satchel::channel {

namespace {
constexpr std::size_t kLengthSize = 2;
}  // namespace

void FrameReader::expect_fixed(std::size_t size) {
    held_.clear();
    want_ = size;
    has_length_ = true;
}

void FrameReader::expect_frame(Sizes sizes) {
    held_.clear();
    sizes_ = sizes;
    want_ = kLengthSize;
    has_length_ = false;
}

void FrameReader::drop() {
    ByteBuffer().swap(held_);
    want_ = 0;
    has_length_ = false;
}

Result<std::size_t> FrameReader::take(ByteView bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !is_whole()) {
        const std::size_t count = std::min(bytes.size() - used, want_ - held_.size());
        append(held_, bytes.subspan(used, count));
        used += count;
        if (!has_length_ && held_.size() == kLengthSize) SATCHEL_TRY_VOID(read_length());
    }
    return used;
}

Result<void> FrameReader::read_length() {
    const std::size_t length = Reader(held_).u16();
    if (length < sizes_.min || length > sizes_.max)
        return link_altered("frame length " + std::to_string(length));
    held_.clear();
    want_ = length;
    has_length_ = true;
    return {};
}

}  // namespace satchel::channel
