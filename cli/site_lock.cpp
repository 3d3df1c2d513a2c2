#include "cli/site_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>

#include "engine/env/os/errno_error.hpp"

namespace satchel::cli {

Result<SiteLock> SiteLock::take(const std::string& folder) {
    const std::string path = folder + "/" + kLockName;
    env::os::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return env::os::error_of(errno, env::os::Access::kNaming, path);
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            return fail(ErrorCode::kBusy, folder, "another process is using this site",
                        "wait until it is done, then run the command again");
        return env::os::error_of(errno, env::os::Access::kWriting, path);
    }
    // The number is for people who look who it is; nothing depends on it.
    const std::string number = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) != 0 ||
        ::pwrite(file.get(), number.data(), number.size(), 0) != static_cast<ssize_t>(number.size()))
        return env::os::error_of(errno, env::os::Access::kWriting, path);
    if (::unlink((folder + "/" + kSocketName).c_str()) != 0 && errno != ENOENT)
        return env::os::error_of(errno, env::os::Access::kWriting, folder + "/" + kSocketName);
    return SiteLock(std::move(file));
}

}  // namespace satchel::cli
