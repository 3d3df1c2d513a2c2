// Changed files by the hash of all their bytes. Private to engine/site.
//
// Problem: a file that was changed between two editions is made of old chunks and the few bytes that were
// new. Cut afresh, as happens under another name, it would give other chunks and be sent again. Idea:
// remember such files whole, so that the same bytes get the same content wherever they turn up: moved,
// copied, or put back. Cost: a row of about 120 bytes for each change of a file, at hubs only, and one more
// reading of a file whose size is known here.
#pragma once

#include <optional>
#include <vector>

#include "engine/database/database.hpp"
#include "engine/env/disk.hpp"
#include "engine/store/recipe.hpp"

namespace satchel::site {

class KnownFiles {
  public:
    explicit KnownFiles(database::Database& database) : database_(database) {}

    // The content of a file with just these bytes, if one is remembered.
    Result<std::optional<store::FileContent>> find(env::File& file, std::uint64_t size);
    // Remembered for good by save(), which the caller calls when the content's objects are sure in the store.
    Result<void> note(env::File& file, std::uint64_t size, const store::FileContent& content);
    Result<void> save();

  private:
    struct Row {
        Digest digest;
        std::uint64_t size = 0;
        store::FileContent content;
    };
    database::Database& database_;
    std::vector<Row> noted_;  // at most kNotedMax
};

}  // namespace satchel::site
