#include "engine/database/sqlite_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "engine/base/check.hpp"

namespace satchel::database {

struct SqliteVfs::State {
    env::Disk& disk;
    env::World world;
    std::string name;
    sqlite3_vfs vfs{};
    std::optional<Error> disk_error;
};

namespace {

constexpr int kPathBytesMax = 1024;
constexpr std::int64_t kJulianMsOf1970 = 210'866'760'000'000;
constexpr double kMsPerDay = 86'400'000.0;

using State = SqliteVfs::State;

struct OpenFile {
    State* state;
    std::unique_ptr<env::File> file;
    std::string directory;
    bool name_is_sure;
};

// What SQLite allocates for a file; `methods` must come first.
struct FileSlot {
    sqlite3_file base;
    OpenFile* open;
};

State& state_of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }
OpenFile& open_of(sqlite3_file* file) { return *reinterpret_cast<FileSlot*>(file)->open; }

int note(State& state, Error error, int code) {
    const bool full = error.code == ErrorCode::kNoSpace;
    state.disk_error = std::move(error);
    return full ? SQLITE_FULL : code;
}

int close_file(sqlite3_file* file) {
    delete reinterpret_cast<FileSlot*>(file)->open;
    file->pMethods = nullptr;
    return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
    const std::span<std::uint8_t> bytes(static_cast<std::uint8_t*>(into), static_cast<std::size_t>(size));
    const Result<std::size_t> got = open_of(file).file->read_at(static_cast<std::uint64_t>(offset), bytes);
    if (!got.has_value()) return note(*open_of(file).state, got.error(), SQLITE_IOERR_READ);
    if (*got == bytes.size()) return SQLITE_OK;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(*got), bytes.end(), std::uint8_t{0});
    return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    const ByteView bytes(static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size));
    const Result<void> done = open_of(file).file->write_at(static_cast<std::uint64_t>(offset), bytes);
    return done.has_value() ? SQLITE_OK : note(*open_of(file).state, done.error(), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    const Result<void> done = open_of(file).file->truncate(static_cast<std::uint64_t>(size));
    return done.has_value() ? SQLITE_OK : note(*open_of(file).state, done.error(), SQLITE_IOERR_TRUNCATE);
}

int sync_file(sqlite3_file* file, int) {
    OpenFile& open = open_of(file);
    if (const Result<void> done = open.file->sync(); !done.has_value())
        return note(*open.state, done.error(), SQLITE_IOERR_FSYNC);
    if (open.name_is_sure) return SQLITE_OK;
    if (const Result<void> done = open.state->disk.sync_directory(open.directory); !done.has_value())
        return note(*open.state, done.error(), SQLITE_IOERR_DIR_FSYNC);
    open.name_is_sure = true;
    return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
    const Result<std::uint64_t> found = open_of(file).file->size();
    if (!found.has_value()) return note(*open_of(file).state, found.error(), SQLITE_IOERR_FSTAT);
    *size = static_cast<sqlite3_int64>(*found);
    return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) { return SQLITE_OK; }

int check_reserved_lock(sqlite3_file*, int* taken) {
    *taken = 0;
    return SQLITE_OK;
}

