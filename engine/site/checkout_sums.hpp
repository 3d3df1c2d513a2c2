// The checksums beside a checked-out folder: what `b2sum -l 256 -c` reads, and whose folder it is.
#pragma once

#include <memory>
#include <string>

#include "engine/base/hash.hpp"
#include "engine/env/disk.hpp"

namespace satchel::site {

class CheckoutSums {
  public:
    // `folder` on `target` is being written; the sums of its files go to `folder`.b2sums. Borrows the disk.
    CheckoutSums(env::Disk& target, std::string folder, const std::string& course);

    [[nodiscard]] std::string path() const { return folder_ + ".b2sums"; }
    // kExists: another course was checked out to this folder; it would mix with its files.
    Result<void> check_owner();
    Result<void> begin();
    Result<void> note(const Digest& digest, const std::string& entry_path);
    Result<void> end();  // written, not synced

  private:
    Result<void> flush();

    env::Disk& target_;
    const std::string folder_;
    const std::string owner_line_;
    std::unique_ptr<env::File> file_;
    std::uint64_t size_ = 0;
    ByteBuffer pending_;
};

}  // namespace satchel::site
