// Checking out: an edition as plain files, every byte hash-checked, resumable.
//
// A file is written to one partial file at the top of the folder and renamed into place when it is whole, so
// a name in the folder always holds a whole file. After a stop the partial file belongs to the first file
// that is not there; what of it matches the edition is kept.
#include <algorithm>

#include "engine/base/encoding.hpp"
#include "engine/env/reserve.hpp"
#include "engine/site/course_source.hpp"
#include "engine/site/site_state.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

namespace {

constexpr char kPartialName[] = ".satchel-part";
constexpr std::size_t kCompareStep = 256 * 1024;

// `b2sum` escapes names that hold a backslash or a line feed and marks the line with a backslash.
constexpr std::string_view kOwnerPrefix = "# satchel course ";

std::string sums_line(const Digest& digest, const std::string& path) {
    std::string escaped;
    for (const char c : path) {
        if (c == '\\')
            escaped += "\\\\";
        else if (c == '\n')
            escaped += "\\n";
        else
            escaped += c;
    }
    return (escaped == path ? "" : "\\") + to_hex(digest) + "  " + escaped + "\n";
}

class Checkout {
  public:
    Checkout(store::Store& store, env::Disk& target, std::string folder, Progress& progress,
             CheckoutReport& report)
        : store_(store),
          target_(target),
          reserve_(target),
          folder_(std::move(folder)),
          progress_(progress),
          report_(report) {
        total_.items_total = report.edition.files;
        total_.bytes_total = report.edition.bytes;
    }

    Result<void> run(const ChunkId& manifest) {
        SATCHEL_TRY_VOID(check_owner());
        SATCHEL_TRY_VOID(make_folder(folder_));
        SATCHEL_TRY_VOID(open_sums());
        store::ManifestReader reader([this](const ChunkId& id) { return store_.read(id); }, manifest);
        SATCHEL_TRY_VOID(reader.for_each([this](const store::ManifestEntry& entry) { return place(entry); }));
        SATCHEL_TRY_VOID(flush_sums());
        SATCHEL_TRY_VOID(sums_->sync());
        SATCHEL_TRY_VOID(forget_partial());
        // Folders get their times and modes last: writing into a folder changes its time.
        SATCHEL_TRY_VOID(reader.for_each([this](const store::ManifestEntry& entry) -> Result<void> {
            if (entry.type != store::EntryType::kDirectory) return {};
            const std::string path = env::join(folder_, entry.path);
            SATCHEL_TRY_VOID(target_.sync_directory(path));
            return skip_if_unfit(entry.path, target_.set_directory_attributes(
                                                 path, {.mode = entry.mode, .mtime_ns = entry.mtime_ns}));
        }));
        SATCHEL_TRY_VOID(target_.sync_directory(folder_));
        report_.skipped = std::move(skipped_.items);
        report_.skipped_count = skipped_.count;
        return target_.sync_directory("");
    }

  private:
    // A name that the target cannot hold costs that file; a full or failing disk stops the checkout.
    Result<void> skip_if_unfit(const std::string& path, Result<void> result) {
        if (result.has_value()) return {};
        switch (result.error().code) {
            case ErrorCode::kExists:
                skipped_.add(path, "the target cannot hold two names that differ only in case or form");
                return {};
            case ErrorCode::kFailed:
            case ErrorCode::kNotFound:
            case ErrorCode::kRefused:
            case ErrorCode::kTooLarge:
                skipped_.add(path, "the target cannot hold this name");
                return {};
            default:
                return result;
        }
    }

    Result<void> make_folder(const std::string& path) {
        const Result<env::EntryInfo> there = target_.stat(path);
        if (there.has_value() && there->kind == env::EntryKind::kFile)
            SATCHEL_TRY_VOID(target_.remove_file(path));
        return target_.make_directory(path);
    }

    Result<void> place(const store::ManifestEntry& entry) {
        total_.item = entry.path;
        const std::string path = env::join(folder_, entry.path);
        if (entry.type == store::EntryType::kDirectory) return skip_if_unfit(entry.path, make_folder(path));
        total_.items_done += 1;
        SATCHEL_TRY_VOID(progress_.update(total_));
        Result<void> placed = place_file(entry, path);
        return skip_if_unfit(entry.path, std::move(placed));
    }

