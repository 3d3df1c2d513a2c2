// The pages that people click on: plain HTML of one piece, without scripts or anything from elsewhere, so
// that any browser and any phone shows them. Every name from outside is escaped.
#pragma once

#include <functional>
#include <string>

#include "cli/play/library.hpp"
#include "cli/text/text.hpp"

namespace satchel::play {

inline constexpr std::size_t kCoursesAPage = 200;
inline constexpr std::size_t kFilesAPage = 200;

struct PageNumber {
    std::uint32_t number = 1;  // from 1
    std::size_t rows_a_page = 1;
    std::uint64_t rows = 0;  // in all
};

[[nodiscard]] std::string courses_page(text::Language language, const CoursePage& courses, PageNumber page);

struct FileRow {
    PlayFile file;
    std::string web_lesson_url;          // of what opens on the port of web lessons; else empty
    std::vector<std::string> subtitles;  // paths of .vtt files that belong to a film
};
[[nodiscard]] std::string course_page(text::Language language, const PlayCourse& course,
                                      const std::vector<FileRow>& files, PageNumber page);

// One sentence, and the way back to the list at `home`.
[[nodiscard]] std::string message_page(text::Language language, const std::string& sentence,
                                       const std::string& home);

// Where the byte route of a file begins: "/lesson/ID/PATH".
[[nodiscard]] std::string lesson_url(const std::string& course, const std::string& path);

}  // namespace satchel::play
