#include "simulations/world/sim_disk.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "simulations/world/sim_file.hpp"

namespace satchel::simulations {

namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::uint64_t kSectorBytes = 4096;
constexpr std::uint32_t kFileMode = 0644;
constexpr std::uint32_t kDirectoryMode = 0755;
constexpr std::uint32_t kFatMode = 0755;

Error not_found(std::string about) {
    return fail(ErrorCode::kNotFound, std::move(about), "there is no such file or folder", "check the path");
}

Error exists_already(std::string about) {
    return fail(ErrorCode::kExists, std::move(about), "something of this name is there already",
                "choose another name, or move it away first");
}

Error not_a_file(std::string about) {
    return fail(ErrorCode::kRefused, std::move(about), "this is not a regular file", "check the path");
}

Error disk_error(std::string about) {
    return fail(ErrorCode::kIo, std::move(about), "the disk answered with an error",
                "check the disk or stick, then try again");
}

bool fat_holds(std::string_view name) {
    if (name.back() == '.' || name.back() == ' ') return false;
    return std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 ||
               std::string_view("<>:\"\\|?*").find(c) != std::string_view::npos;
    });
}

}  // namespace

SimDisk::SimDisk(SimDiskOptions options, Tree tree) : options_(options), seen_(tree), sure_(std::move(tree)) {
    next_node_ = seen_.nodes().rbegin()->first + 1;
    for (const auto& [id, node] : seen_.nodes()) used_bytes_ += node->content.size();
}

std::string SimDisk::describe(std::string_view path) const { return "sim:/" + std::string(path); }

