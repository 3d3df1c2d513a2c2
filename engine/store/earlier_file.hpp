// The earlier edition of a file while its new one is taken in: what of the new bytes is old bytes that only
// moved. Private to engine/store; see ingest.cpp for the method.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/store/gap_match.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::store {

class EarlierFile {
  public:
    explicit EarlierFile(Store& store) : store_(store) {}

    // What is not here (any more) is as if there were no earlier edition.
    Result<void> load(const FileContent& content);
    [[nodiscard]] bool is_empty() const { return extents_.empty(); }
    [[nodiscard]] std::optional<ChunkClass> chunk_class() const { return class_; }
    [[nodiscard]] std::uint64_t size() const { return size_; }

    // Where the old extent that is this whole chunk begins: the next one behind the cursor if it stands more
    // than once. The cursor is where the last match ended.
    [[nodiscard]] std::optional<std::uint64_t> place_of(const ChunkId& id) const;
    [[nodiscard]] std::uint64_t cursor() const { return cursor_; }
    void move_behind(std::uint64_t place);  // of an extent

    // The gap in pieces: copies have their place in the old file as window_offset. None if naming them is
    // not better than storing the gap. `old_end`: where in the old file the gap's right neighbour begins;
    // `margin`: how far beyond its ends is looked. Moves the cursor behind the last copy.
    Result<std::vector<GapPiece>> match(ByteView gap, std::uint64_t old_end, std::uint64_t margin);

    // Names the old file's bytes [start, start + length) by the extents that hold them.
    template <typename Name>
    void name(std::uint64_t start, std::uint64_t length, const Name& with) const {
        for (std::size_t i = extent_at(start); length > 0; ++i) {
            const std::uint64_t inside = start - starts_[i];
            const std::uint64_t part = std::min<std::uint64_t>(length, extents_[i].length - inside);
            with(Extent{extents_[i].chunk, extents_[i].offset + static_cast<std::uint32_t>(inside),
                        static_cast<std::uint32_t>(part)});
            start += part;
            length -= part;
        }
    }

  private:
    [[nodiscard]] std::size_t extent_at(std::uint64_t place) const;

    Store& store_;
    std::optional<ChunkClass> class_;
    std::vector<Extent> extents_;
    std::vector<std::uint64_t> starts_;  // of each extent
    std::multimap<ChunkId, std::size_t> whole_chunks_;
    std::uint64_t size_ = 0;
    std::uint64_t cursor_ = 0;
};

}  // namespace satchel::store