    Result<void> place_file(const store::ManifestEntry& entry, const std::string& path) {
        const Result<env::EntryInfo> there = target_.stat(path);
        if (!there.has_value() && there.error().code != ErrorCode::kNotFound) return there.error();
        if (there.has_value()) {
            SATCHEL_TRY(const bool same_name, holds_exact_name(path));
            if (!same_name)
                return fail(ErrorCode::kExists, path,
                            "the target cannot hold two names that differ only in case or form",
                            "check out to a disk that tells such names apart");
            if (there->kind == env::EntryKind::kDirectory)
                return fail(ErrorCode::kFailed, path, "a folder stands where a file should be",
                            "check out to an empty folder");
            SATCHEL_TRY(const bool kept, keep(entry, path));
            if (kept) return {};
        }
        SATCHEL_TRY(const Digest digest, write_partial(entry));
        SATCHEL_TRY_VOID(target_.rename(partial_path(), path));
        report_.files += 1;
        return note_sum(digest, entry.path);
    }

    // On a disk that folds case, stat finds "A" when asked for "a": the listing tells.
    Result<bool> holds_exact_name(const std::string& path) {
        const std::size_t slash = path.rfind('/');
        const std::string parent = path.substr(0, slash);
        const std::string name = path.substr(slash + 1);
        if (parent != listed_folder_) {
            SATCHEL_TRY(const std::vector<env::EntryInfo> entries, target_.list(parent));
            listed_names_.clear();
            for (const env::EntryInfo& info : entries) listed_names_.push_back(info.name);
            listed_folder_ = parent;
        }
        return std::binary_search(listed_names_.begin(), listed_names_.end(), name);
    }

    // The file is there already, byte for byte: only its time and mode are set.
    Result<bool> keep(const store::ManifestEntry& entry, const std::string& path) {
        SATCHEL_TRY(const std::unique_ptr<env::File> file, target_.open(path, env::OpenMode::kRead));
        SATCHEL_TRY(const std::uint64_t size, file->size());
        if (size != entry.size) return false;
        Hasher hasher;
        SATCHEL_TRY(const std::uint64_t same, matching_prefix(*file, entry, hasher));
        if (same != entry.size) return false;
        SATCHEL_TRY_VOID(file->set_mode(entry.mode));
        SATCHEL_TRY_VOID(file->set_mtime(entry.mtime_ns));
        report_.files += 1;
        report_.files_kept += 1;
        SATCHEL_TRY_VOID(advance(entry.size));
        SATCHEL_TRY_VOID(note_sum(hasher.finish(), entry.path));
        return true;
    }

    // How many leading bytes of the file are those of the edition, in whole steps; they go through `hasher`.
    Result<std::uint64_t> matching_prefix(env::File& file, const store::ManifestEntry& entry,
                                          Hasher& hasher) {
        std::uint64_t same = 0;
        ByteBuffer have(kCompareStep);
        while (same < entry.size) {
            const std::uint64_t step = std::min<std::uint64_t>(kCompareStep, entry.size - same);
            const MutableBytes window = MutableBytes(have).first(static_cast<std::size_t>(step));
            SATCHEL_TRY(const std::size_t got, file.read_at(same, window));
            if (got < step) return same;
            bool equal_so_far = true;
            std::size_t compared = 0;
            SATCHEL_TRY_VOID(
                store::read_content(store_, entry.content, same, step, [&](ByteView want) -> Result<void> {
                    equal_so_far = equal_so_far && equal(want, window.subspan(compared, want.size()));
                    compared += want.size();
                    return {};
                }));
            if (!equal_so_far) return same;
            hasher.update(window);
            same += step;
        }
        return same;
    }

    Result<Digest> write_partial(const store::ManifestEntry& entry) {
        SATCHEL_TRY(const std::unique_ptr<env::File> file, open_partial());
        Hasher hasher;
        std::uint64_t at = 0;
        if (!partial_used_) {
            SATCHEL_TRY(at, matching_prefix(*file, entry, hasher));
            partial_used_ = true;
        }
        SATCHEL_TRY_VOID(file->truncate(at));
        // The target may be the disk that the site lies on.
        SATCHEL_TRY_VOID(reserve_.allow(entry.size - at, partial_path()));
        SATCHEL_TRY_VOID(advance(at));
        SATCHEL_TRY_VOID(store::read_content(store_, entry.content, at, entry.size - at,
                                             [&](ByteView bytes) -> Result<void> {
                                                 SATCHEL_TRY_VOID(file->write_at(at, bytes));
                                                 hasher.update(bytes);
                                                 at += bytes.size();
                                                 report_.bytes_written += bytes.size();
                                                 return advance(bytes.size());
                                             }));
        SATCHEL_TRY_VOID(file->set_mode(entry.mode));
        SATCHEL_TRY_VOID(file->set_mtime(entry.mtime_ns));
        SATCHEL_TRY_VOID(file->sync());
        return hasher.finish();
    }

