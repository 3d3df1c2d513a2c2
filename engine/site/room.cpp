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
// Editions that are added to what is to go before it is looked how much room that makes.
constexpr std::size_t kLetGoAtOnceMax = 64;
constexpr std::size_t kLetGoMax = 4096;
constexpr unsigned kDoublingsMax = 10;

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

// What a collection gives back is reckoned without the padding of packs.
std::uint64_t sure_of(std::uint64_t freeable) {
    constexpr std::uint64_t kMargin = 64 * 1024;
    return freeable - std::min(freeable, kMargin);
}

constexpr int kLastRank = 2;
int rank_of(const HeldEdition& edition) {
    if (edition.is_stand_in) return kLastRank;
    return edition.claim == Claim::kOld ? 0 : 1;
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
        reckoned_ =
            Reckoned{now, {sure_of(look.freeable_in_need), std::move(look.stand_ins), std::move(look.held)}};
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
    return room + sure_of(look.freeable_in_need);
}

// What goes is chosen as a whole and goes at once, then packs are written anew once: what one step after
// another leaves of packs could be too little to give back.
Result<std::uint64_t> SiteRoom::make_room(std::uint64_t bytes, const std::string& for_course) {
    NoProgress silent;
    const auto may_go_for_it = [&](const HeldEdition& edition) { return may_go(edition, for_course); };
    SATCHEL_TRY(std::uint64_t room, available());
    for (bool is_first = true; room < bytes; is_first = false) {
        SATCHEL_TRY(const std::vector<HeldEdition> going, choose(bytes - room, may_go_for_it, is_first));
        if (going.empty() && !is_first) break;
        SATCHEL_TRY_VOID(let_go(state_, going));
        SATCHEL_TRY_VOID(collect(state_, silent, {.room_wanted = bytes, .goes_if_damaged = may_go_for_it}));
        const std::uint64_t before = room;
        SATCHEL_TRY(room, available());
        if (!going.empty() && room <= before) break;  // what goes is not given back
    }
    return room;
}

// None if nothing need go, or if all that may would not give back so much. What is dead already counts,
// unless a collection has just left it.
Result<std::vector<HeldEdition>> SiteRoom::choose(std::uint64_t bytes, const MayGo& may_go_for_it,
                                                  bool counts_dead) {
    NoProgress silent;
    std::vector<HeldEdition> chosen;
    std::set<ChunkId> going;
    std::uint64_t left = 0;  // by the collection before
    const auto goes = [&](const HeldEdition& edition) { return going.contains(edition.manifest); };
    for (unsigned look = 0;; ++look) {
        SATCHEL_TRY(const CollectReport report,
                    collect(state_, silent,
                            {.only_look = true, .goes_if_damaged = may_go_for_it, .as_if_gone = goes}));
        if (look == 0 && !counts_dead) left = report.freeable_in_need;
        const std::uint64_t freed =
            sure_of(report.freeable_in_need - std::min(report.freeable_in_need, left));
        if (freed >= bytes) return chosen;
        // Where editions share, what goes gives back less than it has: so more at each look.
        const std::uint64_t lacking = (bytes - freed) << std::min(look, kDoublingsMax);
        SATCHEL_TRY(std::vector<HeldEdition> more, next_to_go(going, may_go_for_it, lacking));
        if (more.empty() || chosen.size() + more.size() > kLetGoMax) return std::vector<HeldEdition>();
        for (HeldEdition& edition : more) {
            going.insert(edition.manifest);
            chosen.push_back(std::move(edition));
        }
    }
}

// First what replaced editions hold, then courses that nobody subscribes to, then what stands in: of the
// first of these that has any, as many as hold `bytes`.
Result<std::vector<HeldEdition>> SiteRoom::next_to_go(const std::set<ChunkId>& going,
                                                      const MayGo& may_go_for_it, std::uint64_t bytes) {
    for (int rank = 0; rank <= kLastRank; ++rank) {
        const auto may_go_now = [&](const HeldEdition& edition) {
            return rank_of(edition) <= rank && may_go_for_it(edition);
        };
        std::set<ChunkId> shared;  // with editions that stay, or go later
        for (bool has_more = true; has_more;) {
            std::uint64_t sum = 0;
            std::vector<HeldEdition> next;
            SATCHEL_TRY_VOID(for_each_held(state_, [&](const HeldEdition& edition) -> Result<void> {
                if (!may_go_now(edition) || sum >= bytes || next.size() >= kLetGoAtOnceMax) return {};
                if (going.contains(edition.manifest) || shared.contains(edition.manifest)) return {};
                sum += edition.bytes;
                next.push_back(edition);
                return {};
            }));
            has_more = !next.empty();
            for (const HeldEdition& edition : next) shared.insert(edition.manifest);
            SATCHEL_TRY(const auto keeper, leave_what_others_keep(state_, next, may_go_now));
            static_cast<void>(keeper);
            if (!next.empty()) return next;
        }
    }
    return std::vector<HeldEdition>();
}

// A hub keeps what others fetch from it, and lets nothing go by itself.
Result<void> find_holders(Site::State& state, std::uint64_t bytes, Why& answer) {
    const bool is_hub = state.self.role == trust::SiteRole::kHub;
    std::vector<RoomHolder>& holders = answer.could_go;
    SATCHEL_TRY_VOID(for_each_held(state, [&](const HeldEdition& edition) -> Result<void> {
        SATCHEL_TRY(const bool is_whole, exchange::is_complete(*state.database, edition.manifest));
        const bool may_be_dropped = edition.claim == Claim::kOld || edition.claim == Claim::kRest;
        const bool waits_for_a_person = is_hub == may_be_dropped || edition.is_stand_in;
        if (!is_whole || !waits_for_a_person) return {};
        RoomHolder holder{edition.course, edition.number, edition.bytes, edition.claim, edition.is_stand_in};
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
    const std::uint64_t lacking = declined->needed - std::min(declined->needed, declined->available);
    answer.a_stick_does = declined->stand_in >= lacking;
    return find_holders(*state_, lacking, answer);
}

Result<std::vector<exchange::WantedEdition>> Site::waiting_for_room() {
    return exchange::declined_editions(replica());
}

}  // namespace satchel::site
