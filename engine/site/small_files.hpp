// Small files by the hash of their bytes, so that one which comes under another name, or comes back, is named
// where it lies instead of being stored again (schemas/small-files.md). Private to engine/site.
//
// Problem: a small file is a part of a bag (store/bags.hpp), so its own hash names nothing. Idea: a list of
// fixed rows that only grows, read once if there is a file without an earlier edition. Cost: 48 bytes on
// disk and 16 in memory for each small file that was ever stored, at hubs only. What a row says is never
// trusted: the bytes are compared. So it needs neither sync nor checksum, and may be lost.
//
// Crash points: rows are written behind the others; half a row at the end is written over. When the list is
// full its newer half becomes a new file, which takes the old one's name.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/env/disk.hpp"
#include "engine/store/recipe.hpp"
#include "engine/store/store.hpp"

namespace satchel::site {

inline constexpr std::size_t kSmallFileRowsMax = 1'000'000;  // 48 MB of disk, 16 MiB of memory

class SmallFiles {
  public:
    SmallFiles(env::Disk& disk, store::Store& store, std::size_t rows_max = kSmallFileRowsMax)
        : disk_(disk), store_(store), rows_max_(rows_max) {}

    // Whether the content is just these bytes; no where it is not here.
    Result<bool> holds(const store::FileContent& content, ByteView bytes);
    // The content of a file with these bytes and this hash, if one is known and here.
    Result<std::optional<store::FileContent>> find(ByteView bytes, const Digest& digest);
    void note(const Digest& digest, std::size_t size, const store::FileContent& content);
    // When the edition is in the catalogue, so that a publish that was stopped does the same once more. What
    // fails here costs bytes when the file comes again, and nothing else.
    void save();

  private:
    struct Row {
        std::uint64_t key = 0;  // first bytes of the hash
        Digest object{};
        std::uint32_t size = 0;
        std::uint32_t place = 0;
    };
    static constexpr std::size_t kRowSize = 48;

    void load();
    void keep_newer_half(std::uint64_t rows);
    void index(std::uint64_t key);
    [[nodiscard]] std::size_t slot_of(std::uint64_t key) const;
    std::optional<Row> row_at(std::size_t number);

    env::Disk& disk_;
    store::Store& store_;
    const std::size_t rows_max_;
    bool is_loaded_ = false;
    std::unique_ptr<env::File> file_;  // null: could not be opened
    std::size_t rows_in_file_ = 0;
    std::vector<std::uint64_t> keys_;   // of each row, those not saved yet among them
    std::vector<std::uint32_t> slots_;  // open addressing: number of a row, plus one
    ByteBuffer fresh_;                  // rows that are not in the file yet

    ChunkId last_id_;  // the chunk that was compared last: neighbours lie in one bag
    ByteBuffer last_chunk_;
};

}  // namespace satchel::site
