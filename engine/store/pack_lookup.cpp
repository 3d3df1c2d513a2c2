// Where a chunk lies, and its bytes.
//
// Method. A row of a run is a hint: its pack, and which row of that pack's own index to look at first. That
// row has the whole id. If it has another, all of the pack's index is read and checked: it is whole and says
// whether the chunk is there, or it is damaged, and the pack's records say it. So no damage of a run or of a
// pack's index gives a wrong answer, and a chunk is found wherever a pack's index has it.
#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/env/holes.hpp"
#include "engine/store/pack_scan.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

namespace {

// A run that is made again and is damaged at once lies on a disk that keeps nothing.
constexpr int kMendingsMax = 4;

Error not_here(const ChunkId& id) {
    return fail(ErrorCode::kNotFound, to_hex(id.view()).substr(0, 16), "this chunk is not here",
                "read a stick that carries it");
}

}  // namespace

Result<void> PackStore::look_up(const ChunkId& id, std::vector<RunRow>& candidates) {
    for (int tries = 1;; ++tries) {
        SATCHEL_TRY_VOID(mend_index());
        candidates.clear();
        Result<void> read = runs_.find(key_of(id), candidates);
        if (read.has_value()) break;
        if (runs_.damaged().empty() || tries == kMendingsMax) return read;
    }
    // The newest placement counts: what was forgotten as damaged lies behind once more.
    std::sort(candidates.begin(), candidates.end(),
              [](const RunRow& a, const RunRow& b) { return a.pack > b.pack; });
    return {};
}

Result<PackStore::Found> PackStore::find(const ChunkId& id) {
    Found found;
    if (const auto open = open_rows_.find(id); open != open_rows_.end()) {
        found.place = Place{open_number_, *open, std::nullopt};
        return found;
    }
    std::vector<RunRow> candidates;
    SATCHEL_TRY_VOID(look_up(id, candidates));
    for (const RunRow& candidate : candidates) {
        SATCHEL_TRY(const Found confirmed, confirm(candidate, id));
        if (confirmed.place) return confirmed;
        if (confirmed.lost_in) found.lost_in = confirmed.lost_in;
    }
    return found;
}

Result<PackStore::Found> PackStore::confirm(const RunRow& candidate, const ChunkId& id) {
    PackFacts* facts = packs_.find(candidate.pack);
    if (facts == nullptr) return Found();  // dropped
    const Result<env::File*> file = reading(facts->number);
    if (!file.has_value() && file.error().code == ErrorCode::kNotFound) return Found{{}, facts->number};
    if (!file.has_value()) return file.error();
    const bool is_rescued = std::any_of(rescued_.begin(), rescued_.end(), [&](const Rescued& rescued) {
        return rescued.number == facts->number;
    });
    if (is_rescued) return search_rescued(*facts, id);
    if (candidate.slot >= facts->rows) return search(*facts, id);
    SATCHEL_TRY(const std::optional<IndexRow> row, row_at(**file, *facts, candidate.slot));
    if (!row || row->id != id) return search(*facts, id);
    SATCHEL_TRY(const bool forgotten, packs_.is_forgotten(*facts, row->place));
    if (forgotten) return Found();
    return Found{Place{facts->number, *row, candidate.slot}, {}};
}

// Objects of one file lie in one pack: where a second one in a row is looked up in it, its rows are read at
// once. What is kept may be older than the disk; a row with another id is looked for there.
Result<std::optional<IndexRow>> PackStore::row_at(env::File& file, const PackFacts& facts,
                                                  std::uint32_t slot) {
    const std::size_t place = std::size_t{slot} * kIndexRowSize;
    const std::size_t size = std::size_t{facts.rows} * kIndexRowSize;
    if (kept_index_.pack == facts.number && kept_index_.rows.size() == size)
        return std::optional(index_row_of(ByteView(kept_index_.rows).subspan(place, kIndexRowSize)));
    const bool is_worth_all = kept_index_.pack == facts.number && size <= kKeptIndexMax;
    kept_index_.pack = facts.number;
    kept_index_.rows.resize(is_worth_all ? size : kIndexRowSize);
    const Result<std::size_t> got =
        file.read_at(facts.index_at + (is_worth_all ? 0 : place), kept_index_.rows);
    if (!got.has_value() || *got != kept_index_.rows.size()) {
        kept_index_ = {};
        const bool is_unreadable = got.has_value() || got.error().code == ErrorCode::kIo;
        return is_unreadable ? Result<std::optional<IndexRow>>(std::nullopt) : got.error();
    }
    const IndexRow row =
        index_row_of(ByteView(kept_index_.rows).subspan(is_worth_all ? place : 0, kIndexRowSize));
    if (!is_worth_all) kept_index_.rows.clear();
    return std::optional(row);
}

