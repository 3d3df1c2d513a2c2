// Collecting at a site: every object that an edition kept here is made of is named to the store, which gives
// the rest back to the disk.
#include <array>

#include "engine/exchange/edition_walk.hpp"
#include "engine/site/retention.hpp"
#include "engine/store/collection.hpp"

namespace satchel::site {

namespace {

class Collector {
  public:
    Collector(Site::State& state, store::Collection& collection, Progress& progress)
        : state_(state), collection_(collection), progress_(progress) {}

    // What several editions share counts for the first claim.
    Result<void> mark(StoreUse& use) {
        for (const Claim claim : kAllClaims) {
            SATCHEL_TRY_VOID(for_each_held(state_, [&](const HeldEdition& edition) -> Result<void> {
                if (edition.claim != claim) return {};
                SATCHEL_TRY_VOID(progress_.update(
                    {.stage = "looking what is kept", .item = edition.course, .items_done = ++editions_}));
                return mark_edition(edition.manifest, use.kept[static_cast<std::size_t>(claim)]);
            }));
        }
        return {};
    }

    Result<void> sweep(CollectReport& report) {
        for (bool is_last = report.freeable == 0; !is_last;) {
            SATCHEL_TRY(const store::Collection::Swept swept, collection_.sweep());
            report.freed += swept.freed;
            report.moved += swept.moved;
            is_last = swept.is_last;
            SATCHEL_TRY_VOID(progress_.update({.stage = "giving room back",
                                               .item = "",
                                               .bytes_done = report.freed,
                                               .bytes_total = report.freeable}));
        }
        return {};
    }

  private:
    // Of an edition that is coming in, what is here.
    Result<void> mark_edition(const ChunkId& manifest, std::uint64_t& bytes) {
        return exchange::walk_edition(
            *state_.store, manifest, [&](const ChunkId& id, exchange::ObjectKind) -> Result<bool> {
                SATCHEL_TRY(const store::Collection::Kept kept, collection_.keep(id));
                bytes += kept.is_new ? kept.bytes : 0;
                return kept.is_new;
            });
    }

    Site::State& state_;
    store::Collection& collection_;
    Progress& progress_;
    std::uint64_t editions_ = 0;
};

// Of a file that is not there: nothing.
Result<std::uint64_t> size_of(env::Disk& disk, std::string_view path) {
    const Result<env::EntryInfo> info = disk.stat(path);
    if (info.has_value()) return info->size;
    return info.error().code == ErrorCode::kNotFound ? Result<std::uint64_t>(0) : info.error();
}

}  // namespace

Result<CollectReport> collect(Site::State& state, Progress& progress, bool only_look) {
    CollectReport report;
    SATCHEL_TRY_VOID(state.store->commit());
    SATCHEL_TRY(const std::unique_ptr<store::Collection> collection, state.store->collect());
    Collector collector(state, *collection, progress);
    SATCHEL_TRY_VOID(collector.mark(report.use));
    SATCHEL_TRY(const store::Collection::Garbage garbage, collection->garbage());
    report.use.dead = garbage.dead_bytes;
    report.freeable = garbage.freeable_bytes;
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
    if (!only_look) SATCHEL_TRY_VOID(collector.sweep(report));
    return report;
}

Result<CollectReport> Site::collect(Progress& progress, bool only_look) {
    return site::collect(*state_, progress, only_look);
}

}  // namespace satchel::site
