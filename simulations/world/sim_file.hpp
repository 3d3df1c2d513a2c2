// An open file of a simulated disk.
#pragma once

#include "simulations/world/sim_disk.hpp"

namespace satchel::simulations {

class SimFile : public env::File {
  public:
    SimFile(SimDisk& disk, NodeId node, bool writable, std::string path);
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override;
    Result<void> write_at(std::uint64_t offset, ByteView bytes) override;
    Result<void> truncate(std::uint64_t size) override;
    Result<std::uint64_t> size() override;
    Result<void> sync() override { return sync_up_to(disk_.done_); }
    Result<void> begin_sync() override;
    Result<void> end_sync() override;
    Result<void> set_mode(std::uint32_t mode) override;
    Result<void> set_mtime(std::int64_t mtime_ns) override;

  private:
    Result<void> begin_change();
    Result<void> sync_up_to(std::uint64_t number);
    Result<void> check_not_poisoned() const;
    Result<void> set_attributes(env::Attributes attributes);

    SimDisk& disk_;
    NodeId node_;
    bool writable_;
    bool poisoned_ = false;
    std::optional<std::uint64_t> syncing_;  // up to this operation of the disk
    std::string path_;
    std::shared_ptr<SimDisk::Lease> lease_;
};

}  // namespace satchel::simulations
