#include "cli/play/site_library.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <mutex>

#include "engine/base/encoding.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::play {

namespace {

using Clock = std::chrono::steady_clock;

// How much of a course is here is counted chunk by chunk: a page waits so long for it, and a count is shown
// again for so long.
constexpr auto kCountingMax = std::chrono::milliseconds(1000);
constexpr auto kCountKept = std::chrono::seconds(20);
constexpr std::size_t kCountsKeptMax = 1000;
// Look-ups in the index that one turn at the engine makes: about a millisecond.
constexpr std::size_t kLookupsATurn = 256;

class Engine {
  public:
    Engine(site::Site& site, WithEngine with_engine) : site_(site), with_engine_(std::move(with_engine)) {}

    template <typename T>
    Result<T> turn(const std::function<Result<T>(site::Site&)>& work) const {
        Result<T> result = fail(ErrorCode::kCancelled, "", "the site is being closed", "start it again");
        with_engine_([&] { result = work(site_); });
        return result;
    }

    [[nodiscard]] Result<ByteBuffer> read(const ChunkId& id) const {
        return turn<ByteBuffer>([&](site::Site& site) { return site.store().read(id); });
    }

    [[nodiscard]] Result<bool> contains(const ChunkId& id) const {
        return turn<bool>([&](site::Site& site) { return site.store().contains(id); });
    }

    [[nodiscard]] Result<std::vector<store::Extent>> extents_of(const store::FileContent& content) const {
        return turn<std::vector<store::Extent>>(
            [&](site::Site& site) { return store::extents_of(site.store(), content); });
    }

    // The bytes that those of these extents hold whose chunks are here.
    [[nodiscard]] Result<std::uint64_t> bytes_here(std::span<const store::Extent> extents) const {
        std::uint64_t bytes = 0;
        while (!extents.empty()) {
            const auto some = extents.first(std::min(kLookupsATurn, extents.size()));
            extents = extents.subspan(some.size());
            SATCHEL_TRY(const std::uint64_t more, turn<std::uint64_t>([&](site::Site& site) {
                            return bytes_here_of(site.store(), some);
                        }));
            bytes += more;
        }
        return bytes;
    }

    [[nodiscard]] Result<std::optional<catalogue::Edition>> shown(const std::string& course) const {
        return turn<std::optional<catalogue::Edition>>(
            [&](site::Site& site) -> Result<std::optional<catalogue::Edition>> {
                SATCHEL_TRY(const std::optional<catalogue::EditionState> state, site.edition_to_show(course));
                if (!state) return std::optional<catalogue::Edition>();
                return std::optional(state->edition);
            });
    }

    [[nodiscard]] store::ManifestReader manifest(const ChunkId& root) const {
        return store::ManifestReader([this](const ChunkId& id) { return read(id); }, root);
    }

  private:
    static Result<std::uint64_t> bytes_here_of(store::Store& store, std::span<const store::Extent> extents) {
        std::uint64_t bytes = 0;
        for (const store::Extent& extent : extents) {
            SATCHEL_TRY(const bool is_here, store.contains(extent.chunk));
            if (is_here) bytes += extent.length;
        }
        return bytes;
    }

    site::Site& site_;
    WithEngine with_engine_;
};

Error wrong_recipe(const std::string& path) {
    return fail(ErrorCode::kDamaged, path, "the parts of this file do not fit together",
                "check the store with `satchel store verify`, then read a stick that carries the course");
}

class Reader : public PlayReader {
  public:
    Reader(std::shared_ptr<const Engine> engine, store::ManifestEntry entry,
           std::vector<store::Extent> extents)
        : engine_(std::move(engine)),
          path_(std::move(entry.path)),
          size_(entry.size),
          tag_(tag_of(entry.content)),
          extents_(std::move(extents)) {
        std::uint64_t end = 0;
        ends_.reserve(extents_.size());
        for (const store::Extent& extent : extents_) ends_.push_back(end += extent.length);
    }

    [[nodiscard]] bool fits() const { return (ends_.empty() ? 0 : ends_.back()) == size_; }
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] const std::string& tag() const override { return tag_; }

    Result<bool> has(std::uint64_t offset, std::uint64_t length) override {
        if (length == 0) return true;
        const std::size_t first = extent_at(offset), last = extent_at(offset + length - 1);
        const auto needed = std::span<const store::Extent>(extents_).subspan(first, last - first + 1);
        std::uint64_t wanted = 0;
        for (const store::Extent& extent : needed) wanted += extent.length;
        SATCHEL_TRY(const std::uint64_t here, engine_->bytes_here(needed));
        return here == wanted;
    }

