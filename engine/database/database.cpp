#include "engine/database/database.hpp"

#include <sqlite3.h>

#include <iterator>

#include "engine/base/check.hpp"
#include "engine/database/row_watch.hpp"
#include "engine/database/sqlite_vfs.hpp"
#include "schemas/site_sql.hpp"

namespace satchel::database {

namespace {

// Exclusive locking comes before anything is read: the log then needs no shared memory.
constexpr const char* kBeforeReading =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA temp_store = FILE; PRAGMA mmap_size = 0;"
    "PRAGMA cache_size = -4096;";  // 4 MiB, in KiB

// The log is copied into the database every 1000 pages (4 MiB), and a large one is cut back to 16 MiB.
constexpr const char* kAfterReading =
    "PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216;";

Error damaged(std::string about, std::string detail) {
    return fail(ErrorCode::kDamaged, std::move(about), "the database is damaged", "run `satchel repair`",
                std::move(detail));
}

Error error_for(int code, std::string about, std::string detail) {
    switch (code & 0xff) {  // the low byte is the kind, the rest says where
        case SQLITE_FULL:
            return fail(ErrorCode::kNoSpace, std::move(about), "the disk is full",
                        "free some space and try again", std::move(detail));
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return fail(ErrorCode::kIo, std::move(about), "the disk answered with an error",
                        "check the disk or stick, then try again", std::move(detail));
        case SQLITE_READONLY:
            return fail(ErrorCode::kReadOnly, std::move(about), "the disk is read-only",
                        "check its write-protect switch, or mount it for writing", std::move(detail));
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return damaged(std::move(about), std::move(detail));
        case SQLITE_CONSTRAINT:
            return fail(ErrorCode::kExists, std::move(about), "the database does not allow this entry",
                        "look at what is there already", std::move(detail));
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return fail(ErrorCode::kBusy, std::move(about), "the database is in use",
                        "wait until the other work is done", std::move(detail));
        case SQLITE_TOOBIG:
            return fail(ErrorCode::kTooLarge, std::move(about),
                        "the entry is larger than the database allows", "split it into smaller parts",
                        std::move(detail));
        default:
            return fail(ErrorCode::kFailed, std::move(about), "the database refused a statement",
                        "report this to the makers of satchel", std::move(detail));
    }
}

}  // namespace

struct Database::Vfs {
    SqliteVfs files;
};

Error Database::last_error() const {
    if (watch_) {
        std::optional<Error> of_keeper = watch_->take_failure();
        if (of_keeper) return std::move(*of_keeper);
    }
    const int code = sqlite3_extended_errcode(handle_);
    std::string detail = std::string(sqlite3_errmsg(handle_)) + " (sqlite " + std::to_string(code) + ")";
    // The disk knows better than SQLite what went wrong with it; what it said about other calls is stale.
    std::optional<Error> disk_error = vfs_->files.take_disk_error();
    const int kind = code & 0xff;
    const bool of_disk = kind == SQLITE_IOERR || kind == SQLITE_FULL || kind == SQLITE_CANTOPEN;
    if (of_disk && disk_error) return std::move(*disk_error);
    return error_for(code, about_, std::move(detail));
}

Result<std::unique_ptr<Database>> Database::open(env::Disk& disk, env::World world, std::string_view path) {
    std::unique_ptr<Database> database(new Database);
    database->about_ = disk.describe(path);
    database->vfs_.reset(new Vfs{SqliteVfs(disk, world)});
    database->vfs_->files.seed_randomness();
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                           SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    const int code =
        sqlite3_open_v2(std::string(path).c_str(), &database->handle_, kFlags, database->vfs_->files.name());
    if (code != SQLITE_OK) return database->last_error();
    SATCHEL_TRY_VOID(database->run(kBeforeReading));
    SATCHEL_TRY(const std::int64_t version, database->read_version());
    if (version > kSchemaVersion)
        return fail(ErrorCode::kUnsupported, database->about_, "this site was written by a newer program",
                    "update satchel on this box", "schema version " + std::to_string(version));
    SATCHEL_TRY_VOID(database->enter_wal_mode());
    SATCHEL_TRY_VOID(database->run(kAfterReading));
    if (version < kSchemaVersion) SATCHEL_TRY_VOID(database->migrate(version));
    return database;
}

Database::~Database() {
    if (handle_ == nullptr) return;
    statements_.clear();
    // Closing copies the log into the database and removes it. It fails only for statements left open.
    SATCHEL_CHECK(sqlite3_close(handle_) == SQLITE_OK);
}

Result<std::int64_t> Database::read_version() {
    SATCHEL_TRY(Statement statement, prepare("PRAGMA user_version"));
    SATCHEL_TRY(const bool found, statement.step());
    const std::int64_t version = found ? statement.integer(0) : 0;
    if (version > 0) return version;
    // No version: a new file, or somebody else's database.
    SATCHEL_TRY(Statement tables, prepare("SELECT count(*) FROM sqlite_schema"));
    SATCHEL_TRY(const bool counted, tables.step());
    if (version < 0 || !counted || tables.integer(0) != 0)
        return damaged(about_, "a database without a schema version of satchel");
    return version;
}

// SQLite answers "wal" before it has written so into the file, and stays with a rollback journal when that
// write fails. So the change is carried through to its end, and asked for afterwards.
Result<void> Database::enter_wal_mode() {
    SATCHEL_TRY(Statement change, prepare("PRAGMA journal_mode = WAL"));
    SATCHEL_TRY_VOID(change.run());
    SATCHEL_TRY(Statement question, prepare("PRAGMA journal_mode"));
    SATCHEL_TRY(const bool found, question.step());
    if (found && question.text(0) == "wal") return {};
    return fail(ErrorCode::kFailed, about_, "the database cannot keep a write-ahead log",
                "use a disk with another file system", found ? std::string(question.text(0)) : std::string());
}

// Every version adds to the one before it, so a new database takes all steps, an old one those it lacks.
Result<void> Database::migrate(std::int64_t version) {
    static constexpr const char* kSteps[] = {schemas::kSiteSql, schemas::kRecordsSql, schemas::kIndexSql,
                                             schemas::kChecksSql, schemas::kCustodySql};
    static_assert(std::size(kSteps) == kSchemaVersion);
    SATCHEL_TRY(Transaction transaction, Transaction::begin(*this));
    for (std::int64_t step = version; step < kSchemaVersion; ++step)
        SATCHEL_TRY_VOID(run(kSteps[static_cast<std::size_t>(step)]));
    SATCHEL_TRY_VOID(run("PRAGMA user_version = " + std::to_string(kSchemaVersion)));
    return transaction.commit();
}

Result<Statement> Database::prepare(std::string_view sql) {
    if (sqlite3_stmt* kept = statements_.take(sql); kept != nullptr) return Statement(this, kept);
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
        SQLITE_OK)
        return last_error();
    SATCHEL_CHECK(statement != nullptr);
    return Statement(this, statement);
}

