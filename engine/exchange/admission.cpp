// Method. Editions are gone through in a fixed order, each taking its room from what is left; so the answer
// depends on nothing but the disk, the catalogue and what is here, and is found again after any restart.
// An edition document tells all bytes of its files, which is more than a new edition of a known course needs.
// Where that bound does not fit, only the edition's nodes and recipes are fetched: they are small, and name
// each chunk, so that what is missing is known to the byte before content is asked for.
#include "engine/exchange/admission.hpp"

#include <algorithm>
#include <limits>
#include <optional>

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

// Nodes and recipes are far less than a hundredth of what they name; very small files come nearer to that.
constexpr std::uint64_t room_for_structure(std::uint64_t plain_bytes) {
    constexpr std::uint64_t kFixed = 64 * 1024;
    return plain_bytes / 64 + kFixed;
}

}  // namespace

Result<std::vector<WantedEdition>> plan_wanted(const Replica& replica, bool may_let_go) {
    SATCHEL_TRY(std::vector<WantedEdition> wanted, list_wanted(replica));
    for (WantedEdition& each : wanted) each.needed = room_for(each.edition.bytes);
    if (replica.room == nullptr || wanted.empty()) return wanted;
    std::uint64_t reserved = 0;
    SATCHEL_TRY(std::uint64_t available, replica.room->available());
    const auto left = [&] { return available > reserved ? available - reserved : 0; };
    const auto fits = [&](std::uint64_t bytes) { return bytes <= left(); };
    for (WantedEdition& each : wanted) {
        each.available = left();
        if (!fits(each.needed)) {
            const Result<std::optional<std::uint64_t>> missing =
                missing_bytes(replica, each.edition.manifest);
            if (!missing.has_value() && missing.error().code != ErrorCode::kDamaged) return missing.error();
            if (!missing.has_value() || !*missing) {
                const std::uint64_t structure = room_for_structure(each.edition.bytes);
                each.depth = fits(structure) ? Depth::kStructure : Depth::kDeclined;
                reserved += each.depth == Depth::kStructure ? structure : 0;
                continue;
            }
            each.needed = room_for(**missing);
            if (!fits(each.needed) && may_let_go) {
                SATCHEL_TRY(available, replica.room->make_room(reserved + each.needed));
                each.available = left();
            }
        }
        each.depth = fits(each.needed) ? Depth::kAll : Depth::kDeclined;
        if (each.depth == Depth::kAll) reserved += each.needed;
    }
    return wanted;
}

}  // namespace satchel::exchange
