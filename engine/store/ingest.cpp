// Method. The file is cut by content (chunker.cpp). Chunks that the store has are named; those it lacks
// gather in a gap. Where the gap ends (a known chunk, the end of the file, or kGapMax) and the file has an
// earlier edition, the gap is matched byte by byte against the old bytes around it (gap_match.cpp): what only
// moved is named as a part of an old chunk, and the rest becomes small chunks of its own. So cutting a tail
// off or taking out a few bytes stores nothing, and a changed byte stores a few dozen instead of a whole
// chunk. Cost: old bytes are read only around gaps; memory is one gap and one window.
#include "engine/store/ingest.hpp"

#include <algorithm>
#include <map>

#include "engine/store/gap_match.hpp"

namespace satchel::store {

namespace {

constexpr std::size_t kReadStep = 1024 * 1024;
constexpr std::size_t kGapMax =
    2 * 1024 * 1024;  // longer gaps are new material: nothing is lost by not matching
constexpr std::size_t kWindowMax = 4 * 1024 * 1024;
constexpr std::size_t kHeadBytes = 64;  // what class_of looks at

class Ingest {
  public:
    Ingest(Store& store, env::File& source, const BytesDone& done)
        : store_(store), source_(source), done_(done) {}

    Result<Ingested> run(const std::optional<FileContent>& earlier) {
        SATCHEL_TRY(const std::uint64_t size, source_.size());
        SATCHEL_TRY_VOID(look_at(earlier));
        SATCHEL_TRY_VOID(choose_class(size));
        SATCHEL_TRY_VOID(cut_all());
        if (at_ != size)
            return fail(ErrorCode::kFailed, "file", "the file changed while it was read",
                        "publish again when nothing writes to it");
        result_.size = size;
        SATCHEL_TRY(result_.content, content());
        return result_;
    }

  private:
    Result<void> look_at(const std::optional<FileContent>& earlier) {
        if (!earlier) return {};
        if (const auto* recipe = std::get_if<RecipeContent>(&*earlier)) {
            const Result<ByteBuffer> bytes = store_.read(recipe->recipe);
            if (!bytes.has_value()) return {};  // not here (any more): as if there were no earlier edition
            SATCHEL_TRY(const Recipe decoded, decode_recipe(*bytes));
            class_ = decoded.chunk_class;
            old_ = decoded.extents;
        } else if (const auto* extent = std::get_if<Extent>(&*earlier)) {
            old_ = {*extent};
        }
        for (std::size_t i = 0; i < old_.size(); ++i) {
            old_starts_.push_back(old_size_);
            if (old_[i].offset == 0) old_places_.emplace(old_[i].chunk, i);
            old_size_ += old_[i].length;
        }
        return {};
    }

    Result<void> choose_class(std::uint64_t size) {
        ByteBuffer head(kHeadBytes);
        SATCHEL_TRY(const std::size_t got, source_.read_at(0, head));
        if (!class_) class_ = class_of(ByteView(head).first(got), size);
        return {};
    }

    Result<void> cut_all() {
        const std::size_t longest = bounds_of(*class_).max;
        ByteBuffer buffer;
        std::size_t used = 0;
        bool at_end = false;
        while (true) {
            if (!at_end && buffer.size() - used < longest) {
                buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(used));
                used = 0;
                const std::size_t kept = buffer.size();
                buffer.resize(kept + kReadStep);
                SATCHEL_TRY(const std::size_t got,
                            source_.read_at(at_ + kept, MutableBytes(buffer).subspan(kept)));
                buffer.resize(kept + got);
                at_end = got < kReadStep;
                continue;
            }
            const ByteView left = ByteView(buffer).subspan(used);
            if (left.empty()) break;
            const std::size_t length = first_cut(*class_, left, at_end);
            SATCHEL_TRY_VOID(take(left.first(length)));
            used += length;
            at_ += length;
            SATCHEL_TRY_VOID(done_(length));
        }
        return flush_gap(old_size_);
    }

    Result<void> take(ByteView chunk) {
        const ChunkId id{hash_of(chunk)};
        SATCHEL_TRY(const bool here, store_.contains(id));
        if (here) {
            const std::optional<std::size_t> place = old_place(id);
            SATCHEL_TRY_VOID(flush_gap(place ? old_starts_[*place] : old_cursor_));
            name({id, 0, static_cast<std::uint32_t>(chunk.size())});
            if (place) old_cursor_ = old_starts_[*place] + old_[*place].length;
            return {};
        }
        append(gap_, chunk);
        gap_cuts_.push_back(chunk.size());
        if (old_.empty() || gap_.size() >= kGapMax) return flush_gap(old_cursor_);
        return {};
    }

    // The old extent that is this whole chunk: the next one behind the cursor if it stands more than once.
    std::optional<std::size_t> old_place(const ChunkId& id) const {
        const auto [first, last] = old_places_.equal_range(id);
        if (first == last) return std::nullopt;
        for (auto it = first; it != last; ++it)
            if (old_starts_[it->second] >= old_cursor_) return it->second;
        return first->second;
    }

