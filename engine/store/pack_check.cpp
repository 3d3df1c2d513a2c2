#include "engine/store/pack_check.hpp"

#include <algorithm>

#include "engine/store/crc32c.hpp"

namespace satchel::store {

namespace {

constexpr std::uint32_t kStepBlocks = 64;

ByteView block_in(ByteView step, std::uint32_t number) {
    const std::uint64_t at = number * kPackBlockSize;
    if (at + kPackBlockSize > step.size()) return {};
    return step.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(kPackBlockSize));
}

// One bad sector makes the reading of a whole step fail; the blocks around it are still there.
Result<void> give_singly(env::File& file, std::uint64_t at, std::uint32_t first, std::uint32_t count,
                         const std::function<void(std::uint32_t, ByteView)>& each) {
    ByteBuffer block(kPackBlockSize);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Result<std::size_t> got = file.read_at(at + i * kPackBlockSize, block);
        if (!got.has_value() && got.error().code != ErrorCode::kIo) return got.error();
        each(first + i, got.has_value() && *got == block.size() ? ByteView(block) : ByteView());
    }
    return {};
}

bool stands_at(env::File& file, std::uint64_t at, ByteView expected) {
    ByteBuffer bytes(expected.size());
    const Result<std::size_t> got = file.read_at(at, bytes);
    return got.has_value() && *got == bytes.size() && equal(bytes, expected);
}

const auto kAll = [](std::uint32_t) { return true; };

// Both copies of the guard are hit, and nothing else is: then it follows from the blocks, and the table's
// hash proves it.
Result<std::optional<Guard>> remade_guard(env::File& file, const std::optional<PackId>& id) {
    const Result<PackTrailer> trailer = read_trailer(file);
    if (!trailer.has_value() || (id && *id != trailer->id)) return std::optional<Guard>();
    Guard guard;
    guard.index = trailer->index;
    guard.layout.blocks =
        static_cast<std::uint32_t>(next_block(trailer->index.offset + trailer->index.size) / kPackBlockSize);
    for (const Section& section : trailer->sections) {
        if (section.type != kSectionParity) continue;
        guard.layout.width = static_cast<std::uint32_t>(section.size / kPackBlockSize);
        guard.parity_hash = section.hash;
    }
    if (!guard.layout.is_possible()) return std::optional<Guard>();
    guard.sums.reserve(guard.layout.guarded());
    SATCHEL_TRY_VOID(for_each_block(file, guard.layout, kAll, [&](std::uint32_t, ByteView block) {
        guard.sums.push_back(crc32c(block));
    }));
    if (end_of(guard).decoded.id != trailer->id) return std::optional<Guard>();
    return std::optional(std::move(guard));
}

}  // namespace

Result<void> for_each_block(env::File& file, const GuardLayout& layout,
                            const std::function<bool(std::uint32_t)>& is_wanted,
                            const std::function<void(std::uint32_t, ByteView)>& each) {
    ByteBuffer step;
    for (std::uint32_t i = 0; i < layout.guarded();) {
        // A step does not go over the guard between the index and the parity.
        const std::uint32_t part_end = i < layout.blocks ? layout.blocks : layout.guarded();
        std::uint32_t first = i;
        std::uint32_t end = i = std::min(i + kStepBlocks, part_end);
        while (first < end && !is_wanted(first)) ++first;
        while (end > first && !is_wanted(end - 1)) --end;
        if (first == end) continue;
        const std::uint64_t at = layout.block_of(first) * kPackBlockSize;
        step.resize(static_cast<std::size_t>((end - first) * kPackBlockSize));
        const Result<std::size_t> got = file.read_at(at, step);
        if (!got.has_value()) {
            if (got.error().code != ErrorCode::kIo) return got.error();
            SATCHEL_TRY_VOID(give_singly(file, at, first, end - first, each));
            continue;
        }
        for (std::uint32_t block = first; block < end; ++block)
            each(block, block_in(ByteView(step).first(*got), block - first));
    }
    return {};
}

Result<PackCheck> check_ends(env::File& file, const std::optional<PackId>& id) {
    PackCheck check;
    SATCHEL_TRY(check.guard, find_guard(file, id));
    if (!check.guard) {
        SATCHEL_TRY(check.guard, remade_guard(file, id));
    }
    if (!check.guard) return check;
    const Guard& guard = *check.guard;
    const GuardLayout& layout = guard.layout;
    const GuardedEnd end = end_of(guard);
    check.front_is_bad = !stands_at(file, layout.front() * kPackBlockSize, end.guard);
    check.back_is_bad = !stands_at(file, layout.back() * kPackBlockSize, end.guard);
    check.table_is_bad = !stands_at(file, layout.table_at(), end.trailer);
    SATCHEL_TRY(const std::uint64_t size, file.size());
    check.length_is_bad = size != end.pack_bytes;
    check.is_vouched = id.has_value() || !check.table_is_bad;
    return check;
}

Result<PackCheck> check_pack(env::File& file, const std::optional<PackId>& id) {
    SATCHEL_TRY(PackCheck check, check_ends(file, id));
    if (!check.guard) return check;
    const Guard& guard = *check.guard;
    SATCHEL_TRY_VOID(for_each_block(file, guard.layout, kAll, [&](std::uint32_t i, ByteView block) {
        if (block.empty() || crc32c(block) != guard.sums[i]) check.bad.push_back(i);
    }));
    return check;
}

}  // namespace satchel::store
