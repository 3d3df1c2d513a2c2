#include "engine/env/reserve.hpp"

#include <algorithm>

namespace satchel::env {

Result<void> Reserve::allow(std::uint64_t content_bytes, std::string_view path) {
    if (content_bytes > allowed_) {
        SATCHEL_TRY(const Space space, disk_.space());
        const std::uint64_t for_content = space.free > bytes_ ? space.free - bytes_ : 0;
        allowed_ = std::min(for_content, std::max(content_bytes, kAskEveryBytes));
        if (content_bytes > allowed_)
            return fail(ErrorCode::kNoSpace, disk_.describe(path), "the disk is full",
                        "free some space and try again",
                        std::to_string(bytes_) + " bytes are kept free for records");
    }
    allowed_ -= content_bytes;
    return {};
}

}  // namespace satchel::env
