// Opening after any crash, and making the index again from the packs.
//
// Every pack but the one that is filled ends in an index of its own, so opening reads the list of packs and
// the runs' filters, and of the open pack the headers of its records. A pack that the list does not know, or
// that was being filled, is adopted: by its own index if that is whole, else by its records. Of several that
// are being filled all but the last are sealed.
#include <algorithm>
#include <iterator>

#include "engine/env/holes.hpp"
#include "engine/store/pack_check.hpp"
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

// Takes the sealed packs as the table has them; returns those on the disk that are to be looked at, in order.
// One that is not there stays in the list, and verify names it, until the index is made again.
Result<std::vector<std::uint32_t>> PackStore::to_adopt() {
    SATCHEL_TRY(std::vector<std::uint32_t> on_disk, packs_on_disk());
    next_number_ = std::max(next_number_, runs_.pack_high() + 1);
    if (!on_disk.empty()) next_number_ = std::max(next_number_, on_disk.back() + 1);
    packs_.clear();
    lossy_pack_.reset();
    unread_packs_.clear();
    std::vector<std::uint32_t> settled;
    std::vector<std::uint32_t> dropped;
    SATCHEL_TRY_VOID(packs_.for_each([&](const PackRow& pack) -> Result<void> {
        next_number_ = std::max(next_number_, pack.number + 1);
        const bool is_there = std::binary_search(on_disk.begin(), on_disk.end(), pack.number);
        if (pack.state == PackState::kDropped) {
            dropped.push_back(pack.number);
            return {};
        }
        const bool is_indexed = pack.state == PackState::kSealed && pack.index_at != 0;
        if (is_there && !is_indexed) return {};
        settled.push_back(pack.number);
        return take_as_known(pack);
    }));
    if (!dropped.empty()) SATCHEL_TRY_VOID(remove_dropped(dropped));
    for (const auto& gone : {settled, dropped}) {
        std::vector<std::uint32_t> rest;
        std::set_difference(on_disk.begin(), on_disk.end(), gone.begin(), gone.end(),
                            std::back_inserter(rest));
        on_disk = std::move(rest);
    }
    return on_disk;
}

// Without a look at it.
Result<void> PackStore::take_as_known(const PackRow& pack) {
    const bool is_sealed = pack.state == PackState::kSealed;
    if (is_sealed) SATCHEL_TRY_VOID(packs_.add(pack));
    if (pack.lost > 0 || (!is_sealed && pack.chunks > 0)) lossy_pack_ = pack.number;
    return {};
}

