// Method. The folder and the newest edition's manifest are walked side by side, in path order. A file that
// looks as it did when it was last read (seen_files.hpp) keeps its content. Others are read: small ones
// whole, to be found among the small files that are known (small_files.hpp) or to go into a bag with their
// neighbours (store/bags.hpp); the rest through the ingester. Entries behind a small file wait until its bag
// is in the store.
#include "engine/site/course_publisher.hpp"

#include <algorithm>

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

}  // namespace

struct CoursePublisher::Course {
    Course(const CoursePublisherParts& parts, const std::string& id)
        : builder(parts.store), seen(parts.site_disk, id), begun(parts.world.clock.wall()) {}

    PublishedCourse published;
    EarlierEdition earlier;
    store::ManifestBuilder builder;
    SeenWriter seen;
    env::Instant begun;
    std::int64_t films = 0;
};

CoursePublisher::CoursePublisher(const CoursePublisherParts& parts)
    : parts_(parts),
      ingester_(parts.store, parts.world.offload),
      bags_(parts.store, parts.world.offload),
      small_(store::kBaggedMax + 1) {}

Result<void> CoursePublisher::measure(const CourseSource& course) {
    SkipList ignored;  // the real walk lists them
    return walk_course(parts_.folder, course, ignored, [this](const SourceItem& item) -> Result<void> {
        total_.bytes_total += item.info.kind == env::EntryKind::kFile ? item.info.size : 0;
        total_.items_total += 1;
        return {};
    });
}

Result<PublishedCourse> CoursePublisher::take(const CourseSource& source,
                                              const std::optional<ChunkId>& earlier, bool trust_seen) {
    std::optional<SeenReader> seen;
    if (earlier && trust_seen) seen = SeenReader::open(parts_.site_disk, source.id, *earlier);
    Course course(parts_, source.id);
    if (earlier) course.earlier = EarlierEdition(parts_.store, *earlier, std::move(seen));
    course.published.edition.course = source.id;
    course.published.edition.metadata = source.metadata;
    SATCHEL_TRY_VOID(walk_course(parts_.folder, source, parts_.skipped,
                                 [&](const SourceItem& item) { return take_item(course, item); }));
    SATCHEL_TRY_VOID(put_bags(course));
    catalogue::Edition& edition = course.published.edition;
    if (edition.metadata.lessons == 0) edition.metadata.lessons = course.films;
    SATCHEL_TRY(edition.manifest, course.builder.finish());
    const auto read = [this](const ChunkId& id) { return parts_.store.read(id); };
    if (earlier && store::has_same_entries(read, *earlier, edition.manifest)) edition.manifest = *earlier;
    course.seen.finish(edition.manifest);
    return std::move(course.published);
}

Result<void> CoursePublisher::take_item(Course& course, const SourceItem& item) {
    Waiting waiting;
    store::ManifestEntry& entry = waiting.entry;
    entry.path = item.path;
    entry.mode = item.info.mode & 0777;
    entry.mtime_ns = item.info.mtime_ns;
    if (item.info.kind == env::EntryKind::kDirectory) {
        entry.type = store::EntryType::kDirectory;
        return add(course, std::move(waiting));
    }
    SATCHEL_TRY(const EarlierEdition::Found before, course.earlier.find(item));
    total_.item = item.source_path;
    total_.items_done += 1;
    if (before.is_untouched) {
        entry.size = item.info.size;
        entry.content = *before.content;
        SATCHEL_TRY_VOID(done(entry.size));
    } else {
        SATCHEL_TRY(const bool taken, take_file(course, item, before.content, waiting));
        if (!taken && before.content)
            return fail(ErrorCode::kIo, item.source_path,
                        "this file is in the edition before, and cannot be read now",
                        "make it readable, or remove it from the folder if it shall go, and publish again");
        if (!taken) {
            parts_.skipped.add(item.source_path, "the file cannot be read");
            return {};
        }
    }
    course.seen.add(row_of(item.info, course.begun));
    course.published.edition.files += 1;
    course.published.edition.bytes += entry.size;
    course.films += is_film(entry.path) ? 1 : 0;
    return add(course, std::move(waiting));
}

// False: the file cannot be read.
Result<bool> CoursePublisher::take_file(Course& course, const SourceItem& item,
                                        const std::optional<store::FileContent>& before, Waiting& waiting) {
    const Result<std::unique_ptr<env::File>> file =
        parts_.folder.open(item.source_path, env::OpenMode::kRead);
    if (!file.has_value()) return false;
    if (item.info.size <= store::kBaggedMax) {
        const Result<std::size_t> got = (*file)->read_at(0, small_);
        if (!got.has_value()) return false;
        if (*got <= store::kBaggedMax) {
            waiting.entry.size = *got;
            SATCHEL_TRY_VOID(done(*got));
            return take_small(course, ByteView(small_).first(*got), before, waiting);
        }
    }
    WatchedFile watched(**file);
    SATCHEL_TRY_VOID(parts_.progress.update(total_));
    const Result<store::Ingested> ingested = take_large(watched, before, item.info.size);
    if (!ingested.has_value()) {
        if (watched.failed()) return false;
        return ingested.error();
    }
    waiting.entry.size = ingested->size;
    waiting.entry.content = ingested->content;
    course.published.new_chunks += ingested->new_chunks;
    course.published.new_stored_bytes += ingested->new_stored_bytes;
    return true;
}

