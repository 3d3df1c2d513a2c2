#include "engine/site/small_files.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

namespace {

constexpr char kName[] = "small-files.list";
constexpr char kNewName[] = "small-files.list-new";
constexpr std::string_view kHeader("SSML\x01\0\0\0", 8);
constexpr std::uint32_t kIsRecipe = 0xffffffffu;  // as place: the object is a recipe
constexpr std::size_t kStepRows = 4096;
constexpr std::size_t kFreshRowsMax = 131'072;  // 6 MiB of memory, of one publish

std::uint64_t key_of(const Digest& digest) { return Reader(digest).u64(); }

}  // namespace

Result<bool> SmallFiles::holds(const store::FileContent& content, ByteView bytes) {
    if (const auto* extent = std::get_if<store::Extent>(&content)) {
        if (extent->length != bytes.size()) return false;
        if (last_chunk_.empty() || last_id_ != extent->chunk) {
            last_chunk_.clear();
            Result<ByteBuffer> chunk = store_.read(extent->chunk);
            if (!chunk.has_value()) return false;
            last_id_ = extent->chunk;
            last_chunk_ = std::move(*chunk);
        }
        return std::uint64_t{extent->offset} + extent->length <= last_chunk_.size() &&
               equal(ByteView(last_chunk_).subspan(extent->offset, extent->length), bytes);
    }
    if (std::holds_alternative<store::EmptyContent>(content)) return bytes.empty();
    ByteBuffer read;
    const Result<void> done =
        store::read_content(store_, content, 0, bytes.size(), [&](ByteView part) -> Result<void> {
            append(read, part);
            return {};
        });
    return done.has_value() && equal(read, bytes);
}

Result<std::optional<store::FileContent>> SmallFiles::find(ByteView bytes, const Digest& digest) {
    load();
    const std::uint64_t key = key_of(digest);
    for (std::size_t slot = slot_of(key); !slots_.empty() && slots_[slot] != 0;
         slot = (slot + 1) & (slots_.size() - 1)) {
        const std::size_t number = slots_[slot] - 1;
        if (keys_[number] != key) continue;
        const std::optional<Row> row = row_at(number);
        if (!row || row->size != bytes.size()) continue;
        store::FileContent content = store::RecipeContent{ChunkId{row->object}};
        if (row->place != kIsRecipe) content = store::Extent{ChunkId{row->object}, row->place, row->size};
        SATCHEL_TRY(const bool same, holds(content, bytes));
        if (same) return std::optional(content);
    }
    // Not in a bag: it may be a chunk of its own.
    const ChunkId whole{digest};
    SATCHEL_TRY(const bool here, store_.contains(whole));
    if (!here) return std::optional<store::FileContent>();
    return std::optional<store::FileContent>(
        store::Extent{whole, 0, static_cast<std::uint32_t>(bytes.size())});
}

void SmallFiles::note(const Digest& digest, std::size_t size, const store::FileContent& content) {
    load();
    if (!file_ || keys_.size() >= rows_max_) return;
    Digest object{};
    std::uint32_t place = kIsRecipe;
    if (const auto* extent = std::get_if<store::Extent>(&content)) {
        object = extent->chunk.digest;
        place = extent->offset;
    } else if (const auto* recipe = std::get_if<store::RecipeContent>(&content)) {
        object = recipe->recipe.digest;
    } else {
        return;
    }
    const std::uint64_t key = key_of(digest);
    Writer(fresh_).u64(key).raw(object).u32(static_cast<std::uint32_t>(size)).u32(place);
    index(key);
    if (fresh_.size() >= kFreshRowsMax * kRowSize) save();
}

void SmallFiles::save() {
    if (fresh_.empty() || !file_) return;
    if (!file_->write_at(kHeader.size() + rows_in_file_ * kRowSize, fresh_).has_value()) return file_.reset();
    rows_in_file_ += fresh_.size() / kRowSize;
    fresh_.clear();
}