Result<void> Database::run(std::string_view sql) {
    const Result<void> done = execute(sql);
    if (done.has_value() || !asks_for_transaction()) return done;
    SATCHEL_TRY(Transaction transaction, Transaction::begin(*this));
    SATCHEL_TRY_VOID(execute(sql));
    return transaction.commit();
}

bool Database::asks_for_transaction() { return watch_ && watch_->take_needs_transaction(); }

Result<void> Database::keep_rows_with(RowKeeper& keeper) {
    auto watch = std::make_unique<RowWatch>(keeper);
    SATCHEL_TRY_VOID(watch->begin(*this, handle_));
    watch_ = std::move(watch);
    return {};
}

Result<void> Database::tell_kept_rows() {
    SATCHEL_CHECK(watch_ != nullptr && in_transaction());
    return watch_->tell_all(*this);
}

void Database::stop_keeping() {
    if (watch_) watch_->detach();
}

Result<void> Database::execute(std::string_view sql) {
    if (sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return last_error();
    return {};
}

Result<void> Database::check_integrity() {
    SATCHEL_TRY(Statement statement, prepare("PRAGMA integrity_check(1)"));
    SATCHEL_TRY(const bool found, statement.step());
    if (found && statement.text(0) == "ok") return {};
    return damaged(about_, found ? std::string(statement.text(0)) : std::string());
}

std::int64_t Database::rows_changed() const { return sqlite3_changes64(handle_); }
std::uint64_t Database::changes_made() const {
    return static_cast<std::uint64_t>(sqlite3_total_changes64(handle_));
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Statement::Statement(Statement&& other) noexcept : database_(other.database_), handle_(other.handle_) {
    other.handle_ = nullptr;
}

Statement& Statement::operator=(Statement&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    database_ = other.database_;
    handle_ = other.handle_;
    other.handle_ = nullptr;
    return *this;
}

Statement::~Statement() { give_back(); }

void Statement::give_back() {
    if (handle_ != nullptr) database_->statements_.give_back(handle_);
}

// A parameter that is not there, or one bound while rows are being read, is a bug of ours.
Statement& Statement::bind(int parameter, std::int64_t value) {
    SATCHEL_CHECK(sqlite3_bind_int64(handle_, parameter, value) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
    const char* data = text.empty() ? "" : text.data();  // a null pointer would bind NULL
    SATCHEL_CHECK(sqlite3_bind_text64(handle_, parameter, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) ==
                  SQLITE_OK);
    return *this;
}

Statement& Statement::bind_blob(int parameter, ByteView bytes) {
    const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
    SATCHEL_CHECK(sqlite3_bind_blob64(handle_, parameter, data, bytes.size(), SQLITE_TRANSIENT) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind_null(int parameter) {
    SATCHEL_CHECK(sqlite3_bind_null(handle_, parameter) == SQLITE_OK);
    return *this;
}

// Keeps what is bound where it fails.
Result<bool> Statement::step_once() {
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        reset();
        return false;
    }
    Error error = database_->last_error();
    sqlite3_reset(handle_);
    return error;
}

Result<bool> Statement::step() {
    Result<bool> done = step_once();
    if (!done.has_value()) reset();
    return done;
}

Result<void> Statement::run() {
    Result<bool> more = step_once();
    if (!more.has_value() && database_->asks_for_transaction()) {
        Result<Transaction> transaction = Transaction::begin(*database_);
        more = transaction.has_value() ? step_once() : Result<bool>(transaction.error());
        if (more.has_value() && !*more) return transaction->commit();
    }
    while (more.has_value() && *more) more = step_once();
    if (more.has_value()) return {};
    reset();
    return more.error();
}

void Statement::reset() {
    sqlite3_reset(handle_);  // repeats the error of the step before, which was told then
    sqlite3_clear_bindings(handle_);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string_view Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

ByteView Statement::blob(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

Result<Transaction> Transaction::begin(Database& database) {
    SATCHEL_CHECK(!database.in_transaction());
    SATCHEL_TRY_VOID(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
}

Transaction::~Transaction() {
    if (database_ == nullptr) return;
    // SQLite rolls back by itself after some errors of the disk; then there is nothing left to undo.
    if (database_->in_transaction()) static_cast<void>(database_->execute("ROLLBACK"));
    if (database_->watch_) database_->watch_->after_rollback();
}

Result<void> Transaction::commit() {
    SATCHEL_CHECK(database_ != nullptr);
    if (database_->watch_) SATCHEL_TRY_VOID(database_->watch_->before_commit());
    SATCHEL_TRY_VOID(database_->execute("COMMIT"));
    if (database_->watch_) database_->watch_->after_commit();
    database_ = nullptr;
    return {};
}

}  // namespace satchel::database