Result<void> PackStore::recover() {
    SATCHEL_TRY_VOID(runs_.open());
    SATCHEL_TRY(const std::vector<std::uint32_t> packs, to_adopt());
    SATCHEL_TRY_VOID(packs_.load_forgotten());
    {
        SATCHEL_TRY(database::Statement old,
                    database_.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'chunk'"));
        SATCHEL_TRY(has_old_table_, old.step());
    }
    SATCHEL_TRY_VOID(mend_index());
    Building building;
    for (const std::uint32_t number : packs) {
        SATCHEL_TRY(const PackRow known, packs_.read(number));
        SATCHEL_TRY_VOID(adopt(known, building));
        if (building.packs.size() >= kBuildPacksMax) SATCHEL_TRY_VOID(end_build(building, {}));
    }
    SATCHEL_TRY_VOID(end_build(building, {}));
    SATCHEL_TRY_VOID(packs_.load_forgotten());
    return end_migration();
}

// What was forgotten in a pack that a power cut took counts no more: another may take its number.
Result<void> PackStore::end_migration() {
    SATCHEL_TRY_VOID(database_.run("DELETE FROM forgotten WHERE pack NOT IN (SELECT number FROM pack)"));
    if (has_old_table_) SATCHEL_TRY_VOID(database_.run("DROP TABLE chunk"));
    has_old_table_ = false;
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

// Nothing is noted before its bytes are sure. Where the disk does not give some of them, none are cut off or
// written over: it may give them another day.
Result<void> PackStore::adopt(const PackRow& known, Building& building) {
    Result<std::unique_ptr<env::File>> opened = disk_.open(path_of(known.number), env::OpenMode::kWrite);
    if (!opened.has_value() && opened.error().code == ErrorCode::kIo) {
        // Nothing leads to what lies in it, and nobody knows what that names, unless it was written off.
        const bool was_written_off = known.bytes > 0 && known.chunks + known.lost == 0;
        if (!was_written_off) unread_packs_.push_back(known.number);
        return take_as_known(known);
    }
    if (!opened.has_value()) return opened.error();
    std::unique_ptr<env::File> file = std::move(*opened);
    env::HolesAsZeros readable(*file);
    SATCHEL_TRY(const std::uint64_t size, file->size());
    SATCHEL_TRY(const bool has_header, this->has_header(known.number, readable));
    if (size != known.bytes || !has_header) {
        SATCHEL_TRY_VOID(file->sync());
        SATCHEL_TRY_VOID(sync_names());
    }
    Result<bool> is_sealed = adopt_sealed(known, readable, building);
    if (!is_sealed.has_value() && is_sealed.error().code == ErrorCode::kUnsupported)
        is_sealed.error().about = disk_.describe(path_of(known.number));
    if (!is_sealed.has_value()) return is_sealed.error();
    if (!*is_sealed) return adopt_open(known, std::move(file), readable, has_header);
    if (has_header || readable.has_met_any()) return {};
    const Result<void> written = file->write_at(0, encode(PackHeader{known.number, {}}));
    if (!written.has_value() && written.error().code == ErrorCode::kIo) return {};  // nothing needs it
    return written.has_value() ? file->sync() : written;
}

// False: it has no index, or a damaged one.
Result<bool> PackStore::adopt_sealed(const PackRow& known, env::File& file, Building& building) {
    const bool was_being_filled = known.state == PackState::kOpen && known.bytes > 0;
    bool is_to_be_mended = false;
    if (!was_being_filled) {
        const Result<bool> mended = mend_unreadable(file);
        if (!mended.has_value() && mended.error().code != ErrorCode::kIo) return mended.error();
        is_to_be_mended = !mended.has_value();
    }
    Result<PackTrailer> trailer = read_trailer(file);
    if (!trailer.has_value() && is_to_be_mended) {
        SATCHEL_TRY(const PackCheck check, check_pack(file, std::nullopt));
        if (check.guard) trailer = end_of(*check.guard).decoded;
    }
    if (!trailer.has_value()) {
        const ErrorCode code = trailer.error().code;
        if (code == ErrorCode::kNotFound || code == ErrorCode::kDamaged) return false;
        return trailer.error();
    }
    if (was_being_filled) {  // a power cut while it was sealed may have kept its end and lost what is before
        SATCHEL_TRY(const PackCheck check, check_pack(file, trailer->id));
        const bool is_guarded = trailer->sections.size() > 1;
        if (is_guarded && (!check.guard || !check.is_sound())) return false;
    }
    SATCHEL_TRY(const std::vector<std::uint32_t> forgotten, packs_.forgotten_places(known.number));
    PackRow row;
    row.number = known.number;
    row.state = PackState::kSealed;
    row.id = trailer->id;
    SATCHEL_TRY(row.bytes, file.size());
    row.index_at = trailer->index.offset;
    const bool is_less = known.chunks * kIndexRowSize != trailer->index.size;  // something was forgotten
    const Result<void> read = read_index(file, *trailer, [&](const IndexRow& chunk) -> Result<void> {
        const std::uint32_t slot = row.rows++;
        if (std::binary_search(forgotten.begin(), forgotten.end(), chunk.place)) return {};
        if (is_less) {
            SATCHEL_TRY(const bool was_forgotten, this->was_forgotten(known, chunk));
            if (was_forgotten) return packs_.forget(known.number, chunk, false);
        }
        ++row.chunks;
        row.stored += chunk.stored_size;
        row.raw += chunk.raw_size;
        return build(building, {key_of(chunk.id), known.number, slot});
    });
    // Rows that were given before the disk gave others lead to records that are not theirs: to nothing.
    const bool is_damaged = !read.has_value() && read.error().code == ErrorCode::kDamaged;
    if (is_damaged && is_to_be_mended) return adopt_by_records(known, row, *trailer, building);
    if (is_damaged) return false;
    if (!read.has_value()) return read.error();
    row.lost = lost_of(known, row.chunks);
    if (row.lost > 0) lossy_pack_ = known.number;
    building.packs.push_back(row);
    return true;
}

// The disk took no mending of its index. Its parity may do it another day, so it stays sealed and is adopted
// anew by the next opening; until then nobody knows where in the index its rows are.
Result<bool> PackStore::adopt_by_records(const PackRow& known, PackRow row, const PackTrailer& trailer,
                                         Building& building) {
    row.rows = static_cast<std::uint32_t>(trailer.index.size / kIndexRowSize);
    row.index_at = row.chunks = row.stored = row.raw = 0;
    SATCHEL_TRY(const std::vector<std::uint32_t> forgotten, packs_.forgotten_places(known.number));
    SATCHEL_TRY(const Rows* rows, rescue(known.number));
    for (const IndexRow& chunk : *rows) {
        if (std::binary_search(forgotten.begin(), forgotten.end(), chunk.place)) continue;
        ++row.chunks;
        row.stored += chunk.stored_size;
        row.raw += chunk.raw_size;
        SATCHEL_TRY_VOID(build(building, {key_of(chunk.id), known.number, kSlotsMax - 1}));
    }
    const bool is_known = known.bytes > 0;
    row.lost =
        is_known ? lost_of(known, row.chunks) : row.rows - std::min<std::uint64_t>(row.rows, row.chunks);
    if (row.lost > 0) lossy_pack_ = known.number;
    building.packs.push_back(row);
    return true;
}

// By the table of schema version 2, which had no row for a forgotten chunk.
Result<bool> PackStore::was_forgotten(const PackRow& known, const IndexRow& row) {
    if (!has_old_table_ || known.bytes == 0) return false;
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT 1 FROM chunk WHERE id = ? AND pack = ?"));
    select.bind_blob(1, row.id.view()).bind(2, std::int64_t{known.number});
    SATCHEL_TRY(const bool there, select.step());
    return !there;
}

// How many of those that were committed are not among `found`, which may have come back another day.
std::uint64_t PackStore::lost_of(const PackRow& known, std::uint64_t found) {
    const std::uint64_t committed = known.chunks + known.lost;
    return committed > found ? committed - found : 0;
}

// The rows of a pack without an index. Returns where its records end.
Result<std::uint64_t> PackStore::scan_open(const PackRow& known, env::File& file, Rows& rows) {
    SATCHEL_TRY(const std::vector<std::uint32_t> forgotten, packs_.forgotten_places(known.number));
    SATCHEL_TRY(const std::uint64_t size, file.size());
    Stretch stretch{kPackHeaderSize, std::min(size, kPackBytesMax),
                    known.state == PackState::kOpen ? known.bytes : 0};
    // A torn record may lie before whole ones that were adopted after an earlier power cut: if headers alone
    // give another number of chunks than was committed, each payload has to prove itself.
    Rows by_header;
    const Result<std::uint64_t> counted =
        scan_records(file, stretch, [&](const IndexRow& row) -> Result<void> {
            const bool counts =
                row.place < known.bytes && !std::binary_search(forgotten.begin(), forgotten.end(), row.place);
            if (counts) by_header.insert(row);
            return {};
        });
    if (counted.has_value() && by_header.size() != known.chunks) stretch.sure_end = 0;
    Result<std::uint64_t> end = scan_records(file, stretch, [&](const IndexRow& row) -> Result<void> {
        if (std::binary_search(forgotten.begin(), forgotten.end(), row.place)) return {};
        if (row.place < known.bytes) {
            SATCHEL_TRY(const bool was_forgotten, this->was_forgotten(known, row));
            if (was_forgotten) return packs_.forget(known.number, row, false);
        }
        rows.erase(row);
        rows.insert(row);  // the last place counts
        return {};
    });
    if (!end.has_value() && end.error().code == ErrorCode::kUnsupported)
        end.error().about = disk_.describe(path_of(known.number));
    return end;
}

// Takes in what is whole behind the last commit, cuts off the rest and goes on with the pack.
Result<void> PackStore::adopt_open(const PackRow& known, std::unique_ptr<env::File> file,
                                   env::HolesAsZeros& readable, bool has_header) {
    if (open_pack_) SATCHEL_TRY_VOID(seal_pack());
    SATCHEL_TRY(const std::uint64_t size, file->size());
    Rows rows;
    SATCHEL_TRY(std::uint64_t end, scan_open(known, readable, rows));
    const bool has_holes = readable.has_met_any();
    // A damaged record that was committed stays where it is: nothing is written over it.
    if (known.state == PackState::kOpen && size >= known.bytes) end = std::max(end, known.bytes);
    // A torn record may reach over what is appended, if its header lies in a hole that the disk gives one
    // day, or if nothing was cut off behind it: so nothing is appended so near.
    constexpr std::uint64_t kReachOfARecord = kRecordHeaderSize + kObjectMax;
    const bool is_as_committed = known.state == PackState::kOpen && size == known.bytes;
    if (has_holes && !is_as_committed) end = std::max(end, next_block(size + kReachOfARecord));
    if (!has_header && rows.empty() && end == kPackHeaderSize) {  // created and never synced
        file.reset();
        SATCHEL_TRY_VOID(disk_.remove_file(path_of(known.number)));
        return disk_.sync_directory(directory_);
    }
    if (!has_header && !has_holes) {
        SATCHEL_TRY_VOID(file->write_at(0, encode(PackHeader{known.number, {}})));
        SATCHEL_TRY_VOID(file->sync());
    }
    const auto sure = static_cast<std::uint64_t>(std::count_if(
        rows.begin(), rows.end(), [&](const IndexRow& row) { return row.place < known.bytes; }));
    tally_.stop();
    open_pack_ = std::move(file);
    open_number_ = known.number;
    open_rows_ = std::move(rows);
    open_lost_ = lost_of(known, sure);
    if (open_lost_ > 0) lossy_pack_ = known.number;
    end_ = committed_ = end;
    SATCHEL_TRY(const std::vector<std::uint32_t> forgotten, packs_.forgotten_places(known.number));
    const bool is_clear = forgotten.empty() || forgotten.back() < end;
    const bool is_as_known = is_clear && known.state == PackState::kOpen && known.bytes == end &&
                             known.chunks == open_rows_.size() && known.lost == open_lost_;
    if (!is_as_known)
        SATCHEL_TRY_VOID(together([&]() -> Result<void> {
            SATCHEL_TRY_VOID(packs_.write(open_row()));
            // Other records may come to stand where forgotten ones were that a power cut took.
            SATCHEL_TRY(database::Statement remove,
                        database_.prepare("DELETE FROM forgotten WHERE pack = ? AND place >= ?"));
            remove.bind(1, std::int64_t{known.number}).bind(2, static_cast<std::int64_t>(end));
            return remove.run();
        }));
    if (end != size) SATCHEL_TRY_VOID(open_pack_->truncate(end));
    return is_pack_full() ? seal_pack() : Result<void>();
}

// -- the runs from the packs --------------------------------------------------------------------------

Result<void> PackStore::build(Building& building, const RunRow& row) {
    building.rows.push_back(row);
    if (building.rows.size() < limits_.build_rows) return {};
    std::sort(building.rows.begin(), building.rows.end());
    SATCHEL_TRY(RunSet::Run run, runs_.write(building.rows));
    building.runs.push_back(std::move(run));
    building.rows.clear();
    return {};
}

// The new runs, in place of others, and the packs whose rows they have, all at once.
Result<void> PackStore::end_build(Building& building, const std::vector<RunSet::Lost>& instead_of) {
    if (!building.rows.empty()) {
        std::sort(building.rows.begin(), building.rows.end());
        SATCHEL_TRY(RunSet::Run run, runs_.write(building.rows));
        building.runs.push_back(std::move(run));
    }
    if (building.runs.empty() && building.packs.empty() && instead_of.empty()) return {};
    constexpr char kAdoptAgain[] =
        "UPDATE pack SET index_at = 0, chunks = chunks - ?1, lost = lost + ?1 WHERE number = ?2 AND sealed = "
        "1";
    SATCHEL_TRY_VOID(together([&]() -> Result<void> {
        for (const RunSet::Lost& lost : instead_of) SATCHEL_TRY_VOID(runs_.unname(lost.number));
        for (const RunSet::Run& run : building.runs) SATCHEL_TRY_VOID(runs_.name(run));
        for (const PackRow& pack : building.packs) SATCHEL_TRY_VOID(packs_.write(pack));
        for (const auto& [number, lost] : building.in_part) {
            SATCHEL_TRY(database::Statement again, database_.prepare(kAdoptAgain));
            SATCHEL_TRY_VOID(again.bind(1, std::int64_t{lost}).bind(2, std::int64_t{number}).run());
        }
        return {};
    }));
    for (const RunSet::Lost& lost : instead_of) runs_.leave(lost.number);
    for (RunSet::Run& run : building.runs) runs_.take(std::move(run));
    for (const PackRow& pack : building.packs) SATCHEL_TRY_VOID(packs_.add(pack));
    building = {};
    return {};
}

// Of a pack that is missing or gives only a part of its rows nothing leads to the others then, though it may
// be there, or be read, another day.
Result<void> PackStore::build_from(PackFacts& facts, Building& building) {
    const auto give = [&](const IndexRow& row, std::uint32_t slot) {
        return build(building, {key_of(row.id), facts.number, slot});
    };
    const Result<void> read = for_each_row(facts.number, give);
    if (read.has_value()) return {};
    const ErrorCode code = read.error().code;
    if (code != ErrorCode::kNotFound && !is_unreadable(read.error())) return read;
    std::uint64_t given = 0;
    if (code == ErrorCode::kDamaged) {
        SATCHEL_TRY(const Rows* rows, rescue(facts.number));
        SATCHEL_TRY(const std::vector<std::uint32_t> forgotten, packs_.forgotten_places(facts.number));
        for (const IndexRow& row : *rows) {
            SATCHEL_TRY_VOID(give(row, kSlotsMax - 1));
            given += std::binary_search(forgotten.begin(), forgotten.end(), row.place) ? 0u : 1u;
        }
    }
    SATCHEL_TRY(const PackRow pack, packs_.read(facts.number));
    if (given >= pack.chunks) return {};
    lossy_pack_ = facts.number;
    building.in_part.emplace_back(facts.number, static_cast<std::uint32_t>(pack.chunks - given));
    return {};
}

// Damaged runs are made again from the indexes of their packs; what else lies in that range stands there
// twice. A pack that gave only a part of its rows is adopted anew at the next opening.
Result<void> PackStore::mend_index() {
    if (runs_.damaged().empty()) return {};
    const std::vector<RunSet::Lost> damaged = runs_.damaged();
    Building building;
    for (std::size_t i = 0; i < packs_.sealed().size(); ++i) {
        PackFacts facts = packs_.sealed()[i];
        const bool is_hit = std::any_of(damaged.begin(), damaged.end(), [&](const RunSet::Lost& lost) {
            return lost.packs.low <= facts.number && facts.number <= lost.packs.high;
        });
        if (is_hit) SATCHEL_TRY_VOID(build_from(facts, building));
    }
    SATCHEL_TRY_VOID(end_build(building, damaged));
    notice_ = fail(ErrorCode::kDamaged, "index",
                   "a part of the index was damaged and was made again from the packs",
                   "nothing is lost; if it comes again, check the disk");
    return {};
}

Result<void> PackStore::rebuild_index() {
    SATCHEL_TRY_VOID(commit());
    ++losses_;
    close_pack();
    reading_.clear();
    rescued_.clear();
    SATCHEL_TRY(const std::vector<std::uint32_t> on_disk, packs_on_disk());
    std::vector<std::uint32_t> missing;
    SATCHEL_TRY_VOID(packs_.for_each([&](const PackRow& pack) -> Result<void> {
        const bool is_there = std::binary_search(on_disk.begin(), on_disk.end(), pack.number);
        if (!is_there && pack.state != PackState::kDropped) missing.push_back(pack.number);
        return {};
    }));
    // How many chunks a pack had stays known, or nobody could tell that some are not found again.
    SATCHEL_TRY_VOID(together([&]() -> Result<void> {
        SATCHEL_TRY_VOID(database_.run("DELETE FROM index_run"));
        SATCHEL_TRY_VOID(database_.run("UPDATE pack SET index_at = 0 WHERE sealed < 2"));
        for (const std::uint32_t number : missing) SATCHEL_TRY_VOID(packs_.remove_row(number));
        return {};
    }));
    return recover();
}

}  // namespace satchel::store
