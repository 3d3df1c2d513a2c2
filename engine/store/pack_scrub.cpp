// Looking after packs: what is damaged is mended from their parity, and the table pack_check keeps what was
// seen. How often a pack was looked at is counted, not timed: boxes have no clock that can be relied on.
#include <algorithm>

#include "engine/env/holes.hpp"
#include "engine/store/pack_check.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

namespace {

Error mended_error(const std::string& name) {
    return fail(ErrorCode::kDamaged, name, "bytes of this pack were damaged and have been mended",
                "nothing is lost; if this comes often, replace the disk");
}

}  // namespace

// Mends a sealed pack if it has a guard and is not as it was sealed. What can't be mended is left to those
// who read its chunks, and so are packs that are missing or on a disk that takes no writes.
Result<PackStore::Mended> PackStore::mend(const PackRow& pack, const Tell& found) {
    if (pack.state != PackState::kSealed) return Mended{};
    const std::string path = path_of(pack.number);
    const Result<std::unique_ptr<env::File>> file = disk_.open(path, env::OpenMode::kRead);
    if (!file.has_value()) return Mended{};
    SATCHEL_TRY(const PackCheck check, check_pack(**file, pack.id));
    if (!check.guard || check.is_sound()) return Mended{check.guard.has_value(), check.guard.has_value(), 0};
    const Result<std::unique_ptr<env::File>> writable = disk_.open(path, env::OpenMode::kWrite);
    if (!writable.has_value()) return Mended{true, false, 0};
    const std::string name = disk_.describe(path);
    const Result<PackMending> mending = mend_pack(**writable, check);
    if (!mending.has_value()) {
        found({name, 0, std::nullopt, mending.error()});
        return Mended{true, false, 0};
    }
    for (const ByteRange& range : mending->mended)
        found({name, range.from, std::nullopt, mended_error(name), true, range.to - range.from});
    return Mended{true, mending->lost.empty(), mending->mended_bytes()};
}

// By hash every chunk of the pack is read; else only if it has no checksums of blocks, or these say that not
// all could be mended, or chunks were gone before these were made.
Result<PackStore::Looked> PackStore::look_at(const PackRow& pack, bool by_hash, const Tell& found,
                                             const std::function<void(std::uint64_t)>& read) {
    Looked looked;
    std::erase_if(rescued_, [&](const Rescued& rescued) { return rescued.number == pack.number; });
    if (by_hash) {
        SATCHEL_TRY(const std::optional<std::uint64_t> sound, verify_sound(pack, read));
        if (sound) {
            looked.chunks = *sound;
            SATCHEL_TRY_VOID(note_look_if_possible(pack.number, looked));
            return looked;
        }
    }
    SATCHEL_TRY(const Mended mended, mend(pack, found));
    looked.mended_bytes = mended.bytes;
    const auto count = [&](const Damage& damage) {
        looked.missing_chunks += damage.chunk ? 1u : 0u;
        const std::uint64_t counted_apart = std::min(damage.lacks_chunks, pack.lost);
        looked.missing_chunks += damage.lacks_chunks - counted_apart;
        found(damage);
    };
    if (by_hash || pack.lost > 0 || !mended.is_guarded || !mended.is_whole) {
        SATCHEL_TRY(looked.chunks, verify_pack(pack, count, read));
    } else {
        read(pack.bytes);
    }
    SATCHEL_TRY_VOID(note_look_if_possible(pack.number, looked));
    return looked;
}

// A pack that the disk does not give is told of like any damage. Else scrub would come to it first again the
// next time, and to no other.
Result<PackStore::Looked> PackStore::look_past_errors(const PackRow& pack, bool by_hash, const Tell& found,
                                                      const std::function<void(std::uint64_t)>& read) {
    Result<Looked> looked = look_at(pack, by_hash, found, read);
    if (looked.has_value() || looked.error().code != ErrorCode::kIo) return looked;
    found({disk_.describe(path_of(pack.number)), 0, std::nullopt, looked.error()});
    Looked nothing;
    nothing.missing_chunks = pack.chunks;
    SATCHEL_TRY_VOID(note_look_if_possible(pack.number, nothing));
    return nothing;
}

// Looking goes on where writing does not.
Result<void> PackStore::note_look_if_possible(std::uint32_t number, const Looked& looked) {
    Result<void> noted = note_look(number, looked);
    const bool takes_no_notes = !noted.has_value() && (noted.error().code == ErrorCode::kNoSpace ||
                                                       noted.error().code == ErrorCode::kReadOnly);
    return takes_no_notes ? Result<void>() : noted;
}

Result<void> PackStore::scrub_lossy_first() {
    return together([&] {
        return database_.run(
            "UPDATE pack_check SET turn = 0 WHERE missing > 0 OR pack IN "
            "(SELECT number FROM pack WHERE lost > 0)");
    });
}

Result<void> PackStore::write_off_cut_chunks() {
    SATCHEL_TRY_VOID(end_sync_of_group());
    const std::string settle =
        "UPDATE pack SET lost = 0 WHERE lost > 0; "  // then packs that are away
        "UPDATE pack SET chunks = 0 WHERE sealed = 0 AND number != " +
        std::to_string(open_number_);
    SATCHEL_TRY_VOID(together([&] { return database_.run(settle); }));
    open_lost_ = 0;
    lossy_pack_.reset();
    ++losses_;
    return {};
}

