#include "simulations/world/crash_images.hpp"

#include <algorithm>

#include "simulations/world/seeded.hpp"

namespace satchel::simulations {

namespace {

struct Range {
    std::uint64_t from;
    std::uint64_t to;
};

std::uint64_t round_down(std::uint64_t value, std::uint64_t unit) { return value - value % unit; }

// The pieces of a write that lie in one sector each.
std::vector<Range> sectors_of(const PendingOperation& write) {
    std::vector<Range> sectors;
    const std::uint64_t end = write.offset + write.bytes->size();
    for (std::uint64_t at = write.offset; at < end; at = round_down(at, kSectorBytes) + kSectorBytes)
        sectors.push_back({at, std::min(end, round_down(at, kSectorBytes) + kSectorBytes)});
    return sectors;
}

void put_bytes(Content& content, const PendingOperation& write, Range range) {
    const ByteView bytes(*write.bytes);
    content.write(range.from, bytes.subspan(static_cast<std::size_t>(range.from - write.offset),
                                            static_cast<std::size_t>(range.to - range.from)));
}

void put_garbage(Content& content, Range range, std::uint32_t spill, Seeded& random) {
    if (content.size() < range.to) content.resize(range.to);
    if (spill > 0) {
        range.from = round_down(range.from, spill);
        range.to = std::min(content.size(), round_down(range.to + spill - 1, spill));
    }
    ByteBuffer garbage(static_cast<std::size_t>(range.to - range.from));
    random.fill(garbage);
    content.write(range.from, garbage);
}

void tear_write(Content& content, const PendingOperation& write, Seeded& random) {
    const std::vector<Range> sectors = sectors_of(write);
    if (sectors.size() < 2) return;
    const std::uint64_t kept = 1 + random.below(sectors.size() - 1);
    put_bytes(content, write, {write.offset, sectors[static_cast<std::size_t>(kept) - 1].to});
    // The size may be sure although the bytes are not: then zeros are read.
    const std::uint64_t end = write.offset + write.bytes->size();
    if (random.below(2) == 0 && content.size() < end) content.resize(end);
}

void scatter_write(Content& content, const PendingOperation& write, std::uint32_t spill, Seeded& random) {
    for (const Range sector : sectors_of(write)) {
        switch (random.below(3)) {
            case 0:
                put_bytes(content, write, sector);
                break;
            case 1:
                put_garbage(content, sector, spill, random);
                break;
            default:
                break;
        }
    }
}

// A name that came back with an entry of length 0: another file than the one whose bytes may be sure.
PendingOperation with_empty_files(Tree& tree, PendingOperation operation) {
    for (NameChange& change : operation.names) {
        const Node* node = change.node == kNoNode ? nullptr : tree.find(change.node);
        if (node == nullptr || node->kind != env::EntryKind::kFile) continue;
        auto empty = std::make_shared<Node>(*node);
        empty->content = Content();
        change.node = tree.nodes().rbegin()->first + 1;
        tree.put(change.node, std::move(empty));
    }
    return operation;
}

void meet_fate(Tree& tree, const PendingOperation& operation, Fate fate, const SimDisk& disk,
               Seeded& random) {
    const bool is_write = operation.kind == PendingOperation::Kind::kWrite;
    const std::uint32_t spill = disk.options().garbage_spill_bytes;
    switch (fate) {
        case Fate::kLost:
            return;
        case Fate::kTorn:
            if (is_write) tear_write(tree.change(operation.node).content, operation, random);
            if (operation.kind == PendingOperation::Kind::kNames &&
                disk.options().profile == SimDiskOptions::kFat)
                apply_operation(tree, with_empty_files(tree, operation), disk);
            return;
        case Fate::kGarbage:
            if (!is_write) break;
            put_garbage(tree.change(operation.node).content,
                        {operation.offset, operation.offset + operation.bytes->size()}, spill, random);
            return;
        case Fate::kScattered:
            if (!is_write) break;
            scatter_write(tree.change(operation.node).content, operation, spill, random);
            return;
        case Fate::kApplied:
            break;
    }
    apply_operation(tree, operation, disk);
}

// What can be reached from the root, each file and folder under one name: where fates left two names for
// one file, each gets a file of its own, and a folder keeps the first.
void copy_reachable(const Tree& from, NodeId id, Tree& to, NodeId id_there, NodeId& next,
                    std::set<NodeId>& taken) {
    auto copy = std::make_shared<Node>(*from.find(id));
    for (auto entry = copy->entries.begin(); entry != copy->entries.end();) {
        const NodeId child = entry->second.node;
        const bool is_folder = from.find(child)->kind == env::EntryKind::kDirectory;
        if (!taken.insert(child).second && is_folder) {
            entry = copy->entries.erase(entry);
            continue;
        }
        entry->second.node = next++;
        copy_reachable(from, child, to, entry->second.node, next, taken);
        ++entry;
    }
    to.put(id_there, std::move(copy));
}

bool is_worth_a_single(const PendingOperation& operation) {
    return operation.kind != PendingOperation::Kind::kAttributes;
}

}  // namespace

std::unique_ptr<SimDisk> image(const SimDisk& disk, const CrashPlan& plan) {
    Tree damaged = disk.sure();
    Seeded random(plan.seed);
    for (std::size_t i = 0; i < disk.pending().size(); ++i) {
        // Each operation has its own draw, so that sparing one leaves the damage of the others as it was.
        Seeded own(random.next());
        const Fate fate = i < plan.fates.size() ? plan.fates[i] : Fate::kApplied;
        meet_fate(damaged, disk.pending()[i], fate, disk, own);
    }
    Tree found;
    NodeId next = kRootNode + 1;
    std::set<NodeId> taken = {kRootNode};
    copy_reachable(damaged, kRootNode, found, kRootNode, next, taken);
    return std::make_unique<SimDisk>(disk.options(), std::move(found));
}

Digest image_hash(const SimDisk& disk) { return tree_hash(disk.tree()); }

std::vector<CrashPlan> systematic_plans(const SimDisk& disk, const CrashBudget& budget) {
    const std::vector<PendingOperation>& pending = disk.pending();
    const std::vector<Fate> all(pending.size(), Fate::kApplied);
    const std::vector<Fate> none(pending.size(), Fate::kLost);
    std::vector<CrashPlan> plans = {{all, budget.seed}, {none, budget.seed}};
    std::vector<std::size_t> singles;
    for (std::size_t i = 0; i < pending.size(); ++i)
        if (is_worth_a_single(pending[i])) singles.push_back(i);
    const std::size_t count = std::min(singles.size(), budget.singles_max);
    const auto add = [&](const std::vector<Fate>& others, std::size_t which, Fate fate) {
        plans.push_back({others, budget.seed + plans.size()});
        plans.back().fates[which] = fate;
    };
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t which = singles[i * singles.size() / count];
        add(none, which, Fate::kApplied);
        add(all, which, Fate::kLost);
        if (!budget.damaged_singles) continue;
        const bool is_write = pending[which].kind == PendingOperation::Kind::kWrite;
        const bool is_fat_name = pending[which].kind == PendingOperation::Kind::kNames &&
                                 disk.options().profile == SimDiskOptions::kFat;
        if (is_write || is_fat_name) add(all, which, Fate::kTorn);
        if (is_write) add(all, which, Fate::kGarbage);
    }
    return plans;
}

