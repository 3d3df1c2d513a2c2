// Method. Ids are hashes, so rows are spread evenly; the fences say in which page a key must lie, so a
// look-up that the filter lets through reads one page, or two where a fence equals the key's. Rows and filter
// blocks are written in the order of the keys: a run of any size is made in two buffers.
#include "engine/store/run_file.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/env/holes.hpp"
#include "engine/store/crc32c.hpp"

namespace satchel::store {

RunWriter::RunWriter(std::unique_ptr<env::File> file, std::uint32_t number, std::uint64_t rows_max)
    : file_(std::move(file)) {
    SATCHEL_CHECK(rows_max > 0 && rows_max <= kRunRowsMax);
    header_.number = number;
    header_.filter_blocks = filter_blocks_for(rows_max);
    header_.pack_low = 0xffffffff;
    pages_at_ = header_.pages_at();
    filter_.resize(kFilterBlockSize);
}

Result<void> RunWriter::add(const RunRow& row) {
    SATCHEL_TRY_VOID(go_to_block(filter_block_of(row.key, header_.filter_blocks)));
    set_in_block(filter_.data() + filter_.size() - kFilterBlockSize, row.key);
    if (page_.empty()) Writer(fences_).u32(fence_of(row.key));
    page_.push_back(row);
    ++header_.rows;
    header_.pack_low = std::min(header_.pack_low, row.pack);
    header_.pack_high = std::max(header_.pack_high, row.pack);
    return page_.size() == kRunPageRows ? end_page() : Result<void>();
}

Result<void> RunWriter::end_page() {
    put_run_page(pages_, page_number_++, page_);
    pages_.resize((pages_.size() + kRunPageSize - 1) / kRunPageSize * kRunPageSize);
    page_.clear();
    return pages_.size() >= kRunWriteStep ? flush_pages() : Result<void>();
}

Result<void> RunWriter::flush_pages() {
    SATCHEL_TRY_VOID(file_->write_at(pages_at_, pages_));
    pages_at_ += pages_.size();
    unsynced_ += pages_.size();
    pages_.clear();
    if (unsynced_ < kRunSyncStep) return {};
    unsynced_ = 0;
    return file_->sync();
}

Result<void> RunWriter::go_to_block(std::uint32_t block) {
    while (filter_begin_ + filter_.size() / kFilterBlockSize <= block) {
        if (filter_.size() >= kRunWriteStep) SATCHEL_TRY_VOID(flush_filter());
        filter_.resize(filter_.size() + kFilterBlockSize);
    }
    return {};
}

Result<void> RunWriter::flush_filter() {
    SATCHEL_TRY_VOID(
        file_->write_at(kRunHeaderSize + std::uint64_t{filter_begin_} * kFilterBlockSize, filter_));
    header_.filter_crc = crc32c(filter_, header_.filter_crc);
    filter_begin_ += static_cast<std::uint32_t>(filter_.size() / kFilterBlockSize);
    filter_.clear();
    return {};
}

Result<RunHeader> RunWriter::finish() {
    SATCHEL_CHECK(header_.rows > 0);
    SATCHEL_TRY_VOID(go_to_block(header_.filter_blocks - 1));
    SATCHEL_TRY_VOID(flush_filter());
    if (!page_.empty()) SATCHEL_TRY_VOID(end_page());
    header_.fences_crc = crc32c(fences_);
    append(pages_, fences_);
    SATCHEL_TRY_VOID(flush_pages());
    SATCHEL_TRY_VOID(file_->write_at(0, encode(header_)));
    SATCHEL_TRY_VOID(file_->sync());
    file_.reset();
    return header_;
}

namespace {

Error damaged(env::Disk& disk, const std::string& path, std::string detail) {
    return fail(ErrorCode::kDamaged, disk.describe(path), "the bytes are damaged",
                "nothing is lost: `satchel store rebuild-index` mends it", std::move(detail));
}

Result<bool> read_all(env::File& file, std::uint64_t at, MutableBytes into) {
    SATCHEL_TRY(const std::size_t got, env::HolesAsZeros(file).read_at(at, into));
    return got == into.size();
}

}  // namespace

Result<std::unique_ptr<RunFile>> RunFile::open(env::Disk& disk, const std::string& path,
                                               std::uint32_t number) {
    std::unique_ptr<RunFile> run(new RunFile);
    Result<std::unique_ptr<env::File>> file = disk.open(path, env::OpenMode::kRead);
    if (!file.has_value() && file.error().code == ErrorCode::kNotFound)
        return damaged(disk, path, "no such file");
    if (!file.has_value()) return file.error();
    run->file_ = std::move(*file);
    ByteBuffer head(kRunHeaderSize);
    SATCHEL_TRY(const std::size_t got, env::HolesAsZeros(*run->file_).read_at(0, head));
    const Result<RunHeader> header = decode_run_header(ByteView(head).first(got));
    if (!header.has_value()) return damaged(disk, path, header.error().detail);
    run->header_ = *header;
    SATCHEL_TRY(const std::uint64_t size, run->file_->size());
    if (header->number != number || header->pages_at() > size || header->file_size() != size)
        return damaged(disk, path, "of another number or size than its header says");
    run->filter_.resize(std::size_t{header->filter_blocks} * kFilterBlockSize);
    SATCHEL_TRY(const bool filter_there, read_all(*run->file_, kRunHeaderSize, run->filter_));
    ByteBuffer fences(static_cast<std::size_t>(header->pages() * 4));
    SATCHEL_TRY(const bool fences_there, read_all(*run->file_, header->fences_at(), fences));
    if (!filter_there || crc32c(run->filter_) != header->filter_crc)
        return damaged(disk, path, "the filter's checksum does not match");
    if (!fences_there || crc32c(fences) != header->fences_crc)
        return damaged(disk, path, "the fences' checksum does not match");
    run->fences_.reserve(fences.size() / 4);
    for (Reader reader(fences); reader.left() > 0;) run->fences_.push_back(reader.u32());
    return run;
}

bool RunFile::may_have(std::uint64_t key) const {
    const std::size_t block = filter_block_of(key, header_.filter_blocks);
    return is_in_block(filter_.data() + block * kFilterBlockSize, key);
}

Result<void> RunFile::find(std::uint64_t key, std::vector<RunRow>& into) {
    if (!may_have(key)) return {};
    const std::uint32_t fence = fence_of(key);
    const auto at = std::lower_bound(fences_.begin(), fences_.end(), fence);
    std::size_t page = static_cast<std::size_t>(at - fences_.begin());
    if (page > 0) --page;  // rows of this fence may begin at the end of the page before
    for (; page < fences_.size() && fences_[page] <= fence; ++page)
        SATCHEL_TRY_VOID(find_in_page(page, key, into));
    return {};
}

namespace {
// Keys are hashes: of a run with many more pages hardly one is asked for again soon.
std::size_t pages_to_keep(std::uint64_t pages) {
    constexpr std::size_t kOfALargeRun = 16;
    return pages <= RunFile::kKeptPagesMax ? static_cast<std::size_t>(pages) : kOfALargeRun;
}
}  // namespace

// A kept page's checksum is looked at each time: memory fails, too.
Result<void> RunFile::find_in_page(std::uint64_t page, std::uint64_t key, std::vector<RunRow>& into) {
    if (kept_.empty()) kept_.resize(pages_to_keep(header_.pages()));
    KeptPage& kept = kept_[static_cast<std::size_t>(page % kept_.size())];
    const MutableBytes bytes(kept.bytes.data(), header_.bytes_in(page));
    if (!kept.is_there || kept.number != page) {
        kept.is_there = false;
        SATCHEL_TRY_VOID(read_bytes(page, bytes));
        kept.number = page;
    }
    const Result<void> found = find_in_run_page(bytes, page, key, into);
    kept.is_there = found.has_value();
    return found.has_value() ? Result<void>() : damaged_page(page, found.error().detail);
}

Result<void> RunFile::read_page(std::uint64_t page, std::vector<RunRow>& rows) {
    std::array<std::uint8_t, kRunPageSize> bytes;
    const MutableBytes into(bytes.data(), header_.bytes_in(page));
    SATCHEL_TRY_VOID(read_bytes(page, into));
    const Result<void> read = read_run_page(into, page, rows);
    return read.has_value() ? Result<void>() : damaged_page(page, read.error().detail);
}

Result<void> RunFile::read_bytes(std::uint64_t page, MutableBytes into) {
    SATCHEL_TRY(const bool there, read_all(*file_, header_.pages_at() + page * kRunPageSize, into));
    return there ? Result<void>() : damaged_page(page, "behind the end of the file");
}

Error RunFile::damaged_page(std::uint64_t page, const std::string& detail) const {
    return fail(ErrorCode::kDamaged, "index", "the bytes are damaged",
                "nothing is lost: `satchel store rebuild-index` mends it",
                detail + ": run " + run_name(header_.number) + " page " + std::to_string(page));
}

}  // namespace satchel::store