Result<bool> CoursePublisher::take_small(Course& course, ByteView bytes,
                                         const std::optional<store::FileContent>& before, Waiting& waiting) {
    store::ManifestEntry& entry = waiting.entry;
    if (bytes.empty()) return true;
    if (before) {
        SATCHEL_TRY(const bool same, parts_.small.holds(*before, bytes));
        if (same) {
            entry.content = *before;
            return true;
        }
    }
    waiting.digest = hash_of(bytes);
    waiting.bagged = same_in_bags(bytes, waiting.digest);
    if (waiting.bagged) return true;
    SATCHEL_TRY(const std::optional<store::FileContent> known, parts_.small.find(bytes, waiting.digest));
    if (known) {
        entry.content = *known;
        return true;
    }
    if (before) {
        SATCHEL_TRY(const std::optional<store::Ingested> moved, ingester_.take_moved(bytes, *before));
        if (moved) {
            entry.content = moved->content;
            course.published.new_chunks += moved->new_chunks;
            course.published.new_stored_bytes += moved->new_stored_bytes;
            parts_.small.note(waiting.digest, bytes.size(), moved->content);
            return true;
        }
    }
    if (!bags_.has_room(bytes.size())) SATCHEL_TRY_VOID(put_bags(course));
    waiting.bagged = bags_.add(bytes);
    in_bags_.emplace(waiting.digest, *waiting.bagged);
    return true;
}

std::optional<std::size_t> CoursePublisher::same_in_bags(ByteView bytes, const Digest& digest) const {
    const auto found = in_bags_.find(digest);
    if (found == in_bags_.end() || !equal(bags_.bytes_of(found->second), bytes)) return std::nullopt;
    return found->second;
}

Result<void> CoursePublisher::add(Course& course, Waiting waiting) {
    if (waiting_.empty() && !waiting.bagged) return course.builder.add(waiting.entry);
    waiting_.push_back(std::move(waiting));
    if (waiting_.size() >= kWaitingEntriesMax) return put_bags(course);
    return {};
}

Result<void> CoursePublisher::put_bags(Course& course) {
    SATCHEL_TRY(const store::Bags::Put put, bags_.put_all());
    course.published.new_chunks += put.new_chunks;
    course.published.new_stored_bytes += put.new_stored_bytes;
    for (Waiting& waiting : waiting_) {
        if (waiting.bagged) {
            waiting.entry.content = put.places[*waiting.bagged];
            const auto first = in_bags_.find(waiting.digest);
            if (first != in_bags_.end()) {  // for the others of the same bytes there is one row
                parts_.small.note(waiting.digest, waiting.entry.size, waiting.entry.content);
                in_bags_.erase(first);
            }
        }
        SATCHEL_TRY_VOID(course.builder.add(waiting.entry));
    }
    waiting_.clear();
    in_bags_.clear();
    return {};
}

Result<void> CoursePublisher::done(std::uint64_t bytes) {
    total_.bytes_done += bytes;
    return parts_.progress.update(total_);
}

// A file without an earlier edition under its name may be a known one under a new name. A changed one may
// be back at what it was before; if not, it becomes known.
Result<store::Ingested> CoursePublisher::take_large(env::File& file,
                                                    const std::optional<store::FileContent>& before,
                                                    std::uint64_t size) {
    if (!before) {
        SATCHEL_TRY(const std::optional<store::Ingested> known, known_content(file, size));
        if (known) {
            SATCHEL_TRY_VOID(done(size));
            return *known;
        }
    }
    SATCHEL_TRY(store::Ingested ingested,
                ingester_.take(file, before, [this](std::uint64_t bytes) { return done(bytes); }));
    if (!before || ingested.content == *before) return ingested;
    SATCHEL_TRY(const std::optional<store::Ingested> known, known_content(file, ingested.size));
    if (known) return *known;
    SATCHEL_TRY_VOID(parts_.known.note(file, ingested.size, ingested.content));
    return ingested;
}

// Only if all that it is made of is here.
Result<std::optional<store::Ingested>> CoursePublisher::known_content(env::File& file, std::uint64_t size) {
    const std::optional<store::Ingested> nothing;
    SATCHEL_TRY(const std::optional<store::FileContent> content, parts_.known.find(file, size));
    if (!content) return nothing;
    const Result<std::vector<store::Extent>> extents = store::extents_of(parts_.store, *content);
    if (!extents.has_value()) return nothing;
    for (const store::Extent& extent : *extents) {
        SATCHEL_TRY(const bool here, parts_.store.contains(extent.chunk));
        if (!here) return nothing;
    }
    return std::optional(store::Ingested{.content = *content, .size = size});
}

}  // namespace satchel::site