std::string SimDisk::fold(std::string_view name) const {
    std::string folded(name);
    if (options_.profile != SimDiskOptions::kFat) return folded;
    for (char& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return folded;
}

Result<void> SimDisk::check_alive(std::string_view about) const {
    if (operations_ < crash_after_) return {};
    return fail(ErrorCode::kIo, describe(about), "the disk answered with an error",
                "check the disk or stick, then try again", "the disk is gone");
}

Result<void> SimDisk::begin_operation(std::string_view about) {
    SATCHEL_TRY_VOID(check_alive(about));
    const auto fault = faults_.find(++operations_);
    if (fault == faults_.end()) return {};
    if (fault->second == ErrorCode::kNoSpace)
        return fail(ErrorCode::kNoSpace, describe(about), "the disk is full",
                    "free some space and try again");
    return fail(fault->second, describe(about), "the disk answered with an error",
                "check the disk or stick, then try again", "a planted fault");
}

Result<NodeId> SimDisk::lookup(std::string_view path) const {
    if (!env::is_valid_path(path))
        return fail(ErrorCode::kRefused, describe(path), "the path leads out of its folder",
                    "use a path inside the folder");
    NodeId at = kRootNode;
    for (std::string_view rest = path; !rest.empty();) {
        const std::size_t slash = rest.find('/');
        const std::string part = fold(rest.substr(0, slash));
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
        const Node* node = seen_.find(at);
        if (node->kind == env::EntryKind::kSymlink)
            return fail(ErrorCode::kRefused, describe(path), "a symbolic link stands in the path",
                        "use the place that the link points to");
        const auto found = node->entries.find(part);
        if (found == node->entries.end()) return not_found(describe(path));
        at = found->second.node;
    }
    return at;
}

Result<NodeId> SimDisk::lookup_directory(std::string_view path) const {
    SATCHEL_TRY(const NodeId node, lookup(path));
    const env::EntryKind kind = seen_.find(node)->kind;
    if (kind == env::EntryKind::kDirectory) return node;
    if (kind != env::EntryKind::kSymlink) return not_found(describe(path));
    return fail(ErrorCode::kRefused, describe(path), "a symbolic link stands in the path",
                "use the place that the link points to");
}

Result<SimDisk::Place> SimDisk::place_of(std::string_view path) const {
    SATCHEL_TRY_VOID(check_alive(path));
    if (!env::is_valid_path(path) || path.empty())
        return fail(ErrorCode::kRefused, describe(path), "the path leads out of its folder",
                    "use a path inside the folder");
    SATCHEL_TRY(const NodeId directory, lookup_directory(env::parent_of(path)));
    Place place{directory, std::string(env::last_part(path)), kNoNode};
    const auto& entries = seen_.find(directory)->entries;
    if (const auto found = entries.find(fold(place.name)); found != entries.end())
        place.node = found->second.node;
    return place;
}

Result<void> SimDisk::check_new_name(const Place& place, std::string_view path) const {
    const bool fits = place.name.size() <= kNameBytesMax &&
                      (options_.profile != SimDiskOptions::kFat || fat_holds(place.name));
    if (fits) return {};
    return fail(ErrorCode::kFailed, describe(path), "the target cannot hold this name",
                "rename it at its source, or use a disk with another file system");
}

NodeId SimDisk::create(const Place& place, env::EntryKind kind) {
    const NodeId id = next_node_++;
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->mode = kind == env::EntryKind::kDirectory ? kDirectoryMode : kFileMode;
    if (options_.profile == SimDiskOptions::kFat) node->mode = kFatMode;
    // The node itself is sure at once; nobody meets it until its name is.
    sure_.put(id, std::make_shared<Node>(*node));
    seen_.put(id, std::move(node));
    change_names({{place.directory, place.name, id}}, id);
    return id;
}

void SimDisk::change_names(std::vector<NameChange> names, NodeId created) {
    do_and_remember({.kind = PendingOperation::Kind::kNames,
                     .node = created,
                     .bytes = nullptr,
                     .names = std::move(names)});
}

void SimDisk::do_and_remember(PendingOperation operation) {
    apply_operation(seen_, operation, *this);
    operation.number = ++done_;
    pending_.push_back(std::move(operation));
}

Result<std::unique_ptr<env::File>> SimDisk::open(std::string_view path, env::OpenMode mode) {
    if (path.empty()) return not_a_file(describe(path));
    SATCHEL_TRY(const Place place, place_of(path));
    if (mode == env::OpenMode::kCreateNew && place.node != kNoNode) return exists_already(describe(path));
    if (mode == env::OpenMode::kRead && place.node == kNoNode) return not_found(describe(path));
    NodeId node = place.node;
    if (node == kNoNode) {
        SATCHEL_TRY_VOID(check_new_name(place, path));
        SATCHEL_TRY_VOID(begin_operation(path));
        node = create(place, env::EntryKind::kFile);
    }
    const env::EntryKind kind = seen_.find(node)->kind;
    if (kind == env::EntryKind::kSymlink)
        return fail(ErrorCode::kRefused, describe(path), "a symbolic link stands in the path",
                    "use the place that the link points to");
    if (kind != env::EntryKind::kFile) return not_a_file(describe(path));
    if (unopenable_.contains(node)) return disk_error(describe(path));
    return std::make_unique<SimFile>(*this, node, mode != env::OpenMode::kRead, std::string(path));
}

env::EntryInfo SimDisk::info_of(std::string name, NodeId id) const {
    const Node* node = seen_.find(id);
    return {.name = std::move(name),
            .kind = node->kind,
            .size = node->content.size(),
            .mtime_ns = node->mtime_ns,
            .mode = node->mode,
            .inode = id,
            .changed_ns = node->changed};
}

Result<env::EntryInfo> SimDisk::stat(std::string_view path) {
    SATCHEL_TRY_VOID(check_alive(path));
    if (path.empty()) return info_of("", kRootNode);
    SATCHEL_TRY(const Place place, place_of(path));
    if (place.node == kNoNode) return not_found(describe(path));
    return info_of(seen_.find(place.directory)->entries.at(fold(place.name)).name, place.node);
}

Result<std::vector<env::EntryInfo>> SimDisk::list(std::string_view directory) {
    SATCHEL_TRY_VOID(check_alive(directory));
    SATCHEL_TRY(const NodeId node, lookup_directory(directory));
    std::vector<env::EntryInfo> entries;
    for (const auto& [folded, entry] : seen_.find(node)->entries)
        entries.push_back(info_of(entry.name, entry.node));
    std::sort(entries.begin(), entries.end(),
              [](const env::EntryInfo& a, const env::EntryInfo& b) { return a.name < b.name; });
    return entries;
}

Result<void> SimDisk::make_directory(std::string_view path) {
    if (path.empty()) return {};
    SATCHEL_TRY(const Place place, place_of(path));
    if (place.node != kNoNode) {
        if (seen_.find(place.node)->kind == env::EntryKind::kDirectory) return {};
        return exists_already(describe(path));
    }
    SATCHEL_TRY_VOID(check_new_name(place, path));
    SATCHEL_TRY_VOID(begin_operation(path));
    create(place, env::EntryKind::kDirectory);
    return {};
}

void SimDisk::forget_if_unused(NodeId node) {
    orphans_.insert(node);
    for (auto orphan = orphans_.begin(); orphan != orphans_.end();) {
        const auto lease = leases_.find(*orphan);
        if (lease != leases_.end() && !lease->second.expired()) {
            ++orphan;
            continue;
        }
        if (const Node* gone = seen_.find(*orphan)) used_bytes_ -= gone->content.size();
        if (lease != leases_.end()) leases_.erase(lease);
        seen_.erase(*orphan);
        tainted_.erase(*orphan);
        unreadable_.erase(*orphan);
        orphan = orphans_.erase(orphan);
    }
}

Result<void> SimDisk::remove_file(std::string_view path) {
    SATCHEL_TRY(const Place place, place_of(path));
    if (place.node == kNoNode) return not_found(describe(path));
    if (seen_.find(place.node)->kind == env::EntryKind::kDirectory) return not_a_file(describe(path));
    SATCHEL_TRY_VOID(begin_operation(path));
    change_names({{place.directory, place.name, kNoNode}}, kNoNode);
    forget_if_unused(place.node);
    return {};
}

Result<void> SimDisk::remove_directory(std::string_view path) {
    SATCHEL_TRY(const Place place, place_of(path));
    if (place.node == kNoNode || seen_.find(place.node)->kind != env::EntryKind::kDirectory)
        return not_found(describe(path));
    if (!seen_.find(place.node)->entries.empty())
        return fail(ErrorCode::kExists, describe(path), "the folder is not empty",
                    "choose another name, or move it away first");
    SATCHEL_TRY_VOID(begin_operation(path));
    change_names({{place.directory, place.name, kNoNode}}, kNoNode);
    forget_if_unused(place.node);
    return {};
}

Result<void> SimDisk::rename(std::string_view from, std::string_view to) {
    SATCHEL_TRY(const Place source, place_of(from));
    SATCHEL_TRY(const Place target, place_of(to));
    if (source.node == kNoNode) return not_found(describe(from));
    SATCHEL_TRY_VOID(check_new_name(target, to));
    if (to.size() > from.size() && to.substr(0, from.size()) == from && to[from.size()] == '/')
        return fail(ErrorCode::kFailed, describe(to), "the target cannot hold this name",
                    "rename it at its source, or use a disk with another file system");
    const bool replaces = target.node != kNoNode && target.node != source.node;
    if (replaces && seen_.find(target.node)->kind == env::EntryKind::kDirectory) {
        if (seen_.find(source.node)->kind != env::EntryKind::kDirectory) return not_a_file(describe(to));
        if (!seen_.find(target.node)->entries.empty()) return exists_already(describe(to));
    }
    SATCHEL_TRY_VOID(begin_operation(from));
    const NameChange goes{source.directory, source.name, kNoNode};
    const NameChange comes{target.directory, target.name, source.node};
    const bool same_key = target.node == source.node;
    if (options_.profile == SimDiskOptions::kJournaled || same_key) {
        change_names({goes, comes}, kNoNode);
    } else {
        if (replaces) change_names({{target.directory, target.name, kNoNode}}, kNoNode);
        change_names({comes}, kNoNode);
        change_names({goes}, kNoNode);
    }
    if (replaces) forget_if_unused(target.node);
    return {};
}

Result<void> SimDisk::set_directory_attributes(std::string_view path, env::Attributes attributes) {
    SATCHEL_TRY_VOID(check_alive(path));
    SATCHEL_TRY(const NodeId node, lookup_directory(path));
    SATCHEL_TRY_VOID(begin_operation(path));
    do_and_remember({.kind = PendingOperation::Kind::kAttributes,
                     .node = node,
                     .bytes = nullptr,
                     .attributes = attributes,
                     .names = {}});
    return {};
}

Result<env::Space> SimDisk::space() {
    SATCHEL_TRY_VOID(check_alive(""));
    const std::uint64_t free = options_.capacity > used_bytes_ ? options_.capacity - used_bytes_ : 0;
    return env::Space{free, options_.capacity};
}

// Room for a file to become `size_wanted` long.
Result<void> SimDisk::reserve(NodeId node, std::uint64_t size_wanted, std::string_view about) {
    const std::uint64_t size = seen_.find(node)->content.size();
    if (size_wanted <= size) return {};
    const std::uint64_t more = size_wanted - size;
    if (used_bytes_ > options_.capacity || more > options_.capacity - used_bytes_)
        return fail(ErrorCode::kNoSpace, describe(about), "the disk is full",
                    "free some space and try again");
    used_bytes_ += more;
    return {};
}

Result<void> SimDisk::sync_directory(std::string_view path) {
    SATCHEL_TRY_VOID(check_alive(path));
    SATCHEL_TRY(const NodeId directory, lookup_directory(path));
    SATCHEL_TRY_VOID(begin_operation(path));
    if (on_sync) on_sync(*this);
    if (options_.syncs_are_lies) return {};
    commit_names([directory](const PendingOperation& operation) {
        return std::any_of(operation.names.begin(), operation.names.end(),
                           [directory](const NameChange& name) { return name.directory == directory; });
    });
    commit_data(directory);
    return {};
}

void SimDisk::flip_bit(std::string_view path, std::uint64_t byte, unsigned bit) {
    const Result<NodeId> node = lookup(path);
    SATCHEL_CHECK(node.has_value() && bit < 8);
    for (Tree* tree : {&seen_, &sure_}) {
        Content& content = tree->change(*node).content;
        std::uint8_t value = 0;
        if (content.read(byte, {&value, 1}) == 0) continue;
        value = static_cast<std::uint8_t>(value ^ (1U << bit));
        content.write(byte, {&value, 1});
    }
}

void SimDisk::make_unopenable(std::string_view path) {
    const Result<NodeId> node = lookup(path);
    SATCHEL_CHECK(node.has_value());
    unopenable_.insert(*node);
}

void SimDisk::make_unreadable(std::string_view path, std::uint64_t from, std::uint64_t to,
                              bool takes_writes) {
    const Result<NodeId> node = lookup(path);
    SATCHEL_CHECK(node.has_value());
    for (std::uint64_t block = from / kSectorBytes; block * kSectorBytes < to; ++block)
        unreadable_[*node][block] = takes_writes;
}

Result<void> SimDisk::read_sectors(NodeId node, std::uint64_t offset, std::uint64_t size,
                                   std::string_view about) const {
    const auto blocks = unreadable_.find(node);
    if (blocks == unreadable_.end() || size == 0) return {};
    const auto first = blocks->second.lower_bound(offset / kSectorBytes);
    if (first == blocks->second.end() || first->first * kSectorBytes >= offset + size) return {};
    return disk_error(describe(about));
}

Result<void> SimDisk::write_sectors(NodeId node, std::uint64_t offset, std::uint64_t size,
                                    std::string_view about) {
    const auto blocks = unreadable_.find(node);
    if (blocks == unreadable_.end()) return {};
    for (auto block = blocks->second.lower_bound(offset / kSectorBytes);
         block != blocks->second.end() && block->first * kSectorBytes < offset + size;) {
        const std::uint64_t from = block->first * kSectorBytes;
        const bool is_covered = from >= offset && from + kSectorBytes <= offset + size;
        if (!block->second || !is_covered) return disk_error(describe(about));
        block = blocks->second.erase(block);
    }
    return {};
}

void SimDisk::truncate_at(std::string_view path, std::uint64_t size) {
    const Result<NodeId> node = lookup(path);
    SATCHEL_CHECK(node.has_value());
    const std::uint64_t before = seen_.find(*node)->content.size();
    SATCHEL_CHECK(size <= before);
    used_bytes_ -= before - size;
    seen_.change(*node).content.resize(size);
    if (sure_.find(*node)->content.size() > size) sure_.change(*node).content.resize(size);
}

void SimDisk::plant(std::string_view path, env::EntryKind kind) {
    const Result<Place> place = place_of(path);
    SATCHEL_CHECK(place.has_value() && place->node == kNoNode);
    create(*place, kind);
}

}  // namespace satchel::simulations
