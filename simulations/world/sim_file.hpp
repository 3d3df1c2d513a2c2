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
    Result<void> sync() override;
    Result<void> set_mode(std::uint32_t mode) override;
    Result<void> set_mtime(std::int64_t mtime_ns) override;

  private:
    Result<void> begin_change();
    Result<void> check_not_poisoned() const;
    Result<void> set_attributes(env::Attributes attributes);

    SimDisk& disk_;
    NodeId node_;
    bool writable_;
    bool poisoned_ = false;
    std::string path_;
    std::shared_ptr<SimDisk::Lease> lease_;
};

}  // namespace satchel::simulations
