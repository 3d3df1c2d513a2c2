// Publishing: folder -> chunks in packs (committed) -> recipes -> manifest -> edition document -> signed
// commit. Crash points: until the catalogue's commit nothing of the edition is visible; what the store took
// stays, and the same command finds it there. The commit is one transaction.
#include <algorithm>

#include "engine/exchange/holdings.hpp"
#include "engine/site/course_source.hpp"
#include "engine/site/key_files.hpp"
#include "engine/site/known_files.hpp"
#include "engine/site/site_state.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

namespace {

constexpr std::string_view kFilmEndings[] = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".ts", ".mpg", ".avi"};

bool is_film(std::string_view path) {
    return std::any_of(std::begin(kFilmEndings), std::end(kFilmEndings),
                       [&](std::string_view ending) { return path.ends_with(ending); });
}

// Tells a failure of the source (this file is left out) from one of the store (publishing stops).
class WatchedFile : public env::File {
  public:
    explicit WatchedFile(env::File& file) : file_(file) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        return watch(file_.read_at(offset, into));
    }
    Result<std::uint64_t> size() override { return watch(file_.size()); }
    Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
        return file_.write_at(offset, bytes);
    }
    Result<void> truncate(std::uint64_t size) override { return file_.truncate(size); }
    Result<void> sync() override { return file_.sync(); }
    Result<void> set_mode(std::uint32_t mode) override { return file_.set_mode(mode); }
    Result<void> set_mtime(std::int64_t mtime_ns) override { return file_.set_mtime(mtime_ns); }
    [[nodiscard]] bool failed() const { return failed_; }

  private:
    template <typename T>
    Result<T> watch(Result<T> result) {
        failed_ = failed_ || !result.has_value();
        return result;
    }
    env::File& file_;
    bool failed_ = false;
};

class CoursePublisher {
  public:
    CoursePublisher(store::Store& store, env::Offload& offload, KnownFiles& known, env::Disk& folder,
                    Progress& progress, SkipList& skipped)
        : store_(store),
          ingester_(store, offload),
          known_(known),
          folder_(folder),
          progress_(progress),
          skipped_(skipped) {}

    Result<void> measure(const CourseSource& course) {
        SkipList ignored;  // the real walk lists them
        return walk_course(folder_, course, ignored, [this](const SourceItem& item) -> Result<void> {
            total_.bytes_total += item.info.kind == env::EntryKind::kFile ? item.info.size : 0;
            total_.items_total += 1;
            return {};
        });
    }

    // The manifest of the course as it is in the folder now; `earlier` is the newest edition's.
    Result<PublishedCourse> take(const CourseSource& course, const std::optional<ChunkId>& earlier) {
        PublishedCourse published;
        published.edition.course = course.id;
        published.edition.metadata = course.metadata;
        std::int64_t films = 0;
        store::ManifestBuilder builder(store_);
        std::optional<store::ManifestReader> reader;
        if (earlier) reader.emplace([this](const ChunkId& id) { return store_.read(id); }, *earlier);
        SATCHEL_TRY_VOID(walk_course(folder_, course, skipped_, [&](const SourceItem& item) -> Result<void> {
            store::ManifestEntry entry;
            entry.path = item.path;
            entry.mode = item.info.mode & 0777;
            entry.mtime_ns = item.info.mtime_ns;
            if (item.info.kind == env::EntryKind::kDirectory) {
                entry.type = store::EntryType::kDirectory;
                return builder.add(entry);
            }
            SATCHEL_TRY(const std::optional<store::FileContent> before, earlier_content(reader, item.path));
            SATCHEL_TRY(const bool taken, take_file(item, before, entry, published));
            if (!taken) return {};
            published.edition.files += 1;
            published.edition.bytes += entry.size;
            films += is_film(entry.path) ? 1 : 0;
            return builder.add(entry);
        }));
        if (published.edition.metadata.lessons == 0) published.edition.metadata.lessons = films;
        SATCHEL_TRY(published.edition.manifest, builder.finish());
        return published;
    }