int control_file(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_bytes(sqlite3_file*) { return kSectorBytes; }
int device_characteristics(sqlite3_file*) { return 0; }

const sqlite3_io_methods* file_methods() {
    static const sqlite3_io_methods kMethods = [] {
        sqlite3_io_methods methods{};
        methods.iVersion = 1;  // no shared memory, no memory mapping
        methods.xClose = close_file;
        methods.xRead = read_file;
        methods.xWrite = write_file;
        methods.xTruncate = truncate_file;
        methods.xSync = sync_file;
        methods.xFileSize = size_of_file;
        methods.xLock = lock_file;
        methods.xUnlock = lock_file;
        methods.xCheckReservedLock = check_reserved_lock;
        methods.xFileControl = control_file;
        methods.xSectorSize = sector_bytes;
        methods.xDeviceCharacteristics = device_characteristics;
        return methods;
    }();
    return &kMethods;
}

// A temporary file is removed as soon as it is open; should a crash come between, the name is used again.
Result<std::unique_ptr<env::File>> open_temporary(State& state) {
    constexpr std::string_view kName = "sqlite-temporary";
    SATCHEL_TRY(std::unique_ptr<env::File> file, state.disk.open(kName, env::OpenMode::kWrite));
    SATCHEL_TRY_VOID(file->truncate(0));
    SATCHEL_TRY_VOID(state.disk.remove_file(kName));
    return file;
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
    State& state = state_of(vfs);
    file->pMethods = nullptr;
    if (name != nullptr && (flags & SQLITE_OPEN_CREATE) == 0) {
        const Result<bool> there = env::exists(state.disk, name);
        if (!there.has_value()) return note(state, there.error(), SQLITE_CANTOPEN);
        if (!*there) return SQLITE_CANTOPEN;
    }
    Result<std::unique_ptr<env::File>> opened =
        name == nullptr ? open_temporary(state) : state.disk.open(name, env::OpenMode::kWrite);
    if (!opened.has_value()) return note(state, opened.error(), SQLITE_CANTOPEN);
    // Even a name that was there before may have been made by a process that died before it was sure.
    auto open = std::make_unique<OpenFile>(
        OpenFile{&state, std::move(*opened), std::string(name == nullptr ? "" : env::parent_of(name)),
                 name == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0});
    reinterpret_cast<FileSlot*>(file)->open = open.release();
    file->pMethods = file_methods();
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    State& state = state_of(vfs);
    if (const Result<void> done = state.disk.remove_file(name); !done.has_value()) {
        if (done.error().code == ErrorCode::kNotFound) return SQLITE_IOERR_DELETE_NOENT;
        return note(state, done.error(), SQLITE_IOERR_DELETE);
    }
    if (sync_directory == 0) return SQLITE_OK;
    const Result<void> done = state.disk.sync_directory(env::parent_of(name));
    return done.has_value() ? SQLITE_OK : note(state, done.error(), SQLITE_IOERR_DIR_FSYNC);
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* answer) {
    State& state = state_of(vfs);
    const Result<env::EntryInfo> info = state.disk.stat(name);
    if (!info.has_value() && info.error().code != ErrorCode::kNotFound)
        return note(state, info.error(), SQLITE_IOERR_ACCESS);
    // As in SQLite's own file layer: an empty journal or log counts as none.
    *answer = info.has_value() && info->size > 0 ? 1 : 0;
    return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    const std::size_t length = std::strlen(name);
    if (length >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
    std::memcpy(out, name, length + 1);
    return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
    state_of(vfs).world.random.fill({reinterpret_cast<std::uint8_t*>(out), static_cast<std::size_t>(size)});
    return size;
}

int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* out) {
    *out = state_of(vfs).world.clock.wall().unix_ms + kJulianMsOf1970;
    return SQLITE_OK;
}

int current_time(sqlite3_vfs* vfs, double* out) {
    sqlite3_int64 now = 0;
    current_time_ms(vfs, &now);
    *out = static_cast<double>(now) / kMsPerDay;
    return SQLITE_OK;
}

// Nobody else holds the database, so there is nothing to wait for.
int sleep_for(sqlite3_vfs*, int microseconds) { return microseconds; }
int last_system_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

SqliteVfs::SqliteVfs(env::Disk& disk, env::World world)
    : state_(new State{.disk = disk, .world = world, .name = {}, .vfs = {}, .disk_error = {}}) {
    static std::atomic<std::uint64_t> count = 0;
    state_->name = "satchel-" + std::to_string(count++);
    sqlite3_vfs& vfs = state_->vfs;
    vfs.iVersion = 2;
    vfs.szOsFile = sizeof(FileSlot);
    vfs.mxPathname = kPathBytesMax;
    vfs.zName = state_->name.c_str();
    vfs.pAppData = state_.get();
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xAccess = access_file;
    vfs.xFullPathname = full_path;
    vfs.xRandomness = randomness;
    vfs.xSleep = sleep_for;
    vfs.xCurrentTime = current_time;
    vfs.xGetLastError = last_system_error;
    vfs.xCurrentTimeInt64 = current_time_ms;
    SATCHEL_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

SqliteVfs::~SqliteVfs() { sqlite3_vfs_unregister(&state_->vfs); }

const char* SqliteVfs::name() const { return state_->name.c_str(); }

void SqliteVfs::seed_randomness() {
    // The generator asks whichever file layer is the default when it needs a seed.
    sqlite3_vfs* const usual = sqlite3_vfs_find(nullptr);
    sqlite3_vfs_register(&state_->vfs, 1);
    sqlite3_randomness(0, nullptr);
    char first = 0;
    sqlite3_randomness(1, &first);
    sqlite3_vfs_register(usual, 1);
}

std::optional<Error> SqliteVfs::take_disk_error() {
    std::optional<Error> error = std::move(state_->disk_error);
    state_->disk_error.reset();
    return error;
}

}  // namespace satchel::database