CrashPlan random_plan(const SimDisk& disk, std::uint64_t seed) {
    constexpr Fate kFates[] = {Fate::kApplied, Fate::kApplied, Fate::kApplied, Fate::kLost,
                               Fate::kLost,    Fate::kTorn,    Fate::kGarbage, Fate::kScattered};
    Seeded random(seed);
    CrashPlan plan{{}, random.next()};
    // Some mixes are mostly applied, some mostly lost: even ones alone would hide rare neighbours.
    const std::uint64_t spared = random.below(4);
    for (std::size_t i = 0; i < disk.pending().size(); ++i)
        plan.fates.push_back(random.below(4) < spared ? Fate::kApplied
                                                      : kFates[random.below(std::size(kFates))]);
    return plan;
}

void for_each_image(const SimDisk& disk, const CrashBudget& budget, std::set<Digest>& seen,
                    const std::function<void(SimDisk&, const CrashPlan&)>& visit) {
    const auto try_plan = [&](const CrashPlan& plan) {
        const std::unique_ptr<SimDisk> found = image(disk, plan);
        if (seen.insert(image_hash(*found)).second) visit(*found, plan);
    };
    for (const CrashPlan& plan : systematic_plans(disk, budget)) try_plan(plan);
    Seeded seeds(budget.seed ^ disk.operations());
    for (std::size_t i = 0; i < budget.random_mixes; ++i) try_plan(random_plan(disk, seeds.next()));
}

std::string describe(const CrashPlan& plan) {
    constexpr const char* kNames[] = {"applied", "lost", "torn", "garbage", "scattered"};
    std::string text =
        "seed " + std::to_string(plan.seed) + ": " + std::to_string(plan.fates.size()) + " pending";
    for (std::size_t i = 0; i < plan.fates.size(); ++i)
        if (plan.fates[i] != Fate::kApplied)
            text += ", " + std::to_string(i) + " " + kNames[static_cast<std::size_t>(plan.fates[i])];
    return text;
}

}  // namespace satchel::simulations
