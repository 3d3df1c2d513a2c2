// A file for readers who judge what they read by its checksums: where the disk gives an error they find
// zeros, as they would find damage, so that one bad sector costs what lies in it and nothing else. Not for
// the bytes of chunks: whoever reads these wants to know that the disk may give them another day.
#pragma once

#include "engine/env/disk.hpp"

namespace satchel::env {

class HolesAsZeros final : public File {
  public:
    explicit HolesAsZeros(File& file) : file_(file) {}  // which must outlive this
    [[nodiscard]] bool has_met_any() const { return holes_ > 0; }

    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override;
    Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
        return file_.write_at(offset, bytes);
    }
    Result<void> truncate(std::uint64_t size) override { return file_.truncate(size); }
    Result<std::uint64_t> size() override { return file_.size(); }
    Result<void> sync() override { return file_.sync(); }
    Result<void> set_mode(std::uint32_t mode) override { return file_.set_mode(mode); }
    Result<void> set_mtime(std::int64_t mtime_ns) override { return file_.set_mtime(mtime_ns); }

  private:
    File& file_;
    std::size_t holes_ = 0;  // reads of a block that failed
};

// What disks of today lose at once, or a part of it.
inline constexpr std::uint64_t kSectorBytes = 4096;
// False: what stands before `offset` in its sector is not given, so nothing can be written behind it there.
Result<bool> can_append_at(File& file, std::uint64_t offset);

}  // namespace satchel::env