// The whole of a pack's index or, where that is damaged, of its records.
Result<PackStore::Found> PackStore::search(PackFacts& facts, const ChunkId& id) {
    SATCHEL_TRY(env::File * file, reading(facts.number));
    env::HolesAsZeros readable(*file);
    std::optional<Place> place;
    const Result<PackTrailer> trailer = read_trailer(readable);
    bool is_whole = trailer.has_value();
    if (is_whole) {
        std::uint32_t slot = 0;
        const Result<void> read = read_index(readable, *trailer, [&](const IndexRow& row) -> Result<void> {
            if (row.id == id) place = Place{facts.number, row, slot};
            ++slot;
            return {};
        });
        if (!read.has_value() && read.error().code != ErrorCode::kDamaged) return read.error();
        is_whole = read.has_value();
    } else if (const ErrorCode code = trailer.error().code;
               code != ErrorCode::kDamaged && code != ErrorCode::kNotFound) {
        return trailer.error();
    }
    if (!is_whole) return search_rescued(facts, id);
    if (!place) return Found();
    SATCHEL_TRY(const bool forgotten, packs_.is_forgotten(facts, place->row.place));
    return forgotten ? Found() : Found{place, {}};
}

Result<PackStore::Found> PackStore::search_rescued(const PackFacts& facts, const ChunkId& id) {
    SATCHEL_TRY(const Rows* rows, rescue(facts.number));
    const auto row = rows->find(id);
    if (row == rows->end()) return Found{{}, facts.number};
    SATCHEL_TRY(const bool forgotten, packs_.is_forgotten(facts, row->place));
    return forgotten ? Found() : Found{Place{facts.number, *row, std::nullopt}, {}};
}

// The rows of a pack whose index is damaged, read from its records; kept for the next look-ups, until the
// pack is looked at again. A disk may take seconds for each sector that it does not give.
Result<const PackStore::Rows*> PackStore::rescue(std::uint32_t number) {
    const auto at = std::find_if(rescued_.begin(), rescued_.end(),
                                 [&](const Rescued& rescued) { return rescued.number == number; });
    if (at != rescued_.end()) {
        std::rotate(rescued_.begin(), at, at + 1);
        return &rescued_.front().rows;
    }
    SATCHEL_TRY(env::File * file, reading(number));
    SATCHEL_TRY(const std::uint64_t size, file->size());
    Rescued rescued{number, {}};
    env::HolesAsZeros readable(*file);
    SATCHEL_TRY_VOID(scan_records(readable, {kPackHeaderSize, std::min(size, kPackBytesMax), 0},
                                  [&](const IndexRow& row) -> Result<void> {
                                      rescued.rows.erase(row);
                                      rescued.rows.insert(row);  // the last one counts
                                      return {};
                                  }));
    rescued_.insert(rescued_.begin(), std::move(rescued));
    std::size_t rows = 0;
    const auto over = std::find_if(rescued_.begin() + 1, rescued_.end(), [&](const Rescued& other) {
        rows += other.rows.size();
        return rows + rescued_.front().rows.size() > kRescuedRowsMax;
    });
    rescued_.erase(over, rescued_.end());
    return &rescued_.front().rows;
}

Result<env::File*> PackStore::reading(std::uint32_t number) {
    if (number == open_number_ && open_pack_) return open_pack_.get();
    const auto at = std::find_if(reading_.begin(), reading_.end(),
                                 [&](const Reading& reading) { return reading.number == number; });
    if (at != reading_.end()) {
        std::rotate(reading_.begin(), at, at + 1);
        return reading_.front().file.get();
    }
    SATCHEL_TRY(std::unique_ptr<env::File> file, disk_.open(path_of(number), env::OpenMode::kRead));
    if (reading_.size() == kReadFilesMax) reading_.pop_back();
    reading_.insert(reading_.begin(), Reading{number, std::move(file)});
    return reading_.front().file.get();
}

