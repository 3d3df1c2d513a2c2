#include "engine/store/bags.hpp"

#include <cstring>

#include "engine/base/check.hpp"
#include "engine/store/batch.hpp"

namespace satchel::store {

namespace {
constexpr std::size_t kFilesMax = 65'536;  // of one batch: about 2 MiB of memory
}

Bags::Bags(Store& store, env::Offload& offload)
    : store_(store),
      offload_(offload),
      bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kBagsBytesMax)) {}

// A bag is begun only where a whole one fits, so that none is cut short.
bool Bags::has_room(std::size_t size) const {
    if (files_.size() == kFilesMax) return false;
    const bool fits_the_last = !bags_.empty() && used_ - bags_.back() + size <= kBagMax;
    return fits_the_last || used_ + kBagMax <= kBagsBytesMax;
}

std::size_t Bags::add(ByteView file) {
    SATCHEL_CHECK(!file.empty() && file.size() <= kBaggedMax && has_room(file.size()));
    if (bags_.empty() || used_ - bags_.back() + file.size() > kBagMax) bags_.push_back(used_);
    std::memcpy(bytes_.get() + used_, file.data(), file.size());
    files_.push_back({bags_.size() - 1, used_, file.size()});
    used_ += file.size();
    return files_.size() - 1;
}

ByteView Bags::bytes_of(std::size_t number) const {
    return {bytes_.get() + files_[number].begin, files_[number].size};
}

Result<Bags::Put> Bags::put_all() {
    std::vector<Piece> pieces;
    for (std::size_t bag = 0; bag < bags_.size(); ++bag) {
        const std::size_t end = bag + 1 < bags_.size() ? bags_[bag + 1] : used_;
        pieces.push_back({ByteView(bytes_.get() + bags_[bag], end - bags_[bag]), {}, false, {}});
    }
    hash_pieces(offload_, pieces);
    SATCHEL_TRY_VOID(prepare_unknown(store_, offload_, pieces));
    Put put;
    for (const Piece& piece : pieces) {
        if (!piece.record) continue;
        SATCHEL_TRY(const Placed placed, store_.put_prepared(*piece.record));
        put.new_chunks += placed.is_new ? 1 : 0;
        put.new_stored_bytes += placed.is_new ? placed.stored_size : 0;
    }
    for (const File& file : files_)
        put.places.push_back({pieces[file.bag].id, static_cast<std::uint32_t>(file.begin - bags_[file.bag]),
                              static_cast<std::uint32_t>(file.size)});
    used_ = 0;
    bags_.clear();
    files_.clear();
    return put;
}

}  // namespace satchel::store
