// Takes the courses of a folder into the store, one after the other. Private to engine/site; see the source
// for the method.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/env/world.hpp"
#include "engine/site/course_source.hpp"
#include "engine/site/earlier_edition.hpp"
#include "engine/site/known_files.hpp"
#include "engine/site/small_files.hpp"
#include "engine/store/bags.hpp"
#include "engine/store/ingest.hpp"

namespace satchel::site {

// All borrowed.
struct CoursePublisherParts {
    store::Store& store;
    env::World& world;
    env::Disk& site_disk;
    env::Disk& folder;
    KnownFiles& known;
    SmallFiles& small;
    Progress& progress;
    SkipList& skipped;
};

// Entries of a manifest that wait for the bags of small files among them.
inline constexpr std::size_t kWaitingEntriesMax = 16'384;

class CoursePublisher {
  public:
    explicit CoursePublisher(const CoursePublisherParts& parts);

    Result<void> measure(const CourseSource& course);
    // The manifest of the course as it is in the folder now; `earlier` is the newest edition's. `trust_seen`:
    // a file that looks as it did then is not read.
    Result<PublishedCourse> take(const CourseSource& course, const std::optional<ChunkId>& earlier,
                                 bool trust_seen);

  private:
    struct Waiting {
        store::ManifestEntry entry;
        std::optional<std::size_t> bagged;  // its number in the bags
        Digest digest{};
    };
    struct Course;  // the one at hand

    Result<void> take_item(Course& course, const SourceItem& item);
    Result<bool> take_file(Course& course, const SourceItem& item,
                           const std::optional<store::FileContent>& before, Waiting& waiting);
    Result<bool> take_small(Course& course, ByteView bytes, const std::optional<store::FileContent>& before,
                            Waiting& waiting);
    Result<store::Ingested> take_large(env::File& file, const std::optional<store::FileContent>& before,
                                       std::uint64_t size);
    Result<std::optional<store::Ingested>> known_content(env::File& file, std::uint64_t size);
    std::optional<std::size_t> same_in_bags(ByteView bytes, const Digest& digest) const;
    Result<void> add(Course& course, Waiting waiting);
    Result<void> put_bags(Course& course);
    Result<void> done(std::uint64_t bytes);

    CoursePublisherParts parts_;
    store::Ingester ingester_;
    store::Bags bags_;
    std::vector<Waiting> waiting_;           // in path order
    std::map<Digest, std::size_t> in_bags_;  // what the bags hold
    ByteBuffer small_;                       // one small file
    ProgressUpdate total_{.stage = "reading the folder", .item = {}};
};

}  // namespace satchel::site
