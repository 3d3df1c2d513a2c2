// Method. The file is cut by content (chunker.cpp), and where its container says that a part begins or ends
// (structure.cpp), a batch of chunks at a time; their hashes, and the
// records of those that the store lacks, are made side by side (hash_many.cpp, env::Offload). Then each chunk
// is taken in order: so what is stored, and in which order, does not depend on how many hands helped. Chunks
// that the store has are named; those it lacks gather in a gap. Where the gap ends (a known chunk, the end of
// the file, or kGapMax) and the file has an earlier edition, the gap is matched byte by byte against the old
// bytes around it (gap_match.cpp): what only moved is named as a part of an old chunk, and the rest becomes
// small chunks of its own. So cutting a tail off or taking out a few bytes stores nothing, and a changed byte
// stores a few dozen instead of a whole chunk. Cost: old bytes are read only around gaps; memory is one
// batch, the records made of it, one gap and one window.
#include "engine/store/ingest.hpp"

#include <algorithm>
#include <limits>

#include "engine/store/batch.hpp"
#include "engine/store/earlier_file.hpp"
#include "engine/store/structure.hpp"

namespace satchel::store {

namespace {

constexpr std::size_t kGapMax =
    2 * 1024 * 1024;  // longer gaps are new material: nothing is lost by not matching

class Ingest {
  public:
    Ingest(Store& store, env::Offload& offload, MutableBytes batch)
        : store_(store), offload_(offload), batch_(batch), old_(store) {}

    Result<Ingested> run(env::File& source, const std::optional<FileContent>& earlier,
                         const BytesDone& done) {
        SATCHEL_TRY(const std::uint64_t size, source.size());
        if (earlier) SATCHEL_TRY_VOID(old_.load(*earlier));
        SATCHEL_TRY(cuts_, structure_cuts(source, size));
        SATCHEL_TRY_VOID(cut_all(source, size, done));
        if (at_ != size)
            return fail(ErrorCode::kFailed, "file", "the file changed while it was read",
                        "publish again when nothing writes to it");
        result_.size = size;
        SATCHEL_TRY(result_.content, content());
        return result_;
    }

    Result<std::optional<Ingested>> run_moved(ByteView bytes, const FileContent& earlier) {
        SATCHEL_TRY_VOID(old_.load(earlier));
        class_ = old_.chunk_class().value_or(ChunkClass::kSmall);
        SATCHEL_TRY(const bool matched, name_matched(bytes, old_.size()));
        if (!matched) return std::optional<Ingested>();
        result_.size = bytes.size();
        SATCHEL_TRY(result_.content, content());
        return std::optional(result_);
    }

  private:
    Result<void> cut_all(env::File& source, std::uint64_t size, const BytesDone& done) {
        std::size_t held = 0;  // bytes of the batch that are not cut yet
        for (bool at_end = false; !at_end || held > 0;) {
            if (!at_end) {
                SATCHEL_TRY(const std::size_t got, source.read_at(at_ + held, batch_.subspan(held)));
                held += got;
                at_end = held < batch_.size();
            }
            const ByteView bytes = batch_.first(held);
            if (!class_) class_ = old_.chunk_class().value_or(class_of(bytes, size));
            const std::size_t used = cut(bytes, at_end);
            SATCHEL_TRY_VOID(prepare());
            for (Piece& piece : pieces_) {
                SATCHEL_TRY_VOID(take(piece));
                at_ += piece.bytes.size();
                SATCHEL_TRY_VOID(done(piece.bytes.size()));
            }
            held -= used;
            std::memmove(batch_.data(), batch_.data() + used, held);
        }
        return flush_gap(old_.size());
    }

    std::size_t cut(ByteView bytes, bool at_end) {
        const std::size_t longest = bounds_of(*class_).max;
        pieces_.clear();
        std::size_t used = 0;
        while (used < bytes.size()) {
            ByteView rest = bytes.subspan(used);
            const bool part_ends = to_next_cut(at_ + used) <= rest.size();
            if (part_ends) rest = rest.first(static_cast<std::size_t>(to_next_cut(at_ + used)));
            if (!part_ends && !at_end && rest.size() < longest) break;
            const std::size_t length = first_cut(*class_, rest, part_ends || at_end);
            pieces_.push_back({.bytes = bytes.subspan(used, length), .id = {}, .record = {}});
            used += length;
        }
        return used;
    }

    // From this place in the source to the next part of its container.
    [[nodiscard]] std::uint64_t to_next_cut(std::uint64_t place) const {
        const auto next = std::upper_bound(cuts_.begin(), cuts_.end(), place);
        return next == cuts_.end() ? std::numeric_limits<std::uint64_t>::max() : *next - place;
    }

