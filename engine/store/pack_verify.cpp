// Reads everything and names what is damaged.
#include <algorithm>

#include "engine/store/pack_store.hpp"

namespace satchel::store {

// Every chunk that the index places in the pack. Returns how many there are.
Result<std::uint64_t> PackStore::verify_chunks(std::uint32_t number,
                                               const std::function<void(const Damage&)>& found,
                                               const std::function<void(std::uint64_t)>& read) {
    SATCHEL_TRY(database::Statement rows,
                database_.prepare("SELECT id, place, stored, raw FROM chunk WHERE pack = ? ORDER BY place"));
    rows.bind(1, std::int64_t{number});
    for (std::uint64_t checked = 0;; ++checked) {
        SATCHEL_TRY(const bool more, rows.step());
        if (!more) return checked;
        Place place;
        place.pack = number;
        const ByteView id = rows.blob(0);
        std::copy(id.begin(), id.end(), place.row.id.digest.begin());
        place.row.place = static_cast<std::uint32_t>(rows.integer(1));
        place.row.stored_size = static_cast<std::uint32_t>(rows.integer(2));
        place.row.raw_size = static_cast<std::uint32_t>(rows.integer(3));
        const auto report = [&](const Error& error) {
            found({disk_.describe(path_of(number)), place.row.place, place.row.id, error});
        };
        const Result<ByteBuffer> record = record_at(place);
        if (!record.has_value()) {
            report(record.error());
        } else if (const Result<ByteBuffer> plain = open_record(*record); !plain.has_value()) {
            report(damaged_at(place, plain.error().detail));
        }
        read(kRecordHeaderSize + place.row.stored_size);
    }
}

// Header and trailer. A pack that is missing was told of chunk by chunk.
Result<void> PackStore::verify_frame(std::uint32_t number, bool is_sealed,
                                     const std::function<void(const Damage&)>& found) {
    const Result<env::File*> file = reading(number);
    if (!file.has_value()) return {};
    const std::string name = disk_.describe(path_of(number));
    const auto report = [&](std::uint64_t place, const Error& cause) {
        found(
            {name, place, std::nullopt,
             fail(ErrorCode::kDamaged, name, "the pack's header or table is damaged; its chunks are not hit",
                  "nothing is lost: `satchel store rebuild-index` mends it", cause.detail)});
    };
    ByteBuffer head(kPackHeaderSize);
    SATCHEL_TRY(const std::size_t got, (*file)->read_at(0, head));
    const Result<PackHeader> header = decode_pack_header(ByteView(head).first(got));
    if (!header.has_value()) report(0, header.error());
    if (!is_sealed) return {};
    SATCHEL_TRY(const std::uint64_t size, (*file)->size());
    const Result<PackTrailer> trailer = read_trailer(**file);
    if (!trailer.has_value()) {
        report(size, trailer.error());
        return {};
    }
    const Result<void> index =
        read_index(**file, *trailer, [](const IndexRow&) -> Result<void> { return {}; });
    if (!index.has_value()) report(trailer->index.offset, index.error());
    return {};
}

Result<std::uint64_t> PackStore::verify(const std::function<void(const Damage&)>& found,
                                        const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY(const StoreStats totals, stats());
    SATCHEL_TRY(const std::vector<Known> packs, known_packs());
    std::uint64_t checked = 0;
    std::uint64_t done = 0;
    for (const Known& pack : packs) {
        SATCHEL_TRY(const std::uint64_t chunks, verify_chunks(pack.number, found, [&](std::uint64_t bytes) {
                        done += bytes;
                        progress(done, totals.pack_bytes);
                    }));
        checked += chunks;
        SATCHEL_TRY_VOID(verify_frame(pack.number, pack.is_sealed, found));
    }
    return checked;
}

}  // namespace satchel::store