    Result<std::string_view> read(std::uint64_t offset) override {
        const std::size_t at = extent_at(offset);
        const store::Extent& extent = extents_[at];
        if (loaded_ != at) {
            loaded_ = kNone;
            SATCHEL_TRY(chunk_, engine_->read(extent.chunk));
            if (std::uint64_t{extent.offset} + extent.length > chunk_.size()) return wrong_recipe(path_);
            loaded_ = at;
        }
        const std::uint64_t begin = offset - (ends_[at] - extent.length);
        const std::uint64_t size = std::min<std::uint64_t>(kStepBytes, extent.length - begin);
        return text_of(ByteView(chunk_).subspan(extent.offset + static_cast<std::size_t>(begin),
                                                static_cast<std::size_t>(size)));
    }

  private:
    static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

    // A recipe's id, or the piece of the chunk that the file is: equal names, equal bytes.
    static std::string tag_of(const store::FileContent& content) {
        ByteBuffer name;
        Writer writer(name);
        if (const auto* recipe = std::get_if<store::RecipeContent>(&content))
            writer.u8(2).raw(recipe->recipe.view());
        else if (const auto* extent = std::get_if<store::Extent>(&content))
            writer.u8(1).raw(extent->chunk.view()).u32(extent->offset).u32(extent->length);
        else
            writer.u8(0);
        return to_hex(hash_of(name));
    }

    [[nodiscard]] std::size_t extent_at(std::uint64_t offset) const {
        return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) - ends_.begin());
    }

    std::shared_ptr<const Engine> engine_;
    std::string path_;
    std::uint64_t size_;
    std::string tag_;
    std::vector<store::Extent> extents_;
    std::vector<std::uint64_t> ends_;  // of each extent, in the file
    ByteBuffer chunk_;                 // of the extent `loaded_`
    std::size_t loaded_ = kNone;
};

class SiteLibrary : public PlayLibrary {
  public:
    SiteLibrary(site::Site& site, WithEngine with_engine)
        : engine_(std::make_shared<const Engine>(site, std::move(with_engine))) {}

    Result<CoursePage> courses(std::uint64_t first, std::size_t count) override {
        std::vector<catalogue::Edition> editions;
        std::vector<bool> complete;
        SATCHEL_TRY(const std::uint64_t total, engine_->turn<std::uint64_t>([&](site::Site& site) {
            std::uint64_t number = 0;
            Result<void> walked = site.for_each_course([&](const site::CourseState& course) -> Result<void> {
                const bool is_whole = course.complete || course.stand_in;
                if (!course.has_current || (!is_whole && !course.subscribed)) return {};
                if (number++ < first || editions.size() == count) return {};
                editions.push_back(course.stand_in.value_or(course.edition.edition));
                complete.push_back(is_whole);
                return {};
            });
            return walked.has_value() ? Result<std::uint64_t>(number) : Result<std::uint64_t>(walked.error());
        }));
        CoursePage page{.courses = {}, .total = total};
        const Clock::time_point deadline = Clock::now() + kCountingMax;
        for (std::size_t at = 0; at < editions.size(); ++at) {
            SATCHEL_TRY(PlayCourse course, described(editions[at], complete[at], deadline));
            page.courses.push_back(std::move(course));
        }
        return page;
    }

    Result<std::optional<PlayCourse>> course(const std::string& id) override {
        SATCHEL_TRY(const std::optional<catalogue::Edition> edition, engine_->shown(id));
        if (!edition) return std::optional<PlayCourse>();
        SATCHEL_TRY(PlayCourse course, described(*edition, false, Clock::now() + kCountingMax));
        return std::optional(std::move(course));
    }

    Result<FilePage> files(const std::string& id, std::uint64_t first, std::size_t count) override {
        FilePage page;
        SATCHEL_TRY(const std::optional<catalogue::Edition> edition, engine_->shown(id));
        if (!edition) return page;
        store::ManifestReader manifest = engine_->manifest(edition->manifest);
        SATCHEL_TRY_VOID(manifest.for_each([&](const store::ManifestEntry& entry) -> Result<void> {
            if (entry.type != store::EntryType::kFile) return {};
            if (page.total++ >= first && page.files.size() < count)
                page.files.push_back({entry.path, entry.size});
            return {};
        }));
        return page;
    }

    Result<bool> has_file(const std::string& id, const std::string& path) override {
        SATCHEL_TRY(const std::optional<store::ManifestEntry> entry, find(id, path));
        return entry.has_value();
    }