  private:
    Result<std::optional<store::FileContent>> earlier_content(std::optional<store::ManifestReader>& reader,
                                                              const std::string& path) {
        if (!reader) return std::optional<store::FileContent>();
        SATCHEL_TRY(const std::optional<store::ManifestEntry> entry, reader->find(path));
        if (!entry || entry->type != store::EntryType::kFile) return std::optional<store::FileContent>();
        return std::optional(entry->content);
    }

    Result<bool> take_file(const SourceItem& item, const std::optional<store::FileContent>& before,
                           store::ManifestEntry& entry, PublishedCourse& published) {
        const Result<std::unique_ptr<env::File>> file = folder_.open(item.source_path, env::OpenMode::kRead);
        if (!file.has_value()) {
            skipped_.add(item.source_path, "the file cannot be read");
            return false;
        }
        WatchedFile watched(**file);
        total_.item = item.source_path;
        total_.items_done += 1;
        const auto done = [this](std::uint64_t bytes) -> Result<void> {
            total_.bytes_done += bytes;
            return progress_.update(total_);
        };
        SATCHEL_TRY_VOID(progress_.update(total_));
        const Result<store::Ingested> ingested = ingest(watched, before, item.info.size, done);
        if (!ingested.has_value()) {
            if (!watched.failed()) return ingested.error();
            skipped_.add(item.source_path, "the file cannot be read");
            return false;
        }
        entry.size = ingested->size;
        entry.content = ingested->content;
        published.new_chunks += ingested->new_chunks;
        published.new_stored_bytes += ingested->new_stored_bytes;
        return true;
    }

    // A file without an earlier edition under its name may be a known one under a new name. A changed one may
    // be back at what it was before; if not, it becomes known.
    Result<store::Ingested> ingest(env::File& file, const std::optional<store::FileContent>& before,
                                   std::uint64_t size, const store::BytesDone& done) {
        if (!before) {
            SATCHEL_TRY(const std::optional<store::Ingested> known, known_content(file, size));
            if (known) {
                SATCHEL_TRY_VOID(done(size));
                return *known;
            }
        }
        SATCHEL_TRY(store::Ingested ingested, ingester_.take(file, before, done));
        if (!before || ingested.content == *before) return ingested;
        SATCHEL_TRY(const std::optional<store::Ingested> known, known_content(file, ingested.size));
        if (known) return *known;
        SATCHEL_TRY_VOID(known_.note(file, ingested.size, ingested.content));
        return ingested;
    }

    // Only if all that it is made of is here.
    Result<std::optional<store::Ingested>> known_content(env::File& file, std::uint64_t size) {
        const std::optional<store::Ingested> nothing;
        SATCHEL_TRY(const std::optional<store::FileContent> content, known_.find(file, size));
        if (!content) return nothing;
        const Result<std::vector<store::Extent>> extents = store::extents_of(store_, *content);
        if (!extents.has_value()) return nothing;
        for (const store::Extent& extent : *extents) {
            SATCHEL_TRY(const bool here, store_.contains(extent.chunk));
            if (!here) return nothing;
        }
        return std::optional(store::Ingested{.content = *content, .size = size});
    }

    store::Store& store_;
    store::Ingester ingester_;
    KnownFiles& known_;
    env::Disk& folder_;
    Progress& progress_;
    SkipList& skipped_;
    ProgressUpdate total_{.stage = "reading the folder", .item = {}};
};

std::string message_for(const PublishReport& report, const std::string& given) {
    if (!given.empty()) return given;
    std::string names;
    std::size_t changed = 0;
    for (const PublishedCourse& course : report.courses) {
        if (course.unchanged) continue;
        if (++changed <= 3) names += (changed > 1 ? ", " : "") + course.edition.course;
    }
    return "Publish " + names + (changed > 3 ? " and " + std::to_string(changed - 3) + " more" : "");
}

