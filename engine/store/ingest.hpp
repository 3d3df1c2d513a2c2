// Takes one file into the store: cuts it, keeps what is there already, and returns its content.
// A file with an earlier edition is cut with that edition's class, and bytes that only moved inside it are
// named as extents of old chunks instead of being stored again (see ingest.cpp for the method).
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "engine/env/disk.hpp"
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

// Commits the store each kCommitGroupBytes; the caller commits at the end.
Result<Ingested> ingest_file(Store& store, env::File& source, const std::optional<FileContent>& earlier,
                             const BytesDone& done);

// Reads any byte range of a file's content, every chunk hash-checked. `sink` gets the bytes in order.
Result<void> read_content(Store& store, const FileContent& content, std::uint64_t offset,
                          std::uint64_t length, const std::function<Result<void>(ByteView)>& sink);

// The same for extents that were loaded before.
Result<void> read_extents(Store& store, std::span<const Extent> extents, std::uint64_t offset,
                          std::uint64_t length, const std::function<Result<void>(ByteView)>& sink);

// The extents of a content (loads the recipe if there is one).
Result<std::vector<Extent>> extents_of(Store& store, const FileContent& content);

}  // namespace satchel::store
