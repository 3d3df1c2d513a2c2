// Room on the disk: how much the store may take, what goes for what is wanted, and what could go.
#include <algorithm>
#include <set>
#include <utility>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/env/reserve.hpp"
#include "engine/exchange/holdings.hpp"
#include "engine/site/retention.hpp"

namespace satchel::site {

namespace {

constexpr char kLimitStoreMax[] = "limit/store-max";
constexpr char kLimitDiskFloor[] = "limit/disk-floor";
constexpr char kLimitRecords[] = "limit/records";

constexpr std::uint64_t kDiskFloorDefaultMax = 256ull * 1024 * 1024;
constexpr std::uint64_t kRecordsDefaultMax = 64ull * 1024 * 1024;
// Editions that are let go of at once, before it is looked how much room that made.
constexpr std::size_t kLetGoAtOnceMax = 64;

Result<std::optional<std::uint64_t>> load_limit(database::Database& database, std::string_view key) {
    SATCHEL_TRY(const std::optional<ByteBuffer> value, database::meta(database, key));
    if (!value || value->size() != sizeof(std::uint64_t)) return std::optional<std::uint64_t>();
    return std::optional(Reader(*value).u64());
}

Result<void> save_limit(database::Database& database, std::string_view key, std::uint64_t limit) {
    ByteBuffer value;
    Writer(value).u64(limit);
    return database::set_meta(database, key, value);
}

// Those that it costs least to miss first, and of these the largest.
bool goes_before(const RoomHolder& a, const RoomHolder& b) {
    return a.claim == b.claim ? a.bytes > b.bytes : a.claim > b.claim;
}

// Leaves of `holders` no more than what makes `bytes` of room.
void leave_enough(std::vector<RoomHolder>& holders, std::uint64_t bytes) {
    std::uint64_t sum = 0;
    std::size_t count = 0;
    while (count < holders.size() && sum < bytes) sum += holders[count++].bytes;
    holders.resize(count);
    std::erase_if(holders, [&](const RoomHolder& holder) {
        const bool is_spare = sum >= bytes && sum - bytes >= holder.bytes;
        if (is_spare) sum -= holder.bytes;
        return is_spare;
    });
}

}  // namespace

Result<StoreLimits> load_limits(Site::State& state) {
    SATCHEL_TRY(const env::Space space, state.disk.space());
    StoreLimits limits;
    limits.disk_floor = std::min(kDiskFloorDefaultMax, space.total / 50);
    limits.records_reserve = std::clamp(space.total / 100, env::kReserveBytes, kRecordsDefaultMax);
    SATCHEL_TRY(const std::optional<std::uint64_t> store_max, load_limit(*state.database, kLimitStoreMax));
    SATCHEL_TRY(const std::optional<std::uint64_t> floor, load_limit(*state.database, kLimitDiskFloor));
    SATCHEL_TRY(const std::optional<std::uint64_t> records, load_limit(*state.database, kLimitRecords));
    limits.store_max = store_max.value_or(limits.store_max);
    limits.disk_floor = floor.value_or(limits.disk_floor);
    limits.records_reserve = records.value_or(limits.records_reserve);
    return limits;
}

Result<StoreLimits> Site::limits() { return load_limits(*state_); }

Result<void> Site::set_limits(const StoreLimits& limits) {
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(*state_->database));
    SATCHEL_TRY_VOID(save_limit(*state_->database, kLimitStoreMax, limits.store_max));
    SATCHEL_TRY_VOID(save_limit(*state_->database, kLimitDiskFloor, limits.disk_floor));
    SATCHEL_TRY_VOID(save_limit(*state_->database, kLimitRecords, limits.records_reserve));
    SATCHEL_TRY_VOID(exchange::forget_declined(*state_->database));
    SATCHEL_TRY_VOID(transaction.commit());
    return apply_limits();
}

Result<void> Site::apply_limits() {
    SATCHEL_TRY(const StoreLimits limits, load_limits(*state_));
    state_->store->limit({limits.store_max, limits.disk_floor + limits.records_reserve});
    return {};
}