    // Hashes all pieces; only without an earlier edition is each that the store lacks put as it is.
    Result<void> prepare() {
        hash_pieces(offload_, pieces_);
        if (old_.is_empty()) return prepare_unknown(store_, offload_, pieces_);
        SATCHEL_TRY_VOID(find_unknown(store_, pieces_));
        return {};
    }

    Result<void> take(Piece& piece) {
        if (piece.record) return put(*piece.record);
        // One that stands twice in the batch may have come into the store with its first.
        if (!piece.is_known) {
            SATCHEL_TRY(piece.is_known, store_.contains(piece.id));
        }
        if (piece.is_known) {
            const std::optional<std::uint64_t> place = old_.place_of(piece.id);
            SATCHEL_TRY_VOID(flush_gap(place.value_or(old_.cursor())));
            name({piece.id, 0, static_cast<std::uint32_t>(piece.bytes.size())});
            if (place) old_.move_behind(*place);
            return {};
        }
        append(gap_, piece.bytes);
        gap_cuts_.emplace_back(piece.id, piece.bytes.size());
        if (old_.is_empty() || gap_.size() >= kGapMax) return flush_gap(old_.cursor());
        return {};
    }

    Result<void> flush_gap(std::uint64_t old_end) {
        if (gap_.empty()) return {};
        SATCHEL_TRY(const bool matched, name_matched(gap_, old_end));
        if (!matched) SATCHEL_TRY_VOID(put_plain());
        gap_.clear();
        gap_cuts_.clear();
        return {};
    }

    Result<bool> name_matched(ByteView gap, std::uint64_t old_end) {
        SATCHEL_TRY(const std::vector<GapPiece> pieces, old_.match(gap, old_end, bounds_of(*class_).max));
        for (const GapPiece& piece : pieces) {
            if (piece.is_copy)
                old_.name(piece.window_offset, piece.length, [this](const Extent& extent) { name(extent); });
            else
                SATCHEL_TRY_VOID(put_literal(gap.subspan(piece.gap_offset, piece.length)));
        }
        return !pieces.empty();
    }

    Result<void> put_plain() {
        std::size_t start = 0;
        for (const auto& [id, length] : gap_cuts_) {
            const ByteView bytes = ByteView(gap_).subspan(start, length);
            SATCHEL_TRY_VOID(put(prepare_record(RecordType::kChunk, bytes, id.digest)));
            start += length;
        }
        return {};
    }

    Result<void> put_literal(ByteView bytes) {
        const std::size_t longest = bounds_of(*class_).max;
        for (; !bytes.empty(); bytes = bytes.subspan(std::min(longest, bytes.size()))) {
            const ByteView part = bytes.first(std::min(longest, bytes.size()));
            SATCHEL_TRY_VOID(put(prepare_record(RecordType::kChunk, part, hash_of(part))));
        }
        return {};
    }

    Result<void> put(const PreparedRecord& record) {
        SATCHEL_TRY(const Placed placed, store_.put_prepared(record));
        if (placed.is_new) {
            result_.new_chunks += 1;
            result_.new_stored_bytes += placed.stored_size;
        }
        name({placed.id, 0, record.header.raw_size});
        return {};
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
    env::Offload& offload_;
    MutableBytes batch_;
    std::optional<ChunkClass> class_;
    std::uint64_t at_ = 0;  // bytes of the source that were cut
    std::vector<std::uint64_t> cuts_;

    EarlierFile old_;
    std::vector<Piece> pieces_;  // of the batch
    ByteBuffer gap_;
    std::vector<std::pair<ChunkId, std::size_t>> gap_cuts_;  // the chunks that the gap is made of
    std::vector<Extent> extents_;
    Ingested result_;
};

}  // namespace

Ingester::Ingester(Store& store, env::Offload& offload)
    : store_(store), offload_(offload), batch_(std::make_unique_for_overwrite<std::uint8_t[]>(kBatchBytes)) {}

Result<Ingested> Ingester::take(env::File& source, const std::optional<FileContent>& earlier,
                                const BytesDone& done) {
    return Ingest(store_, offload_, MutableBytes(batch_.get(), kBatchBytes)).run(source, earlier, done);
}

Result<std::optional<Ingested>> Ingester::take_moved(ByteView bytes, const FileContent& earlier) {
    return Ingest(store_, offload_, {}).run_moved(bytes, earlier);
}

}  // namespace satchel::store
