// A course's newest edition, walked beside the folder that its next one is made of. Private to engine/site.
#pragma once

#include <optional>

#include "engine/site/course_source.hpp"
#include "engine/site/seen_files.hpp"
#include "engine/store/manifest.hpp"
#include "engine/store/store.hpp"

namespace satchel::site {

class EarlierEdition {
  public:
    // No edition yet: nothing is found.
    EarlierEdition() = default;
    // `seen`: what its files looked like; not given where they have to be read.
    EarlierEdition(store::Store& store, const ChunkId& manifest, std::optional<SeenReader> seen);

    struct Found {
        std::optional<store::FileContent> content;  // of a file of this path
        bool is_untouched = false;                  // and there is no need to read it
    };
    // Paths must come in ascending order.
    Result<Found> find(const SourceItem& item);

  private:
    Result<void> step();

    std::optional<store::ManifestCursor> cursor_;
    std::optional<SeenReader> seen_;
    const store::ManifestEntry* entry_ = nullptr;  // the next one that was not passed
    SeenRow row_;                                  // of that entry
};

}  // namespace satchel::site
