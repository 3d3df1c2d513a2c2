// Writes files of an edition out of the store, several side by side: every byte comes out of a chunk that was
// checked by its hash, and each file is hashed as a whole on its way.
//
// Method. Small files gather, large ones go on a step at a time, up to HasherRow::kInputs of them. One step
// reads the next chunks of all of them at once, each chunk once for all files that lie in it, and hands their
// bytes on; the large files' bytes are written and hashed beside the reading of the next step. So hashing
// fills its lanes, and a bag of small files is opened once and not for each of them. Other files of the
// target may be worked on meanwhile.
//
// A file goes into the folder of parts, under its number. One that is thought to be there is compared first,
// and written only from where it differs; a part of an earlier run likewise.
//
// Memory: two steps of bytes (kStepBytes for each large file, kSmallBytes and a chunk), the store's windows,
// and the recipes of the large files.
#pragma once

#include <set>

#include "engine/base/hasher_row.hpp"
#include "engine/base/progress.hpp"
#include "engine/env/reserve.hpp"
#include "engine/env/world.hpp"
#include "engine/store/manifest.hpp"
#include "engine/store/store.hpp"

namespace satchel::site {

class PartWriter {
  public:
    static constexpr std::uint64_t kStepBytes =
        512 * 1024;  // of a large file, and so much a file may be small
    static constexpr std::uint64_t kSmallBytes = 2 * 1024 * 1024;  // of small files in a step
    static constexpr std::size_t kSmallFiles = 256;

    struct Finished {
        std::string entry_path;
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
        Digest digest{};
        bool is_kept = false;  // it was there as it should be, and has no part
        Result<void> outcome;  // else: why it could not be written, and nothing else counts
    };
    struct Calls {
        std::function<Result<void>(std::int64_t bytes)> went_on;  // fewer where a file is begun anew
        std::function<void(std::uint64_t bytes)> wrote;
        std::function<Result<void>(Finished)> finished;  // in any order
    };

    // `folder` of `target` is for the parts alone. Borrows all but the calls.
    PartWriter(store::Store& store, env::Offload& offload, env::Disk& target, std::string folder,
               Calls calls);

    Result<void> begin();  // makes the folder, or finds what an earlier run left in it
    // `path`: where a file stands that may be it already.
    Result<void> add(const store::ManifestEntry& entry, std::uint64_t number,
                     const std::optional<std::string>& path);
    Result<void> finish();  // until all that were added are finished
    Result<void> remove_folder();

    [[nodiscard]] std::string path_of(std::uint64_t number) const;

  private:
    enum class Stage { kComparing, kResuming, kWriting };
    struct Job {
        store::ManifestEntry entry;
        std::uint64_t number = 0;
        Stage stage = Stage::kWriting;
        std::unique_ptr<env::File> file;
        std::vector<store::Extent> extents;
        std::size_t next = 0;  // extent
        std::uint64_t at = 0;
        ByteBuffer bytes;           // to be hashed: of this step, behind what the one before left over
        std::size_t unwritten = 0;  // of them, the last so many: to be written, too
        bool is_to_begin_anew = false;
        Result<void> outcome;
    };
    struct Writing {  // what goes on beside the reading
        env::File* file = nullptr;
        std::uint64_t at = 0;
        ByteView bytes;
        Result<void> outcome;
    };
    struct Request {  // extents of one file that lie in one chunk
        Job* job;
        std::size_t first, count;
    };

    Result<void> open_part(Job& job);
    void ask_for(Job& job, std::uint64_t bytes_max);
    Result<void> step();
    Result<void> take(Job& job, ByteView bytes);
    void allow(Job& job);
    void begin_large();
    static bool has_ended(const Job& job);
    void wait();
    Result<void> end_small();
    Result<void> end_large();
    Result<void> end(Job& job, const Digest& digest);
    Result<void> begin_anew(Job& job);

    store::Store& store_;
    env::Offload& offload_;
    env::Disk& target_;
    env::Reserve reserve_;
    const std::string folder_;
    const Calls calls_;
    bool has_leftovers_ = false;
    std::set<std::uint64_t> leftovers_;  // numbers of parts that an earlier run left

    std::vector<std::unique_ptr<Job>> small_;
    std::uint64_t small_bytes_ = 0;
    std::array<std::unique_ptr<Job>, HasherRow::kInputs> large_;
    std::vector<ChunkId> chunks_;                 // of the step
    std::vector<std::vector<Request>> requests_;  // of each of them
    HasherRow row_;
    std::array<ByteBuffer, HasherRow::kInputs> taken_;  // bytes of the large files
    std::array<Writing, HasherRow::kInputs> writing_;
    std::unique_ptr<env::Offload::Going> writes_;  // has writing_, and reads taken_
    std::unique_ptr<env::Offload::Going> hashes_;  // has row_, and reads taken_
};

}  // namespace satchel::site