Result<std::uint64_t> available_room(Site::State& state) {
    SATCHEL_TRY(const StoreLimits limits, load_limits(state));
    SATCHEL_TRY(const env::Space space, state.disk.space());
    const std::uint64_t kept_free = limits.disk_floor + limits.records_reserve;
    const std::uint64_t on_disk = space.free > kept_free ? space.free - kept_free : 0;
    if (limits.store_max == 0) return on_disk;
    SATCHEL_TRY(const store::StoreStats stats, state.store->stats());
    const std::uint64_t in_store =
        limits.store_max > stats.pack_bytes ? limits.store_max - stats.pack_bytes : 0;
    return std::min(on_disk, in_store);
}

Result<std::uint64_t> Site::available_room() { return site::available_room(*state_); }

bool SiteRoom::may_go(const HeldEdition& edition, const std::string& for_course) const {
    if (state_.self.role == trust::SiteRole::kHub) return false;
    if (edition.is_stand_in) return edition.course == for_course;
    return edition.claim == Claim::kOld || edition.claim == Claim::kRest;
}

// What the room that could be made depends on, but for the free room itself.
Result<Digest> SiteRoom::fingerprint() {
    Hasher hasher;
    SATCHEL_TRY(const std::vector<catalogue::LaneHead> heads, state_.catalogue->heads());
    for (const catalogue::LaneHead& head : heads) hasher.update(bytes_of(head.lane + to_hex(head.head)));
    for (const char* const query :
         {"SELECT manifest FROM holding WHERE complete = 1 ORDER BY manifest",
          "SELECT kind || ' ' || value FROM subscription ORDER BY 1",
          "SELECT key FROM meta WHERE key GLOB 'pin/*' OR key GLOB 'dropped/*' OR key GLOB 'lapsed/*' ORDER "
          "BY key",
          "SELECT hex(reviewer_key) || course || edition || verdict FROM review ORDER BY 1"}) {
        SATCHEL_TRY(database::Statement select, state_.database->prepare(query));
        while (true) {
            SATCHEL_TRY(const bool row, select.step());
            if (!row) break;
            hasher.update(select.blob(0));
        }
    }
    SATCHEL_TRY(const store::StoreStats stats, state_.store->stats());
    ByteBuffer numbers;
    Writer(numbers).u64(stats.pack_bytes).u64(stats.chunks).u64(state_.store->losses());
    hasher.update(numbers);
    return hasher.finish();
}

Result<exchange::RoomPort::Potential> SiteRoom::potential() {
    SATCHEL_TRY(const Digest now, fingerprint());
    if (!reckoned_ || reckoned_->of != now) {
        NoProgress silent;
        const auto goes = [&](const HeldEdition& edition) { return may_go(edition, edition.course); };
        SATCHEL_TRY(
            CollectReport look,
            collect(state_, silent, {.only_look = true, .as_if_gone = goes, .reckons_stand_ins = true}));
        reckoned_ = Reckoned{now, {look.freeable_in_need, std::move(look.stand_ins), std::move(look.held)}};
    }
    Potential potential = reckoned_->freeable;
    SATCHEL_TRY(const std::uint64_t room, available());
    potential.bytes += room;
    return potential;
}

Result<std::uint64_t> SiteRoom::potential_for(const std::string& course) {
    NoProgress silent;
    const auto goes = [&](const HeldEdition& edition) { return may_go(edition, course); };
    SATCHEL_TRY(const CollectReport look, collect(state_, silent, {.only_look = true, .as_if_gone = goes}));
    SATCHEL_TRY(const std::uint64_t room, available());
    return room + look.freeable_in_need;
}

