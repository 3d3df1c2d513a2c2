// keep.log: a second copy of what only site.db holds, so that a damaged or lost site.db can be made again
// (schemas/keep-log.md). Every transaction that changes such rows writes them here, synced, before it
// commits.
//
// Crash points. Before the commit: the log is longer than site.db says; open() cuts it back. After the
// commit: both agree. A rewritten log is whole and sure as keep.log-new before the commit that names its
// number; open() gives it its name if a stop came between.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "engine/database/database.hpp"
#include "engine/database/kept_rows.hpp"
#include "engine/env/disk.hpp"

namespace satchel::site {

inline constexpr char kKeepLogPath[] = "keep.log";
// The log is written anew when it is larger than this and four times what it began with.
inline constexpr std::uint64_t kKeepLogRewriteMin = 1024 * 1024;

class KeepLog final : public database::RowKeeper {
  public:
    // Brings log and database together and keeps from here on. Both are borrowed. kDamaged: site.db is an
    // older copy than keep.log.
    static Result<std::unique_ptr<KeepLog>> open(env::Disk& disk, database::Database& database);
    // For a database that was made from a log: begins one with a higher number than that.
    static Result<std::unique_ptr<KeepLog>> begin_anew(env::Disk& disk, database::Database& database,
                                                       std::uint64_t number);
    ~KeepLog() override;

    Result<void> take(ByteView rows) override;
    Result<void> settle() override;
    void committed() override;
    void rolled_back() override;

  private:
    struct Note {  // what site.db says of its log
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
        std::uint64_t begun_with = 0;  // bytes, when it was written anew
    };
    KeepLog(env::Disk& disk, database::Database& database) : disk_(disk), database_(database) {}
    static Result<std::optional<Note>> noted(database::Database& database);
    Result<void> note();
    Result<bool> take_up(const Note& noted);  // false: the log must be written anew
    Result<void> place_rewritten(const Note& noted);
    Result<void> rewrite(std::uint64_t number);
    Result<void> append(ByteView record);

    env::Disk& disk_;
    database::Database& database_;
    std::unique_ptr<env::File> file_;
    Note now_;
    std::uint64_t written_ = 0;  // in this transaction up to here
    bool rewriting_ = false;
    bool has_remains_ = false;  // of a transaction that was rolled back, behind the end
};

// What a log tells, for a new database: each transaction's rows on their own, the torn last one left out.
struct KeepLogRead {
    std::uint64_t number = 0;
    std::uint64_t transactions = 0;
    std::uint64_t damaged = 0;  // stretches that were passed over
};
// kNotFound: there is no log. kDamaged: not one row is whole. `each`: rows, and whether a transaction ends
// with them.
Result<KeepLogRead> read_keep_log(env::Disk& disk,
                                  const std::function<Result<void>(ByteView rows, bool is_last)>& each);

}  // namespace satchel::site
