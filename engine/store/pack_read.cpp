// Many records at once: those that stand side by side are read together, and opened several at a time.
//
// Memory: a window of at most kReadWindowBytes of records and as many of plain bytes, or one object more.
#include <algorithm>
#include <utility>

#include "engine/store/batch.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

namespace {

std::uint64_t end_of(const IndexRow& row) { return row.place + kRecordHeaderSize + row.stored_size; }

}  // namespace

bool ReadWindow::takes(const IndexRow& row) {
    bytes_ += std::max(row.raw_size, row.stored_size) + kRecordHeaderSize;
    return ++count_ == 1 || bytes_ <= kReadWindowBytes;
}

void PackStore::fetch(std::span<const Place> places, Fetched& fetched) {
    std::size_t total = 0;
    for (const Place& place : places) total += kRecordHeaderSize + place.row.stored_size;
    if (fetched.bytes.size() < total) fetched.bytes.resize(total);
    fetched.records.assign(places.size(), {});
    std::size_t at = 0;
    for (std::size_t first = 0, next = 0; first < places.size(); first = next) {
        std::uint64_t end = end_of(places[first].row);
        for (next = first + 1; next < places.size(); ++next) {
            if (places[next].pack != places[first].pack || places[next].row.place != end) break;
            end = end_of(places[next].row);
        }
        const auto size = static_cast<std::size_t>(end - places[first].row.place);
        const MutableBytes run = MutableBytes(fetched.bytes).subspan(at, size);
        at += size;
        const Result<env::File*> file = reading(places[first].pack);
        if (!file.has_value()) continue;
        const Result<std::size_t> got = (*file)->read_at(places[first].row.place, run);
        if (!got.has_value() || *got != size) continue;
        for (std::size_t i = first; i < next; ++i)
            fetched.records[i] =
                ByteView(run).subspan(static_cast<std::size_t>(places[i].row.place - places[first].row.place),
                                      kRecordHeaderSize + places[i].row.stored_size);
    }
}

// What is not whole is read once more by itself: read() knows other places where to look, and what to say.
Result<void> PackStore::read_each(std::span<const ChunkId> ids,
                                  const std::function<Result<void>(std::size_t, ByteView)>& sink) {
    Fetched fetched = std::exchange(spare_, {});  // the sink may read, too
    std::vector<Place> places;
    for (std::size_t next = 0; next < ids.size();) {
        places.clear();
        ReadWindow window;
        while (next + places.size() < ids.size()) {
            Result<Place> place = place_of(ids[next + places.size()]);
            if (!place.has_value() || place->row.stored_size > kObjectMax || !window.takes(place->row)) break;
            places.push_back(std::move(*place));
        }
        fetch(places, fetched);
        const std::vector<OpenedRecord> opened = open_records(offload_, fetched.records);
        for (std::size_t i = 0; i < std::max<std::size_t>(places.size(), 1); ++i, ++next) {
            const bool is_it = i < opened.size() && opened[i].is_whole &&
                               opened[i].header.type == RecordType::kChunk &&
                               opened[i].header.id == ids[next].digest;
            if (is_it) {
                SATCHEL_TRY_VOID(sink(next, opened[i].plain));
                continue;
            }
            SATCHEL_TRY(const ByteBuffer plain, read(ids[next]));
            SATCHEL_TRY_VOID(sink(next, plain));
        }
    }
    spare_ = std::move(fetched);
    return {};
}

}  // namespace satchel::store
