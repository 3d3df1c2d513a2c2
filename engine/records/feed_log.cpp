#include "engine/records/feed_log.hpp"

#include <algorithm>
#include <cstdio>

#include "engine/env/holes.hpp"
#include "engine/store/pack_scan.hpp"

namespace satchel::records {

namespace {

constexpr char kLogPath[] = "feed.log";
constexpr std::uint32_t kLogsMax = 99'999;  // 6 TiB of records: the disk is full before

std::string full_log_path(std::uint32_t log) {
    char name[32];
    std::snprintf(name, sizeof name, "feed-%05u.log", log);
    return name;
}

}  // namespace

std::string FeedLog::path_of(std::uint32_t log) const {
    return log == end_.log ? kLogPath : full_log_path(log);
}

template <typename T>
Result<T> FeedLog::poison(Result<T> result) {
    if (!result.has_value()) broken_ = result.error();
    return result;
}

Result<void> FeedLog::open(const LogEnd& from, const Each& each) {
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, disk_.list(""));
    std::uint32_t full = 0;
    for (const env::EntryInfo& entry : entries)
        for (std::uint32_t log = full + 1; log <= kLogsMax && entry.name == full_log_path(log); ++log)
            full = log;
    end_ = {full + 1, 0};
    for (std::uint32_t log = std::max(1u, from.log); log <= full; ++log)
        SATCHEL_TRY_VOID(scan(log, log == from.log ? from.bytes : 0, each));
    SATCHEL_TRY(const bool there, env::exists(disk_, kLogPath));
    SATCHEL_TRY(file_, disk_.open(kLogPath, env::OpenMode::kWrite));
    name_unsure_ = !there;
    SATCHEL_TRY_VOID(scan(end_.log, from.log == end_.log ? from.bytes : 0, each));
    SATCHEL_TRY(const std::uint64_t size, file_->size());
    SATCHEL_TRY_VOID(pass_holes(size));
    if (size > end_.bytes) {
        SATCHEL_TRY_VOID(file_->truncate(end_.bytes));
        SATCHEL_TRY_VOID(file_->sync());
    }
    synced_ = end_.bytes;
    return {};
}

// What the disk does not give stays, since it may be given another day. Nor is anything appended in a sector
// that can't be read: a part of it can't be written then, either.
Result<void> FeedLog::pass_holes(std::uint64_t size) {
    if (has_holes_) end_.bytes = size;
    SATCHEL_TRY(const bool can_go_on, env::can_append_at(*file_, end_.bytes));
    goes_on_in_next_sector_ = !can_go_on;
    return {};
}

// Reads on over damage to the next record that is whole. In the open log the end moves behind each whole one.
Result<void> FeedLog::scan(std::uint32_t log, std::uint64_t from, const Each& each) {
    const bool is_open = log == end_.log;
    std::unique_ptr<env::File> full;
    if (!is_open) {
        SATCHEL_TRY(full, disk_.open(full_log_path(log), env::OpenMode::kRead));
    }
    env::HolesAsZeros file(is_open ? *file_ : *full);
    SATCHEL_TRY(const std::uint64_t size, file.size());
    if (is_open) end_.bytes = std::min(from, size);
    std::uint64_t at = from;
    bool in_damage = false;
    while (at + store::kRecordHeaderSize <= size) {
        SATCHEL_TRY(const auto record, store::whole_record_at(file, at));
        if (!record) {
            in_damage = true;
            SATCHEL_TRY(at, store::find_record_magic(file, at + 1, size));
            continue;
        }
        damaged_ += in_damage ? 1 : 0;
        in_damage = false;
        const auto bytes = static_cast<std::uint32_t>(store::kRecordHeaderSize + record->header.stored_size);
        SATCHEL_TRY_VOID(each({log, at, bytes}, record->header.type, record->plain));
        at += bytes;
        if (is_open) end_.bytes = at;
    }
    if (!is_open && (in_damage || at < size)) ++damaged_;
    has_holes_ = is_open && file.has_met_any();
    return {};
}

Result<void> FeedLog::begin_next() {
    SATCHEL_TRY_VOID(sync());
    if (end_.log >= kLogsMax)
        return fail(ErrorCode::kTooLarge, kLogPath, "this is larger than it may be",
                    "report this to the makers of satchel");
    SATCHEL_TRY_VOID(disk_.rename(kLogPath, full_log_path(end_.log)));
    SATCHEL_TRY_VOID(disk_.sync_directory(""));
    read_file_.reset();
    end_ = {end_.log + 1, 0};
    synced_ = 0;
    goes_on_in_next_sector_ = false;
    SATCHEL_TRY(file_, disk_.open(kLogPath, env::OpenMode::kWrite));
    name_unsure_ = true;
    return {};
}

Result<LogPlace> FeedLog::append(store::RecordType type, ByteView plain) {
    if (broken_) return *broken_;
    if (end_.bytes >= target_bytes_) SATCHEL_TRY_VOID(poison(begin_next()));
    if (goes_on_in_next_sector_) end_.bytes = (end_.bytes / env::kSectorBytes + 1) * env::kSectorBytes;
    goes_on_in_next_sector_ = false;
    ByteBuffer record;
    store::encode_record(record, type, plain);
    SATCHEL_TRY_VOID(poison(file_->write_at(end_.bytes, record)));
    const LogPlace place{end_.log, end_.bytes, static_cast<std::uint32_t>(record.size())};
    end_.bytes += record.size();
    return place;
}

Result<void> FeedLog::sync() {
    if (broken_) return *broken_;
    if (synced_ == end_.bytes && !name_unsure_) return {};
    SATCHEL_TRY_VOID(poison(file_->sync()));
    if (name_unsure_) SATCHEL_TRY_VOID(poison(disk_.sync_directory("")));
    name_unsure_ = false;
    synced_ = end_.bytes;
    return {};
}

Result<env::File*> FeedLog::reading(std::uint32_t log) {
    if (log == end_.log) return file_.get();
    if (!read_file_ || read_log_ != log) {
        SATCHEL_TRY(read_file_, disk_.open(full_log_path(log), env::OpenMode::kRead));
        read_log_ = log;
    }
    return read_file_.get();
}

Result<ByteBuffer> FeedLog::read(const LogPlace& place) {
    const auto damaged = [&](std::string detail) {
        return fail(ErrorCode::kDamaged, disk_.describe(path_of(place.log)), "the bytes are damaged",
                    "fetch it again from a stick or another site",
                    "record at byte " + std::to_string(place.at) + ": " + std::move(detail));
    };
    SATCHEL_TRY(env::File* const file, reading(place.log));
    ByteBuffer record(place.size);
    SATCHEL_TRY(const std::size_t got, file->read_at(place.at, record));
    if (got < record.size()) return damaged("cut off");
    Result<ByteBuffer> plain = store::open_record(record);
    if (!plain.has_value()) return damaged(plain.error().detail);
    return plain;
}

}  // namespace satchel::records
