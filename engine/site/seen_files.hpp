// What the files of a course looked like when its newest edition was published, so that those which look the
// same now need not be read again (schemas/seen.md). A cache: where it is missing or damaged, files are read.
// Private to engine/site.
//
// Crash points: the file is written beside the old one, without a sync, and takes its name. After a power
// cut it may be the old one, the new one, none, or torn: its hash tells.
#pragma once

#include <memory>
#include <optional>

#include "engine/base/hash.hpp"
#include "engine/base/ids.hpp"
#include "engine/env/clock.hpp"
#include "engine/env/disk.hpp"

namespace satchel::site {

struct SeenRow {
    std::uint64_t file = 0;  // its inode and device
    std::int64_t changed_ns = 0;
    friend bool operator==(const SeenRow&, const SeenRow&) = default;
};
// No file matches it.
inline constexpr SeenRow kUnsureRow{};

// How a file looks.
[[nodiscard]] SeenRow look_of(const env::EntryInfo& info);
// The row for a file that is read after `begun`. One that changed just before could change again without
// its times moving, as they are kept in steps (2 s on FAT): such a file is not sure.
[[nodiscard]] SeenRow row_of(const env::EntryInfo& info, env::Instant begun);

// Rows of the files of one edition, in the order of its manifest.
class SeenReader {
  public:
    // None if there is no whole file of rows for just this manifest.
    static std::optional<SeenReader> open(env::Disk& disk, std::string_view course, const ChunkId& manifest);
    SeenRow next();  // unsure behind the last one and where reading fails

  private:
    std::unique_ptr<env::File> file_;
    std::uint64_t left_ = 0;  // rows
    std::uint64_t at_ = 0;    // of the next step in the file
    ByteBuffer step_;
    std::size_t used_ = 0;
};

// What fails here fails nothing else: the course is then read again next time.
class SeenWriter {
  public:
    SeenWriter(env::Disk& disk, std::string_view course);
    void add(const SeenRow& row);
    void finish(const ChunkId& manifest);  // puts the new file in the old one's place

  private:
    void flush();

    env::Disk& disk_;
    std::string path_;
    std::unique_ptr<env::File> file_;  // null once something failed
    std::uint64_t rows_ = 0;
    ByteBuffer step_;
    std::uint64_t at_ = 0;
    Hasher hasher_;
};

}  // namespace satchel::site
