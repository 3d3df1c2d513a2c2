// The files and folders of a simulated disk. Copies share what has not changed since: a tree shares its
// nodes, a file its pages, so that thousands of crash images of one disk cost little.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bytes.hpp"
#include "engine/base/hash.hpp"
#include "engine/env/disk.hpp"

namespace satchel::simulations {

inline constexpr std::size_t kPageBytes = 4096;

// The bytes of a file. What was never written reads as zeros.
class Content {
  public:
    [[nodiscard]] std::uint64_t size() const { return size_; }
    std::size_t read(std::uint64_t offset, MutableBytes into) const;
    void write(std::uint64_t offset, ByteView bytes);
    void resize(std::uint64_t size);
    [[nodiscard]] Digest digest() const;

  private:
    struct Page {
        std::array<std::uint8_t, kPageBytes> bytes{};
        std::optional<Digest> digest;  // of the bytes, once somebody asked
    };
    Page& page_to_change(std::size_t index);

    std::uint64_t size_ = 0;
    std::vector<std::shared_ptr<Page>> pages_;  // null: zeros
};

using NodeId = std::uint64_t;
inline constexpr NodeId kNoNode = 0;
inline constexpr NodeId kRootNode = 1;

struct DirectoryEntry {
    std::string name;  // as it was given
    NodeId node;
};

struct Node {
    env::EntryKind kind = env::EntryKind::kFile;
    std::uint32_t mode = 0;
    std::int64_t mtime_ns = 0;
    // The time of change, in a time of its own: a step for each change, and a fraction that depends on what
    // was changed, so that files of two disks with like histories are told apart.
    std::int64_t changed = 1;
    void note_change(ByteView bytes, std::uint64_t number);
    Content content;                                // of a file
    std::map<std::string, DirectoryEntry> entries;  // of a folder, by folded name
};

class Tree {
  public:
    Tree();  // an empty root
    [[nodiscard]] const Node* find(NodeId id) const;
    [[nodiscard]] Node& change(NodeId id);  // must exist; parts from the copies of this tree
    void put(NodeId id, std::shared_ptr<Node> node);
    void erase(NodeId id) { nodes_.erase(id); }
    [[nodiscard]] const std::map<NodeId, std::shared_ptr<Node>>& nodes() const { return nodes_; }

  private:
    std::map<NodeId, std::shared_ptr<Node>> nodes_;
};

// Over all names and contents that can be reached; modes and times do not count.
[[nodiscard]] Digest tree_hash(const Tree& tree);

}  // namespace satchel::simulations
