#include "engine/base/hasher_row.hpp"

#include <algorithm>

namespace satchel {

#if defined(__x86_64__)

using blake2b::kBlock;

HasherRow::HasherRow() : has_lanes_(blake2b::is_available()) {}

void HasherRow::begin(std::size_t input) {
    if (!has_lanes_) {
        hashers_[input] = Hasher();
        return;
    }
    lanes_.begin(input);
    waiting_[input].size = 0;
}

void HasherRow::update(const std::array<ByteView, kInputs>& pieces) {
    if (has_lanes_) return update_lanes(pieces);
    for (std::size_t i = 0; i < kInputs; ++i) hashers_[i].update(pieces[i]);
}

Digest HasherRow::finish(std::size_t input) {
    return has_lanes_ ? finish_lane(input) : hashers_[input].finish();
}

// Of inputs without a block, the state stays.
void HasherRow::compress(std::array<const std::uint8_t*, kInputs> blocks) {
    static constexpr std::array<std::uint8_t, kBlock> kNone = {};
    std::array<bool, kInputs> is_idle = {};
    for (std::size_t i = 0; i < kInputs; ++i) {
        is_idle[i] = blocks[i] == nullptr;
        if (is_idle[i]) blocks[i] = kNone.data();
    }
    if (std::none_of(is_idle.begin(), is_idle.end(), [](bool idle) { return idle; }))
        return lanes_.compress(blocks.data());
    const blake2b::Lanes before = lanes_;
    lanes_.compress(blocks.data());
    for (std::size_t i = 0; i < kInputs; ++i)
        if (is_idle[i]) lanes_.copy_state(i, before);
}

void HasherRow::update_lanes(std::array<ByteView, kInputs> left) {
    while (true) {
        std::array<const std::uint8_t*, kInputs> blocks = {};
        std::size_t ready = 0;
        for (std::size_t i = 0; i < kInputs; ++i) {
            Waiting& waiting = waiting_[i];
            if (waiting.size + left[i].size() <= kBlock) continue;
            blocks[i] = left[i].data();
            std::size_t used = kBlock;
            if (waiting.size > 0) {
                used = kBlock - waiting.size;
                std::copy_n(left[i].begin(), used, waiting.bytes.begin() + static_cast<long>(waiting.size));
                waiting.size = 0;
                blocks[i] = waiting.bytes.data();
            }
            left[i] = left[i].subspan(used);
            lanes_.count(i, kBlock, false);
            ++ready;
        }
        if (ready == 0) break;
        compress(blocks);
    }
    for (std::size_t i = 0; i < kInputs; ++i) {
        std::copy(left[i].begin(), left[i].end(),
                  waiting_[i].bytes.begin() + static_cast<long>(waiting_[i].size));
        waiting_[i].size += left[i].size();
    }
}

Digest HasherRow::finish_lane(std::size_t input) {
    Waiting& waiting = waiting_[input];
    std::fill(waiting.bytes.begin() + static_cast<long>(waiting.size), waiting.bytes.end(), std::uint8_t{0});
    lanes_.count(input, waiting.size, true);
    std::array<const std::uint8_t*, kInputs> blocks = {};
    blocks[input] = waiting.bytes.data();
    compress(blocks);
    return lanes_.digest(input);
}

#else

HasherRow::HasherRow() = default;
void HasherRow::begin(std::size_t input) { hashers_[input] = Hasher(); }
void HasherRow::update(const std::array<ByteView, kInputs>& pieces) {
    for (std::size_t i = 0; i < kInputs; ++i) hashers_[i].update(pieces[i]);
}
Digest HasherRow::finish(std::size_t input) { return hashers_[input].finish(); }

#endif

}  // namespace satchel
