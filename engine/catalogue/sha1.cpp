#include "engine/catalogue/sha1.hpp"

#include <algorithm>
#include <bit>

namespace satchel::catalogue {

void Sha1::take_block(const std::uint8_t* block) {
    std::array<std::uint32_t, 80> word;
    for (std::size_t t = 0; t < 16; ++t) {
        word[t] = 0;
        for (std::size_t byte = 0; byte < 4; ++byte) word[t] = word[t] << 8 | block[4 * t + byte];
    }
    for (std::size_t t = 16; t < 80; ++t)
        word[t] = std::rotl(word[t - 3] ^ word[t - 8] ^ word[t - 14] ^ word[t - 16], 1);
    auto [a, b, c, d, e] = state_;
    for (std::size_t t = 0; t < 80; ++t) {
        std::uint32_t f, k;
        if (t < 20)
            f = (b & c) | (~b & d), k = 0x5a827999;
        else if (t < 40)
            f = b ^ c ^ d, k = 0x6ed9eba1;
        else if (t < 60)
            f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
        else
            f = b ^ c ^ d, k = 0xca62c1d6;
        const std::uint32_t next = std::rotl(a, 5) + f + e + word[t] + k;
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    const std::array<std::uint32_t, 5> added = {a, b, c, d, e};
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] += added[i];
}

void Sha1::update(ByteView bytes) {
    while (!bytes.empty()) {
        const auto at = static_cast<std::size_t>(size_ % kBlock);
        if (at == 0 && bytes.size() >= kBlock) {
            take_block(bytes.data());
            size_ += kBlock;
            bytes = bytes.subspan(kBlock);
            continue;
        }
        const std::size_t taken = std::min(kBlock - at, bytes.size());
        std::copy_n(bytes.begin(), taken, pending_.begin() + static_cast<std::ptrdiff_t>(at));
        size_ += taken;
        bytes = bytes.subspan(taken);
        if (size_ % kBlock == 0) take_block(pending_.data());
    }
}

Sha1::Sum Sha1::finish() {
    const std::uint64_t bits = size_ * 8;
    ByteBuffer end(1, 0x80);
    while ((size_ + end.size()) % kBlock != kBlock - 8) end.push_back(0);
    for (int shift = 56; shift >= 0; shift -= 8) end.push_back(static_cast<std::uint8_t>(bits >> shift));
    update(end);
    Sum sum;
    for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    return sum;
}

}  // namespace satchel::catalogue
