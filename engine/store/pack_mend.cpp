#include <algorithm>
#include <map>
#include <set>

#include "engine/base/check.hpp"
#include "engine/env/holes.hpp"
#include "engine/store/crc32c.hpp"
#include "engine/store/pack_check.hpp"
#include "engine/store/pack_scan.hpp"
#include "engine/store/pack_tally.hpp"

namespace satchel::store {

namespace {

// Without an id a guard is believed only if most of the pack fits it: two bursts of the longest sort may be
// lost.
constexpr std::uint32_t kLostUnvouchedWidths = 2;

constexpr auto kBlock = static_cast<std::size_t>(kPackBlockSize);

// The mended blocks in memory, each by its number in the pack.
class MendedBlocks {
  public:
    explicit MendedBlocks(std::size_t count) : bytes_(count * kBlock) {}
    void add(std::uint32_t block) {
        const std::size_t slot = slots_.size();
        SATCHEL_CHECK((slot + 1) * kBlock <= bytes_.size());
        slots_.emplace(block, slot);
    }
    [[nodiscard]] bool has(std::uint64_t block) const { return slots_.contains(block); }
    [[nodiscard]] MutableBytes at(std::uint64_t block) {
        return MutableBytes(bytes_).subspan(slots_.at(block) * kBlock, kBlock);
    }
    void drop(std::uint64_t block) { slots_.erase(block); }
    [[nodiscard]] const std::map<std::uint64_t, std::size_t>& slots() const { return slots_; }

  private:
    std::map<std::uint64_t, std::size_t> slots_;
    ByteBuffer bytes_;
};

// The pack as it would be if the mended blocks were written. Nobody writes to it.
class MendedView : public env::File {
  public:
    MendedView(env::File& file, MendedBlocks& mended) : file_(file), mended_(mended) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            const std::uint64_t at = offset + done;
            const std::uint64_t block = at / kPackBlockSize;
            const auto inside = static_cast<std::size_t>(at % kPackBlockSize);
            const MutableBytes part = into.subspan(done, std::min(into.size() - done, kBlock - inside));
            if (mended_.has(block)) {
                const ByteView whole = mended_.at(block);
                std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(inside), part.size(), part.begin());
            } else {
                SATCHEL_TRY(const std::size_t got, file_.read_at(at, part));
                if (got < part.size()) return done + got;
            }
            done += part.size();
        }
        return done;
    }
    Result<std::uint64_t> size() override { return file_.size(); }
    Result<void> write_at(std::uint64_t, ByteView) override { return never(); }
    Result<void> truncate(std::uint64_t) override { return never(); }
    Result<void> sync() override { return never(); }
    Result<void> set_mode(std::uint32_t) override { return never(); }
    Result<void> set_mtime(std::int64_t) override { return never(); }

  private:
    static Result<void> never() {
        SATCHEL_CHECK(false);
        return {};
    }
    env::File& file_;
    MendedBlocks& mended_;
};

constexpr std::uint32_t kNoBlock = 0xffffffff;
constexpr std::uint32_t kManyBlocks = 0xfffffffe;

// Of each column: its only bad block, by its number among the guarded ones.
std::vector<std::uint32_t> lone_blocks(const PackCheck& check) {
    const GuardLayout& layout = check.guard->layout;
    std::vector<std::uint32_t> lone(layout.width, kNoBlock);
    for (const std::uint32_t i : check.bad) {
        std::uint32_t& slot = lone[layout.column_of(i)];
        slot = slot == kNoBlock ? i : kManyBlocks;
    }
    for (std::uint32_t& slot : lone)
        if (slot == kManyBlocks) slot = kNoBlock;
    return lone;
}

// Each lone block as the rest of its column says. One whose checksum then differs is dropped.
Result<MendedBlocks> rebuild_blocks(env::File& file, const PackCheck& check) {
    const Guard& guard = *check.guard;
    const GuardLayout& layout = guard.layout;
    const std::vector<std::uint32_t> lone = lone_blocks(check);
    MendedBlocks mended(std::min<std::size_t>(check.bad.size(), layout.width));
    for (const std::uint32_t i : lone)
        if (i != kNoBlock) mended.add(layout.block_of(i));
    const auto lone_of = [&](std::uint32_t i) { return lone[layout.column_of(i)]; };
    const auto is_wanted = [&](std::uint32_t i) { return lone_of(i) != kNoBlock && lone_of(i) != i; };
    SATCHEL_TRY_VOID(for_each_block(file, layout, is_wanted, [&](std::uint32_t i, ByteView block) {
        if (is_wanted(i) && !block.empty()) xor_into(mended.at(layout.block_of(lone_of(i))), block);
    }));
    for (const std::uint32_t i : lone) {
        if (i == kNoBlock) continue;
        const MutableBytes bytes = mended.at(layout.block_of(i));
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(~byte);
        if (crc32c(bytes) != guard.sums[i]) mended.drop(layout.block_of(i));
    }
    return mended;
}

