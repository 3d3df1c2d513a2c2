// Method. A bit for each row of each pack says whether it stays; beside it each pack counts the bytes that
// do, so that dead packs are known without reading one of them. Packs wholly dead are dropped first, which
// costs nothing; then those at most half alive, the deadest first: what stays is appended to the open pack,
// and the old one is dropped. So a byte that is freed costs at most one that is written, and what is dead and
// not freed is less than what is alive. In need of room, those that are dead by an eighth go, too.
//
// Crash points. What is moved is committed before its old pack is dropped, so between the two both placements
// are there and the newer one counts. Dropping is PackStore::drop_packs. The bits are in memory only: after a
// stop a collection begins again, from what is kept then.
#include "engine/store/pack_collection.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::store {

namespace {

constexpr std::size_t kDroppedAtOnceMax = 64;

}  // namespace

Result<std::unique_ptr<Collection>> PackStore::collect() {
    SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY(std::unique_ptr<PackCollection> collection, PackCollection::begin(*this));
    return std::unique_ptr<Collection>(std::move(collection));
}

Result<std::unique_ptr<PackCollection>> PackCollection::begin(PackStore& store) {
    std::unique_ptr<PackCollection> collection(new PackCollection(store));
    SATCHEL_TRY_VOID(collection->list_packs());
    store.collection_ = collection.get();
    return collection;
}

PackCollection::~PackCollection() {
    if (store_.collection_ == this) store_.collection_ = nullptr;
}

Result<void> PackCollection::list_packs() {
    packs_.clear();
    bit_count_ = 0;
    SATCHEL_TRY_VOID(store_.for_each_pack([&](const PackInfo& info) -> Result<void> {
        if (!info.is_sealed) return {};
        Pack pack{.number = info.number, .base = info.base, .rows = info.rows, .bytes = info.bytes};
        pack.record_bytes = info.record_bytes;
        if (info.lacks_rows) pack.keep_whole();  // what of it is needed can't be said
        packs_.push_back(pack);
        bit_count_ = std::max<std::uint64_t>(bit_count_, std::uint64_t{info.base} + info.rows);
        return {};
    }));
    kept_.assign(static_cast<std::size_t>(bit_count_ / 64 + 1), 0);
    exempt_ = kept_;
    return {};
}

PackCollection::Pack* PackCollection::find(std::uint32_t number) {
    const auto pack =
        std::lower_bound(packs_.begin(), packs_.end(), number,
                         [](const Pack& each, std::uint32_t wanted) { return each.number < wanted; });
    return pack != packs_.end() && pack->number == number ? &*pack : nullptr;
}

bool PackCollection::stays(std::uint64_t bit) const {
    const auto holds = [bit](const std::vector<std::uint64_t>& bits) {
        return (bits[bit / 64] >> (bit % 64) & 1) != 0;
    };
    return holds(kept_) || holds(exempt_);
}

Collection::Kept PackCollection::note(const PackStore::Place& place, std::vector<std::uint64_t>& bits,
                                      std::set<ChunkId>& open) {
    Kept kept{.is_here = true, .is_new = false, .bytes = kRecordHeaderSize + place.row.stored_size};
    if (place.pack == store_.open_number_) {
        kept.is_new = open.insert(place.row.id).second;
        if (kept.is_new) open_kept_bytes_ += kept.bytes;
        return kept;
    }
    Pack* pack = find(place.pack);
    if (pack == nullptr) {  // sealed since the collection began: it stays as it is
        kept.is_new = true;
        return kept;
    }
    if (!place.slot) {  // the pack's own index is damaged: it stays until it is healed
        pack->keep_whole();
        kept.is_new = true;
        return kept;
    }
    const std::uint64_t bit = std::uint64_t{pack->base} + *place.slot;
    std::uint64_t& word = bits[bit / 64];
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    kept.is_new = (word & mask) == 0;
    word |= mask;
    if (kept.is_new) pack->kept_bytes += kept.bytes;
    return kept;
}

