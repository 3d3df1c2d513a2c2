// The full look at a pack that is as it was sealed, as nearly all are: its file is read once, each chunk
// judged by its hash and each block by its checksum while they are at hand. A block that holds nothing but
// bytes of a chunk that lies there as it is needs no checksum: the chunk's hash has said more. (Whether the
// checksum itself was right when the pack was sealed, scrub tells.)
//
// Memory: a window of kWindow; kUnpackedMax of unpacked bytes, or one chunk more; the guard and the rows of
// one pack.
#include <algorithm>

#include "engine/store/batch.hpp"
#include "engine/store/crc32c.hpp"
#include "engine/store/pack_check.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

namespace {

// So many chunks of media that the last of them to be hashed leave few lanes idle. The longest record fits,
// wherever in a block it begins.
constexpr std::size_t kWindow = 8 * 1024 * 1024;
static_assert(kWindow >= kRecordHeaderSize + kObjectMax + 2 * kPackBlockSize);
constexpr std::size_t kUnpackedMax = 4 * 1024 * 1024;

std::uint64_t end_of(const IndexRow& row) { return row.place + kRecordHeaderSize + row.stored_size; }

// Asked before its bytes are unpacked: a row that lies about them would have others' memory taken.
bool is_header_of(const IndexRow& row, ByteView record) {
    const Result<RecordHeader> header = decode_header(record);
    return header.has_value() && header->id == row.id.digest && header->raw_size == row.raw_size &&
           header->stored_size == row.stored_size;
}

class SoundPack {
  public:
    SoundPack(env::File& file, env::Offload& offload, const Guard& guard, std::span<const IndexRow> by_place,
              const std::function<void(std::uint64_t)>& read)
        : file_(file), offload_(offload), guard_(guard), rows_(by_place), read_(read) {}

    Result<bool> is_sound() {
        const std::uint64_t end = std::uint64_t{guard_.layout.blocks} * kPackBlockSize;
        ByteBuffer bytes(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, end)));
        for (std::uint64_t at = 0; at < end;) {
            const std::uint64_t size = std::min<std::uint64_t>(kWindow, end - at);
            const MutableBytes window = MutableBytes(bytes).first(static_cast<std::size_t>(size));
            const Result<std::size_t> got = file_.read_at(at, window);
            if (!got.has_value() && got.error().code != ErrorCode::kIo) return got.error();
            if (!got.has_value() || *got != size) return false;
            hashed_.clear();
            if (!records_are_whole(at, window)) return false;
            std::uint64_t next = at + size;
            // A record that goes on behind the window stands whole in the next one.
            if (!rows_.empty()) next = std::min(next, rows_.front().place / kPackBlockSize * kPackBlockSize);
            if (next <= at) return false;  // a row that can't be true
            if (!blocks_are_sound(at, window.first(static_cast<std::size_t>(next - at)))) return false;
            read_(next - at);
            at = next;
        }
        return rows_.empty() ? parity_is_sound() : Result<bool>(false);
    }

  private:
    bool blocks_are_sound(std::uint64_t at, ByteView bytes) {
        auto hashed = hashed_.begin();
        for (; !bytes.empty(); at += kPackBlockSize) {
            const ByteView block = bytes.first(std::min<std::size_t>(kPackBlockSize, bytes.size()));
            bytes = bytes.subspan(block.size());
            while (hashed != hashed_.end() && hashed->to < at + block.size()) ++hashed;
            if (hashed != hashed_.end() && hashed->from <= at) continue;
            if (crc32c(block) != guard_.sums[static_cast<std::size_t>(at / kPackBlockSize)]) return false;
        }
        return true;
    }

    // Those that lie in the window; what they unpack to is in memory for a part of them at a time.
    bool records_are_whole(std::uint64_t at, ByteView window) {
        const std::uint64_t end = at + window.size();
        while (!rows_.empty() && rows_.front().place >= at && end_of(rows_.front()) <= end) {
            std::vector<ByteView> records;
            std::uint64_t unpacked = 0;
            for (const IndexRow& row : rows_) {
                if (row.place < at || end_of(row) > end) break;
                if (row.raw_size != row.stored_size) unpacked += row.raw_size;
                if (unpacked > kUnpackedMax && !records.empty()) break;
                records.push_back(window.subspan(static_cast<std::size_t>(row.place - at),
                                                 static_cast<std::size_t>(end_of(row) - row.place)));
                if (!is_header_of(row, records.back())) return false;
            }
            const std::vector<OpenedRecord> opened = open_records(offload_, records);
            for (std::size_t i = 0; i < opened.size(); ++i) {
                if (!opened[i].is_whole) return false;
                if (opened[i].header.codec == Codec::kRaw)
                    hashed_.push_back({rows_[i].place + kRecordHeaderSize, end_of(rows_[i])});
            }
            rows_ = rows_.subspan(opened.size());
        }
        return true;
    }

    Result<bool> parity_is_sound() {
        bool sound = true;
        SATCHEL_TRY_VOID(for_each_block(
            file_, guard_.layout, [&](std::uint32_t i) { return i >= guard_.layout.blocks; },
            [&](std::uint32_t i, ByteView block) {
                sound = sound && !block.empty() && crc32c(block) == guard_.sums[i];
            }));
        return sound;
    }

    env::File& file_;
    env::Offload& offload_;
    const Guard& guard_;
    std::span<const IndexRow> rows_;  // not looked at yet
    const std::function<void(std::uint64_t)>& read_;
    std::vector<ByteRange> hashed_;  // payloads in the window that have their hashes, in ascending order
};

}  // namespace

// How many chunks it holds. None: something is not as it was sealed, or nothing says how it was; then others
// have to look closer.
Result<std::optional<std::uint64_t>> PackStore::verify_sound(const PackRow& pack,
                                                             const std::function<void(std::uint64_t)>& read) {
    const std::optional<std::uint64_t> unknown;
    if (pack.state != PackState::kSealed || pack.lost > 0) return unknown;
    const Result<env::File*> file = reading(pack.number);
    if (!file.has_value()) return unknown;
    SATCHEL_TRY(const PackCheck check, check_ends(**file, pack.id));
    if (!check.guard || !check.is_sound()) return unknown;
    std::vector<IndexRow> rows;
    if (!rows_of(pack, rows).has_value()) return unknown;
    SATCHEL_TRY_VOID(drop_forgotten(pack.number, rows));
    if (rows.size() != pack.chunks) return unknown;
    std::sort(rows.begin(), rows.end(),
              [](const IndexRow& a, const IndexRow& b) { return a.place < b.place; });
    SATCHEL_TRY(const bool sound, SoundPack(**file, offload_, *check.guard, rows, read).is_sound());
    return sound ? std::optional<std::uint64_t>(rows.size()) : unknown;
}

}  // namespace satchel::store