// Blocks that the record touches, from the first to behind the last.
std::pair<std::uint64_t, std::uint64_t> blocks_of(const IndexRow& row) {
    const std::uint64_t end = std::uint64_t{row.place} + kRecordHeaderSize + row.stored_size;
    return {row.place / kPackBlockSize, next_block(end) / kPackBlockSize};
}

// Drops the blocks under a record that does not open as the index says, though no block of it is lost.
Result<void> check_records(env::File& file, const PackCheck& check, MendedBlocks& mended) {
    if (mended.slots().empty()) return {};
    std::vector<bool> is_lost(check.guard->layout.blocks, false);
    for (const std::uint32_t i : check.bad)
        if (i < is_lost.size()) is_lost[i] = !mended.has(i);
    MendedView view(file, mended);
    std::set<std::uint64_t> wrong;
    const auto look = [&](const IndexRow& row) -> Result<void> {
        const auto [first, end] = blocks_of(row);
        const auto next = mended.slots().lower_bound(first);
        if (next == mended.slots().end() || next->first >= end || end > is_lost.size()) return {};
        for (std::uint64_t block = first; block < end; ++block)
            if (is_lost[block]) return {};
        const Result<std::optional<WholeRecord>> record = whole_record_at(view, row.place);
        if (record.has_value() && record->has_value() && (*record)->header.id == row.id.digest) return {};
        for (std::uint64_t block = first; block < end; ++block)
            if (mended.has(block)) wrong.insert(block);
        return {};
    };
    env::HolesAsZeros readable(view);
    const Result<void> read = read_index(readable, end_of(*check.guard).decoded, look);
    // An index that is lost itself tells of no records; then the checksums alone vouch for the blocks.
    if (!read.has_value() && read.error().code != ErrorCode::kDamaged) return read.error();
    for (const std::uint64_t block : wrong) mended.drop(block);
    return {};
}

// Guards, table and length. Each is made sure before the next: one of the guards, or the table, is always
// whole.
Result<void> mend_end(env::File& file, const PackCheck& check, PackMending& mending) {
    const GuardLayout& layout = check.guard->layout;
    const GuardedEnd end = end_of(*check.guard);
    const auto write_anew = [&](bool is_bad, std::uint64_t at, ByteView bytes) -> Result<void> {
        if (!is_bad) return {};
        mending.mended.push_back({at, at + bytes.size()});
        SATCHEL_TRY_VOID(file.write_at(at, bytes));
        return file.sync();
    };
    SATCHEL_TRY_VOID(write_anew(check.front_is_bad, layout.front() * kPackBlockSize, end.guard));
    SATCHEL_TRY_VOID(write_anew(check.back_is_bad, layout.back() * kPackBlockSize, end.guard));
    SATCHEL_TRY_VOID(write_anew(check.table_is_bad, layout.table_at(), end.trailer));
    SATCHEL_TRY(const std::uint64_t size, file.size());
    if (size <= end.pack_bytes) return {};
    mending.was_too_long = true;
    SATCHEL_TRY_VOID(file.truncate(end.pack_bytes));
    return file.sync();
}

void add_to(std::vector<ByteRange>& ranges, std::uint64_t from, std::uint64_t to) {
    if (!ranges.empty() && ranges.back().to == from)
        ranges.back().to = to;
    else
        ranges.push_back({from, to});
}

}  // namespace

std::uint64_t PackMending::mended_bytes() const {
    std::uint64_t bytes = 0;
    for (const ByteRange& range : mended) bytes += range.to - range.from;
    return bytes;
}

Result<PackMending> mend_pack(env::File& file, const PackCheck& check) {
    PackMending mending;
    if (!check.guard || check.is_sound()) return mending;
    const GuardLayout& layout = check.guard->layout;
    SATCHEL_TRY(MendedBlocks mended, rebuild_blocks(file, check));
    SATCHEL_TRY_VOID(check_records(file, check, mended));
    const std::size_t lost = check.bad.size() - mended.slots().size();
    const bool is_believed = check.is_vouched || lost <= std::size_t{kLostUnvouchedWidths} * layout.width;
    for (const std::uint32_t i : check.bad) {
        const std::uint64_t block = layout.block_of(i);
        add_to(is_believed && mended.has(block) ? mending.mended : mending.lost, block * kPackBlockSize,
               (block + 1) * kPackBlockSize);
    }
    if (!is_believed) return mending;
    for (const auto& [block, slot] : mended.slots())
        SATCHEL_TRY_VOID(file.write_at(block * kPackBlockSize, mended.at(block)));
    if (!mended.slots().empty()) SATCHEL_TRY_VOID(file.sync());
    SATCHEL_TRY_VOID(mend_end(file, check, mending));
    return mending;
}

}  // namespace satchel::store
