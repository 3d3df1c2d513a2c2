#include "engine/store/codec.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>

#include "engine/base/check.hpp"

namespace satchel::store {

namespace {

constexpr int kZstdLevel = 3;                   // higher levels cost ten times as much on media, for nothing
constexpr std::size_t kSampleBytes = 8 * 1024;  // what is tried before a large object is compressed
constexpr std::size_t kSampledFrom = 8 * kSampleBytes;
constexpr std::size_t kMediaSampleBytes = 4 * 1024;  // of chunks that only media has: they hardly ever shrink
constexpr std::size_t kMediaSampledFrom = 128 * 1024;  // and a sample is all that most of them cost
constexpr std::size_t kWorthwhileSaving = 32;  // at least 1/32 must be saved, else reading fast counts more

using Compressor = std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)>;

// One context a thread: making one costs more than compressing a small object.
ZSTD_CCtx* compressor() {
    thread_local const Compressor context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    SATCHEL_CHECK(context != nullptr);
    return context.get();
}

ZSTD_DCtx* decompressor() {
    thread_local const Decompressor context = [] {
        Decompressor fresh(ZSTD_createDCtx(), ZSTD_freeDCtx);
        SATCHEL_CHECK(fresh != nullptr);
        ZSTD_DCtx_setParameter(fresh.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
        return fresh;
    }();
    return context.get();
}

// The compressed bytes, or none where they save too little. They are kept in no more memory than they take:
// a batch of them waits to be written.
std::optional<ByteBuffer> compress(ByteView plain) {
    const std::size_t bound = ZSTD_compressBound(plain.size());
    const auto out = std::make_unique_for_overwrite<std::uint8_t[]>(bound);
    const std::size_t size =
        ZSTD_compressCCtx(compressor(), out.get(), bound, plain.data(), plain.size(), kZstdLevel);
    if (ZSTD_isError(size) != 0 || size + plain.size() / kWorthwhileSaving >= plain.size())
        return std::nullopt;
    return ByteBuffer(out.get(), out.get() + size);
}

// All byte values about as often: no code of the single bytes shortens them, and what codes of longer pieces
// could save is too rare to try each time. By the Rényi entropy of order 2, sum of squares of the
// frequencies.
bool is_even_as_noise(ByteView sample) {
    constexpr double kNoiseBits =
        7.7;  // 4 KiB of noise have 7.91, and what a code of bytes could shorten enough, less than 7.66
    std::array<std::uint32_t, 256> counts = {};
    for (const std::uint8_t byte : sample) counts[byte] += 1;
    double squares = 0;
    for (const double count : counts) squares += count * count;
    const auto size = static_cast<double>(sample.size());
    return squares < size * size * std::exp2(-kNoiseBits);
}

bool sample_pays(ByteView sample) { return !is_even_as_noise(sample) && compress(sample).has_value(); }

}  // namespace

std::optional<ByteBuffer> compress_if_it_pays(ByteView plain) {
    if (plain.size() >= kSampledFrom) {
        const std::size_t size = plain.size() < kMediaSampledFrom ? kSampleBytes : kMediaSampleBytes;
        if (!sample_pays(plain.first(size)) && !sample_pays(plain.subspan(plain.size() / 2, size)))
            return std::nullopt;
    }
    return compress(plain);
}

namespace {

Error damaged(std::string detail) {
    return fail(ErrorCode::kDamaged, "record", "the bytes are damaged",
                "fetch it again from a stick or another site", std::move(detail));
}

bool begins_as_zstd(ByteView payload) {
    constexpr std::array<std::uint8_t, 4> kZstdMagic = {0x28, 0xb5, 0x2f, 0xfd};
    return payload.size() >= kZstdMagic.size() && equal(payload.first(kZstdMagic.size()), kZstdMagic);
}

// RFC 8878, 3.1.1.1: a frame that is not a single segment names its window behind the descriptor.
bool window_is_small_enough(ByteView frame) {
    constexpr std::size_t kDescriptorAt = 4;
    constexpr std::uint8_t kSingleSegment = 0x20;
    constexpr int kWindowLogMin = 10;
    if (frame.size() < kDescriptorAt + 2) return false;
    if ((frame[kDescriptorAt] & kSingleSegment) != 0) return true;  // the content is the window
    return kWindowLogMin + (frame[kDescriptorAt + 1] >> 3) <= kZstdWindowLogMax;
}

}  // namespace

Result<ByteBuffer> decompress(ByteView payload, std::uint32_t raw_size) {
    if (!begins_as_zstd(payload)) return damaged("not a zstd frame");
    if (ZSTD_getFrameContentSize(payload.data(), payload.size()) != raw_size)
        return damaged("the compressed size does not fit the header");
    if (ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size())
        return damaged("more or less than one compressed frame");
    if (!window_is_small_enough(payload)) return damaged("the compressed frame's window is too large");
    ByteBuffer plain(raw_size);
    const std::size_t size =
        ZSTD_decompressDCtx(decompressor(), plain.data(), plain.size(), payload.data(), payload.size());
    if (ZSTD_isError(size) != 0 || size != plain.size()) return damaged("the compressed bytes do not unpack");
    return plain;
}

}  // namespace satchel::store
