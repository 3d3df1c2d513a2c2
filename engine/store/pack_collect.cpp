// What who collects needs of the packs: their rows, where a chunk lies, and taking packs away.
//
// Crash points of drop_packs: the packs count as dropped in one transaction; from then on opening removes
// their files. Rows of dropped packs stay in the runs until these are merged, and answer nothing.
#include "engine/base/check.hpp"
#include "engine/store/pack_store.hpp"

namespace satchel::store {

Result<void> PackStore::for_each_pack(const std::function<Result<void>(const PackInfo&)>& each) {
    return packs_.for_each([&](const PackRow& pack) -> Result<void> {
        if (pack.state == PackState::kDropped) return {};
        const bool is_sealed = pack.state == PackState::kSealed;
        const PackFacts* const facts = packs_.find(pack.number);
        const bool is_indexed = facts != nullptr && facts->index_at != 0;
        const std::uint64_t records_end = is_indexed ? facts->index_at : pack.bytes;
        const bool lacks_rows = pack.lost > 0 || (is_sealed && !is_indexed);
        PackInfo info{pack.number, is_sealed, pack.bytes, 0, pack.rows, 0, lacks_rows};
        info.record_bytes = records_end > kPackHeaderSize ? records_end - kPackHeaderSize : 0;
        if (facts != nullptr) info.base = facts->base;
        return each(info);
    });
}

Result<void> PackStore::for_each_row(
    std::uint32_t pack, const std::function<Result<void>(const IndexRow&, std::uint32_t slot)>& each) {
    // Its own handle: `each` may look for chunks, which closes others.
    SATCHEL_TRY(const std::unique_ptr<env::File> file, disk_.open(path_of(pack), env::OpenMode::kRead));
    env::HolesAsZeros readable(*file);
    Result<PackTrailer> trailer = read_trailer(readable);
    if (!trailer.has_value() && trailer.error().code == ErrorCode::kNotFound)
        return cut_off(pack, trailer.error().detail);
    if (!trailer.has_value()) return trailer.error();
    std::uint32_t slot = 0;
    return read_index(readable, *trailer, [&](const IndexRow& row) { return each(row, slot++); });
}

Result<void> PackStore::drop_packs(const std::vector<std::uint32_t>& numbers) {
    SATCHEL_CHECK(!database_.in_transaction());
    for (const std::uint32_t number : numbers) SATCHEL_CHECK(packs_.find(number) != nullptr);
    SATCHEL_TRY_VOID(together([&]() -> Result<void> {
        for (const std::uint32_t number : numbers) {
            SATCHEL_TRY(database::Statement drop,
                        database_.prepare("UPDATE pack SET sealed = 2 WHERE number = ? AND sealed = 1"));
            SATCHEL_TRY_VOID(drop.bind(1, std::int64_t{number}).run());
        }
        return {};
    }));
    for (const std::uint32_t number : numbers) {
        packs_.drop(number);
        std::erase_if(reading_, [&](const Reading& reading) { return reading.number == number; });
        std::erase_if(rescued_, [&](const Rescued& rescued) { return rescued.number == number; });
    }
    return remove_dropped(numbers);
}

Result<void> PackStore::remove_dropped(const std::vector<std::uint32_t>& numbers) {
    std::vector<std::uint32_t> gone;
    for (const std::uint32_t number : numbers) {
        const Result<void> removed = disk_.remove_file(path_of(number));
        if (removed.has_value() || removed.error().code == ErrorCode::kNotFound) gone.push_back(number);
        // One that the disk does not let go is tried again by the next opening.
        else if (removed.error().code != ErrorCode::kIo)
            return removed;
    }
    SATCHEL_TRY_VOID(disk_.sync_directory(directory_));
    return together([&]() -> Result<void> {
        for (const std::uint32_t number : gone) SATCHEL_TRY_VOID(packs_.remove_row(number));
        return {};
    });
}

}  // namespace satchel::store
