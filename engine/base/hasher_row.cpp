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
void HasherRow::compress(const std::array<const std::uint8_t*, kInputs>& blocks, std::size_t count) {
    const bool is_full = std::none_of(blocks.begin(), blocks.end(),
                                      [](const std::uint8_t* block) { return block == nullptr; });
    if (is_full) return lanes_.compress_run(blocks, count);
    const blake2b::Lanes before = lanes_;
    lanes_.compress_run(blocks, count);
    for (std::size_t i = 0; i < kInputs; ++i)
        if (blocks[i] == nullptr) lanes_.copy_state(i, before);
}

void HasherRow::update_lanes(std::array<ByteView, kInputs> left) {
    while (true) {
        std::array<const std::uint8_t*, kInputs> blocks = {};
        std::size_t count = static_cast<std::size_t>(-1);
        for (std::size_t i = 0; i < kInputs; ++i) {
            Waiting& waiting = waiting_[i];
            if (waiting.size + left[i].size() <= kBlock) continue;
            if (waiting.size > 0) {
                const std::size_t used = kBlock - waiting.size;
                std::copy_n(left[i].begin(), used, waiting.bytes.begin() + static_cast<long>(waiting.size));
                left[i] = left[i].subspan(used);
                blocks[i] = waiting.bytes.data();
                count = 1;
            } else {
                blocks[i] = left[i].data();
                count = std::min(count, (left[i].size() - 1) / kBlock);
            }
        }
        if (count == static_cast<std::size_t>(-1)) break;
        compress(blocks, count);
        for (std::size_t i = 0; i < kInputs; ++i) {
            if (blocks[i] == waiting_[i].bytes.data())
                waiting_[i].size = 0;
            else if (blocks[i] != nullptr)
                left[i] = left[i].subspan(count * kBlock);
        }
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
    const blake2b::Lanes before = lanes_;
    const std::uint8_t* blocks[kInputs];
    std::fill(std::begin(blocks), std::end(blocks), waiting.bytes.data());
    lanes_.count(input, waiting.size, true);
    lanes_.compress(blocks);
    const Digest digest = lanes_.digest(input);
    lanes_ = before;
    return digest;
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
