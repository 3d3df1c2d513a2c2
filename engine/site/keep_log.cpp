#include "engine/site/keep_log.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/database/meta.hpp"
#include "engine/env/holes.hpp"
#include "engine/store/pack_scan.hpp"

namespace satchel::site {

namespace {

constexpr char kNewLogPath[] = "keep.log-new";
constexpr char kNoteMeta[] = "keep/end";
constexpr std::uint64_t kGrownTimes = 4;

enum class Part : std::uint8_t { kBegin = 1, kRows = 2, kLastRows = 3 };

ByteBuffer record_of(Part part, ByteView content) {
    ByteBuffer plain, record;
    Writer(plain).u8(static_cast<std::uint8_t>(part)).raw(content);
    store::encode_record(record, store::RecordType::kKept, plain);
    return record;
}

ByteBuffer begin_record(std::uint64_t number) {
    ByteBuffer content;
    Writer(content).u64(number);
    return record_of(Part::kBegin, content);
}

std::optional<std::uint64_t> number_of_begin(const store::WholeRecord& record) {
    Reader reader(record.plain);
    const bool is_begin = reader.u8() == static_cast<std::uint8_t>(Part::kBegin);
    const std::uint64_t number = reader.u64();
    const bool holds = record.header.type == store::RecordType::kKept && is_begin && reader.at_end();
    return holds ? std::optional(number) : std::nullopt;
}

// The number of the log at `path`; none if there is no log, or its begin is not whole.
Result<std::optional<std::uint64_t>> number_of_log(env::Disk& disk, std::string_view path) {
    SATCHEL_TRY(const bool there, env::exists(disk, path));
    if (!there) return std::optional<std::uint64_t>();
    SATCHEL_TRY(const std::unique_ptr<env::File> file, disk.open(path, env::OpenMode::kRead));
    env::HolesAsZeros readable(*file);
    SATCHEL_TRY(const auto record, store::whole_record_at(readable, 0));
    return record ? number_of_begin(*record) : std::nullopt;
}

// How many whole transactions stand behind `from`, also behind what is damaged: one may be torn from its
// commit by a stop, no more.
Result<std::uint64_t> transactions_behind(env::File& file, std::uint64_t from) {
    SATCHEL_TRY(const std::uint64_t size, file.size());
    std::uint64_t transactions = 0;
    for (std::uint64_t at = from; at + store::kRecordHeaderSize <= size;) {
        SATCHEL_TRY(const auto record, store::whole_record_at(file, at));
        if (!record) {
            SATCHEL_TRY(at, store::find_record_magic(file, at + 1, size));
            continue;
        }
        const bool is_last =
            !record->plain.empty() && record->plain[0] == static_cast<std::uint8_t>(Part::kLastRows);
        transactions += is_last ? 1 : 0;
        at += store::kRecordHeaderSize + record->header.stored_size;
    }
    return transactions;
}

Error database_is_older(env::Disk& disk) {
    return fail(ErrorCode::kDamaged, disk.describe("site.db"),
                "site.db is an older copy than keep.log beside it", "run `satchel repair`");
}

}  // namespace

Result<std::optional<KeepLog::Note>> KeepLog::noted(database::Database& database) {
    SATCHEL_TRY(const std::optional<ByteBuffer> value, database::meta(database, kNoteMeta));
    if (!value) return std::optional<Note>();
    Reader reader(*value);
    Note note;
    note.number = reader.u64();
    note.bytes = reader.u64();
    note.begun_with = reader.u64();
    return reader.at_end() ? std::optional(note) : std::nullopt;
}

Result<void> KeepLog::note() {
    ByteBuffer value;
    Writer(value).u64(now_.number).u64(written_).u64(rewriting_ ? written_ : now_.begun_with);
    return database::set_meta(database_, kNoteMeta, value);
}

Result<std::unique_ptr<KeepLog>> KeepLog::open(env::Disk& disk, database::Database& database) {
    std::unique_ptr<KeepLog> log(new KeepLog(disk, database));
    SATCHEL_TRY(const std::optional<Note> noted, KeepLog::noted(database));
    bool is_taken_up = false;
    if (noted) {
        SATCHEL_TRY_VOID(log->place_rewritten(*noted));
        SATCHEL_TRY(is_taken_up, log->take_up(*noted));
    } else {
        SATCHEL_TRY(const bool there, env::exists(disk, kKeepLogPath));
        if (there) return database_is_older(disk);
    }
    SATCHEL_TRY_VOID(database.keep_rows_with(*log));
    const std::uint64_t limit = std::max(kKeepLogRewriteMin, kGrownTimes * log->now_.begun_with);
    if (!is_taken_up || log->now_.bytes > limit)
        SATCHEL_TRY_VOID(log->rewrite(noted ? noted->number + 1 : 1));
    return log;
}

Result<std::unique_ptr<KeepLog>> KeepLog::begin_anew(env::Disk& disk, database::Database& database,
                                                     std::uint64_t number) {
    std::unique_ptr<KeepLog> log(new KeepLog(disk, database));
    SATCHEL_TRY_VOID(database.keep_rows_with(*log));
    SATCHEL_TRY_VOID(log->rewrite(number));
    return log;
}

KeepLog::~KeepLog() { database_.stop_keeping(); }

// A stop between the commit that named the new log and its renaming.
Result<void> KeepLog::place_rewritten(const Note& noted) {
    SATCHEL_TRY(const bool there, env::exists(disk_, kNewLogPath));
    if (!there) return {};
    SATCHEL_TRY(const std::optional<std::uint64_t> number, number_of_log(disk_, kNewLogPath));
    if (number == noted.number)
        SATCHEL_TRY_VOID(disk_.rename(kNewLogPath, kKeepLogPath));
    else
        SATCHEL_TRY_VOID(disk_.remove_file(kNewLogPath));
    return disk_.sync_directory("");
}

Result<bool> KeepLog::take_up(const Note& noted) {
    SATCHEL_TRY(const std::optional<std::uint64_t> number, number_of_log(disk_, kKeepLogPath));
    if (number && *number > noted.number) return database_is_older(disk_);
    SATCHEL_TRY(const bool there, env::exists(disk_, kKeepLogPath));
    if (!there || (number && *number < noted.number)) return false;
    SATCHEL_TRY(file_, disk_.open(kKeepLogPath, env::OpenMode::kWrite));
    SATCHEL_TRY(const std::uint64_t size, file_->size());
    if (size < noted.bytes) return false;
    if (size > noted.bytes) {
        env::HolesAsZeros readable(*file_);
        SATCHEL_TRY(const std::uint64_t behind, transactions_behind(readable, noted.bytes));
        if (behind > 1) return database_is_older(disk_);
        if (!number || readable.has_met_any()) return false;
        SATCHEL_TRY_VOID(file_->truncate(noted.bytes));
        SATCHEL_TRY_VOID(file_->sync());
    }
    SATCHEL_TRY(const bool can_go_on, env::can_append_at(*file_, noted.bytes));
    if (!number || !can_go_on) return false;
    now_ = noted;
    written_ = noted.bytes;
    return true;
}

Result<void> KeepLog::rewrite(std::uint64_t number) {
    SATCHEL_TRY(file_, disk_.open(kNewLogPath, env::OpenMode::kWrite));
    SATCHEL_TRY_VOID(file_->truncate(0));
    now_ = {number, 0, 0};
    const ByteBuffer begin = begin_record(number);
    SATCHEL_TRY_VOID(file_->write_at(0, begin));
    written_ = begin.size();
    rewriting_ = true;
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY_VOID(database_.tell_kept_rows());
    SATCHEL_TRY_VOID(transaction.commit());
    SATCHEL_TRY_VOID(disk_.rename(kNewLogPath, kKeepLogPath));
    return disk_.sync_directory("");
}

Result<void> KeepLog::append(ByteView record) {
    if (has_remains_) SATCHEL_TRY_VOID(file_->truncate(now_.bytes));
    has_remains_ = false;
    SATCHEL_TRY_VOID(file_->write_at(written_, record));
    written_ += record.size();
    return {};
}

Result<void> KeepLog::take(ByteView rows) { return append(record_of(Part::kRows, rows)); }

Result<void> KeepLog::settle() {
    SATCHEL_TRY_VOID(append(record_of(Part::kLastRows, {})));
    SATCHEL_TRY_VOID(file_->sync());
    if (rewriting_) SATCHEL_TRY_VOID(disk_.sync_directory(""));
    return note();
}

void KeepLog::committed() {
    now_.bytes = written_;
    if (rewriting_) now_.begun_with = written_;
    rewriting_ = false;
}

void KeepLog::rolled_back() {
    written_ = now_.bytes;
    has_remains_ = true;
}

Result<KeepLogRead> read_keep_log(env::Disk& disk,
                                  const std::function<Result<void>(ByteView rows, bool is_last)>& each) {
    SATCHEL_TRY(const std::unique_ptr<env::File> file, disk.open(kKeepLogPath, env::OpenMode::kRead));
    SATCHEL_TRY(const std::uint64_t size, file->size());
    env::HolesAsZeros readable(*file);
    KeepLogRead read;
    bool in_damage = false;
    std::uint64_t rows = 0;
    for (std::uint64_t at = 0; at + store::kRecordHeaderSize <= size;) {
        SATCHEL_TRY(const auto record, store::whole_record_at(readable, at));
        if (!record) {
            in_damage = true;
            SATCHEL_TRY(at, store::find_record_magic(readable, at + 1, size));
            continue;
        }
        read.damaged += in_damage ? 1 : 0;
        in_damage = false;
        at += store::kRecordHeaderSize + record->header.stored_size;
        const std::uint8_t part = record->plain.empty() ? 0 : record->plain[0];
        const bool is_last = part == static_cast<std::uint8_t>(Part::kLastRows);
        if (const std::optional<std::uint64_t> number = number_of_begin(*record)) {
            read.number = *number;
        } else if (is_last || part == static_cast<std::uint8_t>(Part::kRows)) {
            SATCHEL_TRY_VOID(each(ByteView(record->plain).subspan(1), is_last));
            read.transactions += is_last ? 1 : 0;
            ++rows;
        }
    }
    if (rows == 0)
        return fail(ErrorCode::kDamaged, disk.describe(kKeepLogPath), "the bytes are damaged",
                    "join again with a new grant, and read a stick");
    return read;
}

}  // namespace satchel::site
