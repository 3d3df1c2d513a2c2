// Collecting at a site: every object that an edition kept here is made of is named to the store, which gives
// the rest back to the disk.
#include <algorithm>
#include <array>
#include <limits>

#include "engine/base/encoding.hpp"
#include "engine/exchange/chunk_set.hpp"
#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/holdings.hpp"
#include "engine/site/retention.hpp"
#include "engine/store/collection.hpp"

namespace satchel::site {

namespace {

class Collector {
  public:
    Collector(Site::State& state, store::Collection& collection, exchange::ChunkSet& entered,
              const CollectPlan& plan, Progress& progress, CollectReport& report)
        : state_(state),
          collection_(collection),
          entered_(entered),
          plan_(plan),
          progress_(progress),
          report_(report) {}

    // What several editions share counts for the first claim. False: editions were let go of whose lists
    // could not be followed to their ends, and others may share these: all is to be marked anew.
    Result<bool> mark() {
        for (const Claim claim : kAllClaims) {
            SATCHEL_TRY_VOID(for_each_held(state_, [&](const HeldEdition& edition) -> Result<void> {
                if (edition.claim != claim) return {};
                if (plan_.as_if_gone && plan_.as_if_gone(edition)) return note_held(edition);
                SATCHEL_TRY_VOID(progress_.update(
                    {.stage = "looking what is kept", .item = edition.course, .items_done = ++editions_}));
                SATCHEL_TRY_VOID(note_held(edition));
                const Result<void> marked =
                    mark_edition(edition.manifest, report_.use.kept[static_cast<std::size_t>(claim)]);
                return marked.has_value() ? marked : go_on_in_spite_of(marked.error(), edition);
            }));
        }
        SATCHEL_TRY_VOID(let_go(state_, damaged_));
        return damaged_.empty();
    }

    // What each would give back by itself. Behind garbage(): from now on they count as kept.
    Result<void> mark_stand_ins() {
        return for_each_held(state_, [&](const HeldEdition& edition) -> Result<void> {
            if (!edition.is_stand_in || !plan_.as_if_gone(edition)) return {};
            const Result<void> marked = mark_edition(edition.manifest, report_.stand_ins[edition.course]);
            return marked.has_value() ? marked : go_on_in_spite_of(marked.error(), edition);
        });
    }

    Result<void> sweep() {
        if (report_.freeable > 0)
            SATCHEL_TRY_VOID(sweep_while(store::Collection::Thrift::kHalfDead, [] { return true; }));
        if (plan_.room_wanted == 0) return {};
        Result<std::uint64_t> room = available_room(state_);
        const auto lacks_room = [&] {
            room = available_room(state_);
            return room.has_value() && *room < plan_.room_wanted;
        };
        SATCHEL_TRY_VOID(sweep_while(store::Collection::Thrift::kEighthDead, lacks_room));
        return room.has_value() ? Result<void>() : room.error();
    }

  private:
    Result<void> note_held(const HeldEdition& edition) {
        if (!plan_.as_if_gone) return {};
        SATCHEL_TRY(const bool is_whole, exchange::is_complete(*state_.database, edition.manifest));
        std::uint64_t& bytes = report_.held[edition.course];
        if (is_whole) bytes = std::max(bytes, edition.bytes);
        return {};
    }

    Result<void> go_on_in_spite_of(const Error& error, const HeldEdition& edition) {
        if (error.code != ErrorCode::kDamaged) return error;
        const bool may_go = plan_.goes_if_damaged && plan_.goes_if_damaged(edition);
        if (!plan_.only_look) {
            if (!may_go) return error;
            damaged_.push_back(edition);
        } else if (!may_go && !report_.hindrance) {
            report_.hindrance = error;
        }
        return {};
    }

    Result<void> sweep_while(store::Collection::Thrift thrift, const std::function<bool()>& goes_on) {
        for (bool is_last = false; !is_last && goes_on();) {
            SATCHEL_TRY(const store::Collection::Swept swept, collection_.sweep(thrift));
            freed_ += swept.freed;
            report_.moved += swept.moved;
            report_.room_lacking = std::max(report_.room_lacking, swept.room_lacking);
            is_last = swept.is_last;
            SATCHEL_TRY_VOID(progress_.update({.stage = "giving room back",
                                               .item = "",
                                               .bytes_done = freed_,
                                               .bytes_total = report_.freeable}));
        }
        return {};
    }

