// Reads everything and names what is damaged.
#include <algorithm>

#include "engine/env/holes.hpp"
#include "engine/store/batch.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

// kDamaged: its index is; then they are those of its records that are whole.
Result<void> PackStore::rows_of(const PackRow& pack, std::vector<IndexRow>& rows) {
    if (pack.state == PackState::kOpen) {
        rows.assign(open_rows_.begin(), open_rows_.end());
        return {};
    }
    const Result<void> read =
        for_each_row(pack.number, [&](const IndexRow& row, std::uint32_t) -> Result<void> {
            rows.push_back(row);
            return {};
        });
    if (read.has_value() || read.error().code != ErrorCode::kDamaged) return read;
    SATCHEL_TRY(const Rows* rescued, rescue(pack.number));
    rows.assign(rescued->begin(), rescued->end());
    return read;
}

Result<void> PackStore::drop_forgotten(std::uint32_t pack, std::vector<IndexRow>& rows) {
    SATCHEL_TRY(const std::vector<std::uint32_t> forgotten, packs_.forgotten_places(pack));
    std::erase_if(rows, [&](const IndexRow& row) {
        return std::binary_search(forgotten.begin(), forgotten.end(), row.place);
    });
    return {};
}

// The rows of a pack in the order of their places; tells of a header or index that is damaged, and of what is
// gone without a trace.
Result<std::vector<IndexRow>> PackStore::rows_to_verify(const PackRow& pack,
                                                        const std::function<void(const Damage&)>& found) {
    const std::string name = disk_.describe(path_of(pack.number));
    const auto report = [&](std::uint64_t place, const Error& cause) {
        found(
            {name, place, std::nullopt,
             fail(ErrorCode::kDamaged, name, "the pack's header or table is damaged; its chunks are not hit",
                  "nothing is lost: `satchel store rebuild-index` mends it", cause.detail)});
    };
    const auto report_lost = [&](std::uint64_t chunks, ErrorCode code) {
        Error error = cut_off(pack.number, std::to_string(chunks) + " chunks");
        error.code = code;
        found({name, 0, std::nullopt, std::move(error), false, 0, chunks});
    };
    const Result<env::File*> file = reading(pack.number);
    if (!file.has_value() && file.error().code != ErrorCode::kNotFound) return file.error();
    if (!file.has_value()) report_lost(pack.chunks + pack.lost, ErrorCode::kNotFound);
    if (!file.has_value()) return std::vector<IndexRow>();
    ByteBuffer head(kPackHeaderSize);
    SATCHEL_TRY(const std::size_t got, env::HolesAsZeros(**file).read_at(0, head));
    const Result<PackHeader> header = decode_pack_header(ByteView(head).first(got));
    if (!header.has_value()) report(0, header.error());
    std::vector<IndexRow> rows;
    const Result<void> index = rows_of(pack, rows);
    if (!index.has_value() && index.error().code != ErrorCode::kDamaged) return index.error();
    SATCHEL_TRY_VOID(drop_forgotten(pack.number, rows));
    const std::uint64_t missing = lost_of(pack, rows.size());
    if (missing > 0)
        report_lost(missing, ErrorCode::kDamaged);
    else if (!index.has_value())
        report(pack.bytes, index.error());
    std::sort(rows.begin(), rows.end(),
              [](const IndexRow& a, const IndexRow& b) { return a.place < b.place; });
    return rows;
}

void PackStore::tell_what_is_wrong(const Place& place, const std::function<void(const Damage&)>& found) {
    const auto report = [&](const Error& error) {
        found({disk_.describe(path_of(place.pack)), place.row.place, place.row.id, error});
    };
    const Result<ByteBuffer> record = record_at(place);
    if (!record.has_value())
        report(record.error());
    else if (const Result<ByteBuffer> plain = open_record(*record); !plain.has_value())
        report(damaged_at(place, plain.error().detail));
}

Result<std::uint64_t> PackStore::verify_pack(const PackRow& pack,
                                             const std::function<void(const Damage&)>& found,
                                             const std::function<void(std::uint64_t)>& read) {
    SATCHEL_TRY(const std::vector<IndexRow> rows, rows_to_verify(pack, found));
    Fetched fetched;
    std::vector<Place> places;
    for (auto next = rows.begin(); next != rows.end();) {
        places.clear();
        for (ReadWindow window; next != rows.end() && window.takes(*next); ++next) {
            places.push_back({pack.number, *next, std::nullopt});
            if (next->stored_size > kObjectMax) break;  // a damaged row: nothing is read by it
        }
        if (places.back().row.stored_size > kObjectMax) ++next;
        fetch(places, fetched);
        const std::vector<OpenedRecord> opened = open_records(offload_, fetched.records);
        for (std::size_t i = 0; i < places.size(); ++i) {
            const IndexRow& row = places[i].row;
            const bool is_it = opened[i].is_whole && opened[i].header.id == row.id.digest &&
                               opened[i].header.raw_size == row.raw_size;
            if (!is_it) tell_what_is_wrong(places[i], found);
            read(kRecordHeaderSize + row.stored_size);
        }
    }
    return rows.size();
}

Result<std::uint64_t> PackStore::verify(const std::function<void(const Damage&)>& found,
                                        const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    SATCHEL_TRY_VOID(commit());
    if (const Result<void> index = runs_.check(); !index.has_value() && runs_.damaged().empty())
        return index.error();
    SATCHEL_TRY_VOID(mend_index());
    SATCHEL_TRY(const StoreStats totals, stats());
    std::uint64_t checked = 0;
    std::uint64_t done = 0;
    const auto read = [&](std::uint64_t bytes) {
        done = std::min(done + bytes, totals.pack_bytes);  // a damaged pack is read twice
        progress(done, totals.pack_bytes);
    };
    SATCHEL_TRY_VOID(packs_.for_each([&](const PackRow& pack) -> Result<void> {
        if (pack.state == PackState::kDropped) return {};
        SATCHEL_TRY(const Looked looked, look_past_errors(pack, true, found, read));
        checked += looked.chunks;
        return {};
    }));
    return checked;
}

}  // namespace satchel::store