void PackCollection::exempt(const PackStore::Place& place) { note(place, exempt_, open_exempt_); }

Result<Collection::Kept> PackCollection::keep(const ChunkId& id, bool names_others) {
    SATCHEL_TRY(const PackStore::Found found, store_.find(id));
    if (found.place) return note(*found.place, kept_, open_kept_);
    const std::optional<std::uint32_t> lost_in = found.lost_in ? found.lost_in : store_.lossy_pack_;
    if (lost_in && names_others) return store_.cut_off(*lost_in, "chunk " + to_hex(id.view()).substr(0, 16));
    Pack* const missing = found.lost_in ? find(*found.lost_in) : nullptr;
    if (missing != nullptr) missing->keep_whole();
    return Kept{};
}

Result<Collection::Garbage> PackCollection::garbage(Thrift thrift) {
    Garbage garbage;
    for (const Pack& pack : packs_) {
        garbage.dead_bytes += pack.record_bytes - std::min(pack.record_bytes, pack.kept_bytes);
        if (!pack.is_worth_moving(thrift)) continue;
        garbage.packs += 1;
        // What is moved has an index, checksums and parity at its new place, too.
        constexpr std::uint64_t kFrameShare = 48;
        const std::uint64_t moved = pack.kept_bytes + pack.kept_bytes / kFrameShare;
        garbage.freeable_bytes += pack.bytes - std::min(pack.bytes, moved);
    }
    const std::uint64_t open_bytes = open_bytes_to_sweep();
    const std::uint64_t open_dead = open_bytes - std::min(open_bytes, open_kept_bytes_);
    garbage.dead_bytes += open_dead;
    if (is_dead_enough(open_bytes, open_kept_bytes_, thrift)) {
        garbage.packs += 1;
        garbage.freeable_bytes += open_dead;
    }
    return garbage;
}

// Where it lacks chunks that were there, what of it is needed can't be said.
std::uint64_t PackCollection::open_bytes_to_sweep() const {
    return store_.open_lost_ > 0 ? 0 : store_.open_record_bytes();
}

// The pack that is being filled is swept like any other.
Result<bool> PackCollection::seal_if_dead_enough(Thrift thrift) {
    SATCHEL_TRY_VOID(store_.commit());
    const std::uint64_t bytes = open_bytes_to_sweep();
    if (!is_dead_enough(bytes, open_kept_bytes_, thrift)) return false;
    const std::uint32_t number = store_.open_number_;
    std::set<ChunkId> kept = std::move(open_kept_);
    kept.merge(open_exempt_);
    open_kept_.clear();
    open_exempt_.clear();
    open_kept_bytes_ = 0;
    SATCHEL_TRY_VOID(store_.seal_pack());
    SATCHEL_TRY_VOID(store_.for_each_pack([&](const PackInfo& info) -> Result<void> {
        if (info.number != number) return {};
        Pack pack{.number = info.number, .base = info.base, .rows = info.rows, .bytes = info.bytes};
        pack.record_bytes = info.record_bytes;
        // After damage the one that is being filled may be older than sealed ones.
        packs_.insert(std::find_if(packs_.begin(), packs_.end(),
                                   [&](const Pack& other) { return other.number > number; }),
                      pack);
        bit_count_ = std::max<std::uint64_t>(bit_count_, std::uint64_t{info.base} + info.rows);
        return {};
    }));
    kept_.resize(static_cast<std::size_t>(bit_count_ / 64 + 1), 0);
    exempt_.resize(kept_.size(), 0);
    for (const ChunkId& id : kept) SATCHEL_TRY_VOID(keep(id, true));
    return true;
}

std::optional<Error> PackCollection::hindrance() const {
    if (store_.unread_packs_.empty()) return std::nullopt;
    return store_.cut_off(store_.unread_packs_.front(), "it can't be opened");
}

