#include "engine/env/os/errno_error.hpp"

#include <cerrno>
#include <system_error>

namespace satchel::env::os {

Error error_of(int error_number, Access access, std::string about) {
    const std::string detail = std::generic_category().message(error_number);
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            return fail(ErrorCode::kNotFound, std::move(about), "there is no such file or folder",
                        "check the path", detail);
        case EEXIST:
            return fail(ErrorCode::kExists, std::move(about), "something of this name is there already",
                        "choose another name, or move it away first", detail);
        case ENOTEMPTY:
            return fail(ErrorCode::kExists, std::move(about), "the folder is not empty",
                        "choose another name, or move it away first", detail);
        case ENOSPC:
        case EDQUOT:
            return fail(ErrorCode::kNoSpace, std::move(about), "the disk is full",
                        "free some space and try again", detail);
        case EFBIG:
            return fail(ErrorCode::kTooLarge, std::move(about), "the disk cannot hold a file this large",
                        "use a disk with another file system", detail);
        case EROFS:
            return fail(ErrorCode::kReadOnly, std::move(about), "the disk is read-only",
                        "check its write-protect switch, or mount it for writing", detail);
        case EACCES:
        case EPERM:
            return fail(access == Access::kReading ? ErrorCode::kIo : ErrorCode::kReadOnly, std::move(about),
                        "permission denied", "change its permissions, or run as a user who has them", detail);
        case ELOOP:
            return fail(ErrorCode::kRefused, std::move(about), "a symbolic link stands in the path",
                        "use the place that the link points to", detail);
        case EXDEV:
            return fail(ErrorCode::kRefused, std::move(about), "the path leads out of its folder",
                        "use a path inside the folder", detail);
        case EISDIR:
        case ENXIO:
            return fail(ErrorCode::kRefused, std::move(about), "this is not a regular file", "check the path",
                        detail);
        case EMFILE:
        case ENFILE:
            return fail(ErrorCode::kFailed, std::move(about), "too many files are open",
                        "close other programs and try again", detail);
        case ENAMETOOLONG:
        case EINVAL:
        case EILSEQ:
            if (access != Access::kNaming) break;
            return fail(ErrorCode::kFailed, std::move(about), "the target cannot hold this name",
                        "rename it at its source, or use a disk with another file system", detail);
        default:
            break;
    }
    return fail(ErrorCode::kIo, std::move(about), "the disk answered with an error",
                "check the disk or stick, then try again", detail);
}

}  // namespace satchel::env::os
