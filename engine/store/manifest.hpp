// A manifest is the table of an edition's files, sorted by path: a tree of store objects ("nodes") whose
// boundaries are content-defined, so that a change of one file sends its node and the path to the root,
// never the table. (A prolly tree: same entries, same tree, whatever the history.) schemas/manifest.md
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"
#include "engine/store/recipe.hpp"
#include "engine/store/store.hpp"

namespace satchel::store {

enum class EntryType : std::uint8_t { kFile = 1, kDirectory = 2 };

struct ManifestEntry {
    std::string path;  // UTF-8 bytes as in the source, parts joined by '/'
    EntryType type = EntryType::kFile;
    std::uint32_t mode = 0644;  // 0777 bits
    std::int64_t mtime_ns = 0;
    std::uint64_t size = 0;
    FileContent content;  // of files
    friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

inline constexpr std::size_t kPathMax = 4096;
inline constexpr std::size_t kPathDepthMax = 64;

// kRefused for a path that must never be written: empty or dot parts, absolute, controls, not UTF-8.
Result<void> check_path(std::string_view path);

// Entries must come in ascending order of path bytes. Memory: one open node a level.
class ManifestBuilder {
  public:
    explicit ManifestBuilder(Store& store);
    ~ManifestBuilder();
    Result<void> add(const ManifestEntry& entry);
    Result<ChunkId> finish();  // the root node; an empty manifest has one too

  private:
    struct Level;
    Store& store_;
    std::vector<Level> levels_;
    std::string last_path_;
};

// How to get an object: a store's read(), or anything else that verifies ids.
using ObjectSource = std::function<Result<ByteBuffer>(const ChunkId&)>;

class ManifestReader {
  public:
    ManifestReader(ObjectSource source, ChunkId root) : source_(std::move(source)), root_(root) {}
    // Calls `each` in path order until it fails. `node`, if given, is called before each node is read and
    // returns whether to go in: so a walk can skip what is known already.
    Result<void> for_each(const std::function<Result<void>(const ManifestEntry&)>& each,
                          const std::function<Result<bool>(const ChunkId&)>& node = {});
    Result<std::optional<ManifestEntry>> find(std::string_view path);

  private:
    ObjectSource source_;
    ChunkId root_;
};

// The same entries, but handed out one by one: for a walk beside something else that is sorted by path.
// Memory: one node a level.
class ManifestCursor {
  public:
    ManifestCursor(ObjectSource source, const ChunkId& root);
    ManifestCursor(ManifestCursor&& other) noexcept;
    ManifestCursor& operator=(ManifestCursor&& other) noexcept;
    ~ManifestCursor();
    // The entry at hand; null behind the last one. It lives until the next call.
    Result<const ManifestEntry*> next();

  private:
    struct Step;
    Result<void> enter(const ChunkId& node, int level_above);
    ObjectSource source_;
    ChunkId root_;
    bool is_begun_ = false;
    std::vector<Step> steps_;  // from the root down
};

// Whether both list the same: the same table may be cut into other nodes by another version of the program.
// No where one can't be read to its end.
[[nodiscard]] bool has_same_entries(const ObjectSource& source, const ChunkId& one, const ChunkId& other);

}  // namespace satchel::store