    // A stop between setting a read-only mode and the rename leaves a partial file that cannot be written to.
    Result<std::unique_ptr<env::File>> open_partial() {
        Result<std::unique_ptr<env::File>> file = target_.open(partial_path(), env::OpenMode::kWrite);
        if (file.has_value() || file.error().code != ErrorCode::kReadOnly) return file;
        if (!target_.remove_file(partial_path()).has_value()) return file;
        return target_.open(partial_path(), env::OpenMode::kWrite);
    }

    Result<void> advance(std::uint64_t bytes) {
        total_.bytes_done += bytes;
        return progress_.update(total_);
    }

    [[nodiscard]] std::string partial_path() const { return env::join(folder_, kPartialName); }

    Result<void> forget_partial() {
        Result<void> removed = target_.remove_file(partial_path());
        if (!removed.has_value() && removed.error().code != ErrorCode::kNotFound) return removed;
        return {};
    }

    Result<void> open_sums() {
        report_.sums_file = folder_ + ".b2sums";
        SATCHEL_TRY(sums_, target_.open(report_.sums_file, env::OpenMode::kWrite));
        append(sums_pending_, bytes_of(owner_line()));
        return sums_->truncate(0);
    }

    // b2sum passes over it.
    [[nodiscard]] std::string owner_line() const {
        return std::string(kOwnerPrefix) + to_hex(hash_of(bytes_of(report_.edition.course))) + "\n";
    }

    // A folder belongs to the course that was checked out to it: another one would mix with its files.
    Result<void> check_owner() {
        const std::string sums_path = folder_ + ".b2sums";
        const Result<bool> there = env::exists(target_, sums_path);
        if (!there.has_value() || !*there)
            return {};  // what the target cannot hold is said when it is written
        SATCHEL_TRY(const std::unique_ptr<env::File> file, target_.open(sums_path, env::OpenMode::kRead));
        const std::string mine = owner_line();
        ByteBuffer head(mine.size());
        SATCHEL_TRY(const std::size_t got, file->read_at(0, head));
        const std::string_view line = text_of(ByteView(head).first(got));
        if (!line.starts_with(kOwnerPrefix) || line == mine) return {};
        return fail(ErrorCode::kExists, target_.describe(folder_),
                    "another course was checked out to this folder",
                    "name a folder of its own for each course");
    }

    Result<void> note_sum(const Digest& digest, const std::string& path) {
        append(sums_pending_, bytes_of(sums_line(digest, env::join(folder_, path))));
        return sums_pending_.size() < kCompareStep ? Result<void>() : flush_sums();
    }

    Result<void> flush_sums() {
        SATCHEL_TRY_VOID(sums_->write_at(sums_size_, sums_pending_));
        sums_size_ += sums_pending_.size();
        sums_pending_.clear();
        return {};
    }

    store::Store& store_;
    env::Disk& target_;
    env::Reserve reserve_;
    const std::string folder_;
    Progress& progress_;
    CheckoutReport& report_;
    SkipList skipped_;
    ProgressUpdate total_{.stage = "checking out", .item = {}};
    bool partial_used_ = false;        // what an earlier run left is looked at once
    std::string listed_folder_ = "/";  // no folder of ours
    std::vector<std::string> listed_names_;
    std::unique_ptr<env::File> sums_;
    std::uint64_t sums_size_ = 0;
    ByteBuffer sums_pending_;
};

}  // namespace

Result<CheckoutReport> Site::checkout(const std::string& course, env::Disk& target, std::string_view folder,
                                      Progress& progress) {
    SATCHEL_TRY(const std::optional<catalogue::EditionState> current,
                state_->catalogue->current_edition(course));
    SATCHEL_TRY_VOID(for_each_file(course, [](const store::ManifestEntry&) -> Result<void> { return {}; }));
    CheckoutReport report;
    report.edition = current->edition;
    SATCHEL_TRY(const Why state, why(course));
    if (state.missing_objects > 0)
        return fail(ErrorCode::kNotFound, course, "part of this course is not here yet",
                    "read a stick that carries it; `satchel why` tells how much is missing",
                    std::to_string(state.missing_objects) + " objects");
    Checkout work(*state_->store, target, std::string(folder), progress, report);
    SATCHEL_TRY_VOID(work.run(report.edition.manifest));
    return report;
}

}  // namespace satchel::site
