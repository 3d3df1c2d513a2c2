#include "engine/store/pack_list.hpp"

#include <algorithm>

namespace satchel::store {

namespace {

constexpr char kColumns[] = "number, sealed, id, bytes, rows, index_at, chunks, stored, raw, lost";

PackRow row_of(const database::Statement& select) {
    const auto number = [&](int column) { return static_cast<std::uint64_t>(select.integer(column)); };
    PackRow row;
    row.number = static_cast<std::uint32_t>(number(0));
    row.state = static_cast<PackState>(select.integer(1));
    PackId id;
    if (const ByteView bytes = select.blob(2); bytes.size() == id.digest.size()) {
        std::copy(bytes.begin(), bytes.end(), id.digest.begin());
        row.id = id;
    }
    row.bytes = number(3);
    row.rows = static_cast<std::uint32_t>(number(4));
    row.index_at = number(5);
    row.chunks = number(6);
    row.stored = number(7);
    row.raw = number(8);
    row.lost = number(9);
    return row;
}

}  // namespace

Result<void> PackList::for_each(const std::function<Result<void>(const PackRow&)>& each) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT " + std::string(kColumns) + " FROM pack ORDER BY number"));
    while (true) {
        SATCHEL_TRY(const bool there, select.step());
        if (!there) return {};
        SATCHEL_TRY_VOID(each(row_of(select)));
    }
}

Result<PackRow> PackList::read(std::uint32_t number) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT " + std::string(kColumns) + " FROM pack WHERE number = ?"));
    select.bind(1, std::int64_t{number});
    SATCHEL_TRY(const bool there, select.step());
    if (there) return row_of(select);
    PackRow row;
    row.number = number;
    return row;
}

Result<void> PackList::write(const PackRow& row) {
    SATCHEL_TRY(database::Statement upsert,
                database_.prepare("INSERT OR REPLACE INTO pack (number, sealed, id, bytes, rows, index_at, "
                                  "chunks, stored, raw, lost) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    upsert.bind(1, number(row.number)).bind(2, static_cast<std::int64_t>(row.state));
    if (row.id)
        upsert.bind_blob(3, row.id->view());
    else
        upsert.bind_null(3);
    upsert.bind(4, number(row.bytes)).bind(5, number(row.rows)).bind(6, number(row.index_at));
    upsert.bind(7, number(row.chunks)).bind(8, number(row.stored)).bind(9, number(row.raw));
    return upsert.bind(10, number(row.lost)).run();
}

Result<void> PackList::remove_row(std::uint32_t number) {
    SATCHEL_TRY(database::Statement remove, database_.prepare("DELETE FROM pack WHERE number = ?"));
    remove.bind(1, std::int64_t{number});
    SATCHEL_TRY_VOID(remove.run());
    SATCHEL_TRY(database::Statement forget, database_.prepare("DELETE FROM forgotten WHERE pack = ?"));
    forget.bind(1, std::int64_t{number});
    SATCHEL_TRY_VOID(forget.run());
    // What was mended in it counts on; what is missing in it concerns nobody any more.
    SATCHEL_TRY(database::Statement settle,
                database_.prepare("UPDATE pack_check SET missing = 0 WHERE pack = ?"));
    settle.bind(1, std::int64_t{number});
    return settle.run();
}

Result<void> PackList::forget(std::uint32_t number, const IndexRow& row, bool is_counted) {
    SATCHEL_TRY(database::Statement insert,
                database_.prepare("INSERT OR IGNORE INTO forgotten (pack, place) VALUES (?, ?)"));
    insert.bind(1, std::int64_t{number}).bind(2, std::int64_t{row.place});
    SATCHEL_TRY_VOID(insert.run());
    if (PackFacts* facts = find(number)) facts->has_forgotten = true;
    if (!is_counted) return {};
    SATCHEL_TRY(database::Statement count,
                database_.prepare("UPDATE pack SET chunks = chunks - 1, stored = stored - ?, raw = raw - ? "
                                  "WHERE number = ?"));
    count.bind(1, std::int64_t{row.stored_size}).bind(2, std::int64_t{row.raw_size});
    return count.bind(3, std::int64_t{number}).run();
}

Result<std::vector<std::uint32_t>> PackList::forgotten_places(std::uint32_t number) {
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT place FROM forgotten WHERE pack = ? ORDER BY place"));
    select.bind(1, std::int64_t{number});
    std::vector<std::uint32_t> places;
    while (true) {
        SATCHEL_TRY(const bool there, select.step());
        if (!there) return places;
        places.push_back(static_cast<std::uint32_t>(select.integer(0)));
    }
}

Result<bool> PackList::is_forgotten(const PackFacts& facts, std::uint32_t place) {
    if (!facts.has_forgotten) return false;
    SATCHEL_TRY(database::Statement select,
                database_.prepare("SELECT 1 FROM forgotten WHERE pack = ? AND place = ?"));
    select.bind(1, std::int64_t{facts.number}).bind(2, std::int64_t{place});
    return select.step();
}

Result<void> PackList::load_forgotten() {
    SATCHEL_TRY(database::Statement select, database_.prepare("SELECT DISTINCT pack FROM forgotten"));
    while (true) {
        SATCHEL_TRY(const bool there, select.step());
        if (!there) return {};
        if (PackFacts* facts = find(static_cast<std::uint32_t>(select.integer(0))))
            facts->has_forgotten = true;
    }
}

namespace {
auto place_of(std::vector<PackFacts>& packs, std::uint32_t number) {
    return std::lower_bound(packs.begin(), packs.end(), number,
                            [](const PackFacts& facts, std::uint32_t than) { return facts.number < than; });
}
}  // namespace

Result<void> PackList::add(const PackRow& sealed) {
    if (sealed_.size() >= kPacksMax)
        return fail(ErrorCode::kTooLarge, "packs", "the store holds as many packs as it can",
                    "retire courses, or found a second hub");
    const PackFacts facts{sealed.number, sealed.rows, static_cast<std::uint32_t>(sealed.index_at), rows_,
                          false};
    rows_ += sealed.rows;
    const auto at = place_of(sealed_, sealed.number);
    if (at != sealed_.end() && at->number == sealed.number)
        *at = facts;
    else
        sealed_.insert(at, facts);
    return {};
}

void PackList::drop(std::uint32_t number) {
    const auto at = place_of(sealed_, number);
    if (at != sealed_.end() && at->number == number) sealed_.erase(at);
}

PackFacts* PackList::find(std::uint32_t number) {
    const auto at = place_of(sealed_, number);
    return at != sealed_.end() && at->number == number ? &*at : nullptr;
}

}  // namespace satchel::store
