// Method. Editions are gone through in a fixed order, each taking its room from what is left; so the answer
// depends on nothing but the disk, the catalogue and what is here, and is found again after any restart.
// An edition document tells all bytes of its files, which is more than a new edition of a known course needs.
// Where that bound does not fit, only the edition's nodes and recipes are fetched: they are small, and name
// each chunk, so that what is missing is known to the byte before content is asked for.
//
// Nothing goes for an edition that would be declined all the same: what may go is reckoned first, once for
// all editions, and by itself for each that could take the place of the one people see. Nor for one that
// nobody at hand has: there may be room when someone does, so it is not noted as declined. For the list of
// files of an edition something goes only if what the edition has more than is here of its course could come
// in, too.
//
// Crash points. What is declined is noted in one transaction, and anew by each plan.
#include "engine/exchange/admission.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/exchange/chunk_set.hpp"
#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/holdings.hpp"
#include "engine/exchange/lacks.hpp"
#include "engine/exchange/room.hpp"

namespace satchel::exchange {

namespace {

Result<std::vector<WantedEdition>> list_wanted(const Replica& replica) {
    SATCHEL_TRY(const std::vector<Subscription> subscribed, subscriptions(replica.database));
    std::vector<WantedEdition> begun;
    std::vector<WantedEdition> others;
    SATCHEL_TRY_VOID(
        replica.catalogue.for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
            if (!state.is_current || !is_meant(subscribed, state.edition)) return {};
            SATCHEL_TRY(const bool complete, is_complete(replica.database, state.edition.manifest));
            if (complete) return {};
            SATCHEL_TRY(const bool is_begun, replica.store.contains(state.edition.manifest));
            (is_begun ? begun : others).push_back({.edition = state.edition});
            return {};
        }));
    begun.insert(begun.end(), others.begin(), others.end());
    return begun;
}

// Plain bytes that are missing; none if nodes or recipes are missing too.
Result<std::optional<std::uint64_t>> missing_bytes(const Replica& replica, const ChunkId& manifest) {
    SATCHEL_TRY(ChunkSet counted, ChunkSet::create(replica.database, "room_counted"));
    bool has_structure = true;
    std::uint64_t bytes = 0;
    SATCHEL_TRY_VOID(walk_extents(
        replica.store, manifest,
        [&](const ChunkId& id, ObjectKind) -> Result<bool> {
            SATCHEL_TRY(const bool is_new, counted.insert(id));
            if (!is_new) return false;
            SATCHEL_TRY(const bool here, replica.store.contains(id));
            has_structure = has_structure && here;
            return here;
        },
        [&](const store::Extent& extent) -> Result<void> {
            SATCHEL_TRY(const bool here, replica.store.contains(extent.chunk));
            if (here) return {};
            const std::int64_t end = std::int64_t{extent.offset} + extent.length;
            SATCHEL_TRY(const std::int64_t before, counted.raise(extent.chunk, end));
            bytes += static_cast<std::uint64_t>(std::max<std::int64_t>(end - before, 0));
            return {};
        }));
    return has_structure ? std::optional(bytes) : std::nullopt;
}

// A file's place in a list and its share of the lists above; of a large one, its rows in a recipe. What an
// edition has more than this the store's own limit stops.
constexpr std::uint64_t room_for_structure(const catalogue::Edition& edition) {
    constexpr std::uint64_t kFixed = 16 * 1024;
    constexpr std::uint64_t kPerFile = 384;
    return edition.bytes / 1024 + std::min(edition.files * kPerFile, edition.bytes / 64 + kPerFile) + kFixed;
}

class Plan {
  public:
    static Result<Plan> begin(const Replica& replica, const std::vector<WantedEdition>& wanted,
                              const FindSource& find_source) {
        Plan plan(replica, find_source);
        SATCHEL_TRY(plan.available_, replica.room->available());
        std::uint64_t all = 0;
        for (const WantedEdition& each : wanted) all += std::min(each.needed, kEveryByte - all);
        plan.is_tight_ = all > plan.available_;
        return plan;
    }

    Result<void> admit(WantedEdition& each) {
        each.available = left();
        SATCHEL_TRY(const bool is_begun, replica_->store.contains(each.edition.manifest));
        if (!fits(each.needed) || (is_tight_ && is_begun)) {
            const Result<std::optional<std::uint64_t>> missing =
                missing_bytes(*replica_, each.edition.manifest);
            if (!missing.has_value() && !is_unreadable(missing.error())) return missing.error();
            if (!missing.has_value() || !*missing) return admit_structure(each);
            each.needed = room_for(**missing);
        }
        if (!fits(each.needed)) SATCHEL_TRY_VOID(make_room(each, each.needed, true));
        each.depth = fits(each.needed) ? Depth::kAll : Depth::kDeclined;
        reserved_ += each.depth == Depth::kDeclined ? 0 : each.needed;
        return {};
    }

