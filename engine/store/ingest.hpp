// Takes files into the store: cuts each, keeps what is there already, and returns its content.
// A file with an earlier edition is cut with that edition's class, and bytes that only moved inside it are
// named as extents of old chunks instead of being stored again (see ingest.cpp for the method).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "engine/env/disk.hpp"
#include "engine/env/offload.hpp"
#include "engine/store/recipe.hpp"
#include "engine/store/store.hpp"

namespace satchel::store {

struct Ingested {
    FileContent content;
    std::uint64_t size = 0;  // bytes read
    std::uint64_t new_chunks = 0;
    std::uint64_t new_stored_bytes = 0;
};

// Called after each step of at most kChunkMax bytes; an error stops the ingest and is returned.
using BytesDone = std::function<Result<void>(std::uint64_t bytes)>;

// Bytes of a source that are cut, hashed and packed together; half a batch more for their records.
inline constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;

// Takes files one after the other. The store commits by itself each kCommitGroupBytes; the caller commits at
// the end.
class Ingester {
  public:
    Ingester(Store& store, env::Offload& offload);
    Result<Ingested> take(env::File& source, const std::optional<FileContent>& earlier,
                          const BytesDone& done);
    // Of a file that is held whole: its content if it is mostly bytes of its earlier edition that moved.
    // Otherwise nothing is stored.
    Result<std::optional<Ingested>> take_moved(ByteView bytes, const FileContent& earlier);

  private:
    Store& store_;
    env::Offload& offload_;
    std::unique_ptr<std::uint8_t[]> batch_;
};

// Reads any byte range of a file's content, every chunk hash-checked. `sink` gets the bytes in order.
Result<void> read_content(Store& store, const FileContent& content, std::uint64_t offset,
                          std::uint64_t length, const std::function<Result<void>(ByteView)>& sink);

// The same for extents that were loaded before.
Result<void> read_extents(Store& store, std::span<const Extent> extents, std::uint64_t offset,
                          std::uint64_t length, const std::function<Result<void>(ByteView)>& sink);

// The extents of a content (loads the recipe if there is one).
Result<std::vector<Extent>> extents_of(Store& store, const FileContent& content);

}  // namespace satchel::store
