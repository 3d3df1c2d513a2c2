// A disk in memory that knows what a power cut may do to it.
//
// It holds two trees: what the program sees, and what is sure. In between lies an ordered list of pending
// operations: writes, truncations and attributes of files, which File::sync makes sure, and changes of
// names, which sync_directory of their folder makes sure. At a crash each pending operation meets a fate
// of its own; crash_images.hpp builds the disks that a program may then find.
//
// Two profiles. Journaled (ext4 and its like): a rename is one change, and syncing a new file makes its
// name sure too. FAT: a rename is several changes, each with its own fate; an entry may come back with
// length 0; names ignore case and refuse what FAT refuses; modes are not kept, times are cut to 2 s.
//
// Every change and sync counts as one operation; tests stop the disk or let it fail at a number.
#pragma once

#include <functional>
#include <limits>
#include <set>

#include "engine/env/disk.hpp"
#include "simulations/world/sim_tree.hpp"

namespace satchel::simulations {

struct SimDiskOptions {
    enum Profile { kJournaled, kFat };
    Profile profile = kJournaled;
    bool syncs_are_lies = false;             // a sync says yes and does nothing
    std::uint64_t capacity = 4'294'967'296;  // 4 GiB of file sizes
    std::uint32_t garbage_spill_bytes = 0;   // garbled writes spoil all of each block of this size they
                                             // touch, also what was sure there; 0: only their own bytes
};

struct NameChange {
    NodeId directory;
    std::string name;
    NodeId node;  // kNoNode: the name goes
};

struct PendingOperation {
    enum class Kind { kWrite, kTruncate, kAttributes, kNames };
    Kind kind;
    NodeId node = kNoNode;                    // kNames: the node that this operation created, if any
    std::uint64_t offset = 0;                 // kTruncate: the new size
    std::shared_ptr<const ByteBuffer> bytes;  // kWrite
    env::Attributes attributes{};             // kAttributes
    std::vector<NameChange> names;            // kNames: all at once or none
    std::uint64_t number = 0;                 // in the order in which they were done
};

class SimDisk : public env::Disk {
  public:
    explicit SimDisk(SimDiskOptions options = {}) : SimDisk(options, Tree()) {}
    SimDisk(SimDiskOptions options, Tree tree);  // all of the tree is sure

    Result<std::unique_ptr<env::File>> open(std::string_view path, env::OpenMode mode) override;
    Result<env::EntryInfo> stat(std::string_view path) override;
    Result<std::vector<env::EntryInfo>> list(std::string_view directory) override;
    Result<void> make_directory(std::string_view path) override;
    Result<void> remove_file(std::string_view path) override;
    Result<void> remove_directory(std::string_view path) override;
    Result<void> rename(std::string_view from, std::string_view to) override;
    Result<void> sync_directory(std::string_view path) override;
    Result<void> begin_sync_all() override;
    Result<void> end_sync_all() override;
    Result<void> set_directory_attributes(std::string_view path, env::Attributes attributes) override;
    Result<env::Space> space() override;
    [[nodiscard]] std::string describe(std::string_view path) const override;

    // Changes and syncs so far.
    [[nodiscard]] std::uint64_t operations() const { return operations_; }
    // From operation count + 1 on every call fails: the stick was pulled, the power is gone.
    void set_crash_after(std::uint64_t count) { crash_after_ = count; }
    // Operation number `number` (the first is 1) fails with `code` once, and changes nothing. A sync that
    // fails drops what it should have made sure, as kernels do.
    void fail_operation(std::uint64_t number, ErrorCode code) { faults_[number] = code; }
    // The disk becomes larger or smaller; what is there stays.
    void set_capacity(std::uint64_t capacity) { options_.capacity = capacity; }
    // Called before each sync takes effect.
    std::function<void(SimDisk&)> on_sync;

    // Damage at rest: in what the program sees and in what is sure.
    void flip_bit(std::string_view path, std::uint64_t byte, unsigned bit);
    void truncate_at(std::string_view path, std::uint64_t size);
    // Blocks of 4 KiB that answer with an error from now on; where writes are taken, one that covers the
    // whole block makes it good, as when a disk has another sector for it. Not known to a tree that is
    // copied.
    void make_unreadable(std::string_view path, std::uint64_t from, std::uint64_t to, bool takes_writes);
    // The file is listed and not opened any more: its place on the disk answers with an error.
    void make_unopenable(std::string_view path);
    // Puts something there that is neither file nor folder.
    void plant(std::string_view path, env::EntryKind kind);

    [[nodiscard]] const SimDiskOptions& options() const { return options_; }
    [[nodiscard]] const Tree& tree() const { return seen_; }
    [[nodiscard]] const Tree& sure() const { return sure_; }
    [[nodiscard]] const std::vector<PendingOperation>& pending() const { return pending_; }
    // The key that names are kept under in this profile.
    [[nodiscard]] std::string fold(std::string_view name) const;

  private:
    friend class SimFile;
    struct Lease {};  // held by open files
    struct Place {
        NodeId directory;
        std::string name;
        NodeId node;  // kNoNode: nothing of this name
    };
    Result<void> check_alive(std::string_view about) const;
    Result<void> begin_operation(std::string_view about);
    Result<NodeId> lookup(std::string_view path) const;
    Result<NodeId> lookup_directory(std::string_view path) const;
    Result<Place> place_of(std::string_view path) const;
    Result<void> check_new_name(const Place& place, std::string_view path) const;
    NodeId create(const Place& place, env::EntryKind kind);
    void do_and_remember(PendingOperation operation);
    void change_names(std::vector<NameChange> names, NodeId created);
    void forget_if_unused(NodeId node);
    Result<void> reserve(NodeId node, std::uint64_t size_wanted, std::string_view about);
    void commit_names(const std::function<bool(const PendingOperation&)>& wanted);
    void commit_data(NodeId node) { commit_data(node, done_); }
    void commit_data(NodeId node, std::uint64_t up_to);  // operations of this number, and of those before
    void drop_data(NodeId node);
    void lose_data(NodeId node);
    void sweep_sure();
    [[nodiscard]] env::EntryInfo info_of(std::string name, NodeId node) const;
    Result<void> read_sectors(NodeId node, std::uint64_t offset, std::uint64_t size,
                              std::string_view about) const;
    Result<void> write_sectors(NodeId node, std::uint64_t offset, std::uint64_t size, std::string_view about);

    SimDiskOptions options_;
    Tree seen_;
    Tree sure_;
    std::vector<PendingOperation> pending_;
    std::uint64_t done_ = 0;                // operations that were pending once
    std::optional<std::uint64_t> syncing_;  // all of them up to this one
    NodeId next_node_;
    std::uint64_t used_bytes_ = 0;
    std::uint64_t operations_ = 0;
    std::uint64_t crash_after_ = std::numeric_limits<std::uint64_t>::max();
    std::map<std::uint64_t, ErrorCode> faults_;
    std::map<NodeId, std::weak_ptr<Lease>> leases_;
    std::set<NodeId> orphans_;                                    // removed while open
    std::map<NodeId, std::map<std::uint64_t, bool>> unreadable_;  // blocks; whether they take writes
    std::set<NodeId> unopenable_;
    std::set<NodeId> tainted_;  // a sync failed: what is seen and what is sure have parted
    static constexpr std::size_t kCommitsBetweenSweeps = 256;  // a sweep walks the whole tree
    std::size_t commits_until_sweep_ = kCommitsBetweenSweeps;
};

// Carries one pending operation out on a tree of the disk.
void apply_operation(Tree& tree, const PendingOperation& operation, const SimDisk& disk);

}  // namespace satchel::simulations