void SmallFiles::load() {
    if (is_loaded_) return;
    is_loaded_ = true;
    for (const bool is_second : {false, true}) {
        Result<std::unique_ptr<env::File>> file = disk_.open(kName, env::OpenMode::kWrite);
        if (!file.has_value()) return;
        file_ = std::move(*file);
        ByteBuffer header(kHeader.size());
        const Result<std::size_t> got = file_->read_at(0, header);
        const Result<std::uint64_t> size = file_->size();
        if (!got.has_value() || !size.has_value()) return file_.reset();
        if (*got != header.size() || text_of(header) != kHeader) {  // new, or not ours to read: begin anew
            if (!file_->truncate(0).has_value() || !file_->write_at(0, bytes_of(kHeader)).has_value())
                return file_.reset();
            return;
        }
        rows_in_file_ = static_cast<std::size_t>((*size - kHeader.size()) / kRowSize);
        if (rows_in_file_ < rows_max_ || is_second) break;
        keep_newer_half(rows_in_file_);
        rows_in_file_ = 0;
    }
    rows_in_file_ = std::min(rows_in_file_, rows_max_);
    ByteBuffer step(kStepRows * kRowSize);
    for (std::size_t row = 0; row < rows_in_file_;) {
        const Result<std::size_t> got = file_->read_at(kHeader.size() + row * kRowSize, step);
        if (!got.has_value() || *got < kRowSize) return file_.reset();
        const std::size_t rows = std::min(*got / kRowSize, rows_in_file_ - row);
        for (std::size_t i = 0; i < rows; ++i) index(Reader(ByteView(step).subspan(i * kRowSize)).u64());
        row += rows;
    }
}

void SmallFiles::keep_newer_half(std::uint64_t rows) {
    Result<std::unique_ptr<env::File>> made = disk_.open(kNewName, env::OpenMode::kWrite);
    if (!made.has_value() || !(*made)->truncate(0).has_value()) return;
    ByteBuffer step(kStepRows * kRowSize);
    std::uint64_t to = kHeader.size();
    if (!(*made)->write_at(0, bytes_of(kHeader)).has_value()) return;
    for (std::uint64_t row = rows - rows_max_ / 2; row < rows; row += kStepRows) {
        const std::size_t wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(kStepRows, rows - row)) * kRowSize;
        const Result<std::size_t> got =
            file_->read_at(kHeader.size() + row * kRowSize, MutableBytes(step).first(wanted));
        if (!got.has_value() || *got != wanted) return;
        if (!(*made)->write_at(to, ByteView(step).first(wanted)).has_value()) return;
        to += wanted;
    }
    static_cast<void>(disk_.rename(kNewName, kName));
}

std::size_t SmallFiles::slot_of(std::uint64_t key) const {
    return slots_.empty() ? 0 : static_cast<std::size_t>(key) & (slots_.size() - 1);
}

void SmallFiles::index(std::uint64_t key) {
    constexpr std::size_t kSlotsMin = 1024;
    const auto insert = [this](std::size_t number) {
        std::size_t slot = slot_of(keys_[number]);
        while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
        slots_[slot] = static_cast<std::uint32_t>(number + 1);
    };
    keys_.push_back(key);
    if (keys_.size() * 3 / 2 < slots_.size()) return insert(keys_.size() - 1);
    slots_.assign(std::max(kSlotsMin, slots_.size() * 2), 0);
    for (std::size_t number = 0; number < keys_.size(); ++number) insert(number);
}

std::optional<SmallFiles::Row> SmallFiles::row_at(std::size_t number) {
    ByteBuffer bytes(kRowSize);
    if (number >= rows_in_file_) {
        const ByteView fresh = ByteView(fresh_).subspan((number - rows_in_file_) * kRowSize);
        bytes.assign(fresh.begin(), fresh.begin() + kRowSize);
    } else {
        if (!file_) return std::nullopt;
        const Result<std::size_t> got = file_->read_at(kHeader.size() + number * kRowSize, bytes);
        if (!got.has_value() || *got != kRowSize) return std::nullopt;
    }
    Reader reader(bytes);
    Row row;
    row.key = reader.u64();
    row.object = reader.digest();
    row.size = reader.u32();
    row.place = reader.u32();
    return row;
}

}  // namespace satchel::site
