// Method. The inputs are hashed four side by side (blake2b_lanes.cpp). An input is a lane's until its last
// block; then the lane takes the next one, so inputs of any lengths fill the lanes. The last lanes to end run
// with idle neighbours, so the longest inputs begin first.
#include "engine/base/hash_many.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "engine/base/blake2b_lanes.hpp"
#include "engine/base/check.hpp"

namespace satchel {

namespace {

void hash_each(std::span<const ByteView> inputs, std::span<Digest> digests) {
    for (std::size_t i = 0; i < inputs.size(); ++i) digests[i] = hash_of(inputs[i]);
}

#if defined(__x86_64__)

using blake2b::kBlock;
using blake2b::kLanes;

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
            hash_until_a_last();
            const std::uint8_t* blocks[kLanes];
            for (std::size_t lane = 0; lane < kLanes; ++lane) blocks[lane] = next_block(lane);
            lanes_.compress(blocks);
            for (std::size_t lane = 0; lane < kLanes; ++lane)
                if (is_last_[lane]) end(lane);
        }
    }

  private:
    static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);

    void begin(std::size_t lane) {
        is_last_[lane] = false;
        input_[lane] = kIdle;
        if (next_ == order_.size()) return;
        input_[lane] = order_[next_++];
        left_[lane] = inputs_[input_[lane]];
        busy_ += 1;
        lanes_.begin(lane);
    }

    // All that comes before the first last block of a lane.
    void hash_until_a_last() {
        std::array<const std::uint8_t*, kLanes> blocks = {};
        std::size_t count = static_cast<std::size_t>(-1);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            if (input_[lane] == kIdle) continue;
            blocks[lane] = left_[lane].data();
            count = std::min(count, left_[lane].empty() ? 0 : (left_[lane].size() - 1) / kBlock);
        }
        lanes_.compress_run(blocks, count);
        for (std::size_t lane = 0; lane < kLanes; ++lane)
            if (input_[lane] != kIdle) left_[lane] = left_[lane].subspan(count * kBlock);
    }

    const std::uint8_t* next_block(std::size_t lane) {
        if (input_[lane] == kIdle) return padded_[lane];  // what comes of it nobody asks
        ByteView& left = left_[lane];
        const std::size_t size = std::min(left.size(), kBlock);
        const std::uint8_t* block = left.data();
        is_last_[lane] = left.size() <= kBlock;
        lanes_.count(lane, size, is_last_[lane]);
        if (is_last_[lane]) {
            std::memset(padded_[lane], 0, kBlock);
            if (size > 0) std::memcpy(padded_[lane], block, size);
            block = padded_[lane];
        }
        left = left.subspan(size);
        return block;
    }

    void end(std::size_t lane) {
        digests_[input_[lane]] = lanes_.digest(lane);
        busy_ -= 1;
        begin(lane);
    }

    std::span<const ByteView> inputs_;
    std::span<Digest> digests_;
    std::vector<std::size_t> order_;  // longest first
    std::size_t next_ = 0;
    std::size_t busy_ = 0;
    blake2b::Lanes lanes_;
    bool is_last_[kLanes] = {};
    std::size_t input_[kLanes] = {};
    ByteView left_[kLanes];
    std::uint8_t padded_[kLanes][kBlock] = {};
};

#endif

}  // namespace

void hash_many(std::span<const ByteView> inputs, std::span<Digest> digests) {
    SATCHEL_CHECK(inputs.size() == digests.size());
#if defined(__x86_64__)
    if (inputs.size() > 1 && blake2b::is_available()) return Scheduler(inputs, digests).run();
#endif
    hash_each(inputs, digests);
}

}  // namespace satchel
