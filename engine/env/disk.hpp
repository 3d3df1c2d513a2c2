// A folder tree, as lent by the world: a site's folder, a stick, a folder of courseware, a target.
//
// Paths are bytes, relative to the disk's root, parts joined by '/', no empty part, no "." or "..";
// "" is the root itself. No operation follows a symbolic link or leaves the root.
//
// Durability: written bytes and a file's size are sure after File::sync; names (create, rename, remove)
// are sure after sync_directory of their folder. Before that a power cut may keep, lose or tear each of
// them on its own. An error from sync is final: what was written since the last good sync is in doubt,
// and a second sync proves nothing (Rebello et al., USENIX ATC 2020), so the caller writes anew.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/result.hpp"

namespace satchel::env {

enum class OpenMode {
    kRead,       // must exist and be a regular file
    kWrite,      // read and write; created if missing, kept as it is otherwise
    kCreateNew,  // read and write; kExists if there is one, also under another spelling of the same name
};

enum class EntryKind { kFile, kDirectory, kSymlink, kOther };

struct EntryInfo {
    std::string name;  // last part of the path
    EntryKind kind = EntryKind::kOther;
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;  // since 1970, UTC
    std::uint32_t mode = 0;     // permission bits, 07777
    // Tell whether a file is still the one it was: another inode is another file, and whatever changes a
    // file's bytes or attributes moves the time of change, which no program can set back.
    std::uint64_t device = 0;  // inodes are numbered on each device anew
    std::uint64_t inode = 0;
    std::int64_t changed_ns = 0;  // since 1970, UTC
};

struct Attributes {
    std::uint32_t mode;
    std::int64_t mtime_ns;
};

// A file that is removed or replaced while open lives on for its handle. Files must not outlive their disk.
class File {
  public:
    virtual ~File() = default;
    // Fills `into` from `offset`; fewer bytes only where the file ends.
    virtual Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) = 0;
    virtual Result<void> write_at(std::uint64_t offset, ByteView bytes) = 0;  // all or an error
    virtual Result<void> truncate(std::uint64_t size) = 0;
    virtual Result<std::uint64_t> size() = 0;
    virtual Result<void> sync() = 0;
    // sync() in two parts, between which the caller goes on: what was written before begin_sync is sure when
    // end_sync has said so; what was written since is in doubt as before. No other sync stands in between.
    virtual Result<void> begin_sync() { return sync(); }
    virtual Result<void> end_sync() { return {}; }
    virtual Result<void> set_mode(std::uint32_t mode) = 0;
    virtual Result<void> set_mtime(std::int64_t mtime_ns) = 0;
    // A hint: what is written from here on is not read again soon, so a cache of the disk need not hold it.
    virtual void expect_no_reuse() {}
};

struct Space {
    std::uint64_t free = 0;   // bytes that this program may still write
    std::uint64_t total = 0;  // of the file system that the folder lies on
};

class Disk {
  public:
    virtual ~Disk() = default;
    virtual Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) = 0;
    virtual Result<EntryInfo> stat(std::string_view path) = 0;  // of a link: the link itself
    virtual Result<std::vector<EntryInfo>> list(std::string_view directory) = 0;  // by name, as bytes
    virtual Result<void> make_directory(std::string_view path) = 0;  // done if it is there; parent must exist
    virtual Result<void> remove_file(std::string_view path) = 0;
    virtual Result<void> remove_directory(std::string_view path) = 0;  // must be empty
    virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
    virtual Result<void> sync_directory(std::string_view path) = 0;
    // All that was written and named on this disk before begin_sync_all is sure when end_sync_all has said
    // so: for many files cheaper than syncs of each. Goes on beside the caller, as File::begin_sync.
    virtual Result<void> begin_sync_all() = 0;
    virtual Result<void> end_sync_all() = 0;
    virtual Result<void> set_directory_attributes(std::string_view path, Attributes attributes) = 0;
    virtual Result<Space> space() = 0;
    [[nodiscard]] virtual std::string describe(std::string_view path) const = 0;  // for messages to people
};

// True for "" and for parts joined by '/', none of them empty, "." or "..", without a zero byte.
[[nodiscard]] bool is_valid_path(std::string_view path);

// Helpers over any disk.
[[nodiscard]] std::string join(std::string_view directory, std::string_view name);
[[nodiscard]] std::string_view parent_of(std::string_view path);  // "" for what lies in the root
[[nodiscard]] std::string_view last_part(std::string_view path);
Result<bool> exists(Disk& disk, std::string_view path);
Result<void> make_directories(Disk& disk, std::string_view path);
Result<ByteBuffer> read_file(Disk& disk, std::string_view path, std::size_t size_max);  // kTooLarge beyond
// After any crash a reader sees the old file or all of the new one (on disks with an atomic rename).
Result<void> replace_file(Disk& disk, std::string_view path, ByteView content, std::uint32_t mode);

}  // namespace satchel::env
