// What can be played: of each course the edition that people see (Site::edition_to_show), as far as it is
// here. Implemented over a Site; tests have one of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.hpp"

namespace satchel::play {

inline constexpr std::size_t kStepBytes = 256 * 1024;  // the largest piece that read() gives

struct PlayCourse {
    std::string id;
    std::uint32_t edition = 0;
    std::string title_en, title_zh, theme;
    std::int64_t lessons = 0;
    std::uint64_t bytes = 0;
    bool is_complete = false;
    std::optional<int> percent;  // of an incomplete course: how much is here, if it was quick to find out
};

struct CoursePage {
    std::vector<PlayCourse> courses;
    std::uint64_t total = 0;
};

struct PlayFile {
    std::string path;
    std::uint64_t size = 0;
};
struct FilePage {
    std::vector<PlayFile> files;
    std::uint64_t total = 0;
};

// One file of one edition; what it gives stays the same when a newer edition becomes current.
class PlayReader {
  public:
    virtual ~PlayReader() = default;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    [[nodiscard]] virtual const std::string& tag() const = 0;  // equal tags, equal bytes; hexadecimal
    // Whether all bytes of the range are in the store, as far as its index knows.
    virtual Result<bool> has(std::uint64_t offset, std::uint64_t length) = 0;
    // The next bytes from `offset` (below the size) on: 1 to kStepBytes, hash-checked, valid until the next
    // call. An error when they are not here or damaged.
    virtual Result<std::string_view> read(std::uint64_t offset) = 0;
};

// Any thread may call it.
class PlayLibrary {
  public:
    virtual ~PlayLibrary() = default;
    // The courses to show, sorted by id: those with a current edition that are here or on their way.
    virtual Result<CoursePage> courses(std::uint64_t first, std::size_t count) = 0;
    // The edition to show of a course; nullopt when none is current.
    virtual Result<std::optional<PlayCourse>> course(const std::string& id) = 0;
    // Its files in the order of their paths; an error when the table of files is not here.
    virtual Result<FilePage> files(const std::string& id, std::uint64_t first, std::size_t count) = 0;
    virtual Result<bool> has_file(const std::string& id, const std::string& path) = 0;
    // Null: the course has no current edition, or the one to show has no file of exactly this path. An error
    // when what leads to the file's bytes is not here.
    virtual Result<std::unique_ptr<PlayReader>> open(const std::string& id, const std::string& path) = 0;
};

}  // namespace satchel::play
