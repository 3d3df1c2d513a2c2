#include "engine/env/os/posix_disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/env/os/errno_error.hpp"
#include "engine/env/os/posix_file.hpp"

namespace satchel::env::os {

namespace {

constexpr std::uint32_t kModeBits = 07777;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr unsigned kNewFileMode = 0666;       // less the umask; secrets get a stricter one before their bytes
constexpr unsigned kNewDirectoryMode = 0777;  // less the umask
constexpr int kResolveTriesMax = 16;  // the kernel asks for another try when a rename ran beside the lookup

int open_beneath(int root, const char* path, int flags, unsigned mode) {
    struct open_how how = {};
    how.flags = static_cast<unsigned>(flags);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    for (int tries = 0; tries < kResolveTriesMax; ++tries) {
        const long got = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (got >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(got);
    }
    return -1;
}

std::int64_t nanos_of(const struct timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * kNanosPerSecond + time.tv_nsec;
}

EntryInfo info_of(std::string name, const struct stat& from) {
    EntryInfo info;
    info.name = std::move(name);
    info.kind = S_ISREG(from.st_mode)   ? EntryKind::kFile
                : S_ISDIR(from.st_mode) ? EntryKind::kDirectory
                : S_ISLNK(from.st_mode) ? EntryKind::kSymlink
                                        : EntryKind::kOther;
    info.size = static_cast<std::uint64_t>(from.st_size);
    info.mtime_ns = nanos_of(from.st_mtim);
    info.mode = from.st_mode & kModeBits;
    info.device = from.st_dev;
    info.inode = from.st_ino;
    info.changed_ns = nanos_of(from.st_ctim);
    return info;
}

struct DirectoryCloser {
    void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        if (number_ >= 0) close(number_);
        number_ = other.release();
    }
    return *this;
}

Descriptor::~Descriptor() {
    if (number_ >= 0) close(number_);
}

int Descriptor::release() {
    const int number = number_;
    number_ = -1;
    return number;
}

PosixDisk::PosixDisk(std::string root_path, Descriptor root, bool kernel_resolves)
    : root_path_(std::move(root_path)), root_(std::move(root)), kernel_resolves_(kernel_resolves) {}

Result<std::unique_ptr<PosixDisk>> PosixDisk::open(std::string root_path, Resolver resolver) {
    while (root_path.size() > 1 && root_path.back() == '/') root_path.pop_back();
    Descriptor root(::open(root_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) return error_of(errno, Access::kReading, root_path);
    // Old kernels do not know openat2, and some containers forbid what they do not know.
    const Descriptor probe(open_beneath(root.get(), ".", O_PATH | O_CLOEXEC, 0));
    const bool kernel_resolves = resolver == Resolver::kBest && probe.get() >= 0;
    return std::unique_ptr<PosixDisk>(new PosixDisk(std::move(root_path), std::move(root), kernel_resolves));
}

tl::expected<Descriptor, int> PosixDisk::resolve(std::string_view path, int flags, unsigned mode) const {
    if (!kernel_resolves_) return resolve_by_parts(path, flags, mode);
    const std::string name = path.empty() ? "." : std::string(path);
    Descriptor found(open_beneath(root_.get(), name.c_str(), flags | O_CLOEXEC, mode));
    if (found.get() < 0) return tl::unexpected(errno);
    return found;
}

tl::expected<Descriptor, int> PosixDisk::resolve_by_parts(std::string_view path, int flags,
                                                          unsigned mode) const {
    constexpr int kStepFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Descriptor at(openat(root_.get(), ".", kStepFlags));
    if (at.get() < 0) return tl::unexpected(errno);
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
        const std::string part(path.substr(0, slash));
        path.remove_prefix(slash + 1);
        Descriptor next(openat(at.get(), part.c_str(), kStepFlags));
        if (next.get() < 0) {
            const int why = errno;
            struct stat info = {};
            const bool is_link = why == ENOTDIR &&
                                 fstatat(at.get(), part.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                                 S_ISLNK(info.st_mode);
            return tl::unexpected(is_link ? ELOOP : why);
        }
        at = std::move(next);
    }
    const std::string name = path.empty() ? "." : std::string(path);
    Descriptor found(openat(at.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
    if (found.get() >= 0) return found;
    const int why = errno;
    struct stat info = {};
    const bool is_link = why == ENOTDIR && fstatat(at.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISLNK(info.st_mode);
    return tl::unexpected(is_link ? ELOOP : why);
}

Result<void> PosixDisk::check_path(std::string_view path) const {
    if (is_valid_path(path)) return {};
    return fail(ErrorCode::kRefused, describe(path), "the path leads out of its folder",
                "use a path inside the folder");
}

Result<PosixDisk::Place> PosixDisk::place_of(std::string_view path) const {
    SATCHEL_TRY_VOID(check_path(path));
    if (path.empty())
        return fail(ErrorCode::kRefused, describe(path), "the folder itself cannot be moved or removed",
                    "use a path inside the folder");
    auto parent = resolve(parent_of(path), O_PATH | O_DIRECTORY, 0);
    if (!parent) return error_of(parent.error(), Access::kReading, describe(path));
    return Place{std::move(*parent), std::string(last_part(path))};
}

Result<std::unique_ptr<File>> PosixDisk::open(std::string_view path, OpenMode mode) {
    SATCHEL_TRY_VOID(check_path(path));
    int flags = O_NONBLOCK | O_NOCTTY;
    Access access = Access::kNaming;
    switch (mode) {
        case OpenMode::kRead:
            flags |= O_RDONLY;
            access = Access::kReading;
            break;
        case OpenMode::kWrite:
            flags |= O_RDWR | O_CREAT;
            break;
        case OpenMode::kCreateNew:
            flags |= O_RDWR | O_CREAT | O_EXCL;
            break;
    }
    auto found = resolve(path, flags, kNewFileMode);
    if (!found) return error_of(found.error(), access, describe(path));
    struct stat info = {};
    if (fstat(found->get(), &info) != 0) return error_of(errno, access, describe(path));
    if (!S_ISREG(info.st_mode)) return error_of(EISDIR, access, describe(path));
    return std::make_unique<PosixFile>(std::move(*found), describe(path));
}

Result<EntryInfo> PosixDisk::stat(std::string_view path) {
    SATCHEL_TRY_VOID(check_path(path));
    struct stat info = {};
    if (path.empty()) {
        if (fstat(root_.get(), &info) != 0) return error_of(errno, Access::kReading, describe(path));
        return info_of("", info);
    }
    SATCHEL_TRY(const Place place, place_of(path));
    if (fstatat(place.parent.get(), place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
        return error_of(errno, Access::kReading, describe(path));
    return info_of(place.name, info);
}

Result<std::vector<EntryInfo>> PosixDisk::list(std::string_view directory) {
    SATCHEL_TRY_VOID(check_path(directory));
    auto found = resolve(directory, O_RDONLY | O_DIRECTORY, 0);
    if (!found) return error_of(found.error(), Access::kReading, describe(directory));
    const std::unique_ptr<DIR, DirectoryCloser> stream(fdopendir(found->get()));
    if (!stream) return error_of(errno, Access::kReading, describe(directory));
    const int descriptor = found->release();  // the stream closes it from here on

    std::vector<EntryInfo> entries;
    for (;;) {
        errno = 0;
        const struct dirent* entry = readdir(stream.get());
        if (entry == nullptr && errno != 0) return error_of(errno, Access::kReading, describe(directory));
        if (entry == nullptr) break;
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (entries.size() == kDirectoryEntriesMax)
            return fail(ErrorCode::kTooLarge, describe(directory), "the folder has too many entries",
                        "split the folder into several");
        struct stat info = {};
        if (fstatat(descriptor, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
            entries.push_back(info_of(name, info));
        else if (errno != ENOENT)  // gone since: it is as if we had come later
            return error_of(errno, Access::kReading, describe(join(directory, name)));
    }
    std::sort(entries.begin(), entries.end(),
              [](const EntryInfo& a, const EntryInfo& b) { return a.name < b.name; });
    return entries;
}

Result<void> PosixDisk::make_directory(std::string_view path) {
    if (path.empty()) return {};
    SATCHEL_TRY(const Place place, place_of(path));
    if (mkdirat(place.parent.get(), place.name.c_str(), kNewDirectoryMode) == 0) return {};
    const int why = errno;
    struct stat info = {};
    if (why == EEXIST && fstatat(place.parent.get(), place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(info.st_mode))
        return {};
    return error_of(why, Access::kNaming, describe(path));
}

Result<void> PosixDisk::remove_file(std::string_view path) {
    SATCHEL_TRY(const Place place, place_of(path));
    if (unlinkat(place.parent.get(), place.name.c_str(), 0) == 0) return {};
    return error_of(errno, Access::kWriting, describe(path));
}

Result<void> PosixDisk::remove_directory(std::string_view path) {
    SATCHEL_TRY(const Place place, place_of(path));
    if (unlinkat(place.parent.get(), place.name.c_str(), AT_REMOVEDIR) == 0) return {};
    return error_of(errno, Access::kWriting, describe(path));
}

Result<void> PosixDisk::rename(std::string_view from, std::string_view to) {
    SATCHEL_TRY(const Place source, place_of(from));
    SATCHEL_TRY(const Place target, place_of(to));
    if (renameat(source.parent.get(), source.name.c_str(), target.parent.get(), target.name.c_str()) == 0)
        return {};
    const int why = errno;
    return error_of(why, Access::kNaming, describe(why == ENOENT ? from : to));
}

Result<void> PosixDisk::sync_directory(std::string_view path) {
    SATCHEL_TRY_VOID(check_path(path));
    auto found = resolve(path, O_RDONLY | O_DIRECTORY, 0);
    if (!found) return error_of(found.error(), Access::kReading, describe(path));
    while (fsync(found->get()) != 0) {
        if (errno == EINTR) continue;
        // Some file systems sync no single folder: then all of it has to be.
        if (errno == EINVAL && syncfs(found->get()) == 0) return {};
        return error_of(errno, Access::kWriting, describe(path));
    }
    return {};
}

Result<void> PosixDisk::begin_sync_all() {
    syncing_.begin([root = root_.get()] { return sync_file_system(root); });
    return {};
}

Result<void> PosixDisk::end_sync_all() {
    const int why = syncing_.is_begun() ? syncing_.end() : 0;
    return why == 0 ? Result<void>() : error_of(why, Access::kWriting, describe(""));
}

Result<void> PosixDisk::set_directory_attributes(std::string_view path, Attributes attributes) {
    SATCHEL_TRY_VOID(check_path(path));
    auto found = resolve(path, O_RDONLY | O_DIRECTORY, 0);
    if (!found) return error_of(found.error(), Access::kReading, describe(path));
    SATCHEL_TRY_VOID(change_mode(found->get(), attributes.mode, describe(path)));
    return change_mtime(found->get(), attributes.mtime_ns, describe(path));
}

Result<Space> PosixDisk::space() {
    struct statvfs info = {};
    if (fstatvfs(root_.get(), &info) != 0) return error_of(errno, Access::kReading, describe(""));
    const auto block = static_cast<std::uint64_t>(info.f_frsize);
    return Space{static_cast<std::uint64_t>(info.f_bavail) * block,
                 static_cast<std::uint64_t>(info.f_blocks) * block};
}

std::string PosixDisk::describe(std::string_view path) const {
    if (path.empty()) return root_path_;
    return (root_path_ == "/" ? std::string() : root_path_) + "/" + std::string(path);
}

}  // namespace satchel::env::os