  private:
    static constexpr std::uint64_t kEveryByte = std::numeric_limits<std::uint64_t>::max();
    static constexpr int kExactLooksMax = 16;  // each is a walk over all that is kept

    Plan(const Replica& replica, const FindSource& find_source)
        : replica_(&replica), find_source_(&find_source) {}

    [[nodiscard]] std::uint64_t left() const { return available_ - std::min(available_, reserved_); }
    [[nodiscard]] bool fits(std::uint64_t bytes) const { return bytes <= left(); }

    // What people see of the course stays meanwhile: most of it may be part of the new edition, too.
    Result<void> admit_structure(WantedEdition& each) {
        const std::uint64_t structure = room_for_structure(each.edition);
        // What lies below a list that was lost stays until that has come: so it always may.
        SATCHEL_TRY(const bool has_lapsed, exchange::has_lapsed(replica_->database, each.edition.manifest));
        if (!fits(structure) && !has_lapsed) {
            SATCHEL_TRY(const RoomPort::Potential* potential, reckoned());
            const auto held = potential->held.find(each.edition.course);
            const std::uint64_t here = held == potential->held.end() ? 0 : held->second;
            const std::uint64_t more = each.edition.bytes - std::min(each.edition.bytes, here);
            each.available = potential->bytes - std::min(potential->bytes, reserved_);
            if (std::max(structure, more) <= each.available)
                SATCHEL_TRY_VOID(make_room(each, structure, false));
        }
        const bool is_in = has_lapsed || fits(structure);
        each.lacks_room_for_list = has_lapsed && !fits(structure);
        if (each.lacks_room_for_list) each.needed = structure;
        each.depth = is_in ? Depth::kStructure : Depth::kDeclined;
        reserved_ += is_in ? structure : 0;
        return {};
    }

    // Room that can't be made is no room: what else is wanted comes in all the same.
    Result<void> make_room(WantedEdition& each, std::uint64_t bytes, bool is_all) {
        const std::uint64_t wanted = reserved_ + std::min(bytes, kEveryByte - reserved_);
        SATCHEL_TRY(const RoomPort::Potential* reckoning, reckoned());
        std::uint64_t potential = reckoning->bytes;
        each.available = potential - std::min(potential, reserved_);
        const auto stand_in = reckoning->stand_ins.find(each.edition.course);
        if (is_all && stand_in != reckoning->stand_ins.end()) each.stand_in = stand_in->second;
        SATCHEL_TRY(const Source source, (*find_source_)(each.edition.manifest));
        if (source == Source::kNone) return {};
        std::string for_course;
        const bool may_suffice =
            source == Source::kStick && wanted > potential && wanted - potential <= each.stand_in;
        if (may_suffice && exact_looks_++ < kExactLooksMax) {
            for_course = each.edition.course;
            // What it has in packs that are mostly needed would stay there.
            const Result<std::uint64_t> exact = replica_->room->potential_for(for_course);
            potential = exact.has_value() ? *exact : potential;
        }
        if (wanted > potential) return {};
        const Result<std::uint64_t> made = replica_->room->make_room(wanted, for_course);
        if (!made.has_value() && made.error().code == ErrorCode::kCancelled) return made.error();
        SATCHEL_TRY(available_, made.has_value() ? *made : replica_->room->available());
        each.available = left();
        return {};
    }

    Result<const RoomPort::Potential*> reckoned() {
        if (!potential_) {
            Result<RoomPort::Potential> potential = replica_->room->potential();
            if (!potential.has_value() && potential.error().code == ErrorCode::kCancelled)
                return potential.error();
            if (!potential.has_value()) potential = RoomPort::Potential{available_, {}, {}};
            potential_ = std::move(*potential);
        }
        return &*potential_;
    }

    const Replica* replica_;
    const FindSource* find_source_;
    std::uint64_t available_ = 0;
    std::uint64_t reserved_ = 0;
    bool is_tight_ = false;  // by the editions' upper bounds
    std::optional<RoomPort::Potential> potential_;
    int exact_looks_ = 0;
};

// -- what was declined ----------------------------------------------------------------------------

constexpr std::string_view kDeclinedPrefix = "declined/";
constexpr std::string_view kDeclinedEnd = "declined0";  // behind all that begin so

std::string declined_key(const ChunkId& manifest) {
    return std::string(kDeclinedPrefix) + to_hex(manifest.view());
}

