#include "engine/site/earlier_edition.hpp"

namespace satchel::site {

EarlierEdition::EarlierEdition(store::Store& store, const ChunkId& manifest, std::optional<SeenReader> seen)
    : seen_(std::move(seen)) {
    cursor_.emplace([&store](const ChunkId& id) { return store.read(id); }, manifest);
}

Result<void> EarlierEdition::step() {
    const Result<const store::ManifestEntry*> next = cursor_->next();
    // What is lost of it is read from the folder like what is new.
    const bool is_lost = !next.has_value() && (next.error().code == ErrorCode::kNotFound ||
                                               next.error().code == ErrorCode::kDamaged);
    if (!next.has_value() && !is_lost) return next.error();
    entry_ = is_lost ? nullptr : *next;
    if (entry_ == nullptr) cursor_.reset();
    row_ = kUnsureRow;
    if (seen_ && entry_ != nullptr && entry_->type == store::EntryType::kFile) row_ = seen_->next();
    return {};
}

Result<EarlierEdition::Found> EarlierEdition::find(const SourceItem& item) {
    while (cursor_ && (entry_ == nullptr || entry_->path < item.path)) SATCHEL_TRY_VOID(step());
    Found found;
    if (entry_ == nullptr || entry_->path != item.path || entry_->type != store::EntryType::kFile)
        return found;
    found.content = entry_->content;
    found.is_untouched = row_ != kUnsureRow && row_ == look_of(item.info) && entry_->size == item.info.size &&
                         entry_->mtime_ns == item.info.mtime_ns;
    return found;
}

}  // namespace satchel::site
