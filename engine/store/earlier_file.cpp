#include "engine/store/earlier_file.hpp"

#include <algorithm>

namespace satchel::store {

namespace {
constexpr std::size_t kWindowMax = 4 * 1024 * 1024;  // old bytes that one gap is matched against
}

Result<void> EarlierFile::load(const FileContent& content) {
    if (const auto* recipe = std::get_if<RecipeContent>(&content)) {
        const Result<ByteBuffer> bytes = store_.read(recipe->recipe);
        if (!bytes.has_value()) return {};
        SATCHEL_TRY(Recipe decoded, decode_recipe(*bytes));
        class_ = decoded.chunk_class;
        extents_ = std::move(decoded.extents);
    } else if (const auto* extent = std::get_if<Extent>(&content)) {
        extents_ = {*extent};
    }
    for (std::size_t i = 0; i < extents_.size(); ++i) {
        starts_.push_back(size_);
        if (extents_[i].offset == 0) whole_chunks_.emplace(extents_[i].chunk, i);
        size_ += extents_[i].length;
    }
    return {};
}

std::optional<std::uint64_t> EarlierFile::place_of(const ChunkId& id) const {
    const auto [first, last] = whole_chunks_.equal_range(id);
    if (first == last) return std::nullopt;
    for (auto it = first; it != last; ++it)
        if (starts_[it->second] >= cursor_) return starts_[it->second];
    return starts_[first->second];
}

void EarlierFile::move_behind(std::uint64_t place) { cursor_ = place + extents_[extent_at(place)].length; }

std::size_t EarlierFile::extent_at(std::uint64_t place) const {
    const auto behind = std::upper_bound(starts_.begin(), starts_.end(), place);
    return static_cast<std::size_t>(behind - starts_.begin()) - 1;
}

Result<std::vector<GapPiece>> EarlierFile::match(ByteView gap, std::uint64_t old_end, std::uint64_t margin) {
    const std::vector<GapPiece> none;
    if (extents_.empty()) return none;
    const std::uint64_t from = cursor_ > margin ? cursor_ - margin : 0;
    const std::uint64_t behind = std::max(old_end, cursor_ + gap.size()) + margin;
    const std::uint64_t to = std::min({size_, behind, from + kWindowMax});
    if (to <= from) return none;
    ByteBuffer window;
    window.reserve(static_cast<std::size_t>(to - from));
    const std::size_t first = extent_at(from);
    const Result<void> read = read_extents(store_, std::span(extents_).subspan(first), from - starts_[first],
                                           to - from, [&](ByteView bytes) -> Result<void> {
                                               append(window, bytes);
                                               return {};
                                           });
    if (!read.has_value()) return none;  // part of the old edition is not here: nothing to match against
    std::vector<GapPiece> pieces = match_gap(gap, window);
    if (!is_worthwhile(pieces, gap.size())) return none;
    for (GapPiece& piece : pieces) {
        if (!piece.is_copy) continue;
        piece.window_offset += static_cast<std::size_t>(from);
        cursor_ = piece.window_offset + piece.length;
    }
    return pieces;
}

}  // namespace satchel::store