// First what replaced editions hold, then courses that nobody subscribes to, then what stands in.
Result<std::uint64_t> SiteRoom::make_room(std::uint64_t bytes, const std::string& for_course) {
    NoProgress silent;
    const auto may_go_for_it = [&](const HeldEdition& edition) { return may_go(edition, for_course); };
    const CollectPlan plan{.room_wanted = bytes, .goes_if_damaged = may_go_for_it};
    SATCHEL_TRY_VOID(collect(state_, silent, plan));
    SATCHEL_TRY(std::uint64_t room, available());
    for (const auto& [claim, stands_in] :
         {std::pair(Claim::kOld, false), std::pair(Claim::kRest, false), std::pair(Claim::kOld, true)}) {
        const auto goes = [&, claim = claim, stands_in = stands_in](const HeldEdition& edition) {
            return edition.claim == claim && edition.is_stand_in == stands_in && may_go_for_it(edition);
        };
        while (room < bytes) {
            SATCHEL_TRY(const std::uint64_t gone, let_go_of(goes, bytes - room));
            if (gone == 0) break;
            SATCHEL_TRY_VOID(collect(state_, silent, plan));
            SATCHEL_TRY(room, available());
        }
    }
    return room;
}

// Returns how many editions were let go of: as many as hold `bytes`, if nothing else shares with them.
Result<std::uint64_t> SiteRoom::let_go_of(const std::function<bool(const HeldEdition&)>& may_go,
                                          std::uint64_t bytes) {
    std::vector<HeldEdition> chosen;
    std::set<ChunkId> shared;  // with editions that stay
    for (bool goes_on = true; goes_on && chosen.empty();) {
        std::uint64_t chosen_bytes = 0;
        SATCHEL_TRY_VOID(for_each_held(state_, [&](const HeldEdition& edition) -> Result<void> {
            if (!may_go(edition) || chosen_bytes >= bytes || chosen.size() >= kLetGoAtOnceMax) return {};
            if (shared.count(edition.manifest) != 0) return {};
            chosen_bytes += edition.bytes;
            chosen.push_back(edition);
            return {};
        }));
        goes_on = !chosen.empty();
        for (const HeldEdition& edition : chosen) shared.insert(edition.manifest);
        SATCHEL_TRY(const auto keeper, leave_what_others_keep(state_, chosen, may_go));
        static_cast<void>(keeper);
    }
    SATCHEL_TRY_VOID(let_go(state_, chosen));
    return chosen.size();
}

// A hub keeps what others fetch from it, and lets nothing go by itself.
Result<void> find_holders(Site::State& state, std::uint64_t bytes, Why& answer) {
    const bool is_hub = state.self.role == trust::SiteRole::kHub;
    std::vector<RoomHolder>& holders = answer.could_go;
    SATCHEL_TRY_VOID(for_each_held(state, [&](const HeldEdition& edition) -> Result<void> {
        if (edition.is_stand_in && edition.course == answer.course)
            answer.a_stick_does = edition.bytes >= bytes;
        SATCHEL_TRY(const bool is_whole, exchange::is_complete(*state.database, edition.manifest));
        const bool may_be_dropped = edition.claim == Claim::kOld || edition.claim == Claim::kRest;
        const bool waits_for_a_person = is_hub == may_be_dropped;
        if (!is_whole || !waits_for_a_person) return {};
        RoomHolder holder{edition.course, edition.number, edition.bytes, edition.claim};
        holders.insert(std::upper_bound(holders.begin(), holders.end(), holder, goes_before),
                       std::move(holder));
        if (holders.size() > Why::kHoldersMax) holders.pop_back();
        return {};
    }));
    leave_enough(holders, bytes);
    return {};
}

Result<void> Site::look_for_room(const ChunkId& manifest, Why& answer) {
    answer.state = WhyState::kMissingChunks;
    SATCHEL_TRY(const std::optional<exchange::Declined> declined,
                exchange::find_declined(*state_->database, manifest));
    if (!declined) return {};
    answer.state = WhyState::kNoRoom;
    SATCHEL_TRY(answer.has_lapsed, exchange::has_lapsed(*state_->database, manifest));
    answer.room_needed = declined->needed;
    answer.room_available = declined->available;
    return find_holders(*state_, declined->needed - std::min(declined->needed, declined->available), answer);
}

Result<std::vector<exchange::WantedEdition>> Site::waiting_for_room() {
    return exchange::declined_editions(replica());
}

}  // namespace satchel::site