// They are adopted as they are found, if the disk gives them one day.
Result<void> PackStore::write_off_unread_packs() {
    SATCHEL_TRY_VOID(together([&]() -> Result<void> {
        for (const std::uint32_t number : unread_packs_) {
            SATCHEL_TRY(PackRow row, packs_.read(number));
            row.bytes = std::max<std::uint64_t>(row.bytes, kPackHeaderSize);
            row.chunks = row.lost = 0;
            SATCHEL_TRY_VOID(packs_.write(row));
        }
        return {};
    }));
    unread_packs_.clear();
    return {};
}

Result<ScrubReport> PackStore::scrub(std::uint64_t budget_bytes, const Tell& found,
                                     const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    SATCHEL_TRY_VOID(commit());
    std::vector<std::uint32_t> in_turn;  // 4 bytes a pack
    std::uint64_t total = 0;
    ScrubReport report;
    {
        SATCHEL_TRY(database::Statement select,
                    database_.prepare("SELECT number, bytes FROM pack LEFT JOIN pack_check ON pack = number "
                                      "WHERE sealed < 2 ORDER BY coalesce(turn, 0), number"));
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) break;
            const auto bytes = static_cast<std::uint64_t>(select.integer(1));
            const bool fits = in_turn.empty() || total + bytes <= budget_bytes;
            if (!fits || report.packs_left > 0) {
                ++report.packs_left;
                continue;
            }
            total += bytes;
            in_turn.push_back(static_cast<std::uint32_t>(select.integer(0)));
        }
    }
    for (const std::uint32_t number : in_turn) {
        SATCHEL_TRY(const PackRow pack, packs_.read(number));
        SATCHEL_TRY(const Looked looked, look_past_errors(pack, false, found, [](std::uint64_t) {}));
        ++report.packs;
        report.bytes += pack.bytes;
        report.missing_chunks += looked.missing_chunks;
        progress(report.bytes, total);
    }
    return report;
}

// When the index is made again: a pack that can't be read by its table is mended first, if it has a guard.
// True: something was written. What is not mended is left to the search for records.
Result<bool> PackStore::mend_unreadable(env::File& file) {
    const Result<PackTrailer> trailer = read_trailer(file);
    if (!trailer.has_value() && trailer.error().code == ErrorCode::kUnsupported) return false;
    const auto ignore = [](const IndexRow&) -> Result<void> { return {}; };
    if (trailer.has_value() && read_index(file, *trailer, ignore).has_value()) return false;
    SATCHEL_TRY(const PackCheck check, check_pack(file, std::nullopt));
    SATCHEL_TRY(const PackMending mending, mend_pack(file, check));
    return !mending.mended.empty() || mending.was_too_long;
}

Result<void> PackStore::note_look(std::uint32_t number, const Looked& looked) {
    SATCHEL_TRY(database::Statement note,
                database_.prepare("INSERT INTO pack_check (pack, turn, mended, missing) "
                                  "VALUES (?, (SELECT coalesce(max(turn), 0) + 1 FROM pack_check), ?, ?) "
                                  "ON CONFLICT (pack) DO UPDATE SET turn = excluded.turn, "
                                  "mended = mended + excluded.mended, missing = excluded.missing"));
    note.bind(1, std::int64_t{number}).bind(2, static_cast<std::int64_t>(looked.mended_bytes));
    return note.bind(3, static_cast<std::int64_t>(looked.missing_chunks)).run();
}

// A chunk that was forgotten is no longer missing but simply not here.
Result<void> PackStore::note_forgotten(std::uint32_t number) {
    SATCHEL_TRY(database::Statement note,
                database_.prepare("UPDATE pack_check SET missing = max(missing - 1, 0) WHERE pack = ?"));
    return note.bind(1, std::int64_t{number}).run();
}

Result<void> PackStore::add_looks(StoreStats& stats) {
    SATCHEL_TRY(database::Statement sums,
                database_.prepare("SELECT (SELECT coalesce(sum(mended), 0) FROM pack_check), "
                                  "coalesce(sum(coalesce(missing, 0) + lost), 0) FROM pack "
                                  "LEFT JOIN pack_check ON pack = number WHERE sealed < 2"));
    SATCHEL_TRY_VOID(sums.step());
    stats.mended_bytes = static_cast<std::uint64_t>(sums.integer(0));
    stats.missing_chunks = static_cast<std::uint64_t>(sums.integer(1));
    return {};
}

// A pack whose end is damaged counts nothing: verify tells of it.
Result<std::uint64_t> PackStore::parity_bytes() {
    std::uint64_t bytes = 0;
    SATCHEL_TRY_VOID(packs_.for_each([&](const PackRow& pack) -> Result<void> {
        if (pack.state != PackState::kSealed) return {};
        const Result<env::File*> file = reading(pack.number);
        if (!file.has_value()) return {};
        env::HolesAsZeros readable(**file);
        const Result<PackTrailer> trailer = read_trailer(readable);
        if (!trailer.has_value()) return {};
        for (const Section& section : trailer->sections)
            bytes += section.type == kSectionParity ? section.size : 0;
        return {};
    }));
    return bytes;
}

}  // namespace satchel::store
