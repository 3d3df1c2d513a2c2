// How stored bytes are made shorter: one zstd frame (RFC 8878) without dictionary, where a sample says that
// it pays.
#pragma once

#include <optional>

#include "engine/base/bytes.hpp"
#include "engine/base/result.hpp"

namespace satchel::store {

inline constexpr int kZstdWindowLogMax = 23;  // 8 MiB: what a village box can spare

// The frame, or none where it saves too little.
[[nodiscard]] std::optional<ByteBuffer> compress_if_it_pays(ByteView plain);
// Exactly one frame that tells its size; what it tells is compared before anything is allocated for it.
// Skippable frames and those of zstd before 1.0, which libraries still unpack, are none.
// kDamaged. `raw_size` was checked against a limit by the caller.
Result<ByteBuffer> decompress(ByteView frame, std::uint32_t raw_size);

}  // namespace satchel::store
