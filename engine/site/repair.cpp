// site.db made again from what lies beside it; nothing is taken from the old one. In order:
//
//     site.db -> site.db-damaged; keep.log -> the rows that exist nowhere else; catalogue.git -> lanes,
//     through quarantine; a new keep.log; then, as at every opening, packs -> index and feed.log -> records
//
// Crash points: until it is known again which editions are complete site.db bears a mark that no other
// opening passes, and repair begins again: what nobody is known to hold would be taken for garbage. What it
// reads stays as it is until the new keep.log, which says as much as the old one, is in place.
#include "engine/catalogue/catalogue.hpp"
#include "engine/database/meta.hpp"
#include "engine/exchange/holdings.hpp"
#include "engine/site/key_files.hpp"
#include "engine/site/site_state.hpp"

namespace satchel::site {

namespace {

constexpr char kDamagedPath[] = "site.db-damaged";
constexpr char kDamagedMirrorPath[] = "catalogue.git-damaged";

// Of an earlier repair that was stopped: all that is in it is made again, and what that one put aside may be
// the only other copy of something. It bears the mark, or nothing yet.
bool is_half_made(env::Disk& disk, env::World world) {
    for (const char* path : {kDamagedPath, kDatabasePath}) {
        const Result<bool> there = env::exists(disk, path);
        if (!there.has_value() || !*there) return false;
    }
    const Result<std::unique_ptr<database::Database>> opened =
        database::Database::open(disk, world, kDatabasePath);
    if (!opened.has_value()) return false;
    Result<database::Statement> select = (*opened)->prepare("SELECT 1 FROM meta LIMIT 1");
    const Result<bool> has_any = select.has_value() ? select->step() : Result<bool>(select.error());
    const Result<std::optional<ByteBuffer>> mark = database::meta(**opened, kRepairMeta);
    return has_any.has_value() && mark.has_value() && (!*has_any || mark->has_value());
}

Result<void> move_if_there(env::Disk& disk, const std::string& from, const std::string& to) {
    SATCHEL_TRY(const bool there, env::exists(disk, from));
    return there ? disk.rename(from, to) : Result<void>();
}

Result<void> remove_if_there(env::Disk& disk, const std::string& path) {
    SATCHEL_TRY(const bool there, env::exists(disk, path));
    if (there) SATCHEL_TRY_VOID(disk.remove_file(path));
    return disk.sync_directory("");
}

// What is put aside goes before its log: without that it may be a transaction older than keep.log, which then
// would look as if a stop had torn that from its commit. What is half made goes behind its log, which else
// would be put aside by the next repair, over the log of what lies there.
Result<void> set_aside(env::Disk& disk, env::World world) {
    const std::string log = std::string(kDatabasePath) + "-wal";
    if (is_half_made(disk, world)) {
        SATCHEL_TRY_VOID(remove_if_there(disk, log));
        return remove_if_there(disk, kDatabasePath);
    }
    const std::string damaged_log = std::string(kDamagedPath) + "-wal";
    SATCHEL_TRY(const bool there, env::exists(disk, kDatabasePath));
    if (there) {
        SATCHEL_TRY_VOID(remove_if_there(disk, damaged_log));  // it belongs to another
        SATCHEL_TRY_VOID(disk.rename(kDatabasePath, kDamagedPath));
    }
    SATCHEL_TRY_VOID(move_if_there(disk, log, damaged_log));
    return disk.sync_directory("");
}

Result<KeepLogRead> restore_kept_rows(env::Disk& disk, database::Database& database) {
    std::optional<database::Transaction> transaction;
    return read_keep_log(disk, [&](ByteView rows, bool is_last) -> Result<void> {
        if (!transaction) {
            SATCHEL_TRY(database::Transaction begun, database::Transaction::begin(database));
            transaction.emplace(std::move(begun));
        }
        SATCHEL_TRY_VOID(database::apply_kept_rows(database, rows));
        if (!is_last) return {};
        SATCHEL_TRY_VOID(transaction->commit());
        transaction.reset();
        return {};
    });
}

// The mirror may lack what a stop kept from it. Then the lane begins again where the mirror ends, and whoever
// repairs is told; else the site could never take its own history from a peer.
Result<RepairedLane> restore_lane(env::Disk& disk, database::Database& database, trust::TrustStore& trust,
                                  catalogue::Catalogue& catalogue, const std::string& lane) {
    const std::string ratchet = "lane/" + lane + "/height";
    RepairedLane repaired;
    repaired.lane = lane;
    SATCHEL_TRY(repaired.commits_known, trust.ratchet(ratchet));
    {
        SATCHEL_TRY(database::Statement remove, database.prepare("DELETE FROM ratchet WHERE name = ?"));
        remove.bind(1, ratchet);
        SATCHEL_TRY_VOID(remove.run());
    }
    // A mirror that an earlier repair put aside may hold more.
    for (const char* mirror : {kMirrorPath, kDamagedMirrorPath}) {
        if (repaired.commits >= repaired.commits_known) break;
        const Result<catalogue::Accepted> accepted = catalogue.accept_from_mirror(disk, mirror, lane);
        if (accepted.has_value())
            repaired.commits += accepted->commits;
        else if (!repaired.why)
            repaired.why = accepted.error();
    }
    return repaired;
}

Result<void> restore_catalogue(env::Disk& disk, env::World world, database::Database& database,
                               RepairReport& report) {
    trust::TrustStore trust(database);
    SATCHEL_TRY(const std::optional<ByteBuffer> network_row, database::meta(database, "network"));
    SATCHEL_TRY(const std::optional<trust::Root> root, trust.current_root());
    NetworkId network;
    if (!root || !network_row || network_row->size() != network.digest.size())
        return fail(ErrorCode::kDamaged, disk.describe(kKeepLogPath), "the bytes are damaged",
                    "join again with a new grant, and read a stick", "no root or no network");
    std::copy(network_row->begin(), network_row->end(), network.digest.begin());
    SATCHEL_TRY(const std::unique_ptr<catalogue::Catalogue> catalogue,
                catalogue::Catalogue::open(database, world, trust, network));
    bool all_whole = true;
    for (const trust::Lane& lane : root->lanes) {
        SATCHEL_TRY(RepairedLane repaired, restore_lane(disk, database, trust, *catalogue, lane.name));
        all_whole = all_whole && repaired.commits >= repaired.commits_known;
        report.lanes.push_back(std::move(repaired));
    }
    SATCHEL_TRY(const bool there, env::exists(disk, kMirrorPath));
    if (all_whole) return there ? catalogue->adopt_mirror(disk, kMirrorPath) : Result<void>();
    // The mirror is written anew from site.db: what could not be read of it is kept for whoever can.
    SATCHEL_TRY(const bool kept_before, env::exists(disk, kDamagedMirrorPath));
    if (there && !kept_before) SATCHEL_TRY_VOID(disk.rename(kMirrorPath, kDamagedMirrorPath));
    return {};
}

Result<void> make_database(env::Disk& disk, env::World world, RepairReport& report) {
    SATCHEL_TRY(const std::unique_ptr<database::Database> database,
                database::Database::open(disk, world, kDatabasePath));
    SATCHEL_TRY_VOID(database::set_meta(*database, kRepairMeta, bytes_of("1")));
    SATCHEL_TRY(const KeepLogRead read, restore_kept_rows(disk, *database));
    report.damaged_stretches = read.damaged;
    SATCHEL_TRY_VOID(restore_catalogue(disk, world, *database, report));
    SATCHEL_TRY(const std::unique_ptr<KeepLog> keep_log,
                KeepLog::begin_anew(disk, *database, read.number + 1));
    return {};
}

Result<std::uint64_t> count_segments(database::Database& database) {
    SATCHEL_TRY(database::Statement count, database.prepare("SELECT count(*) FROM segment"));
    SATCHEL_TRY(const bool row, count.step());
    return row ? static_cast<std::uint64_t>(count.integer(0)) : 0;
}

}  // namespace

Result<RepairReport> Site::repair(env::Disk& disk, env::World world, Progress& progress) {
    SATCHEL_TRY(const bool has_log, env::exists(disk, kKeepLogPath));
    if (!has_log) {
        SATCHEL_TRY(const bool has_keys, env::exists(disk, "keys"));
        if (!has_keys)
            return fail(
                ErrorCode::kNoSite, disk.describe(""), "there is no site in this folder",
                "make one with `satchel init` or `satchel join`, or name the right folder with --site");
        return fail(
            ErrorCode::kNotFound, disk.describe(kKeepLogPath), "there is nothing to make site.db again from",
            "open the site once with this program if site.db is whole; else join again with a new grant");
    }
    SATCHEL_TRY(const trust::SigningKey signing, load_key(disk, kSiteKey));
    static_cast<void>(signing);
    RepairReport report;
    SATCHEL_TRY_VOID(progress.update({.stage = "reading what is kept twice", .item = {}}));
    SATCHEL_TRY_VOID(set_aside(disk, world));
    SATCHEL_TRY_VOID(make_database(disk, world, report));
    SATCHEL_TRY_VOID(progress.update({.stage = "reading packs and records", .item = {}}));
    SATCHEL_TRY(const std::unique_ptr<Site> site, open(disk, world, Opening::kToEndARepair));
    SATCHEL_TRY_VOID(site->records().restore_boot_count());
    SATCHEL_TRY_VOID(site->catalogue().refresh_currency());
    SATCHEL_TRY_VOID(exchange::find_holdings(site->replica(), progress));
    SATCHEL_TRY_VOID(database::remove_meta(site->database(), kRepairMeta));
    SATCHEL_TRY_VOID(site->update_mirror());
    SATCHEL_TRY(report.status, site->status());
    SATCHEL_TRY(report.segments, count_segments(site->database()));
    return report;
}

}  // namespace satchel::site