Result<bool> PackStore::contains(const ChunkId& id) {
    SATCHEL_TRY(const std::optional<Place> place, find_to_stay(id));
    return place.has_value();
}

Result<PackStore::Place> PackStore::place_of(const ChunkId& id) {
    SATCHEL_TRY(const Found found, find(id));
    if (found.place) return *found.place;
    // Which chunks a cut took from the pack that was being filled nobody knows: perhaps this one.
    const std::optional<std::uint32_t> lost_in = found.lost_in ? found.lost_in : lossy_pack_;
    if (lost_in) return cut_off(*lost_in, "chunk " + to_hex(id.view()).substr(0, 16));
    return not_here(id);
}

Result<std::uint32_t> PackStore::size_of(const ChunkId& id) {
    SATCHEL_TRY(const Place place, place_of(id));
    return place.row.raw_size;
}

Result<std::optional<Spot>> PackStore::spot_of(const ChunkId& id) {
    SATCHEL_TRY(const Found found, find(id));
    if (!found.place) return std::optional<Spot>();
    return std::optional(Spot{found.place->pack, found.place->slot});
}

Error PackStore::cut_off(std::uint32_t pack, const std::string& detail) const {
    return fail(
        ErrorCode::kDamaged, disk_.describe(path_of(pack)), "this pack is missing, or chunks in it are gone",
        "run `satchel store verify`: it names the lessons that are hit, and has them fetched again", detail);
}

Error PackStore::damaged_at(const Place& place, const std::string& detail) const {
    return fail(ErrorCode::kDamaged, disk_.describe(path_of(place.pack)), "a chunk in this pack is damaged",
                "run `satchel store verify`: it names the lessons that are hit, and has them fetched again",
                "record at byte " + std::to_string(place.row.place) + ": " + detail);
}

// Header and payload, both checksums checked; damage is told with the pack's name and the place.
Result<ByteBuffer> PackStore::record_at(const Place& place) {
    const auto at = [&](const char* detail) {
        return "record at byte " + std::to_string(place.row.place) + ": " + detail;
    };
    const Result<env::File*> file = reading(place.pack);
    if (!file.has_value() && file.error().code == ErrorCode::kNotFound)
        return cut_off(place.pack, at("no such file"));
    if (!file.has_value()) return file.error();
    if (place.row.stored_size > kObjectMax) return damaged_at(place, "impossible length");
    SATCHEL_TRY(ByteBuffer record, read_record_at(**file, place.row.place, place.row.stored_size));
    if (record.size() != kRecordHeaderSize + place.row.stored_size)
        return cut_off(place.pack, at("behind the end of the file"));
    const Result<RecordHeader> header = check_record(record);
    if (!header.has_value()) return damaged_at(place, header.error().detail);
    if (header->id != place.row.id.digest || header->raw_size != place.row.raw_size)
        return damaged_at(place, "another chunk lies there");
    return record;
}

// A row of a pack's index that has the right id may be damaged elsewhere: then its whole index tells.
Result<ByteBuffer> PackStore::record_of(Place& place) {
    Result<ByteBuffer> record = record_at(place);
    if (record.has_value() || record.error().code != ErrorCode::kDamaged || !place.slot) return record;
    PackFacts* facts = packs_.find(place.pack);
    if (facts == nullptr) return record;
    const Result<Found> found = search(*facts, place.row.id);
    if (!found.has_value() || !found->place || found->place->row == place.row) return record;
    place = *found->place;
    return record_at(place);
}

Result<ByteBuffer> PackStore::read_record(const ChunkId& id) {
    SATCHEL_TRY(Place place, place_of(id));
    return record_of(place);
}

Result<ByteBuffer> PackStore::read(const ChunkId& id) {
    SATCHEL_TRY(Place place, place_of(id));
    SATCHEL_TRY(const ByteBuffer record, record_of(place));
    Result<ByteBuffer> plain = open_record(record);
    if (!plain.has_value()) return damaged_at(place, plain.error().detail);
    return plain;
}

}  // namespace satchel::store
