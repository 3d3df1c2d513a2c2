#include "engine/site/seen_files.hpp"

#include <algorithm>

#include "engine/base/encoding.hpp"

namespace satchel::site {

namespace {

constexpr char kFolder[] = "seen";
constexpr std::string_view kMagic = "SSEN";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeaderSize = 80;  // magic, version, 3 B of zeros, manifest, rows, hash of the rows
constexpr std::size_t kRowSize = 16;
constexpr std::size_t kStepBytes = 4096 * kRowSize;
constexpr std::int64_t kSettledMs = 4000;  // twice the coarsest step of time that a file system has

// By the hash of the course's name: names may be longer than a file system takes, or spelled its own way.
std::string path_for(std::string_view course) {
    return env::join(kFolder, to_hex(hash_of(bytes_of(course))).substr(0, 32) + ".seen");
}

ByteBuffer header_of(const ChunkId& manifest, std::uint64_t rows, const Digest& hash) {
    ByteBuffer out;
    Writer writer(out);
    writer.raw(kMagic).u8(kVersion).u8(0).u16(0).raw(manifest.view()).u64(rows).raw(hash);
    return out;
}

Result<Digest> hash_of_rows(env::File& file, std::uint64_t rows) {
    Hasher hasher;
    ByteBuffer step(kStepBytes);
    for (std::uint64_t left = rows * kRowSize, at = kHeaderSize; left > 0;) {
        const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, step.size()));
        SATCHEL_TRY(const std::size_t got, file.read_at(at, MutableBytes(step).first(wanted)));
        hasher.update(ByteView(step).first(got));
        if (got < wanted) break;  // cut off: the hash tells
        at += got;
        left -= got;
    }
    return hasher.finish();
}

}  // namespace

SeenRow look_of(const env::EntryInfo& info) {
    constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15ull;
    return {info.inode + info.device * kSpread, info.changed_ns};
}

SeenRow row_of(const env::EntryInfo& info, env::Instant begun) {
    constexpr std::int64_t kNanosPerMilli = 1'000'000;
    const std::int64_t newest = std::max(info.mtime_ns, info.changed_ns) / kNanosPerMilli;
    if (newest >= begun.unix_ms - kSettledMs) return kUnsureRow;
    return look_of(info);
}

std::optional<SeenReader> SeenReader::open(env::Disk& disk, std::string_view course,
                                           const ChunkId& manifest) {
    SeenReader reader;
    Result<std::unique_ptr<env::File>> file = disk.open(path_for(course), env::OpenMode::kRead);
    if (!file.has_value()) return std::nullopt;
    reader.file_ = std::move(*file);
    ByteBuffer header(kHeaderSize);
    const Result<std::size_t> got = reader.file_->read_at(0, header);
    const Result<std::uint64_t> size = reader.file_->size();
    if (!got.has_value() || *got != kHeaderSize || !size.has_value()) return std::nullopt;
    reader.left_ = (*size - kHeaderSize) / kRowSize;
    const Result<Digest> hash = hash_of_rows(*reader.file_, reader.left_);
    if (!hash.has_value() || header != header_of(manifest, reader.left_, *hash)) return std::nullopt;
    reader.at_ = kHeaderSize;
    return reader;
}

SeenRow SeenReader::next() {
    if (used_ == step_.size()) {
        if (left_ == 0) return kUnsureRow;
        used_ = 0;
        step_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left_ * kRowSize, kStepBytes)));
        const Result<std::size_t> got = file_->read_at(at_, step_);
        if (!got.has_value() || *got != step_.size()) {
            left_ = 0;
            step_.clear();
            return kUnsureRow;
        }
        at_ += step_.size();
        left_ -= step_.size() / kRowSize;
    }
    Reader reader(ByteView(step_).subspan(used_, kRowSize));
    used_ += kRowSize;
    SeenRow row;
    row.file = reader.u64();
    row.changed_ns = static_cast<std::int64_t>(reader.u64());
    return row;
}

SeenWriter::SeenWriter(env::Disk& disk, std::string_view course) : disk_(disk), path_(path_for(course)) {
    if (!disk_.make_directory(kFolder).has_value()) return;
    Result<std::unique_ptr<env::File>> file = disk_.open(path_ + "-new", env::OpenMode::kWrite);
    if (file.has_value() && (*file)->truncate(0).has_value()) file_ = std::move(*file);
    at_ = kHeaderSize;
}

void SeenWriter::add(const SeenRow& row) {
    Writer(step_).u64(row.file).u64(static_cast<std::uint64_t>(row.changed_ns));
    rows_ += 1;
    if (step_.size() >= kStepBytes) flush();
}

void SeenWriter::flush() {
    hasher_.update(step_);
    if (file_ && !file_->write_at(at_, step_).has_value()) file_.reset();
    at_ += step_.size();
    step_.clear();
}

void SeenWriter::finish(const ChunkId& manifest) {
    flush();
    if (!file_ || !file_->write_at(0, header_of(manifest, rows_, hasher_.finish())).has_value()) return;
    file_.reset();
    static_cast<void>(disk_.rename(path_ + "-new", path_));
}

}  // namespace satchel::site