ByteBuffer encode(const Declined& declined) {
    ByteBuffer value;
    Writer(value).u64(declined.needed).u64(declined.available).u64(declined.stand_in);
    return value;
}

std::optional<Declined> decode(const std::optional<ByteBuffer>& value) {
    if (!value || value->size() != 3 * sizeof(std::uint64_t)) return std::nullopt;
    Reader reader(*value);
    Declined declined;
    declined.needed = reader.u64();
    declined.available = reader.u64();
    declined.stand_in = reader.u64();
    return declined;
}

// A disk's free bytes change all the time, and to note that would be a write at each contact.
bool are_alike(const Declined& a, const Declined& b) {
    const std::uint64_t difference = std::max(a.available, b.available) - std::min(a.available, b.available);
    return a.needed == b.needed && a.stand_in == b.stand_in &&
           difference <= std::max(a.available, b.available) / 8;
}

Result<std::map<std::string, Declined>> load_declined(database::Database& database) {
    SATCHEL_TRY(database::Statement select,
                database.prepare("SELECT key, value FROM meta WHERE key >= ? AND key < ?"));
    select.bind(1, kDeclinedPrefix).bind(2, kDeclinedEnd);
    std::map<std::string, Declined> all;
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return all;
        const ByteView value = select.blob(1);
        const std::optional<Declined> declined = decode(ByteBuffer(value.begin(), value.end()));
        all[std::string(select.text(0))] = declined.value_or(Declined{});
    }
}

Result<void> note_declined(database::Database& database, const std::vector<WantedEdition>& wanted) {
    std::map<std::string, Declined> declined;
    for (const WantedEdition& each : wanted)
        if ((each.depth == Depth::kDeclined || each.lacks_room_for_list) && each.available < each.needed)
            declined[declined_key(each.edition.manifest)] = {each.needed, each.available, each.stand_in};
    SATCHEL_TRY(const auto before, load_declined(database));
    std::vector<std::string> gone;
    for (const auto& [key, each] : before) {
        const auto still = declined.find(key);
        if (still == declined.end())
            gone.push_back(key);
        else if (are_alike(still->second, each))
            declined.erase(still);
    }
    if (gone.empty() && declined.empty()) return {};
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database));
    for (const std::string& key : gone) SATCHEL_TRY_VOID(database::remove_meta(database, key));
    for (const auto& [key, each] : declined)
        SATCHEL_TRY_VOID(database::set_meta(database, key, encode(each)));
    return transaction.commit();
}

}  // namespace

Result<std::vector<WantedEdition>> plan_wanted(const Replica& replica, const FindSource& find_source) {
    SATCHEL_TRY(std::vector<WantedEdition> wanted, list_wanted(replica));
    for (WantedEdition& each : wanted) each.needed = room_for(each.edition.bytes);
    if (replica.room == nullptr) return wanted;
    if (!wanted.empty()) {
        SATCHEL_TRY(Plan plan, Plan::begin(replica, wanted, find_source));
        for (WantedEdition& each : wanted) SATCHEL_TRY_VOID(plan.admit(each));
    }
    const Result<void> noted = note_declined(replica.database, wanted);
    // On a full disk `status` tells less; the plan holds all the same.
    const bool takes_no_notes = !noted.has_value() && (noted.error().code == ErrorCode::kNoSpace ||
                                                       noted.error().code == ErrorCode::kReadOnly);
    if (!noted.has_value() && !takes_no_notes) return noted.error();
    return wanted;
}

Result<std::optional<Declined>> find_declined(database::Database& database, const ChunkId& manifest) {
    SATCHEL_TRY(const std::optional<ByteBuffer> value, database::meta(database, declined_key(manifest)));
    return decode(value);
}

Result<std::vector<WantedEdition>> declined_editions(const Replica& replica) {
    SATCHEL_TRY(const auto declined, load_declined(replica.database));
    std::vector<WantedEdition> found;
    if (declined.empty()) return found;
    SATCHEL_TRY(std::vector<WantedEdition> wanted, list_wanted(replica));
    for (WantedEdition& each : wanted) {
        const auto known = declined.find(declined_key(each.edition.manifest));
        if (known == declined.end()) continue;
        each.depth = Depth::kDeclined;
        each.needed = known->second.needed;
        each.available = known->second.available;
        found.push_back(std::move(each));
    }
    return found;
}

Result<void> forget_declined(database::Database& database) {
    SATCHEL_TRY(database::Statement remove, database.prepare("DELETE FROM meta WHERE key >= ? AND key < ?"));
    remove.bind(1, kDeclinedPrefix).bind(2, kDeclinedEnd);
    return remove.run();
}

}  // namespace satchel::exchange
