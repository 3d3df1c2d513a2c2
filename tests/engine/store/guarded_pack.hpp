// What the tests of guarded packs share: a pack in memory, the ways in which bytes go bad, what is left of
// it.
#pragma once

#include <algorithm>
#include <limits>
#include <set>

#include "engine/store/pack_check.hpp"
#include "engine/store/pack_scan.hpp"
#include "engine/store/pack_tally.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {

// A file in memory; bytes of `unreadable` are not given.
class MemoryFile : public env::File {
  public:
    explicit MemoryFile(ByteBuffer content) : bytes(std::move(content)) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        if (offset < unreadable.to && offset + into.size() > unreadable.from)
            return fail(ErrorCode::kIo, "pack", "the disk answered with an error",
                        "check the disk or stick, then try again");
        if (offset >= bytes.size()) return std::size_t{0};
        const std::size_t count = std::min(into.size(), bytes.size() - static_cast<std::size_t>(offset));
        std::memcpy(into.data(), bytes.data() + offset, count);
        return count;
    }
    Result<void> write_at(std::uint64_t offset, ByteView from) override {
        const auto end = static_cast<std::size_t>(offset) + from.size();
        if (bytes.size() < end) bytes.resize(end);
        std::memcpy(bytes.data() + offset, from.data(), from.size());
        // A bad sector is replaced by another when it is written to.
        if (offset <= unreadable.from && offset + from.size() > unreadable.from)
            unreadable.from = std::min(offset + from.size(), unreadable.to);
        written += from.size();
        return {};
    }
    Result<void> truncate(std::uint64_t size) override {
        bytes.resize(static_cast<std::size_t>(size));
        return {};
    }
    Result<std::uint64_t> size() override { return std::uint64_t{bytes.size()}; }
    Result<void> sync() override { return {}; }
    Result<void> set_mode(std::uint32_t) override { return {}; }
    Result<void> set_mtime(std::int64_t) override { return {}; }

    ByteBuffer bytes;
    ByteRange unreadable{0, 0};
    std::uint64_t written = 0;
};

struct GuardedPack {
    ByteBuffer bytes;
    std::vector<IndexRow> rows;
    PackId id;
    GuardLayout layout;
    [[nodiscard]] std::uint64_t burst_max() const {
        return bytes.size() >= kBurstWholeFrom ? kBurstBytesMax : bytes.size() / kBurstShare;
    }
};

// Sealed as a store seals, with records of `size_least` to `size_most` bytes of noise until they are `bytes`.
inline GuardedPack guarded_pack(std::uint64_t bytes, std::size_t size_least, std::size_t size_most,
                                std::uint64_t seed) {
    GuardedPack pack;
    simulations::Seeded random(seed);
    ByteBuffer out = encode(PackHeader{1, {}});
    while (out.size() < bytes) {
        IndexRow row;
        row.place = static_cast<std::uint32_t>(out.size());
        row.raw_size = static_cast<std::uint32_t>(size_least + random.below(size_most - size_least + 1));
        const ByteBuffer plain = noise(row.raw_size, random.next());
        row.id = ChunkId{hash_of(plain)};
        encode_record(out, RecordType::kChunk, plain, row.id.digest);
        row.stored_size = static_cast<std::uint32_t>(out.size() - row.place - kRecordHeaderSize);
        pack.rows.push_back(row);
        // As a commit leaves it: it goes on at the next block.
        if (random.below(4) == 0) out.resize(static_cast<std::size_t>(next_block(out.size())));
    }
    std::sort(pack.rows.begin(), pack.rows.end(),
              [](const IndexRow& a, const IndexRow& b) { return a.id < b.id; });
    out.resize(static_cast<std::size_t>(next_block(out.size())));
    Section index;
    index.type = kSectionIndex;
    index.must_understand = true;
    index.offset = out.size();
    for (const IndexRow& row : pack.rows) put_index_row(out, row);
    index.size = out.size() - index.offset;
    index.hash = hash_of(ByteView(out).subspan(static_cast<std::size_t>(index.offset)));
    MemoryFile file(std::move(out));
    PackTally tally;
    const std::vector<Section> sections = must(write_guards(file, tally, index, 0));
    append(file.bytes, encode_trailer(sections, file.bytes.size(), pack.id));
    pack.layout.blocks = static_cast<std::uint32_t>(next_block(index.offset + index.size) / kPackBlockSize);
    pack.layout.width = parity_width(pack.layout.blocks);
    pack.bytes = std::move(file.bytes);
    return pack;
}

enum class Burst { kZeros, kGarbage, kShifted, kCutOff };

// Spoils `length` bytes at `from`, all of which may be as before by chance.
inline void spoil(ByteBuffer& bytes, Burst burst, std::uint64_t from, std::uint64_t length,
                  std::uint64_t seed) {
    simulations::Seeded random(seed);
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = begin + static_cast<std::ptrdiff_t>(length);
    switch (burst) {
        case Burst::kZeros:
            std::fill(begin, end, std::uint8_t{0});
            break;
        case Burst::kGarbage:
            random.fill(MutableBytes(bytes).subspan(static_cast<std::size_t>(from),
                                                    static_cast<std::size_t>(length)));
            break;
        case Burst::kShifted: {
            const std::uint64_t by = 1 + random.below(std::max<std::uint64_t>(1, length / 2));
            std::move_backward(begin, end - static_cast<std::ptrdiff_t>(std::min(by, length)), end);
            break;
        }
        case Burst::kCutOff:
            bytes.resize(bytes.size() - static_cast<std::size_t>(length));
            break;
    }
}

inline PackMending mend(MemoryFile& file, const std::optional<PackId>& id) {
    return must(mend_pack(file, must(check_pack(file, id))));
}

// The chunks of the pack that no longer open.
inline std::set<ChunkId> broken_chunks(MemoryFile& file, const GuardedPack& pack) {
    std::set<ChunkId> broken;
    for (const IndexRow& row : pack.rows) {
        const Result<ByteBuffer> record = read_record_at(file, row.place, row.stored_size);
        const bool is_whole = record.has_value() && open_record(*record).has_value();
        if (!is_whole) broken.insert(row.id);
    }
    return broken;
}

}  // namespace satchel::store
