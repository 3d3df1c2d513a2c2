#include "simulations/world/sim_file.hpp"

#include <utility>

#include "engine/base/check.hpp"

namespace satchel::simulations {

namespace {

// Courseware beyond this has no place in a simulation, and sparse files must not eat the memory.
constexpr std::uint64_t kFileBytesMax = 4'294'967'295;  // FAT's limit as well

}  // namespace

SimFile::SimFile(SimDisk& disk, NodeId node, bool writable, std::string path)
    : disk_(disk), node_(node), writable_(writable), path_(std::move(path)) {
    std::weak_ptr<SimDisk::Lease>& shared = disk_.leases_[node_];
    lease_ = shared.lock();
    if (!lease_) shared = lease_ = std::make_shared<SimDisk::Lease>();
}

Result<std::size_t> SimFile::read_at(std::uint64_t offset, MutableBytes into) {
    SATCHEL_TRY_VOID(disk_.check_alive(path_));
    SATCHEL_TRY_VOID(disk_.read_sectors(node_, offset, into.size(), path_));
    return disk_.seen_.find(node_)->content.read(offset, into);
}

Result<void> SimFile::begin_change() {
    if (!writable_)
        return fail(ErrorCode::kIo, disk_.describe(path_), "the disk answered with an error",
                    "check the disk or stick, then try again", "opened for reading only");
    SATCHEL_TRY_VOID(check_not_poisoned());
    return disk_.begin_operation(path_);
}

Result<void> SimFile::check_not_poisoned() const {
    if (!poisoned_) return {};
    return fail(ErrorCode::kIo, disk_.describe(path_), "an earlier write to this file may be lost",
                "check the disk or stick, then try again");
}

Result<void> SimFile::write_at(std::uint64_t offset, ByteView bytes) {
    SATCHEL_TRY_VOID(begin_change());
    if (bytes.empty()) return {};
    if (bytes.size() > kFileBytesMax || offset > kFileBytesMax - bytes.size())
        return fail(ErrorCode::kTooLarge, disk_.describe(path_), "the disk cannot hold a file this large",
                    "use a disk with another file system");
    SATCHEL_TRY_VOID(disk_.write_sectors(node_, offset, bytes.size(), path_));
    SATCHEL_TRY_VOID(disk_.reserve(node_, offset + bytes.size(), path_));
    disk_.do_and_remember({.kind = PendingOperation::Kind::kWrite,
                           .node = node_,
                           .offset = offset,
                           .bytes = std::make_shared<const ByteBuffer>(bytes.begin(), bytes.end()),
                           .names = {}});
    return {};
}

Result<void> SimFile::truncate(std::uint64_t size) {
    SATCHEL_TRY_VOID(begin_change());
    if (size > kFileBytesMax)
        return fail(ErrorCode::kTooLarge, disk_.describe(path_), "the disk cannot hold a file this large",
                    "use a disk with another file system");
    const std::uint64_t before = disk_.seen_.find(node_)->content.size();
    SATCHEL_TRY_VOID(disk_.reserve(node_, size, path_));
    if (size < before) disk_.used_bytes_ -= before - size;
    disk_.do_and_remember({.kind = PendingOperation::Kind::kTruncate,
                           .node = node_,
                           .offset = size,
                           .bytes = nullptr,
                           .names = {}});
    return {};
}

Result<std::uint64_t> SimFile::size() {
    SATCHEL_TRY_VOID(disk_.check_alive(path_));
    return disk_.seen_.find(node_)->content.size();
}

// All of it happens at the end: a power cut in between may find anything.
Result<void> SimFile::begin_sync() {
    SATCHEL_TRY_VOID(check_not_poisoned());
    SATCHEL_TRY_VOID(disk_.check_alive(path_));
    SATCHEL_CHECK(!syncing_);
    syncing_ = disk_.done_;
    return {};
}

Result<void> SimFile::end_sync() {
    if (!syncing_) return {};
    return sync_up_to(*std::exchange(syncing_, std::nullopt));
}

Result<void> SimFile::sync_up_to(std::uint64_t number) {
    SATCHEL_TRY_VOID(check_not_poisoned());
    if (Result<void> begun = disk_.begin_operation(path_); !begun.has_value()) {
        poisoned_ = true;
        if (disk_.check_alive(path_).has_value()) disk_.lose_data(node_);
        return begun;
    }
    if (disk_.on_sync) disk_.on_sync(disk_);
    if (disk_.options_.syncs_are_lies) return {};
    disk_.commit_data(node_, number);
    if (disk_.options_.profile == SimDiskOptions::kJournaled)
        disk_.commit_names([&](const PendingOperation& operation) {
            return operation.node == node_ && operation.number <= number;
        });
    return {};
}

Result<void> SimFile::set_attributes(env::Attributes attributes) {
    SATCHEL_TRY_VOID(disk_.begin_operation(path_));
    disk_.do_and_remember({.kind = PendingOperation::Kind::kAttributes,
                           .node = node_,
                           .bytes = nullptr,
                           .attributes = attributes,
                           .names = {}});
    return {};
}

Result<void> SimFile::set_mode(std::uint32_t mode) {
    return set_attributes({mode, disk_.seen_.find(node_)->mtime_ns});
}

Result<void> SimFile::set_mtime(std::int64_t mtime_ns) {
    return set_attributes({disk_.seen_.find(node_)->mode, mtime_ns});
}

}  // namespace satchel::simulations
