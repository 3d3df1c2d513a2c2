// How pending operations of a simulated disk become sure.
#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "simulations/world/sim_disk.hpp"

namespace satchel::simulations {

namespace {

constexpr std::int64_t kFatTimeStepNs = 2'000'000'000;
constexpr std::uint32_t kModeBits = 07777;

}  // namespace

// Makes the wanted changes of names sure, and before them every earlier one of the same names, since a
// later one may not be undone by them.
void SimDisk::commit_names(const std::function<bool(const PendingOperation&)>& wanted) {
    std::set<std::pair<NodeId, std::string>> names;
    std::vector<bool> chosen(pending_.size(), false);
    for (std::size_t i = pending_.size(); i-- > 0;) {
        const PendingOperation& operation = pending_[i];
        if (operation.kind != PendingOperation::Kind::kNames) continue;
        chosen[i] =
            wanted(operation) ||
            std::any_of(operation.names.begin(), operation.names.end(), [&](const NameChange& change) {
                return names.count({change.directory, fold(change.name)}) != 0;
            });
        if (!chosen[i]) continue;
        for (const NameChange& change : operation.names) names.insert({change.directory, fold(change.name)});
    }
    if (names.empty()) return;
    std::set<NodeId> unnamed;
    for (const auto& [directory, folded] : names) {
        const auto& entries = sure_.find(directory)->entries;
        if (const auto entry = entries.find(folded); entry != entries.end())
            unnamed.insert(entry->second.node);
    }
    std::vector<PendingOperation> rest;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        if (chosen[i])
            apply_operation(sure_, pending_[i], *this);
        else
            rest.push_back(std::move(pending_[i]));
    }
    pending_ = std::move(rest);
    // What was still unwritten of a file whose removal is sure concerns nobody any more.
    for (const NodeId node : unnamed)
        if (seen_.find(node) == nullptr) drop_data(node);
    if (--commits_until_sweep_ == 0) sweep_sure();
}

void SimDisk::commit_data(NodeId node, std::uint64_t up_to) {
    const Node* seen = seen_.find(node);
    SATCHEL_CHECK(seen != nullptr);
    const bool is_file = seen->kind == env::EntryKind::kFile;
    const auto is_due = [&](const PendingOperation& operation) {
        return operation.node == node && operation.kind != PendingOperation::Kind::kNames &&
               operation.number <= up_to;
    };
    if (is_file && tainted_.count(node) == 0 && up_to == done_) {
        Node& sure = sure_.change(node);
        sure.content = seen->content;
        sure.mode = seen->mode;
        sure.mtime_ns = seen->mtime_ns;
        sure.changed = seen->changed;
    } else {
        for (const PendingOperation& operation : pending_)
            if (is_due(operation)) apply_operation(sure_, operation, *this);
    }
    pending_.erase(std::remove_if(pending_.begin(), pending_.end(), is_due), pending_.end());
}

// All of it happens at the end: a power cut in between may find anything.
Result<void> SimDisk::begin_sync_all() {
    SATCHEL_TRY_VOID(check_alive(""));
    SATCHEL_CHECK(!syncing_);
    syncing_ = done_;
    return {};
}

Result<void> SimDisk::end_sync_all() {
    if (!syncing_) return {};
    const std::uint64_t up_to = *std::exchange(syncing_, std::nullopt);
    std::set<NodeId> written;
    for (const PendingOperation& operation : pending_)
        if (operation.kind != PendingOperation::Kind::kNames && operation.number <= up_to)
            written.insert(operation.node);
    if (Result<void> begun = begin_operation(""); !begun.has_value()) {
        if (check_alive("").has_value())
            for (const NodeId node : written) lose_data(node);
        return begun;
    }
    if (on_sync) on_sync(*this);
    if (options_.syncs_are_lies) return {};
    for (const NodeId node : written)
        if (seen_.find(node) != nullptr) commit_data(node, up_to);
    commit_names([up_to](const PendingOperation& operation) { return operation.number <= up_to; });
    return {};
}

void SimDisk::drop_data(NodeId node) {
    const auto is_data = [node](const PendingOperation& operation) {
        return operation.node == node && operation.kind != PendingOperation::Kind::kNames;
    };
    pending_.erase(std::remove_if(pending_.begin(), pending_.end(), is_data), pending_.end());
}

// The kernel marks pages clean when their sync fails: they are seen until the power goes, and then lost.
void SimDisk::lose_data(NodeId node) {
    drop_data(node);
    tainted_.insert(node);
}

void SimDisk::sweep_sure() {
    commits_until_sweep_ = kCommitsBetweenSweeps;
    std::set<NodeId> kept;
    for (const auto& [id, node] : seen_.nodes()) kept.insert(id);
    std::vector<NodeId> ahead = {kRootNode};
    for (const PendingOperation& operation : pending_) {
        ahead.push_back(operation.node);
        for (const NameChange& name : operation.names) {
            ahead.push_back(name.directory);
            ahead.push_back(name.node);
        }
    }
    std::set<NodeId> walked;
    while (!ahead.empty()) {
        const NodeId id = ahead.back();
        ahead.pop_back();
        const Node* node = sure_.find(id);
        if (node == nullptr || !walked.insert(id).second) continue;
        for (const auto& [folded, entry] : node->entries) ahead.push_back(entry.node);
    }
    kept.insert(walked.begin(), walked.end());
    std::vector<NodeId> gone;
    for (const auto& [id, node] : sure_.nodes())
        if (kept.count(id) == 0) gone.push_back(id);
    for (const NodeId id : gone) sure_.erase(id);
}

void apply_operation(Tree& tree, const PendingOperation& operation, const SimDisk& disk) {
    const bool is_fat = disk.options().profile == SimDiskOptions::kFat;
    switch (operation.kind) {
        case PendingOperation::Kind::kWrite:
            tree.change(operation.node).content.write(operation.offset, *operation.bytes);
            tree.change(operation.node).note_change(*operation.bytes, operation.offset);
            return;
        case PendingOperation::Kind::kTruncate:
            tree.change(operation.node).content.resize(operation.offset);
            tree.change(operation.node).note_change({}, operation.offset);
            return;
        case PendingOperation::Kind::kAttributes: {
            Node& node = tree.change(operation.node);
            const env::Attributes& wanted = operation.attributes;
            if (!is_fat) node.mode = wanted.mode & kModeBits;
            node.note_change({}, static_cast<std::uint64_t>(wanted.mtime_ns) + wanted.mode);
            node.mtime_ns = is_fat ? wanted.mtime_ns - wanted.mtime_ns % kFatTimeStepNs : wanted.mtime_ns;
            return;
        }
        case PendingOperation::Kind::kNames:
            for (const NameChange& change : operation.names) {
                auto& entries = tree.change(change.directory).entries;
                if (change.node == kNoNode)
                    entries.erase(disk.fold(change.name));
                else
                    entries[disk.fold(change.name)] = {change.name, change.node};
            }
            return;
    }
}

}  // namespace satchel::simulations
