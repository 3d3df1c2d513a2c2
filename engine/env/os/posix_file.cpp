#include "engine/env/os/posix_file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "engine/env/os/errno_error.hpp"

namespace satchel::env::os {

namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::uint32_t kModeBits = 07777;

// Its magic number, 0 if it is not known.
std::int64_t file_system_of(int descriptor) {
    struct statfs info = {};
    return fstatfs(descriptor, &info) == 0 ? static_cast<std::int64_t>(info.f_type) : 0;
}

bool lacks_ownership(int descriptor) {
    const std::int64_t type = file_system_of(descriptor);
    return type == MSDOS_SUPER_MAGIC || type == EXFAT_SUPER_MAGIC || type == FUSE_SUPER_MAGIC;
}

// What errno says, or 0.
int sync_data(int descriptor) {
    while (fdatasync(descriptor) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

// The kernel's offsets are signed.
bool fits(std::uint64_t offset, std::size_t size) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    return offset <= kMax && size <= kMax - offset;
}

}  // namespace

// Since Linux 5.8 it tells of whatever could not be written since the descriptor was opened.
int sync_file_system(int descriptor) {
    if (syncfs(descriptor) != 0) return errno;
    // What a program in user space keeps for its file system lies on a device that syncfs knows nothing of.
    if (file_system_of(descriptor) == FUSE_SUPER_MAGIC) ::sync();
    return 0;
}

Result<void> change_mode(int descriptor, std::uint32_t mode, const std::string& about) {
    if (fchmod(descriptor, mode & kModeBits) == 0) return {};
    const int why = errno;
    if ((why == EPERM && lacks_ownership(descriptor)) || why == ENOTSUP || why == ENOSYS) return {};
    return error_of(why, Access::kWriting, about);
}

Result<void> change_mtime(int descriptor, std::int64_t mtime_ns, const std::string& about) {
    std::int64_t seconds = mtime_ns / kNanosPerSecond;
    std::int64_t nanos = mtime_ns % kNanosPerSecond;
    if (nanos < 0) {
        nanos += kNanosPerSecond;
        --seconds;
    }
    const struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanos}};
    if (futimens(descriptor, times) == 0) return {};
    const int why = errno;
    if ((why == EPERM && lacks_ownership(descriptor)) || why == ENOTSUP || why == ENOSYS) return {};
    return error_of(why, Access::kWriting, about);
}

PosixFile::PosixFile(Descriptor descriptor, std::string about)
    : descriptor_(std::move(descriptor)), about_(std::move(about)) {}

Result<void> PosixFile::check_not_poisoned() const {
    if (!poisoned_) return {};
    return fail(ErrorCode::kIo, about_, "an earlier write to this file may be lost",
                "check the disk or stick, then try again");
}

Result<std::size_t> PosixFile::read_at(std::uint64_t offset, MutableBytes into) {
    if (!fits(offset, into.size())) return error_of(EINVAL, Access::kReading, about_);
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = pread(descriptor_.get(), into.data() + done, into.size() - done,
                                  static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_of(errno, Access::kReading, about_);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<void> PosixFile::write_at(std::uint64_t offset, ByteView bytes) {
    SATCHEL_TRY_VOID(check_not_poisoned());
    if (!fits(offset, bytes.size())) return error_of(EFBIG, Access::kWriting, about_);
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t put = pwrite(descriptor_.get(), bytes.data() + done, bytes.size() - done,
                                   static_cast<off_t>(offset + done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return error_of(errno, Access::kWriting, about_);
        if (put == 0) return error_of(EIO, Access::kWriting, about_);
        done += static_cast<std::size_t>(put);
    }
    begin_writing_out(offset, offset + bytes.size());
    return {};
}

// Long runs of bytes begin their way to the disk while the next ones are made, so that a sync finds little
// left to wait for. A hint: what comes of it is seen by the sync.
void PosixFile::begin_writing_out(std::uint64_t begin, std::uint64_t end) {
    constexpr std::uint64_t kRunBytes = 2 * 1024 * 1024;
    constexpr std::uint64_t kKeptBytes = 4 * kRunBytes;
    if (begin != run_end_) run_begin_ = begin;
    run_end_ = end;
    if (run_end_ - run_begin_ < kRunBytes) return;
    static_cast<void>(sync_file_range(descriptor_.get(), static_cast<off_t>(run_begin_),
                                      static_cast<off_t>(run_end_ - run_begin_), SYNC_FILE_RANGE_WRITE));
    run_begin_ = run_end_;
    if (!is_reused_ && end > kKeptBytes) drop_from_cache(end - kKeptBytes);
}

// Gives the page cache's memory back for the next bytes. Finding new memory costs three times as much as the
// copy into it, and on a small box it would be taken from what is read again. Pages on their way stay, and go
// at a later call.
void PosixFile::drop_from_cache(std::uint64_t end) {
    static_cast<void>(posix_fadvise(descriptor_.get(), 0, static_cast<off_t>(end), POSIX_FADV_DONTNEED));
}

Result<void> PosixFile::truncate(std::uint64_t size) {
    SATCHEL_TRY_VOID(check_not_poisoned());
    if (!fits(size, 0)) return error_of(EFBIG, Access::kWriting, about_);
    while (ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0)
        if (errno != EINTR) return error_of(errno, Access::kWriting, about_);
    return {};
}

Result<std::uint64_t> PosixFile::size() {
    struct stat info = {};
    if (fstat(descriptor_.get(), &info) != 0) return error_of(errno, Access::kReading, about_);
    return static_cast<std::uint64_t>(info.st_size);
}

Result<void> PosixFile::sync() {
    SATCHEL_TRY_VOID(check_not_poisoned());
    return end_of_sync(sync_data(descriptor_.get()));
}

Result<void> PosixFile::end_of_sync(int why) {
    if (why == 0) return {};
    poisoned_ = true;
    return error_of(why, Access::kWriting, about_);
}

Result<void> PosixFile::begin_sync() {
    SATCHEL_TRY_VOID(check_not_poisoned());
    syncing_.begin([descriptor = descriptor_.get()] { return sync_data(descriptor); });
    return {};
}

Result<void> PosixFile::end_sync() {
    return syncing_.is_begun() ? end_of_sync(syncing_.end()) : Result<void>();
}

Result<void> PosixFile::set_mode(std::uint32_t mode) { return change_mode(descriptor_.get(), mode, about_); }

Result<void> PosixFile::set_mtime(std::int64_t mtime_ns) {
    return change_mtime(descriptor_.get(), mtime_ns, about_);
}

}  // namespace satchel::env::os
