// Method. The window is indexed by a hash of each aligned block of 32 bytes; a rolling hash of 32 bytes goes
// over the gap; where it is found, the bytes are compared and the match is grown both ways. Any stretch of
// 63 bytes holds an aligned block, so none of kCopyMin is overlooked. Greedy, as rsync
// (Tridgell, 1996) and bsdiff's predecessors: linear time, memory 1/4 of the window.
#include "engine/store/gap_match.hpp"

#include <algorithm>
#include <cstdint>

namespace satchel::store {

namespace {

constexpr std::size_t kBlock = 32;
constexpr std::uint64_t kBase = 0x100000001b3;

constexpr std::uint64_t power(std::uint64_t base, std::size_t exponent) {
    std::uint64_t result = 1;
    for (std::size_t i = 0; i < exponent; ++i) result *= base;
    return result;
}
constexpr std::uint64_t kLeaving = power(kBase, kBlock - 1);

std::uint64_t hash_block(const std::uint8_t* bytes) {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < kBlock; ++i) hash = hash * kBase + bytes[i] + 1;
    return hash;
}

std::uint64_t roll(std::uint64_t hash, std::uint8_t out, std::uint8_t in) {
    return (hash - (std::uint64_t{out} + 1) * kLeaving) * kBase + in + 1;
}

// Open addressing; the first block of equals stays, so that runs match from their beginning.
class BlockIndex {
  public:
    explicit BlockIndex(ByteView window) : window_(window) {
        const std::size_t blocks = window.size() / kBlock;
        std::size_t slots = 64;
        while (slots < blocks * 2) slots *= 2;
        slots_.assign(slots, kFree);
        for (std::size_t block = 0; block < blocks; ++block) insert(block);
    }

    // Where in the window the block with this hash and these bytes stands, or npos.
    [[nodiscard]] std::size_t find(std::uint64_t hash, const std::uint8_t* bytes) const {
        for (std::size_t slot = slot_of(hash); slots_[slot] != kFree;
             slot = (slot + 1) & (slots_.size() - 1)) {
            const std::size_t at = slots_[slot] * kBlock;
            if (std::equal(bytes, bytes + kBlock, window_.begin() + static_cast<std::ptrdiff_t>(at)))
                return at;
        }
        return npos;
    }
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  private:
    static constexpr std::uint32_t kFree = 0xffffffffu;
    [[nodiscard]] std::size_t slot_of(std::uint64_t hash) const {
        return static_cast<std::size_t>((hash * 0x9E3779B97F4A7C15ull) >> 32) & (slots_.size() - 1);
    }
    void insert(std::size_t block) {
        const std::uint8_t* bytes = window_.data() + block * kBlock;
        std::size_t slot = slot_of(hash_block(bytes));
        for (; slots_[slot] != kFree; slot = (slot + 1) & (slots_.size() - 1))
            if (std::equal(bytes, bytes + kBlock, window_.data() + std::size_t{slots_[slot]} * kBlock))
                return;
        slots_[slot] = static_cast<std::uint32_t>(block);
    }
    ByteView window_;
    std::vector<std::uint32_t> slots_;
};

struct Match {
    std::size_t gap_offset;
    std::size_t window_offset;
    std::size_t length;
};

// The match around (at, place), grown back no further than `floor` in the gap.
Match grow(ByteView gap, ByteView window, std::size_t at, std::size_t place, std::size_t floor) {
    std::size_t back = 0;
    while (at - back > floor && place - back > 0 && gap[at - back - 1] == window[place - back - 1]) ++back;
    std::size_t length = kBlock;
    while (at + length < gap.size() && place + length < window.size() &&
           gap[at + length] == window[place + length])
        ++length;
    return {at - back, place - back, length + back};
}

}  // namespace

std::vector<GapPiece> match_gap(ByteView gap, ByteView window) {
    std::vector<GapPiece> pieces;
    std::size_t emitted = 0;
    const auto literal_up_to = [&](std::size_t end) {
        if (end > emitted) pieces.push_back({false, emitted, 0, end - emitted});
    };
    if (window.size() >= kBlock && gap.size() >= kBlock) {
        const BlockIndex index(window);
        std::size_t at = 0;
        std::uint64_t hash = hash_block(gap.data());
        while (true) {
            const std::size_t place = index.find(hash, gap.data() + at);
            if (place != BlockIndex::npos) {
                const Match match = grow(gap, window, at, place, emitted);
                const bool reaches_end = match.gap_offset + match.length == gap.size();
                if (match.length >= kCopyMin || reaches_end) {
                    literal_up_to(match.gap_offset);
                    pieces.push_back({true, match.gap_offset, match.window_offset, match.length});
                    emitted = at = match.gap_offset + match.length;
                    if (at + kBlock > gap.size()) break;
                    hash = hash_block(gap.data() + at);
                    continue;
                }
            }
            if (at + kBlock >= gap.size()) break;
            hash = roll(hash, gap[at], gap[at + kBlock]);
            ++at;
        }
    }
    literal_up_to(gap.size());
    return pieces;
}

bool is_worthwhile(const std::vector<GapPiece>& pieces, std::size_t gap_size) {
    constexpr std::size_t kPieceMean = 1024;
    std::size_t copied = 0;
    for (const GapPiece& piece : pieces) copied += piece.is_copy ? piece.length : 0;
    if (copied == gap_size) return pieces.size() <= 64 || gap_size / pieces.size() >= kPieceMean;
    return copied >= gap_size / 4 && gap_size / pieces.size() >= kPieceMean;
}

}  // namespace satchel::store
