// Crash points of the write path, in order, and what open() finds:
//   append      the record may be whole, torn, garbled or lost     whole ones up to the first other are
//   adopted sync        as before, or all of it sure                       adopted commit_rows the database
//   has the rows or not                   adopted if not seal: trailer written, torn or lost cut off, the
//   pack goes on being filled seal: noted in the database                                    sealed
// Nothing is indexed before its bytes are sure, and names of packs never change.
#include "engine/store/pack_store.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/store/pack_scan.hpp"

namespace satchel::store {

Result<std::unique_ptr<Store>> Store::open(env::Disk& disk, env::World, database::Database& database,
                                           std::string_view directory) {
    SATCHEL_TRY_VOID(env::make_directories(disk, directory));
    auto store = std::make_unique<PackStore>(disk, database, std::string(directory));
    SATCHEL_TRY_VOID(store->recover());
    return std::unique_ptr<Store>(std::move(store));
}

std::string PackStore::path_of(std::uint32_t number) const {
    return env::join(directory_, pack_name(number));
}

template <typename T>
Result<T> PackStore::poison(Result<T> result) {
    if (!result.has_value()) broken_ = result.error();
    return result;
}

Result<std::optional<PackStore::Place>> PackStore::find(const ChunkId& id) {
    if (const auto pending = uncommitted_.find(id); pending != uncommitted_.end())
        return std::optional(Place{open_number_, pending->second});
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT pack, place, stored, raw FROM chunk WHERE id = ?"));
    select.bind_blob(1, id.view());
    SATCHEL_TRY(const bool found, select.step());
    if (!found) return std::optional<Place>();
    Place place;
    place.pack = static_cast<std::uint32_t>(select.integer(0));
    place.row = {id, static_cast<std::uint32_t>(select.integer(1)),
                 static_cast<std::uint32_t>(select.integer(2)),
                 static_cast<std::uint32_t>(select.integer(3))};
    return std::optional(place);
}

Result<bool> PackStore::contains(const ChunkId& id) {
    SATCHEL_TRY(const std::optional<Place> place, find(id));
    return place.has_value();
}

namespace {
Error not_here(const ChunkId& id) {
    return fail(ErrorCode::kNotFound, to_hex(id.view()).substr(0, 16), "this chunk is not here",
                "read a stick that carries it");
}
}  // namespace

Result<std::uint32_t> PackStore::size_of(const ChunkId& id) {
    SATCHEL_TRY(const std::optional<Place> place, find(id));
    if (!place) return not_here(id);
    return place->row.raw_size;
}

Result<env::File*> PackStore::reading(std::uint32_t number) {
    if (number == open_number_ && open_pack_) return open_pack_.get();
    if (number != read_number_ || !read_file_) {
        SATCHEL_TRY(read_file_, disk_.open(path_of(number), env::OpenMode::kRead));
        read_number_ = number;
    }
    return read_file_.get();
}

Error PackStore::damaged_at(const Place& place, const std::string& detail) const {
    return fail(
        ErrorCode::kDamaged, disk_.describe(path_of(place.pack)), "a chunk in this pack is damaged",
        "run `satchel store verify --forget`, take a stick to the hub and read it again: it brings them anew",
        "record at byte " + std::to_string(place.row.place) + ": " + detail);
}

// Header and payload, both checksums checked; damage is told with the pack's name and the place.
Result<ByteBuffer> PackStore::record_at(const Place& place) {
    const auto cut_off = [&](const char* detail) {
        return fail(ErrorCode::kDamaged, disk_.describe(path_of(place.pack)),
                    "this pack is missing or cut off",
                    "run `satchel store verify --forget`, take a stick to the hub and read it again: it "
                    "brings them anew",
                    "record at byte " + std::to_string(place.row.place) + ": " + detail);
    };
    const Result<env::File*> file = reading(place.pack);
    if (!file.has_value() && file.error().code == ErrorCode::kNotFound) return cut_off("no such file");
    if (!file.has_value()) return file.error();
    if (place.row.stored_size > kObjectMax) return damaged_at(place, "impossible length");
    SATCHEL_TRY(ByteBuffer record, read_record_at(**file, place.row.place, place.row.stored_size));
    if (record.size() != kRecordHeaderSize + place.row.stored_size)
        return cut_off("behind the end of the file");
    const Result<RecordHeader> header = check_record(record);
    if (!header.has_value()) return damaged_at(place, header.error().detail);
    if (header->id != place.row.id.digest || header->raw_size != place.row.raw_size)
        return damaged_at(place, "another chunk lies there");
    return record;
}

Result<ByteBuffer> PackStore::read_record(const ChunkId& id) {
    SATCHEL_TRY(const std::optional<Place> place, find(id));
    if (!place) return not_here(id);
    return record_at(*place);
}

Result<ByteBuffer> PackStore::read(const ChunkId& id) {
    SATCHEL_TRY(const std::optional<Place> place, find(id));
    if (!place) return not_here(id);
    SATCHEL_TRY(const ByteBuffer record, record_at(*place));
    Result<ByteBuffer> plain = open_record(record);
    if (!plain.has_value()) return damaged_at(*place, plain.error().detail);
    return plain;
}

Result<Placed> PackStore::put(ByteView plain) {
    if (plain.size() > kObjectMax)
        return fail(ErrorCode::kTooLarge, "chunk", "an object of the store is too large",
                    "report this to the makers of satchel");
    const ChunkId id{hash_of(plain)};
    SATCHEL_TRY(const std::optional<Place> there, find(id));
    if (there) return Placed{id, false, there->row.stored_size};
    ByteBuffer record;
    encode_record(record, RecordType::kChunk, plain, id.digest);
    const auto stored_size = static_cast<std::uint32_t>(record.size() - kRecordHeaderSize);
    return append(record, {id, 0, stored_size, static_cast<std::uint32_t>(plain.size())});
}

Result<Placed> PackStore::put_record(ByteView record) {
    SATCHEL_TRY(const ByteBuffer plain, open_record(record));
    SATCHEL_TRY(const RecordHeader header, decode_header(record));
    if (header.type != RecordType::kChunk)
        return fail(ErrorCode::kDamaged, "record", "the bytes are damaged",
                    "fetch it again from a stick or another site", "not a chunk");
    const ChunkId id{header.id};
    SATCHEL_TRY(const std::optional<Place> there, find(id));
    if (there) return Placed{id, false, there->row.stored_size};
    return append(record, {id, 0, header.stored_size, header.raw_size});
}

Result<Placed> PackStore::append(ByteView record, const IndexRow& row) {
    if (broken_) return *broken_;
    if (!open_pack_) SATCHEL_TRY_VOID(begin_pack());
    if (end_ == committed_) end_ = next_block(end_);
    SATCHEL_TRY_VOID(poison(open_pack_->write_at(end_, record)));
    IndexRow placed = row;
    placed.place = static_cast<std::uint32_t>(end_);
    uncommitted_.emplace(row.id, placed);
    end_ += record.size();
    if (uncommitted_bytes() >= limits_.group_bytes || uncommitted_.size() >= kUncommittedMax)
        SATCHEL_TRY_VOID(commit());
    return Placed{row.id, true, row.stored_size};
}

Result<void> PackStore::begin_pack() {
    open_number_ = next_number_++;
    SATCHEL_TRY(open_pack_, poison(disk_.open(path_of(open_number_), env::OpenMode::kCreateNew)));
    SATCHEL_TRY_VOID(poison(open_pack_->write_at(0, encode(PackHeader{open_number_, {}}))));
    end_ = kPackHeaderSize;
    committed_ = 0;
    name_unsure_ = true;
    return {};
}

Result<void> PackStore::commit() {
    if (broken_) return *broken_;
    if (!open_pack_ || end_ == committed_) return {};
    SATCHEL_CHECK(!database_.in_transaction());
    SATCHEL_TRY_VOID(poison(open_pack_->sync()));
    if (name_unsure_) SATCHEL_TRY_VOID(poison(sync_names()));
    name_unsure_ = false;
    SATCHEL_TRY_VOID(poison(commit_rows()));
    if (end_ >= limits_.target_bytes) SATCHEL_TRY_VOID(poison(seal_pack()));
    return {};
}

// The pack's name, and those of the folders on the way to it, which may be new too.
Result<void> PackStore::sync_names() {
    for (std::string_view folder = directory_;; folder = env::parent_of(folder)) {
        SATCHEL_TRY_VOID(disk_.sync_directory(folder));
        if (folder.empty()) return {};
    }
}

// The newest placement counts: what was forgotten as damaged lies behind once more.
Result<void> PackStore::insert_row(std::uint32_t pack, const IndexRow& row) {
    SATCHEL_TRY(database::Statement insert,
                database_.prepare(
                    "INSERT OR REPLACE INTO chunk (id, pack, place, stored, raw) VALUES (?, ?, ?, ?, ?)"));
    insert.bind_blob(1, row.id.view()).bind(2, std::int64_t{pack}).bind(3, std::int64_t{row.place});
    insert.bind(4, std::int64_t{row.stored_size}).bind(5, std::int64_t{row.raw_size});
    return insert.run();
}

Result<void> PackStore::note_pack(std::uint32_t number, std::uint64_t bytes,
                                  const std::optional<PackId>& id) {
    SATCHEL_TRY(
        database::Statement upsert,
        database_.prepare("INSERT OR REPLACE INTO pack (number, id, bytes, sealed) VALUES (?, ?, ?, ?)"));
    upsert.bind(1, std::int64_t{number})
        .bind(3, static_cast<std::int64_t>(bytes))
        .bind(4, std::int64_t{id.has_value()});
    if (id)
        upsert.bind_blob(2, id->view());
    else
        upsert.bind_null(2);
    return upsert.run();
}

Result<void> PackStore::commit_rows() {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    for (const auto& [id, row] : uncommitted_) SATCHEL_TRY_VOID(insert_row(open_number_, row));
    SATCHEL_TRY_VOID(note_pack(open_number_, end_, std::nullopt));
    SATCHEL_TRY_VOID(transaction.commit());
    uncommitted_.clear();
    committed_ = end_;
    return {};
}

Result<void> PackStore::seal_pack() {
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
    {
        SATCHEL_TRY(database::Statement rows,
                    database_.prepare("SELECT id, place, stored, raw FROM chunk WHERE pack = ? ORDER BY id"));
        rows.bind(1, std::int64_t{open_number_});
        while (true) {
            SATCHEL_TRY(const bool row, rows.step());
            if (!row) break;
            IndexRow item;
            const ByteView id = rows.blob(0);
            std::copy(id.begin(), id.end(), item.id.digest.begin());
            item.place = static_cast<std::uint32_t>(rows.integer(1));
            item.stored_size = static_cast<std::uint32_t>(rows.integer(2));
            item.raw_size = static_cast<std::uint32_t>(rows.integer(3));
            put_index_row(step, item);
            if (step.size() >= kStepBytes) SATCHEL_TRY_VOID(flush());
        }
    }
    SATCHEL_TRY_VOID(flush());
    index.hash = hasher.finish();
    PackId id;
    const std::uint64_t table_offset = index.offset + index.size;
    const ByteBuffer trailer = encode_trailer({index}, table_offset, id);
    SATCHEL_TRY_VOID(open_pack_->write_at(table_offset, trailer));
    SATCHEL_TRY_VOID(open_pack_->sync());
    {
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
        SATCHEL_TRY_VOID(note_pack(open_number_, table_offset + trailer.size(), id));
        SATCHEL_TRY_VOID(transaction.commit());
    }
    open_pack_.reset();
    open_number_ = 0;
    end_ = committed_ = 0;
    return {};
}

Result<void> PackStore::forget(const ChunkId& id) {
    uncommitted_.erase(id);
    SATCHEL_TRY(database::Statement remove, database_.prepare("DELETE FROM chunk WHERE id = ?"));
    remove.bind_blob(1, id.view());
    return remove.run();
}

Result<StoreStats> PackStore::stats() {
    StoreStats stats;
    const auto number = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
    SATCHEL_TRY(database::Statement packs,
                database_.prepare("SELECT count(*), coalesce(sum(bytes), 0) FROM pack"));
    SATCHEL_TRY_VOID(packs.step());
    stats.packs = number(packs.integer(0));
    stats.pack_bytes = number(packs.integer(1));
    SATCHEL_TRY(
        database::Statement chunks,
        database_.prepare("SELECT count(*), coalesce(sum(stored), 0), coalesce(sum(raw), 0) FROM chunk"));
    SATCHEL_TRY_VOID(chunks.step());
    stats.chunks = number(chunks.integer(0));
    stats.stored_bytes = number(chunks.integer(1));
    stats.plain_bytes = number(chunks.integer(2));
    return stats;
}

}  // namespace satchel::store