    // Of an edition that is coming in, what is here. Where one that was whole lacks a list of files or a
    // recipe, what that names would be taken for dead.
    Result<void> mark_edition(const ChunkId& manifest, std::uint64_t& bytes) {
        SATCHEL_TRY(const bool is_whole, exchange::is_complete(*state_.database, manifest));
        SATCHEL_TRY(const bool was_whole, exchange::has_lapsed(*state_.database, manifest));
        return exchange::walk_edition(
            *state_.store, manifest, [&](const ChunkId& id, exchange::ObjectKind kind) -> Result<bool> {
                const bool names_others = kind != exchange::ObjectKind::kContent;
                SATCHEL_TRY(const store::Collection::Kept kept, collection_.keep(id, names_others));
                if (!kept.is_here && names_others && (is_whole || was_whole))
                    return fail(
                        ErrorCode::kDamaged, to_hex(id.view()).substr(0, 16),
                        "a list of what a course is made of is lost",
                        "read a stick or meet a site that has it; `satchel store verify --forget` gives "
                        "up what is left of the course");
                bytes += kept.is_new ? kept.bytes : 0;
                if (!names_others) return false;
                // Not as often as it is kept: as content of a file it may have been kept before.
                SATCHEL_TRY(const bool is_first, entered_.insert(id));
                return is_first && kept.is_here;
            });
    }

    Site::State& state_;
    store::Collection& collection_;
    exchange::ChunkSet& entered_;  // nodes and recipes
    const CollectPlan& plan_;
    Progress& progress_;
    CollectReport& report_;
    std::vector<HeldEdition> damaged_;  // and may go
    std::uint64_t editions_ = 0;
    std::uint64_t freed_ = 0;
};

// Of a file that is not there: nothing.
Result<std::uint64_t> size_of(env::Disk& disk, std::string_view path) {
    const Result<env::EntryInfo> info = disk.stat(path);
    if (info.has_value()) return info->size;
    return info.error().code == ErrorCode::kNotFound ? Result<std::uint64_t>(0) : info.error();
}

// None: to be done once more.
Result<std::optional<CollectReport>> collect_once(Site::State& state, Progress& progress,
                                                  const CollectPlan& plan) {
    using Thrift = store::Collection::Thrift;
    CollectReport report;
    SATCHEL_TRY(const std::unique_ptr<store::Collection> collection, state.store->collect());
    SATCHEL_TRY(exchange::ChunkSet entered, exchange::ChunkSet::create(*state.database, "entered"));
    Collector collector(state, *collection, entered, plan, progress, report);
    SATCHEL_TRY(const bool is_marked, collector.mark());
    if (!is_marked) return std::optional<CollectReport>();
    std::optional<Error> hindrance = collection->hindrance();
    if (hindrance && !plan.only_look) return std::move(*hindrance);
    if (hindrance && !report.hindrance) report.hindrance = std::move(hindrance);
    SATCHEL_TRY(const store::Collection::Garbage garbage, collection->garbage(Thrift::kHalfDead));
    if (plan.reckons_stand_ins) SATCHEL_TRY_VOID(collector.mark_stand_ins());
    SATCHEL_TRY(const store::Collection::Garbage in_need, collection->garbage(Thrift::kEighthDead));
    report.use.dead = garbage.dead_bytes;
    report.freeable = report.hindrance ? 0 : garbage.freeable_bytes;
    report.freeable_in_need = report.hindrance ? 0 : in_need.freeable_bytes;
    SATCHEL_TRY(const store::StoreStats stats, state.store->stats());
    std::uint64_t in_records = report.use.dead;
    for (const std::uint64_t kept : report.use.kept) in_records += kept;
    SATCHEL_TRY(report.use.parity, state.store->parity_bytes());
    in_records += report.use.parity;
    report.use.frame = stats.pack_bytes > in_records ? stats.pack_bytes - in_records : 0;
    for (const char* path : {kDatabasePath, "feed.log", kKeepLogPath}) {
        SATCHEL_TRY(const std::uint64_t size, size_of(state.disk, path));
        report.use.records += size;
    }
    if (plan.only_look) return std::optional(std::move(report));
    SATCHEL_TRY_VOID(collector.sweep());
    SATCHEL_TRY(const store::StoreStats after, state.store->stats());
    report.freed = stats.pack_bytes > after.pack_bytes ? stats.pack_bytes - after.pack_bytes : 0;
    SATCHEL_TRY(const store::Collection::Garbage left, collection->garbage(Thrift::kHalfDead));
    report.stays = left.dead_bytes;
    return std::optional(std::move(report));
}

}  // namespace

// Ends: each time that it is done once more there are fewer editions.
Result<CollectReport> collect(Site::State& state, Progress& progress, const CollectPlan& plan) {
    SATCHEL_TRY_VOID(state.store->commit());
    std::optional<CollectReport> report;
    while (!report) {
        SATCHEL_TRY(report, collect_once(state, progress, plan));
    }
    return std::move(*report);
}

// Where little room is left, a person who asks for more gets all that can be had.
Result<CollectReport> Site::collect(Progress& progress, bool only_look) {
    constexpr std::uint64_t kTightShare = 16;
    SATCHEL_TRY(const std::uint64_t room, available_room());
    SATCHEL_TRY(const store::StoreStats stats, state_->store->stats());
    const bool is_tight = room < stats.pack_bytes / kTightShare;
    const std::uint64_t wanted = is_tight && !only_look ? std::numeric_limits<std::uint64_t>::max() : 0;
    return site::collect(*state_, progress, {.only_look = only_look, .room_wanted = wanted});
}

}  // namespace satchel::site
