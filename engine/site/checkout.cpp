// Checking out: an edition as plain files, every byte hash-checked, resumable.
//
// Files are written under numbers into a folder beside the one that is asked for, and renamed into it when a
// batch of them is sure: so a name in the folder always holds a whole file, also after a power cut, and a
// thousand small files cost one sync. A batch goes to the disk while the next one is written.
//
// Crash points, and what the next checkout finds:
//   a part is written, or the batch synced   parts that are whole, torn or missing; each belongs to the file
//                                            of its number, and what of it matches the edition is kept
//   some of a batch are renamed              those files are there and whole
//   the sums are written, times set          the files are there: they are compared, not written again
//
// Memory: the names of two batches, and part_writer.hpp.
#include <algorithm>
#include <utility>

#include "engine/exchange/edition_walk.hpp"
#include "engine/site/checkout_sums.hpp"
#include "engine/site/course_source.hpp"
#include "engine/site/part_writer.hpp"
#include "engine/site/site_state.hpp"

namespace satchel::site {

namespace {

class Checkout {
  public:
    Checkout(store::Store& store, env::Offload& offload, env::Disk& target, std::string folder,
             const CheckoutLimits& limits, Progress& progress, CheckoutReport& report)
        : store_(store),
          target_(target),
          folder_(std::move(folder)),
          limits_(limits),
          progress_(progress),
          report_(report),
          sums_(target, folder_, report.edition.course),
          parts_(store, offload, target, folder_ + ".satchel-part",
                 {.went_on = [this](std::int64_t bytes) { return advance(bytes); },
                  .wrote = [this](std::uint64_t bytes) { report_.bytes_written += bytes; },
                  .finished = [this](PartWriter::Finished file) { return take(std::move(file)); }}) {
        total_.items_total = report.edition.files;
        total_.bytes_total = report.edition.bytes;
        report_.sums_file = sums_.path();
    }
    ~Checkout() {
        if (!synced_.empty()) static_cast<void>(target_.end_sync_all());
    }

    Result<void> run(const ChunkId& manifest) {
        SATCHEL_TRY_VOID(sums_.check_owner());
        SATCHEL_TRY_VOID(make_folder(folder_));
        SATCHEL_TRY_VOID(sums_.begin());
        SATCHEL_TRY_VOID(parts_.begin());
        store::ManifestReader reader([this](const ChunkId& id) { return store_.read(id); }, manifest);
        SATCHEL_TRY_VOID(reader.for_each([this](const store::ManifestEntry& entry) { return place(entry); }));
        SATCHEL_TRY_VOID(parts_.finish());
        SATCHEL_TRY_VOID(end_batch());
        SATCHEL_TRY_VOID(place_synced());
        SATCHEL_TRY_VOID(sums_.end());
        SATCHEL_TRY_VOID(parts_.remove_folder());
        // Folders get their times and modes last: writing into a folder changes its time.
        SATCHEL_TRY_VOID(reader.for_each([this](const store::ManifestEntry& entry) -> Result<void> {
            if (entry.type != store::EntryType::kDirectory) return {};
            return skip_if_unfit(entry.path, target_.set_directory_attributes(
                                                 env::join(folder_, entry.path),
                                                 {.mode = entry.mode, .mtime_ns = entry.mtime_ns}));
        }));
        report_.skipped = std::move(skipped_.items);
        report_.skipped_count = skipped_.count;
        SATCHEL_TRY_VOID(target_.begin_sync_all());
        return target_.end_sync_all();
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
        number_ += 1;
        const Result<bool> is_there = find_file(path);
        if (!is_there.has_value()) return skip_if_unfit(entry.path, tl::unexpected(is_there.error()));
        return parts_.add(entry, number_, *is_there ? std::optional(path) : std::nullopt);
    }

    Result<void> take(PartWriter::Finished file) {
        if (!file.outcome.has_value()) {
            SATCHEL_TRY_VOID(skip_if_unfit(file.entry_path, file.outcome));
            static_cast<void>(target_.remove_file(parts_.path_of(file.number)));
            return {};
        }
        report_.files_kept += file.is_kept ? 1 : 0;
        batch_bytes_ += file.is_kept ? 0 : file.bytes;
        batch_has_parts_ = batch_has_parts_ || !file.is_kept;
        batch_.push_back(std::move(file));
        const bool is_full = batch_bytes_ >= limits_.batch_bytes || batch_.size() >= limits_.batch_files;
        return is_full ? end_batch() : Result<void>();
    }

