// An open regular file of this box.
#pragma once

#include "engine/env/disk.hpp"
#include "engine/env/os/beside.hpp"
#include "engine/env/os/posix_disk.hpp"

namespace satchel::env::os {

class PosixFile : public File {
  public:
    PosixFile(Descriptor descriptor, std::string about);
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override;
    Result<void> write_at(std::uint64_t offset, ByteView bytes) override;
    Result<void> truncate(std::uint64_t size) override;
    Result<std::uint64_t> size() override;
    Result<void> sync() override;
    Result<void> begin_sync() override;
    Result<void> end_sync() override;
    Result<void> set_mode(std::uint32_t mode) override;
    Result<void> set_mtime(std::int64_t mtime_ns) override;
    void expect_no_reuse() override { is_reused_ = false; }

  private:
    Result<void> check_not_poisoned() const;
    Result<void> end_of_sync(int why);
    void begin_writing_out(std::uint64_t begin, std::uint64_t end);
    void drop_from_cache(std::uint64_t end);
    Descriptor descriptor_;
    std::string about_;
    std::uint64_t run_begin_ = 0;  // bytes written one behind the other, and not on their way yet
    std::uint64_t run_end_ = 0;
    bool is_reused_ = true;
    Beside syncing_;
    bool poisoned_ = false;  // a sync failed: the kernel may have dropped what was written
};

// All of the file system that the file or folder lies on. Says what errno said, or 0.
int sync_file_system(int descriptor);

// For files and folders alike.
Result<void> change_mode(int descriptor, std::uint32_t mode, const std::string& about);
Result<void> change_mtime(int descriptor, std::int64_t mtime_ns, const std::string& about);

}  // namespace satchel::env::os
