// One process owns a site: flock on DIR/lock, which the kernel drops with the process, however it ends.
#pragma once

#include <optional>
#include <string>

#include "engine/base/result.hpp"
#include "engine/env/os/posix_disk.hpp"

namespace satchel::cli {

inline constexpr char kLockName[] = "lock";
inline constexpr char kSocketName[] = "owner.sock";

class SiteLock {
  public:
    // kBusy when another process holds it. Whoever gets the lock removes a socket that a dead owner left.
    static Result<SiteLock> take(const std::string& folder);
    SiteLock(SiteLock&&) = default;
    SiteLock& operator=(SiteLock&&) = default;

  private:
    explicit SiteLock(env::os::Descriptor file) : file_(std::move(file)) {}
    env::os::Descriptor file_;
};

}  // namespace satchel::cli