// As many distinct holders must be able to review as the edition will demand.
Result<std::uint32_t> reviews_demanded(trust::TrustStore& trust, std::uint32_t asked) {
    SATCHEL_TRY(const std::optional<trust::Root> root, trust.current_root());
    const trust::Lane* lane = root ? root->lane(kOfficeLane) : nullptr;
    if (lane == nullptr)
        return fail(ErrorCode::kRefused, kOfficeLane, "the root names no such lane",
                    "ask the office for a new root");
    std::vector<std::string> holders;
    for (const trust::KeyHolder& reviewer : lane->reviewers) holders.push_back(reviewer.holder);
    std::sort(holders.begin(), holders.end());
    holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
    const std::uint32_t demanded = std::max(asked, lane->reviews_needed);
    if (demanded > holders.size())
        return fail(ErrorCode::kUsage, std::to_string(demanded),
                    "the network has fewer reviewers than reviews are asked for",
                    "add reviewers with `satchel reviewers add`, or ask for fewer reviews");
    return demanded;
}

}  // namespace

Result<PublishReport> Site::publish(env::Disk& folder, std::string_view folder_name,
                                    const PublishOptions& options, Progress& progress) {
    SATCHEL_TRY(const trust::SigningKey editor, load_office_key(state_->disk, kEditorKey));
    if (options.reviews) SATCHEL_TRY_VOID(reviews_demanded(state_->trust, *options.reviews));
    SkipList skipped;
    SATCHEL_TRY(const std::vector<CourseSource> sources,
                find_courses(folder, folder_name, options.loose_course, skipped));
    if (sources.empty())
        return fail(ErrorCode::kUsage, folder.describe(""), "the folder holds nothing that can be published",
                    "name a folder with a course in it");

    KnownFiles known(*state_->database);
    CoursePublisher publisher(*state_->store, state_->world.offload, known, folder, progress, skipped);
    for (const CourseSource& source : sources) SATCHEL_TRY_VOID(publisher.measure(source));

    PublishReport report;
    std::vector<catalogue::DocumentChange> changes;
    for (const CourseSource& source : sources) {
        SATCHEL_TRY(const std::optional<catalogue::EditionState> newest,
                    state_->catalogue->newest_edition(source.id));
        const std::optional<ChunkId> earlier =
            newest ? std::optional(newest->edition.manifest) : std::nullopt;
        SATCHEL_TRY(PublishedCourse course, publisher.take(source, earlier));
        course.edition.number = newest ? newest->edition.number + 1 : 1;
        const std::uint32_t asked = options.reviews.value_or(newest ? newest->edition.reviews_needed : 0);
        SATCHEL_TRY(course.edition.reviews_needed, reviews_demanded(state_->trust, asked));
        course.unchanged = newest && newest->edition.manifest == course.edition.manifest &&
                           newest->edition.metadata == course.edition.metadata;
        if (course.unchanged)
            course.edition = newest->edition;
        else
            changes.push_back({catalogue::edition_path(course.edition.course, course.edition.number),
                               encode(course.edition)});
        report.courses.push_back(std::move(course));
    }
    SATCHEL_TRY_VOID(state_->store->commit());
    SATCHEL_TRY_VOID(known.save());
    if (!changes.empty())
        SATCHEL_TRY_VOID(
            state_->catalogue->commit(kOfficeLane, editor, message_for(report, options.message), changes));
    for (PublishedCourse& course : report.courses) {
        SATCHEL_TRY_VOID(exchange::note_complete(*state_->database, course.edition.manifest));
        SATCHEL_TRY(const std::optional<catalogue::EditionState> current,
                    state_->catalogue->current_edition(course.edition.course));
        course.is_current = current && current->edition.number == course.edition.number;
    }
    SATCHEL_TRY_VOID(update_mirror());
    report.skipped = std::move(skipped.items);
    report.skipped_count = skipped.count;
    return report;
}

}  // namespace satchel::site