    // Whether a file of exactly this name is there. kExists, kFailed: something else is in its place.
    Result<bool> find_file(const std::string& path) {
        const Result<env::EntryInfo> there = target_.stat(path);
        if (!there.has_value() && there.error().code != ErrorCode::kNotFound) return there.error();
        if (!there.has_value()) return false;
        SATCHEL_TRY(const bool same_name, holds_exact_name(path));
        if (!same_name)
            return fail(ErrorCode::kExists, path,
                        "the target cannot hold two names that differ only in case or form",
                        "check out to a disk that tells such names apart");
        if (there->kind == env::EntryKind::kDirectory)
            return fail(ErrorCode::kFailed, path, "a folder stands where a file should be",
                        "check out to an empty folder");
        return true;
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

    // What is written goes to the disk, beside what is written next.
    Result<void> end_batch() {
        SATCHEL_TRY_VOID(place_synced());
        if (std::exchange(batch_has_parts_, false)) SATCHEL_TRY_VOID(target_.begin_sync_all());
        batch_bytes_ = 0;
        synced_ = std::exchange(batch_, {});
        std::sort(synced_.begin(), synced_.end(),
                  [](const auto& a, const auto& b) { return a.number < b.number; });
        return {};
    }

    Result<void> place_synced() {
        if (synced_.empty()) return {};
        SATCHEL_TRY_VOID(target_.end_sync_all());
        for (const PartWriter::Finished& file : synced_)
            SATCHEL_TRY_VOID(skip_if_unfit(file.entry_path, put_in_place(file)));
        synced_.clear();
        return {};
    }

    Result<void> put_in_place(const PartWriter::Finished& file) {
        if (!file.is_kept) {
            const std::string path = env::join(folder_, file.entry_path);
            // Another one of the batch may have come to stand there, on a disk that folds case.
            const Result<bool> there = find_file(path);
            Result<void> placed;
            if (there.has_value())
                placed = target_.rename(parts_.path_of(file.number), path);
            else
                placed = tl::unexpected(there.error());
            if (!placed.has_value()) {
                static_cast<void>(target_.remove_file(parts_.path_of(file.number)));
                return placed;
            }
        }
        report_.files += 1;
        return sums_.note(file.digest, file.entry_path);
    }

    Result<void> advance(std::int64_t bytes) {
        total_.bytes_done += static_cast<std::uint64_t>(bytes);
        return progress_.update(total_);
    }

    store::Store& store_;
    env::Disk& target_;
    const std::string folder_;
    const CheckoutLimits limits_;
    Progress& progress_;
    CheckoutReport& report_;
    CheckoutSums sums_;
    PartWriter parts_;
    SkipList skipped_;
    ProgressUpdate total_{.stage = "checking out", .item = {}};
    std::uint64_t number_ = 0;  // of the file at hand, in the order of the edition
    std::vector<PartWriter::Finished> batch_;
    std::uint64_t batch_bytes_ = 0;
    bool batch_has_parts_ = false;
    std::vector<PartWriter::Finished> synced_;  // the batch before, on its way to be sure
    std::string listed_folder_ = "/";           // no folder of ours
    std::vector<std::string> listed_names_;
};

}  // namespace

Result<CheckoutReport> Site::checkout(const std::string& course, env::Disk& target, std::string_view folder,
                                      Progress& progress, const CheckoutLimits& limits) {
    SATCHEL_TRY(const std::optional<catalogue::EditionState> shown, edition_to_show(course));
    SATCHEL_TRY_VOID(for_each_file(course, [](const store::ManifestEntry&) -> Result<void> { return {}; }));
    CheckoutReport report;
    report.edition = shown->edition;
    SATCHEL_TRY(const exchange::Missing missing,
                exchange::count_missing(*state_->store, report.edition.manifest));
    if (missing.objects > 0)
        return fail(ErrorCode::kNotFound, course, "part of this course is not here yet",
                    "read a stick that carries it; `satchel why` tells how much is missing",
                    std::to_string(missing.objects) + " objects");
    Checkout work(*state_->store, state_->world.offload, target, std::string(folder), limits, progress,
                  report);
    SATCHEL_TRY_VOID(work.run(report.edition.manifest));
    return report;
}

}  // namespace satchel::site
