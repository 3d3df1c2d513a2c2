#include "engine/store/pack_guard.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/env/holes.hpp"

namespace satchel::store {

namespace {

constexpr std::string_view kMagic = "SPKG";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kSumSize = 4;
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kSections = 4;  // index, guard, parity, guard
constexpr std::size_t kTrailerSize = kSections * kSectionRowSize + kPackTailSize;

std::uint64_t blocks_for(std::uint64_t bytes) { return next_block(bytes) / kPackBlockSize; }

std::uint64_t pack_bytes_of(const GuardLayout& layout) { return layout.table_at() + kTrailerSize; }

// The largest guard is that of a pack of 1 GiB.
constexpr std::uint64_t kGuardBlocksMax =
    (kGuardHeaderSize + kPackBytesMax / kPackBlockSize * kSumSize + kHashSize) / kPackBlockSize + 1;
// A file may have lost up to its front guard, or have got as much behind its end as a burst is long.
constexpr std::uint64_t kSearchBlocksMax = 2 * (kGuardBlocksMax + kParityBlocksMax) + 1;

// None where the disk does not give them: to whoever asks, unreadable bytes are as bad as wrong ones.
std::optional<ByteBuffer> bytes_at(env::File& file, std::uint64_t at, std::size_t size) {
    ByteBuffer bytes(size);
    const Result<std::size_t> got = file.read_at(at, bytes);
    if (!got.has_value() || *got != size) return std::nullopt;
    return bytes;
}

std::optional<Guard> guard_at(env::File& file, std::uint64_t block, const std::optional<PackId>& id) {
    const std::uint64_t at = block * kPackBlockSize;
    const std::optional<ByteBuffer> head = bytes_at(file, at, kGuardHeaderSize);
    if (!head) return std::nullopt;
    const std::optional<GuardLayout> layout = decode_guard_layout(*head);
    if (!layout || (layout->front() != block && layout->back() != block)) return std::nullopt;
    const std::optional<ByteBuffer> bytes =
        bytes_at(file, at, static_cast<std::size_t>(layout->guard_blocks() * kPackBlockSize));
    if (!bytes) return std::nullopt;
    std::optional<Guard> guard = decode_guard(*bytes);
    if (!guard || (id && end_of(*guard).decoded.id != *id)) return std::nullopt;
    return guard;
}

}  // namespace

std::uint32_t GuardLayout::guard_blocks() const {
    return static_cast<std::uint32_t>(
        blocks_for(kGuardHeaderSize + std::uint64_t{guarded()} * kSumSize + kHashSize));
}

bool GuardLayout::is_possible() const {
    return blocks >= 1 && blocks <= kPackBytesMax / kPackBlockSize && width >= 1 &&
           width <= kParityBlocksMax && pack_bytes_of(*this) <= kPackBytesMax;
}

std::uint32_t parity_width(std::uint32_t blocks) {
    for (GuardLayout layout{blocks, 2};; ++layout.width) {
        const std::uint64_t size = pack_bytes_of(layout);
        const std::uint64_t burst =
            size >= kBurstWholeFrom ? kBurstBytesMax : std::min(kBurstBytesMax, size / kBurstShare);
        if (layout.width == kParityBlocksMax || blocks_for(burst) + 1 <= layout.width) return layout.width;
    }
}

ByteBuffer encode(const Guard& guard) {
    const GuardLayout& layout = guard.layout;
    SATCHEL_CHECK(guard.sums.size() == layout.guarded());
    ByteBuffer out;
    out.reserve(static_cast<std::size_t>(layout.guard_blocks() * kPackBlockSize));
    Writer writer(out);
    writer.raw(kMagic).u16(kVersion).u16(kGuardHeaderSize).u32(layout.blocks).u32(layout.width);
    writer.u64(guard.index.offset).u64(guard.index.size).raw(guard.index.hash).raw(guard.parity_hash);
    for (const std::uint32_t sum : guard.sums) writer.u32(sum);
    writer.raw(hash_of(out));
    out.resize(static_cast<std::size_t>(layout.guard_blocks() * kPackBlockSize));
    return out;
}

std::optional<GuardLayout> decode_guard_layout(ByteView bytes) {
    if (bytes.size() < kGuardHeaderSize) return std::nullopt;
    Reader reader(bytes.first(kGuardHeaderSize));
    if (text_of(reader.raw(kMagic.size())) != kMagic) return std::nullopt;
    if (reader.u16() != kVersion || reader.u16() != kGuardHeaderSize) return std::nullopt;
    GuardLayout layout;
    layout.blocks = reader.u32();
    layout.width = reader.u32();
    if (!layout.is_possible()) return std::nullopt;
    return layout;
}

std::optional<Guard> decode_guard(ByteView bytes) {
    const std::optional<GuardLayout> layout = decode_guard_layout(bytes);
    if (!layout) return std::nullopt;
    const std::uint64_t size = layout->guard_blocks() * kPackBlockSize;
    if (bytes.size() < size) return std::nullopt;
    Guard guard;
    guard.layout = *layout;
    guard.index.type = kSectionIndex;
    guard.index.must_understand = true;
    Reader reader(bytes.first(static_cast<std::size_t>(size)));
    reader.raw(kMagic.size() + 12);
    guard.index.offset = reader.u64();
    guard.index.size = reader.u64();
    guard.index.hash = reader.digest();
    guard.parity_hash = reader.digest();
    const std::uint64_t end = layout->blocks * kPackBlockSize;
    if (guard.index.offset < kPackHeaderSize || guard.index.offset > end ||
        guard.index.size > end - guard.index.offset || guard.index.size % kIndexRowSize != 0 ||
        next_block(guard.index.offset + guard.index.size) != end)
        return std::nullopt;
    guard.sums.resize(layout->guarded());
    for (std::uint32_t& sum : guard.sums) sum = reader.u32();
    // What is encoded again holds the hash and the zeros behind it.
    if (!equal(encode(guard), bytes.first(static_cast<std::size_t>(size)))) return std::nullopt;
    return guard;
}

GuardedEnd end_of(const Guard& guard) {
    const GuardLayout& layout = guard.layout;
    GuardedEnd end;
    end.guard = encode(guard);
    const std::uint64_t index_end = guard.index.offset + guard.index.size;
    Section front;
    front.type = kSectionGuard;
    front.offset = index_end;
    front.size = layout.parity() * kPackBlockSize - index_end;
    const ByteBuffer padding(static_cast<std::size_t>(layout.front() * kPackBlockSize - index_end));
    front.hash = Hasher().update(padding).update(end.guard).finish();
    Section parity;
    parity.type = kSectionParity;
    parity.offset = front.offset + front.size;
    parity.size = layout.width * kPackBlockSize;
    parity.hash = guard.parity_hash;
    Section back;
    back.type = kSectionGuard;
    back.offset = parity.offset + parity.size;
    back.size = end.guard.size();
    back.hash = hash_of(end.guard);
    end.decoded.sections = {guard.index, front, parity, back};
    end.decoded.index = guard.index;
    end.decoded.records_end = guard.index.offset;
    end.trailer = encode_trailer(end.decoded.sections, layout.table_at(), end.decoded.id);
    end.pack_bytes = pack_bytes_of(layout);
    SATCHEL_CHECK(end.trailer.size() == kTrailerSize);
    return end;
}

Result<std::optional<Guard>> find_guard(env::File& file, const std::optional<PackId>& id) {
    SATCHEL_TRY(const std::uint64_t size, file.size());
    env::HolesAsZeros readable(file);
    const Result<PackTrailer> trailer = read_trailer(readable);
    if (trailer.has_value() && (!id || *id == trailer->id)) {
        for (const Section& section : trailer->sections) {
            if (section.type != kSectionGuard) continue;
            if (std::optional<Guard> guard = guard_at(file, blocks_for(section.offset), trailer->id))
                return guard;
        }
        return std::optional<Guard>();
    }
    if (!trailer.has_value() && trailer.error().code == ErrorCode::kUnsupported)
        return std::optional<Guard>();
    const std::uint64_t last = size / kPackBlockSize;
    for (std::uint64_t i = 0; i < std::min(last, kSearchBlocksMax); ++i)
        if (std::optional<Guard> guard = guard_at(file, last - i, id)) return guard;
    return std::optional<Guard>();
}

}  // namespace satchel::store