    Result<std::unique_ptr<PlayReader>> open(const std::string& id, const std::string& path) override {
        SATCHEL_TRY(std::optional<store::ManifestEntry> entry, find(id, path));
        if (!entry) return std::unique_ptr<PlayReader>();
        SATCHEL_TRY(std::vector<store::Extent> extents, engine_->extents_of(entry->content));
        auto reader = std::make_unique<Reader>(engine_, std::move(*entry), std::move(extents));
        if (!reader->fits()) return wrong_recipe(path);
        return std::unique_ptr<PlayReader>(std::move(reader));
    }

  private:
    Result<std::optional<store::ManifestEntry>> find(const std::string& id, const std::string& path) {
        SATCHEL_TRY(const std::optional<catalogue::Edition> edition, engine_->shown(id));
        if (!edition) return std::optional<store::ManifestEntry>();
        SATCHEL_TRY(std::optional<store::ManifestEntry> entry,
                    engine_->manifest(edition->manifest).find(path));
        if (entry && entry->type != store::EntryType::kFile) entry.reset();
        return entry;
    }

    Result<PlayCourse> described(const catalogue::Edition& edition, bool is_complete,
                                 Clock::time_point deadline) {
        PlayCourse course{.id = edition.course,
                          .edition = edition.number,
                          .title_en = edition.metadata.title_for("en"),
                          .title_zh = edition.metadata.title_for("zh"),
                          .theme = edition.metadata.theme,
                          .lessons = edition.metadata.lessons,
                          .bytes = edition.bytes,
                          .is_complete = is_complete,
                          .percent = std::nullopt};
        if (is_complete) return course;
        SATCHEL_TRY(const std::optional<std::uint64_t> here, counted(edition.manifest, deadline));
        if (!here) return course;
        course.is_complete = *here == kAllHere;
        if (!course.is_complete)
            course.percent =
                edition.bytes == 0
                    ? 0
                    : static_cast<int>(std::min<double>(
                          99.0, 100.0 * static_cast<double>(*here) / static_cast<double>(edition.bytes)));
        return course;
    }

    static constexpr std::uint64_t kAllHere = std::numeric_limits<std::uint64_t>::max();

    // The bytes of an edition that are here; nullopt when the time is up before they are counted.
    Result<std::optional<std::uint64_t>> counted(const ChunkId& manifest, Clock::time_point deadline) {
        {
            const std::scoped_lock lock(mutex_);
            const auto kept = counts_.find(manifest);
            if (kept != counts_.end() && Clock::now() - kept->second.at < kCountKept)
                return std::optional(kept->second.bytes);
        }
        bool in_time = true;
        SATCHEL_TRY(const std::uint64_t bytes, count(manifest, deadline, in_time));
        if (!in_time) return std::optional<std::uint64_t>();
        const std::scoped_lock lock(mutex_);
        if (counts_.size() >= kCountsKeptMax) counts_.clear();
        counts_.insert_or_assign(manifest, Count{bytes, Clock::now()});
        return std::optional(bytes);
    }

    Result<std::uint64_t> count(const ChunkId& manifest, Clock::time_point deadline, bool& in_time) {
        std::uint64_t bytes = 0;
        bool all = true;
        const auto stop_late = [&]() -> Result<void> {
            in_time = Clock::now() < deadline;
            if (in_time) return {};
            return fail(ErrorCode::kCancelled, "", "the site is being closed", "start it again");
        };
        const auto add = [&](const store::ManifestEntry& entry) -> Result<void> {
            SATCHEL_TRY_VOID(stop_late());
            if (entry.type != store::EntryType::kFile) return {};
            Result<std::vector<store::Extent>> extents = engine_->extents_of(entry.content);
            if (!extents.has_value()) {
                all = false;
                return {};
            }
            SATCHEL_TRY(const std::uint64_t here, engine_->bytes_here(*extents));
            all = all && here == entry.size;
            bytes += here;
            return {};
        };
        const auto enter = [&](const ChunkId& node) -> Result<bool> {
            SATCHEL_TRY_VOID(stop_late());
            SATCHEL_TRY(const bool is_here, engine_->contains(node));
            all = all && is_here;
            return is_here;
        };
        Result<void> walked = engine_->manifest(manifest).for_each(add, enter);
        if (!walked.has_value() && in_time) return walked.error();
        return all ? kAllHere : bytes;
    }

    struct Count {
        std::uint64_t bytes;
        Clock::time_point at;
    };

    std::shared_ptr<const Engine> engine_;
    std::mutex mutex_;
    std::map<ChunkId, Count> counts_;
};

}  // namespace

std::unique_ptr<PlayLibrary> make_site_library(site::Site& site, WithEngine with_engine) {
    return std::make_unique<SiteLibrary>(site, std::move(with_engine));
}

}  // namespace satchel::play