Result<Collection::Swept> PackCollection::sweep(Thrift thrift) {
    if (std::optional<Error> hindrance = this->hindrance()) return std::move(*hindrance);
    SATCHEL_TRY(Swept swept, drop_dead());
    if (swept.freed > 0) return swept;
    SATCHEL_TRY(const std::optional<Swept> moved, move_one(thrift));
    if (moved) return *moved;
    SATCHEL_TRY(const bool sealed, seal_if_dead_enough(thrift));
    swept.is_last = !sealed;
    return swept;
}

Result<Collection::Swept> PackCollection::drop_dead() {
    Swept swept;
    std::vector<std::uint32_t> dead;
    for (const Pack& pack : packs_) {
        if (!pack.is_dead() || dead.size() >= kDroppedAtOnceMax) continue;
        dead.push_back(pack.number);
        swept.freed += pack.bytes;
    }
    if (dead.empty()) return swept;
    SATCHEL_TRY_VOID(store_.drop_packs(dead));
    std::erase_if(
        packs_, [&](const Pack& pack) { return std::binary_search(dead.begin(), dead.end(), pack.number); });
    return swept;
}

// None: no pack is left that is worth it, or there is no room for what stays of it.
Result<std::optional<Collection::Swept>> PackCollection::move_one(Thrift thrift) {
    auto deadest = packs_.end();
    for (auto pack = packs_.begin(); pack != packs_.end(); ++pack) {
        if (!pack->is_worth_moving(thrift)) continue;
        if (deadest == packs_.end() || pack->kept_bytes < deadest->kept_bytes) deadest = pack;
    }
    if (deadest == packs_.end()) return std::optional<Swept>();
    const Pack pack = *deadest;
    packs_.erase(deadest);  // also if it stays: so the sweep comes to its end
    SATCHEL_TRY(const env::Space space, store_.disk_.space());
    const std::uint64_t room_wanted = pack.kept_bytes + store_.limits_.group_bytes;
    if (space.free < room_wanted) return std::optional(Swept{.room_lacking = room_wanted});
    const Result<std::uint64_t> moved = move_kept(pack);
    if (!moved.has_value() && !store_.broken_ &&
        (moved.error().code == ErrorCode::kDamaged || moved.error().code == ErrorCode::kIo))
        return std::optional(Swept{});  // it stays until it is healed or what is damaged in it is forgotten
    if (!moved.has_value()) return moved.error();
    SATCHEL_TRY_VOID(store_.drop_packs({pack.number}));
    return std::optional(Swept{.freed = pack.bytes - std::min(pack.bytes, *moved), .moved = *moved});
}

Result<std::uint64_t> PackCollection::move_kept(const Pack& pack) {
    SATCHEL_TRY(const std::vector<IndexRow> rows, kept_rows(pack));
    std::uint64_t moved = 0;
    for (const IndexRow& row : rows) {
        SATCHEL_TRY(const ByteBuffer record, store_.record_at({pack.number, row, std::nullopt}));
        SATCHEL_TRY_VOID(store_.append_beyond_limit(ByteView(record).first(kRecordHeaderSize),
                                                    ByteView(record).subspan(kRecordHeaderSize), row));
        moved += record.size();
    }
    SATCHEL_TRY_VOID(store_.commit());  // before the old pack goes
    return moved;
}

// In the order in which they lie.
Result<std::vector<IndexRow>> PackCollection::kept_rows(const Pack& pack) {
    std::vector<IndexRow> rows;
    SATCHEL_TRY_VOID(
        store_.for_each_row(pack.number, [&](const IndexRow& row, std::uint32_t slot) -> Result<void> {
            if (stays(std::uint64_t{pack.base} + slot)) rows.push_back(row);
            return {};
        }));
    std::sort(rows.begin(), rows.end(),
              [](const IndexRow& a, const IndexRow& b) { return a.place < b.place; });
    return rows;
}

}  // namespace satchel::store