    // `old_end`: where in the old file the gap's right neighbour begins.
    Result<void> flush_gap(std::uint64_t old_end) {
        if (gap_.empty()) return {};
        SATCHEL_TRY(const bool matched, match_old(old_end));
        if (!matched) SATCHEL_TRY_VOID(put_plain());
        gap_.clear();
        gap_cuts_.clear();
        return {};
    }

    Result<void> put_plain() {
        std::size_t start = 0;
        for (const std::size_t length : gap_cuts_) {
            SATCHEL_TRY_VOID(put(ByteView(gap_).subspan(start, length)));
            start += length;
        }
        return {};
    }

    Result<void> put(ByteView bytes) {
        SATCHEL_TRY(const Placed placed, store_.put(bytes));
        if (placed.is_new) {
            result_.new_chunks += 1;
            result_.new_stored_bytes += placed.stored_size;
        }
        name({placed.id, 0, static_cast<std::uint32_t>(bytes.size())});
        return {};
    }

    Result<bool> match_old(std::uint64_t old_end) {
        if (old_.empty()) return false;
        const std::uint64_t margin = bounds_of(*class_).max;
        const std::uint64_t from = old_cursor_ > margin ? old_cursor_ - margin : 0;
        const std::uint64_t behind = std::max(old_end, old_cursor_ + gap_.size()) + margin;
        const std::uint64_t to = std::min({old_size_, behind, from + kWindowMax});
        if (to <= from) return false;
        ByteBuffer window;
        window.reserve(static_cast<std::size_t>(to - from));
        const std::size_t first = old_extent_at(from);
        const Result<void> read =
            read_extents(store_, std::span(old_).subspan(first), from - old_starts_[first], to - from,
                         [&](ByteView bytes) -> Result<void> {
                             append(window, bytes);
                             return {};
                         });
        if (!read.has_value()) return false;  // part of the old edition is not here: nothing to match against
        const std::vector<GapPiece> pieces = match_gap(gap_, window);
        if (!is_worthwhile(pieces, gap_.size())) return false;
        for (const GapPiece& piece : pieces) {
            if (piece.is_copy) {
                name_old(from + piece.window_offset, piece.length);
                old_cursor_ = from + piece.window_offset + piece.length;
            } else {
                SATCHEL_TRY_VOID(put_literal(ByteView(gap_).subspan(piece.gap_offset, piece.length)));
            }
        }
        return true;
    }

    Result<void> put_literal(ByteView bytes) {
        const std::size_t longest = bounds_of(*class_).max;
        for (; !bytes.empty(); bytes = bytes.subspan(std::min(longest, bytes.size())))
            SATCHEL_TRY_VOID(put(bytes.first(std::min(longest, bytes.size()))));
        return {};
    }

    [[nodiscard]] std::size_t old_extent_at(std::uint64_t place) const {
        const auto behind = std::upper_bound(old_starts_.begin(), old_starts_.end(), place);
        return static_cast<std::size_t>(behind - old_starts_.begin()) - 1;
    }

    // Names the old file's bytes [start, start + length) by the extents that hold them.
    void name_old(std::uint64_t start, std::uint64_t length) {
        for (std::size_t i = old_extent_at(start); length > 0; ++i) {
            const std::uint64_t inside = start - old_starts_[i];
            const std::uint64_t part = std::min<std::uint64_t>(length, old_[i].length - inside);
            name({old_[i].chunk, old_[i].offset + static_cast<std::uint32_t>(inside),
                  static_cast<std::uint32_t>(part)});
            start += part;
            length -= part;
        }
    }

    void name(const Extent& extent) {
        if (!extents_.empty()) {
            Extent& last = extents_.back();
            if (last.chunk == extent.chunk && last.offset + last.length == extent.offset) {
                last.length += extent.length;
                return;
            }
        }
        extents_.push_back(extent);
    }

    Result<FileContent> content() {
        if (extents_.empty()) return FileContent(EmptyContent{});
        if (extents_.size() == 1) return FileContent(extents_.front());
        if (extents_.size() > kRecipeExtentsMax)
            return fail(ErrorCode::kTooLarge, "file", "the file is too large for one recipe",
                        "split it into smaller files");
        SATCHEL_TRY(const Placed recipe, store_.put(encode(Recipe{*class_, extents_})));
        return FileContent(RecipeContent{recipe.id});
    }

    Store& store_;
    env::File& source_;
    const BytesDone& done_;
    std::optional<ChunkClass> class_;
    std::uint64_t at_ = 0;  // bytes of the source that were cut

    std::vector<Extent> old_;  // the earlier edition's, with where each begins
    std::vector<std::uint64_t> old_starts_;
    std::multimap<ChunkId, std::size_t> old_places_;
    std::uint64_t old_size_ = 0;
    std::uint64_t old_cursor_ = 0;  // where in the old file the last match ended

    ByteBuffer gap_;
    std::vector<std::size_t> gap_cuts_;  // lengths of the chunks that the gap is made of
    std::vector<Extent> extents_;
    Ingested result_;
};

}  // namespace

Result<Ingested> ingest_file(Store& store, env::File& source, const std::optional<FileContent>& earlier,
                             const BytesDone& done) {
    return Ingest(store, source, done).run(earlier);
}

}  // namespace satchel::store
