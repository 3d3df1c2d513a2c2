// Crash points of the write path, in order, and what recover() finds:
//
// 1. A record is appended: it may be whole, torn, garbled or lost. Whole ones are adopted.
// 2. The pack is synced: as before, or all of it is sure.
// 3. The database notes the new end, or not: then what lies behind the old one is adopted.
//    Of two groups in a row, the second is appended while the first is on its way to the disk: so both may be
//    as in 1. Neither has a byte in a block of the other.
// 4. Sealing, the end of the pack is written (index, guards, parity, table): if all of it is whole the pack
//    counts as sealed, else its end is cut off and it is sealed once more.
// 5. Sealing, a run of the index is written and synced but not named: its file goes, the pack is sealed
// again.
// 6. Sealing, the database names the pack and its run: it is sealed.
// 7. A step of a merge: the runs that it reads count, its own file goes.
//
// Nothing is noted before its bytes are sure, and names of packs never change.
#include "engine/store/pack_store.hpp"

#include <algorithm>
#include <limits>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/store/pack_collection.hpp"

namespace satchel::store {

namespace {
constexpr char kIndexFolder[] = "index";
}

Result<std::unique_ptr<Store>> Store::open(env::Disk& disk, env::World world, database::Database& database,
                                           std::string_view directory) {
    SATCHEL_TRY_VOID(env::make_directories(disk, directory));
    auto store = std::make_unique<PackStore>(disk, world.offload, database, std::string(directory));
    SATCHEL_TRY_VOID(store->recover());
    return std::unique_ptr<Store>(std::move(store));
}

PackStore::PackStore(env::Disk& disk, env::Offload& offload, database::Database& database,
                     std::string directory, PackLimits limits)
    : disk_(disk),
      offload_(offload),
      database_(database),
      directory_(std::move(directory)),
      limits_(limits),
      packs_(database),
      runs_(disk, database, env::join(env::parent_of(directory_), kIndexFolder), limits.runs) {}

std::string PackStore::path_of(std::uint32_t number) const {
    return env::join(directory_, pack_name(number));
}

template <typename T>
Result<T> PackStore::poison(Result<T> result) {
    if (!result.has_value()) broken_ = result.error();
    return result;
}

// In one transaction; in the caller's if there is one.
Result<void> PackStore::together(const std::function<Result<void>()>& change) {
    if (database_.in_transaction()) return change();
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY_VOID(change());
    return transaction.commit();
}

Result<Placed> PackStore::put(ByteView plain) {
    if (plain.size() > kObjectMax)
        return fail(ErrorCode::kTooLarge, "chunk", "an object of the store is too large",
                    "report this to the makers of satchel");
    const ChunkId id{hash_of(plain)};
    SATCHEL_TRY(const std::optional<Place> there, find_to_stay(id));
    if (there) return Placed{id, false, there->row.stored_size};
    return put_prepared(prepare_record(RecordType::kChunk, plain, id.digest));
}

Result<Placed> PackStore::put_prepared(const PreparedRecord& record) {
    const RecordHeader& header = record.header;
    SATCHEL_CHECK(header.type == RecordType::kChunk);
    const ChunkId id{header.id};
    SATCHEL_TRY(const std::optional<Place> there, find_to_stay(id));
    if (there) return Placed{id, false, there->row.stored_size};
    return append(encode_header(header), record.payload(), {id, 0, header.stored_size, header.raw_size},
                  Reach::kToTheLimit);
}

Result<Placed> PackStore::put_record(ByteView record, Reach reach) {
    SATCHEL_TRY(const ByteBuffer plain, open_record(record));
    SATCHEL_TRY(const RecordHeader header, decode_header(record));
    if (header.type != RecordType::kChunk)
        return fail(ErrorCode::kDamaged, "record", "the bytes are damaged",
                    "fetch it again from a stick or another site", "not a chunk");
    const ChunkId id{header.id};
    SATCHEL_TRY(const std::optional<Place> there, find_to_stay(id));
    if (there) return Placed{id, false, there->row.stored_size};
    return append(record.first(kRecordHeaderSize), record.subspan(kRecordHeaderSize),
                  {id, 0, header.stored_size, header.raw_size}, reach);
}

Result<std::optional<PackStore::Place>> PackStore::find_to_stay(const ChunkId& id) {
    SATCHEL_TRY(Found found, find(id));
    if (collection_ != nullptr && found.place) collection_->exempt(*found.place);
    return std::move(found.place);
}

// The disk is asked once a group; what the group has written since then is known.
Result<void> PackStore::check_limit(std::uint64_t record_bytes, Reach reach) {
    if (limit_.pack_bytes_max == 0 && limit_.disk_free_min == 0) return {};
    static constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
    const auto bytes = [](std::uint64_t count) { return static_cast<std::int64_t>(std::min(count, kMost)); };
    if (end_ == group_begin() || !room_known_) {
        SATCHEL_TRY(const env::Space space, disk_.space());
        SATCHEL_TRY(const StoreStats now, stats());
        const std::uint64_t pack_bytes_max = limit_.pack_bytes_max == 0 ? kMost : limit_.pack_bytes_max;
        disk_room_ = bytes(space.free + uncommitted_bytes()) - bytes(limit_.disk_free_min);
        store_room_ = bytes(pack_bytes_max) - bytes(now.pack_bytes);
        room_known_ = true;
    }
    const auto beyond = [&](std::uint64_t limit) {
        return reach == Reach::kBeyondByALittle ? bytes(std::min(limit / kReachShare, kReachMax)) : 0;
    };
    const std::int64_t wanted = bytes(uncommitted_bytes() + record_bytes);
    const bool fits_store = wanted <= store_room_ + beyond(limit_.pack_bytes_max);
    if (fits_store && wanted <= disk_room_ + beyond(limit_.disk_free_min)) return {};
    return fail(
        ErrorCode::kNoSpace, disk_.describe(directory_),
        fits_store ? Literal("the disk is as full as this site may make it")
                   : Literal("the store is as large as it may become"),
        "`satchel store stats` shows what takes it; `satchel store drop` lets a course or old editions go, "
        "`satchel store limit` sets how much may be taken");
}

namespace {
// In one write where copying is cheaper than another call of the kernel.
Result<void> write_both(env::File& file, std::uint64_t place, ByteView header, ByteView payload) {
    constexpr std::size_t kJoinedMax = 8 * 1024;
    if (payload.size() <= kJoinedMax) {
        ByteBuffer both(header.begin(), header.end());
        append(both, payload);
        return file.write_at(place, both);
    }
    SATCHEL_TRY_VOID(file.write_at(place, header));
    return file.write_at(place + header.size(), payload);
}
}  // namespace

Result<Placed> PackStore::append(ByteView header, ByteView payload, const IndexRow& row, Reach reach) {
    if (broken_) return *broken_;
    SATCHEL_TRY_VOID(check_limit(header.size() + payload.size(), reach));
    return append_beyond_limit(header, payload, row);
}

Result<Placed> PackStore::append_beyond_limit(ByteView header, ByteView payload, const IndexRow& row) {
    if (broken_) return *broken_;
    if (!open_pack_) SATCHEL_TRY_VOID(begin_pack());
    if (end_ == group_begin()) end_ = next_block(end_);
    SATCHEL_TRY_VOID(poison(write_both(*open_pack_, end_, header, payload)));
    IndexRow placed = row;
    placed.place = static_cast<std::uint32_t>(end_);
    open_rows_.insert(placed);
    if (collection_ != nullptr) collection_->exempt({open_number_, placed, std::nullopt});
    ++unmerged_rows_;
    end_ += header.size() + payload.size();
    if (end_ - group_begin() >= limits_.group_bytes || open_rows_.size() >= limits_.rows_max)
        SATCHEL_TRY_VOID(is_pack_full() ? commit() : begin_next_group());
    return Placed{row.id, true, row.stored_size};
}

Result<void> PackStore::begin_pack() {
    open_number_ = next_number_++;
    SATCHEL_TRY(open_pack_, poison(disk_.open(path_of(open_number_), env::OpenMode::kCreateNew)));
    tally_.begin(parity_width(static_cast<std::uint32_t>(next_block(limits_.target_bytes) / kPackBlockSize)));
    open_pack_->expect_no_reuse();
    open_pack_ = tallied(std::move(open_pack_), tally_);
    SATCHEL_TRY_VOID(poison(open_pack_->write_at(0, encode(PackHeader{open_number_, {}}))));
    end_ = kPackHeaderSize;
    committed_ = 0;
    name_unsure_ = true;
    return {};
}

Result<void> PackStore::commit() {
    if (broken_) return *broken_;
    if (!open_pack_ || end_ == committed_) return {};
    if (end_ != group_begin()) SATCHEL_TRY_VOID(begin_next_group());
    SATCHEL_TRY_VOID(end_sync_of_group());
    const std::uint64_t rows = std::exchange(unmerged_rows_, 0);
    if (is_pack_full()) SATCHEL_TRY_VOID(poison(seal_pack()));
    // What was put is sure: a disk that fails at merging takes nothing of that back.
    static_cast<void>(merge_index(limits_.merge_rows + rows * limits_.merge_rows_per_chunk));
    return {};
}

// The group that ends here goes to the disk while the next one is made.
Result<void> PackStore::begin_next_group() {
    SATCHEL_TRY_VOID(end_sync_of_group());
    SATCHEL_TRY_VOID(poison(open_pack_->begin_sync()));
    syncing_ = open_row();
    room_known_ = false;
    return {};
}

Result<void> PackStore::end_sync_of_group() {
    if (broken_) return *broken_;
    if (!syncing_) return {};
    SATCHEL_CHECK(!database_.in_transaction());
    SATCHEL_TRY_VOID(poison(open_pack_->end_sync()));
    if (name_unsure_) SATCHEL_TRY_VOID(poison(sync_names()));
    name_unsure_ = false;
    SATCHEL_TRY_VOID(poison(packs_.write(*syncing_)));
    committed_ = std::exchange(syncing_, std::nullopt)->bytes;
    return {};
}

Result<bool> PackStore::merge_index(std::uint64_t rows) {
    if (!merging_ || broken_ || database_.in_transaction()) return false;
    Result<bool> merged =
        runs_.merge(rows, [this](std::uint32_t pack) { return packs_.find(pack) != nullptr; });
    if (merged.has_value()) return merged;
    runs_.give_up_merging();
    merging_ = merged.error().code == ErrorCode::kDamaged;
    if (!merging_) return merged;
    SATCHEL_TRY_VOID(mend_index());
    return true;
}

// The pack's name, and those of the folders on the way to it, which may be new too.
Result<void> PackStore::sync_names() {
    for (std::string_view folder = directory_;; folder = env::parent_of(folder)) {
        SATCHEL_TRY_VOID(disk_.sync_directory(folder));
        if (folder.empty()) return {};
    }
}

PackRow PackStore::open_row() const {
    PackRow row;
    row.number = open_number_;
    row.bytes = end_;
    row.chunks = open_rows_.size();
    row.lost = open_lost_;
    for (const IndexRow& chunk : open_rows_) {
        row.stored += chunk.stored_size;
        row.raw += chunk.raw_size;
    }
    return row;
}

Result<Section> PackStore::write_index() {
    constexpr std::size_t kStepBytes = 4096 * kIndexRowSize;
    Section index;
    index.type = kSectionIndex;
    index.must_understand = true;
    index.offset = next_block(end_);
    Hasher hasher;
    ByteBuffer step;
    const auto flush = [&]() -> Result<void> {
        hasher.update(step);
        SATCHEL_TRY_VOID(open_pack_->write_at(index.offset + index.size, step));
        index.size += step.size();
        step.clear();
        return {};
    };
    for (const IndexRow& row : open_rows_) {
        put_index_row(step, row);
        if (step.size() >= kStepBytes) SATCHEL_TRY_VOID(flush());
    }
    SATCHEL_TRY_VOID(flush());
    index.hash = hasher.finish();
    return index;
}

Result<void> PackStore::seal_pack() {
    PackRow row = open_row();
    SATCHEL_TRY(const Section index, write_index());
    row.id.emplace();
    SATCHEL_TRY(const std::vector<Section> sections,
                write_guards(*open_pack_, tally_, index, limits_.guarded_from));
    const std::uint64_t table_offset = sections.back().offset + sections.back().size;
    const ByteBuffer trailer = encode_trailer(sections, table_offset, *row.id);
    SATCHEL_TRY_VOID(open_pack_->write_at(table_offset, trailer));
    SATCHEL_TRY_VOID(open_pack_->sync());
    row.state = PackState::kSealed;
    row.bytes = table_offset + trailer.size();
    row.rows = static_cast<std::uint32_t>(open_rows_.size());
    row.index_at = index.offset;
    Building building;
    std::uint32_t slot = 0;
    for (const IndexRow& chunk : open_rows_)
        SATCHEL_TRY_VOID(build(building, {key_of(chunk.id), open_number_, slot++}));
    building.packs.push_back(row);
    SATCHEL_TRY_VOID(end_build(building, {}));
    close_pack();
    return {};
}

void PackStore::close_pack() {
    open_pack_.reset();
    open_rows_.clear();
    open_number_ = 0;
    end_ = committed_ = 0;
    syncing_.reset();
    open_lost_ = 0;
}

Result<void> PackStore::forget(const ChunkId& id) {
    SATCHEL_TRY_VOID(end_sync_of_group());
    while (true) {  // it may lie at an older place too
        SATCHEL_TRY(const Found found, find(id));
        if (!found.place) return {};
        const Place& place = *found.place;
        const bool is_open = open_pack_ && place.pack == open_number_;
        const bool is_counted = !is_open || place.row.place < committed_;
        SATCHEL_TRY_VOID(together([&]() -> Result<void> {
            SATCHEL_TRY_VOID(note_forgotten(place.pack));
            return packs_.forget(place.pack, place.row, is_counted);
        }));
        if (is_open) open_rows_.erase(place.row);
        ++losses_;
    }
}

Result<StoreStats> PackStore::stats() {
    SATCHEL_TRY(
        database::Statement sums,
        database_.prepare("SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(chunks), 0), "
                          "coalesce(sum(stored), 0), coalesce(sum(raw), 0) FROM pack WHERE sealed < 2"));
    SATCHEL_TRY_VOID(sums.step());
    const auto number = [&](int column) { return static_cast<std::uint64_t>(sums.integer(column)); };
    StoreStats stats;
    stats.packs = number(0);
    stats.pack_bytes = number(1);
    stats.chunks = number(2);
    stats.stored_bytes = number(3);
    stats.plain_bytes = number(4);
    SATCHEL_TRY_VOID(add_looks(stats));
    return stats;
}

}  // namespace satchel::store
