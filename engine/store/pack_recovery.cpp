// Opening after any crash, and making the index again from the packs.
#include <algorithm>
#include <set>

#include "engine/store/pack_scan.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

Result<std::vector<std::uint32_t>> PackStore::packs_on_disk() {
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, disk_.list(directory_));
    std::vector<std::uint32_t> numbers;
    for (const env::EntryInfo& entry : entries)
        if (const std::optional<std::uint32_t> number = pack_number_of(entry.name))
            numbers.push_back(*number);
    return numbers;
}

Result<std::vector<PackStore::Known>> PackStore::known_packs() {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT number, bytes, sealed FROM pack ORDER BY number"));
    std::vector<Known> known;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return known;
        known.push_back({static_cast<std::uint32_t>(select.integer(0)),
                         static_cast<std::uint64_t>(select.integer(1)), select.integer(2) != 0});
    }
}

Result<void> PackStore::recover() {
    SATCHEL_TRY(const std::vector<std::uint32_t> on_disk, packs_on_disk());
    SATCHEL_TRY(const std::vector<Known> known, known_packs());
    if (!on_disk.empty()) next_number_ = on_disk.back() + 1;
    std::set<std::uint32_t> unknown(on_disk.begin(), on_disk.end());
    for (const Known& pack : known) {
        next_number_ = std::max(next_number_, pack.number + 1);
        const bool is_there = unknown.erase(pack.number) > 0;
        if (!is_there || pack.is_sealed) continue;
        SATCHEL_TRY(const env::EntryInfo info, disk_.stat(path_of(pack.number)));
        // What is missing stays in the index until somebody forgets it: so verify can name each chunk of it.
        if (info.size < pack.bytes) continue;
        SATCHEL_TRY_VOID(adopt(pack.number, pack.bytes));
    }
    for (const std::uint32_t number : unknown) SATCHEL_TRY_VOID(adopt(number, 0));
    return {};
}

// False: damaged. kUnsupported: of a newer program.
Result<bool> PackStore::has_header(std::uint32_t number, env::File& file) {
    ByteBuffer head(kPackHeaderSize);
    SATCHEL_TRY(const std::size_t got, file.read_at(0, head));
    const Result<PackHeader> header = decode_pack_header(ByteView(head).first(got));
    if (header.has_value()) return true;
    if (header.error().code != ErrorCode::kUnsupported) return false;
    Error error = header.error();
    error.about = disk_.describe(path_of(number));
    return error;
}

// Rows from the trailer or, without one, from the records behind `from`.
Result<PackStore::Indexed> PackStore::index_pack(std::uint32_t number, env::File& file, std::uint64_t from,
                                                 std::uint64_t size) {
    const auto insert = [&](const IndexRow& row) { return insert_row(number, row); };
    const auto named = [&](Error error) {
        if (error.code == ErrorCode::kUnsupported) error.about = disk_.describe(path_of(number));
        return error;
    };
    if (from == kPackHeaderSize) {
        const Result<PackTrailer> trailer = read_trailer(file);
        if (!trailer.has_value() && trailer.error().code == ErrorCode::kUnsupported)
            return named(trailer.error());
        if (trailer.has_value() && read_index(file, *trailer, insert).has_value())
            return Indexed{trailer->id, size};
    }
    const Result<std::uint64_t> end = scan_records(file, from, std::min(size, kPackBytesMax), insert);
    if (!end.has_value()) return named(end.error());
    return Indexed{std::nullopt, *end};
}

// Takes in what is whole behind the last commit, cuts off the rest and goes on with the pack.
// Nothing is indexed before its bytes are sure.
Result<void> PackStore::adopt(std::uint32_t number, std::uint64_t committed) {
    SATCHEL_TRY(std::unique_ptr<env::File> file, disk_.open(path_of(number), env::OpenMode::kWrite));
    SATCHEL_TRY(const std::uint64_t size, file->size());
    SATCHEL_TRY(const bool has_header, this->has_header(number, *file));
    const std::uint64_t from = std::max<std::uint64_t>(committed, kPackHeaderSize);
    Indexed indexed{std::nullopt, committed};
    if (size != committed || !has_header) {
        SATCHEL_TRY_VOID(file->sync());
        SATCHEL_TRY_VOID(sync_names());
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
        SATCHEL_TRY(indexed, index_pack(number, *file, from, size));
        const bool is_worthless = !has_header && !indexed.id && indexed.end == kPackHeaderSize;
        if (is_worthless) {  // created and never synced
            file.reset();
            SATCHEL_TRY_VOID(disk_.remove_file(path_of(number)));
            return disk_.sync_directory(directory_);
        }
        if (!has_header) {
            SATCHEL_TRY_VOID(file->write_at(0, encode(PackHeader{number, {}})));
            SATCHEL_TRY_VOID(file->sync());
        }
        SATCHEL_TRY_VOID(note_pack(number, indexed.end, indexed.id));
        SATCHEL_TRY_VOID(transaction.commit());
    }
    if (indexed.id) return {};
    if (indexed.end != size) SATCHEL_TRY_VOID(file->truncate(indexed.end));
    if (open_pack_) return {};  // an older unfinished pack stays as it is: readable, and no longer written to
    open_pack_ = std::move(file);
    open_number_ = number;
    end_ = committed_ = indexed.end;
    return end_ >= limits_.target_bytes ? seal_pack() : Result<void>();
}

Result<void> PackStore::rebuild_index() {
    SATCHEL_TRY_VOID(commit());
    open_pack_.reset();
    read_file_.reset();
    open_number_ = 0;
    end_ = committed_ = 0;
    SATCHEL_TRY(const std::vector<std::uint32_t> on_disk, packs_on_disk());
    {
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
        SATCHEL_TRY_VOID(database_.run("DELETE FROM chunk"));
        SATCHEL_TRY_VOID(database_.run("DELETE FROM pack"));
        for (const std::uint32_t number : on_disk) {
            SATCHEL_TRY(const std::unique_ptr<env::File> file,
                        disk_.open(path_of(number), env::OpenMode::kWrite));
            SATCHEL_TRY(const std::uint64_t size, file->size());
            SATCHEL_TRY(const bool has_header, this->has_header(number, *file));
            SATCHEL_TRY(const Indexed indexed, index_pack(number, *file, kPackHeaderSize, size));
            SATCHEL_TRY_VOID(note_pack(number, indexed.end, indexed.id));
            if (has_header || !indexed.id) continue;  // recover() mends those without a trailer
            SATCHEL_TRY_VOID(file->write_at(0, encode(PackHeader{number, {}})));
            SATCHEL_TRY_VOID(file->sync());
        }
        SATCHEL_TRY_VOID(transaction.commit());
    }
    return recover();
}

}  // namespace satchel::store
