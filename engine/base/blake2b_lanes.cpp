// Method. BLAKE2b works on one block of 128 bytes after the other, so one input alone leaves three quarters
// of a vector register empty. Idea: four inputs side by side, word w of all four in one register (RFC 7693's
// rounds as they stand, each operation on four words). Cost: up to 3.4 times the rate of libsodium's on one
// core. CMakeLists.txt compiles this file without two passes of GCC that undo the order of mix_four.
// Source: S. Neves, J.-P. Aumasson, "Implementing BLAKE with AVX, AVX2, and XOP" (2012), for the transposing.
#include "engine/base/blake2b_lanes.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

namespace satchel::blake2b {

namespace {

#define SATCHEL_AVX2 __attribute__((target("avx2")))
#define SATCHEL_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

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

using Words = __m256i[2 * kWords];  // each holds one word of every lane

// The function G on all four columns (kTurn 0) or diagonals (kTurn 1), step by step side by side: a step of
// one need not wait for the step before, and fewer words leave their registers.
template <unsigned kTurn>
SATCHEL_AVX2_INLINE void mix_four(Words& v, const Words& m, const std::uint8_t* order) {
    const __m256i by_24 = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6,
                                           7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
    const __m256i by_16 = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5,
                                           6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
    constexpr unsigned kA[4] = {0, 1, 2, 3};
    constexpr unsigned kB[4] = {4 + kTurn, 5 + kTurn, 6 + kTurn, 4 + (3 + kTurn) % 4};
    constexpr unsigned kC[4] = {8 + 2 * kTurn, 9 + 2 * kTurn, 8 + (2 + 2 * kTurn) % 4,
                                8 + (3 + 2 * kTurn) % 4};
    constexpr unsigned kD[4] = {12 + 3 * kTurn, 12 + (1 + 3 * kTurn) % 4, 12 + (2 + 3 * kTurn) % 4,
                                12 + (3 + 3 * kTurn) % 4};
    const std::uint8_t* const words = order + 8 * kTurn;
#define SATCHEL_EACH _Pragma("GCC unroll 4") for (unsigned i = 0; i < 4; ++i)
    SATCHEL_EACH v[kA[i]] = _mm256_add_epi64(v[kA[i]], m[words[2 * i]]);
    SATCHEL_EACH v[kA[i]] = _mm256_add_epi64(v[kA[i]], v[kB[i]]);
    SATCHEL_EACH v[kD[i]] = _mm256_xor_si256(v[kD[i]], v[kA[i]]);
    SATCHEL_EACH v[kD[i]] = _mm256_shuffle_epi32(v[kD[i]], _MM_SHUFFLE(2, 3, 0, 1));
    SATCHEL_EACH v[kC[i]] = _mm256_add_epi64(v[kC[i]], v[kD[i]]);
    SATCHEL_EACH v[kB[i]] = _mm256_xor_si256(v[kB[i]], v[kC[i]]);
    SATCHEL_EACH v[kB[i]] = _mm256_shuffle_epi8(v[kB[i]], by_24);
    SATCHEL_EACH v[kA[i]] = _mm256_add_epi64(v[kA[i]], m[words[2 * i + 1]]);
    SATCHEL_EACH v[kA[i]] = _mm256_add_epi64(v[kA[i]], v[kB[i]]);
    SATCHEL_EACH v[kD[i]] = _mm256_xor_si256(v[kD[i]], v[kA[i]]);
    SATCHEL_EACH v[kD[i]] = _mm256_shuffle_epi8(v[kD[i]], by_16);
    SATCHEL_EACH v[kC[i]] = _mm256_add_epi64(v[kC[i]], v[kD[i]]);
    SATCHEL_EACH v[kB[i]] = _mm256_xor_si256(v[kB[i]], v[kC[i]]);
    SATCHEL_EACH v[kB[i]] =
        _mm256_or_si256(_mm256_srli_epi64(v[kB[i]], 63), _mm256_add_epi64(v[kB[i]], v[kB[i]]));
#undef SATCHEL_EACH
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

}  // namespace

bool is_available() { return __builtin_cpu_supports("avx2") != 0; }

void Lanes::begin(std::size_t lane) {
    hashed_[lane] = last_[lane] = 0;
    for (std::size_t word = 0; word < kWords; ++word) state_[word][lane] = kIv[word];
    state_[0][lane] ^= kParameters;
}

void Lanes::count(std::size_t lane, std::size_t bytes, bool is_last) {
    hashed_[lane] += bytes;
    last_[lane] = is_last ? ~std::uint64_t{0} : 0;
}

SATCHEL_AVX2 void Lanes::compress(const std::uint8_t* const blocks[kLanes]) {
    Words m;
    for (std::size_t i = 0; i < 4; ++i) transpose(blocks, 32 * i, m + 4 * i);
    Words v;
    for (std::size_t i = 0; i < kWords; ++i) {
        v[i] = load(state_[i]);
        v[kWords + i] = all(kIv[i]);
    }
    v[12] = _mm256_xor_si256(v[12], load(hashed_));
    v[14] = _mm256_xor_si256(v[14], load(last_));
#pragma GCC unroll 12
    for (const auto& order : kSigma) {
        mix_four<0>(v, m, order);
        mix_four<1>(v, m, order);
    }
    for (std::size_t i = 0; i < kWords; ++i) {
        const __m256i both = _mm256_xor_si256(v[i], v[kWords + i]);
        _mm256_store_si256(reinterpret_cast<__m256i*>(state_[i]), _mm256_xor_si256(load(state_[i]), both));
    }
}

void Lanes::compress_run(std::array<const std::uint8_t*, kLanes> blocks, std::size_t count) {
    static constexpr std::uint8_t kNone[kBlock] = {};
    std::size_t steps[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        steps[lane] = blocks[lane] != nullptr ? kBlock : 0;
        if (blocks[lane] == nullptr) blocks[lane] = kNone;
        last_[lane] = 0;
    }
    for (; count > 0; --count) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) hashed_[lane] += steps[lane];
        compress(blocks.data());
        for (std::size_t lane = 0; lane < kLanes; ++lane) blocks[lane] += steps[lane];
    }
}

Digest Lanes::digest(std::size_t lane) const {
    Digest digest;
    for (std::size_t word = 0; word < digest.size() / 8; ++word)
        std::memcpy(digest.data() + 8 * word, &state_[word][lane], 8);
    return digest;
}

void Lanes::copy_state(std::size_t lane, const Lanes& from) {
    for (std::size_t word = 0; word < kWords; ++word) state_[word][lane] = from.state_[word][lane];
    hashed_[lane] = from.hashed_[lane];
}

}  // namespace satchel::blake2b

#endif
