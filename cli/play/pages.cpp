#include "cli/play/pages.hpp"

#include "cli/play/content_type.hpp"
#include "cli/play/words.hpp"

namespace satchel::play {

namespace {

using text::fill;
using text::Language;

constexpr char kStyle[] =
    "body{font:1em/1.5 sans-serif;margin:0 auto;max-width:60em;padding:.5em}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.4em;"
    "text-align:left;vertical-align:top}video{max-width:100%}li{margin:.6em 0}h2{font-size:1.1em}";

// A name in its own direction of writing, whatever marks it holds.
std::string name_of(std::string_view name) { return "<bdi>" + html_of(name) + "</bdi>"; }

std::string page_of(Language language, const std::string& title, const std::string& body) {
    return std::string("<!DOCTYPE html>\n<html lang=\"") + (language == Language::kChinese ? "zh-CN" : "en") +
           "\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
           html_of(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n" + body +
           "</body>\n</html>\n";
}

const std::string& title_of(Language language, const PlayCourse& course) {
    const std::string& title = language == Language::kChinese ? course.title_zh : course.title_en;
    return title.empty() ? course.id : title;
}

std::string state_of(Language language, const PlayCourse& course) {
    if (course.is_complete) return fill(language, "complete");
    if (!course.percent) return fill(language, "on its way");
    return fill(language, "{percent} % is here", {{"percent", std::to_string(*course.percent)}});
}

std::string page_links(Language language, PageNumber page) {
    const std::uint64_t last = page.rows == 0 ? 1 : (page.rows - 1) / page.rows_a_page + 1;
    if (last == 1) return {};
    std::string out = "<p>" + fill(language, "Page {number} of {last}",
                                   {{"number", std::to_string(page.number)}, {"last", std::to_string(last)}});
    const auto link = [&](std::uint64_t number, const std::string& words) {
        out += " <a href=\"?page=" + std::to_string(number) + "\">" + words + "</a>";
    };
    if (page.number > 1) link(page.number - 1, fill(language, "back"));
    if (page.number < last) link(page.number + std::uint64_t{1}, fill(language, "on"));
    return out + "</p>\n";
}

std::string course_row(Language language, const PlayCourse& course) {
    const std::string lessons = course.lessons > 0 ? std::to_string(course.lessons) : std::string();
    return "<tr><td><a href=\"/course/" + url_part(course.id) + "/\">" + name_of(title_of(language, course)) +
           "</a></td><td>" + name_of(course.theme) + "</td><td>" + lessons + "</td><td>" +
           text::size_text(course.bytes) + "</td><td>" + state_of(language, course) + "</td></tr>\n";
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// The language that a subtitle's name ends in: "film.zh.vtt".
std::string subtitle_language(const std::string& path) {
    const std::string stem = path.substr(0, path.rfind('.'));
    const std::string tag = stem.substr(stem.rfind('.') + 1);
    return tag == "zh" || tag == "en" ? tag : std::string();
}

std::string player(const std::string& course, const FileRow& row) {
    const ContentType type = content_type_of(row.file.path);
    const bool video = is_video(type);
    if (!video && !is_audio(type)) return {};
    // Nothing is loaded before somebody plays it: a page may show many films.
    std::string out = std::string("<br><") + (video ? "video" : "audio") +
                      " controls preload=\"none\" src=\"" + lesson_url(course, row.file.path) + "\">";
    for (const std::string& subtitle : row.subtitles) {
        const std::string language = subtitle_language(subtitle);
        out += "<track kind=\"subtitles\" src=\"" + lesson_url(course, subtitle) + "\"";
        if (!language.empty()) out += " srclang=\"" + language + "\"";
        out += " label=\"" + html_of(subtitle.substr(subtitle.rfind('/') + 1)) + "\">";
    }
    return out + (video ? "</video>" : "</audio>");
}

std::string file_row(Language language, const std::string& course, const FileRow& row) {
    const bool is_web = !row.web_lesson_url.empty();
    const std::string bytes = lesson_url(course, row.file.path);
    const std::string name = row.file.path.substr(row.file.path.rfind('/') + 1);
    return "<li><a href=\"" + html_of(is_web ? row.web_lesson_url : bytes) + "\">" + name_of(name) +
           "</a> (" + text::size_text(row.file.size) + ", <a href=\"" + bytes + "?download\">" +
           fill(language, "save") + "</a>)" + player(course, row) + "</li>\n";
}

}  // namespace

std::string lesson_url(const std::string& course, const std::string& path) {
    return "/lesson/" + url_part(course) + "/" + url_path(path);
}

std::string courses_page(Language language, const CoursePage& courses, PageNumber page) {
    const std::string title = fill(language, "Courses at this site");
    std::string body = "<h1>" + title + "</h1>\n";
    if (courses.total == 0) {
        body += "<p>" + fill(language, "No course is here yet.") + "</p>\n";
        return page_of(language, title, body);
    }
    body += "<table>\n<tr><th>" + fill(language, "Course") + "</th><th>" + fill(language, "Theme") +
            "</th><th>" + fill(language, "Lessons") + "</th><th>" + fill(language, "Size") + "</th><th>" +
            fill(language, "State") + "</th></tr>\n";
    for (const PlayCourse& course : courses.courses) body += course_row(language, course);
    return page_of(language, title, body + "</table>\n" + page_links(language, page));
}

std::string course_page(Language language, const PlayCourse& course, const std::vector<FileRow>& files,
                        PageNumber page) {
    const std::string& title = title_of(language, course);
    std::string body = "<p><a href=\"/\">" + fill(language, "All courses") + "</a></p>\n<h1>" +
                       name_of(title) + "</h1>\n<p>" + text::size_text(course.bytes);
    // Without a percentage it was not counted: nothing is said rather than something wrong.
    if (course.is_complete || course.percent) body += ", " + state_of(language, course);
    body += "</p>\n";
    std::string folder;
    bool is_open = false;
    for (const FileRow& row : files) {
        const std::string here = folder_of(row.file.path);
        if (!is_open || here != folder) {
            if (is_open) body += "</ul>\n";
            if (!here.empty()) body += "<h2>" + name_of(here) + "</h2>\n";
            body += "<ul>\n";
            folder = here;
            is_open = true;
        }
        body += file_row(language, course.id, row);
    }
    if (is_open) body += "</ul>\n";
    return page_of(language, title, body + page_links(language, page));
}

std::string message_page(Language language, const std::string& sentence, const std::string& home) {
    return page_of(language, sentence,
                   "<p>" + html_of(sentence) + "</p>\n<p><a href=\"" + html_of(home) + "\">" +
                       fill(language, "All courses") + "</a></p>\n");
}

}  // namespace satchel::play
