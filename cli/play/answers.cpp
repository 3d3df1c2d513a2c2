#include "cli/play/answers.hpp"

#include <algorithm>

#include "cli/play/content_type.hpp"
#include "cli/play/pages.hpp"
#include "cli/play/range.hpp"
#include "cli/play/words.hpp"
#include "engine/base/encoding.hpp"
#include "engine/base/hash.hpp"

namespace satchel::play {

namespace {

using text::fill;

constexpr std::size_t kWebKeyDigits = 32;  // 128 bits: not to be guessed
// Enough of a text to see whether it is UTF-8; old lessons in GBK say so themselves.
constexpr std::size_t kCharsetProbeBytes = 64 * 1024;

std::string etag_of(const PlayReader& reader) { return "\"" + reader.tag() + "\""; }

// Whether a list of entity tags names this one. If-None-Match compares weakly, If-Match strongly.
bool names_tag(std::string_view list, std::string_view tag, bool may_be_weak) {
    if (trimmed(list) == "*") return true;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view item = trimmed(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
        if (may_be_weak && item.starts_with("W/")) item.remove_prefix(2);
        if (item == tag) return true;
    }
    return false;
}

// The path that the parts from `first` on spell; nullopt when a part holds a slash of its own.
std::optional<std::string> path_from(const std::vector<std::string>& parts, std::size_t first) {
    std::string path;
    for (std::size_t at = first; at < parts.size(); ++at) {
        if (parts[at].find('/') != std::string::npos) return std::nullopt;
        path += (at == first ? "" : "/") + parts[at];
    }
    return path;
}

bool is_incomplete(ErrorCode code) { return code == ErrorCode::kNotFound || code == ErrorCode::kDamaged; }

// Takes as long for any two texts of one length: a key cannot be guessed piece by piece.
bool same_secret(std::string_view a, std::string_view b) {
    bool differ = a.size() != b.size();
    for (std::size_t at = 0; at < std::min(a.size(), b.size()); ++at) differ |= a[at] != b[at];
    return !differ;
}

}  // namespace

struct Answers::Asked {
    Port port;
    const Request& request;
    text::Language language;
    std::string pages, web;  // the two origins as this browser calls them
};

std::string Answers::web_key(const std::string& course) const {
    Hasher hasher;
    hasher.update(ByteView(origins_.secret)).update(course);
    return to_hex(hasher.finish()).substr(0, kWebKeyDigits);
}

Answer Answers::to(Port port, const Request& request) const {
    const bool is_own = is_own_host(request.host, origins_.names) || request.host == origins_.bound_host;
    const std::string host =
        "http://" + (is_own && !request.host.empty() ? request.host : origins_.bound_host);
    const Asked asked{port, request, page_language(request.accept_language),
                      host + ":" + std::to_string(origins_.pages_port),
                      host + ":" + std::to_string(origins_.web_port)};
    Answer answer = request.refusal != 0               ? refused(asked, request.refusal)
                    : !is_own                          ? refused(asked, 421)
                    : request.method == Method::kOther ? refused(asked, 405)
                                                       : routed(asked);
    answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
    answer.headers.emplace_back("Referrer-Policy", "no-referrer");
    // A lesson in its sandbox is a stranger even to its own files: the key in the path guards those.
    answer.headers.emplace_back("Cross-Origin-Resource-Policy",
                                port == Port::kPages ? "same-origin" : "cross-origin");
    return answer;
}

Answer Answers::routed(const Asked& asked) const {
    const std::vector<std::string>& parts = asked.request.parts;
    if (asked.port == Port::kWebLessons) {
        if (parts.size() > 2 && same_secret(parts[0], web_key(parts[1]))) return lesson(asked, parts[1]);
        return refused(asked, 404);
    }
    if (parts.size() == 1 && parts[0].empty()) return list(asked);
    if (parts[0] == "course" && (parts.size() == 2 || (parts.size() == 3 && parts[2].empty()))) {
        if (parts.size() == 3) return course(asked, parts[1]);
        Answer answer = message(asked, 301, fill(asked.language, "This page has moved."));
        answer.headers.emplace_back("Location", "/course/" + url_part(parts[1]) + "/");
        return answer;
    }
    if (parts[0] == "lesson" && parts.size() > 2) return lesson(asked, parts[1]);
    return refused(asked, 404);
}

Answer Answers::list(const Asked& asked) const {
    PageNumber page{.number = asked.request.page, .rows_a_page = kCoursesAPage};
    const std::uint64_t first = std::uint64_t{page.number - 1} * kCoursesAPage;
    const Result<CoursePage> courses = library_.courses(first, kCoursesAPage);
    if (!courses.has_value()) return failed(asked, "", courses.error());
    page.rows = courses->total;
    Answer answer;
    answer.type = "text/html; charset=utf-8";
    answer.body = courses_page(asked.language, *courses, page);
    put_policy(asked, answer);
    return answer;
}

namespace {

// The .vtt files beside a film: film.vtt, film.zh.vtt, film.en.vtt.
Result<std::vector<std::string>> subtitles_of(PlayLibrary& library, const std::string& id,
                                              const std::string& path) {
    std::vector<std::string> found;
    if (!is_video(content_type_of(path))) return found;
    const std::string stem = path.substr(0, path.rfind('.'));
    for (const char* const ending : {".vtt", ".zh.vtt", ".en.vtt"}) {
        SATCHEL_TRY(const bool is_there, library.has_file(id, stem + ending));
        if (is_there) found.push_back(stem + ending);
    }
    return found;
}

}  // namespace

Answer Answers::course(const Asked& asked, const std::string& id) const {
    const Result<std::optional<PlayCourse>> course = library_.course(id);
    if (!course.has_value()) return failed(asked, id, course.error());
    if (!*course) return refused(asked, 404);
    PageNumber page{.number = asked.request.page, .rows_a_page = kFilesAPage};
    const Result<FilePage> files =
        library_.files(id, std::uint64_t{page.number - 1} * kFilesAPage, kFilesAPage);
    if (!files.has_value()) return failed(asked, id, files.error());
    page.rows = files->total;
    std::vector<FileRow> rows;
    for (const PlayFile& file : files->files) {
        FileRow row{.file = file, .web_lesson_url = {}, .subtitles = {}};
        if (is_web_page(file.path))
            row.web_lesson_url =
                asked.web + "/" + web_key(id) + "/" + url_part(id) + "/" + url_path(file.path);
        Result<std::vector<std::string>> subtitles = subtitles_of(library_, id, file.path);
        if (!subtitles.has_value()) return failed(asked, id, subtitles.error());
        row.subtitles = std::move(*subtitles);
        rows.push_back(std::move(row));
    }
    Answer answer;
    answer.type = "text/html; charset=utf-8";
    answer.body = course_page(asked.language, **course, rows, page);
    put_policy(asked, answer);
    return answer;
}

Answer Answers::lesson(const Asked& asked, const std::string& id) const {
    const std::optional<std::string> path = path_from(asked.request.parts, 2);
    if (!path || path->empty()) return refused(asked, 404);
    return file(asked, id, *path);
}

Answer Answers::file(const Asked& asked, const std::string& id, const std::string& path) const {
    Result<std::unique_ptr<PlayReader>> opened = library_.open(id, path);
    if (!opened.has_value()) return failed(asked, id, opened.error());
    if (*opened == nullptr) return refused(asked, 404);
    PlayReader& reader = **opened;
    const Request& request = asked.request;
    const std::string etag = etag_of(reader);
    if (request.if_match && !names_tag(*request.if_match, etag, false)) return refused(asked, 412);
    Answer answer;
    if (request.if_none_match && names_tag(*request.if_none_match, etag, true)) {
        answer.status = 304;
        answer.headers.emplace_back("ETag", etag);
        answer.headers.emplace_back("Cache-Control", "no-cache");
        answer.headers.emplace_back("Content-Length", std::to_string(reader.size()));
        return answer;
    }
    ByteRange range{RangeKind::kWhole, 0, reader.size()};
    // HEAD knows no ranges (RFC 9110, 14.2). If-Range holds only for the very same bytes.
    if (request.range && request.method == Method::kGet && (!request.if_range || *request.if_range == etag))
        range = range_of(*request.range, reader.size());
    if (range.kind == RangeKind::kUnsatisfiable) {
        answer = refused(asked, 416);
        answer.headers.emplace_back("Content-Range", "bytes */" + std::to_string(reader.size()));
        return answer;
    }
    const Result<bool> is_here = reader.has(range.offset, range.length);
    if (!is_here.has_value()) return failed(asked, id, is_here.error());
    // The first step is read before the head goes out: what is damaged there is told as an error, not cut
    // off.
    if (*is_here && range.length > 0) {
        const Result<std::string_view> first = reader.read(range.offset);
        if (!first.has_value()) return failed(asked, id, first.error());
    }
    if (!*is_here) return refused(asked, 503);
    answer = bytes(asked, path, std::move(*opened));
    answer.offset = range.offset;
    answer.length = range.length;
    if (range.kind == RangeKind::kPart) {
        answer.status = 206;
        answer.headers.emplace_back("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                                         std::to_string(range.offset + range.length - 1) +
                                                         "/" + std::to_string(answer.file->size()));
    }
    if (answer.length == 0) answer.file.reset();
    return answer;
}

Answer Answers::bytes(const Asked& asked, const std::string& path, std::unique_ptr<PlayReader> reader) const {
    ContentType type = content_type_of(path);
    const bool is_download =
        asked.request.is_download || type.handling == Handling::kDownloaded ||
        (type.handling == Handling::kActive && !type.is_text && asked.port == Port::kPages);
    // On the port of pages nothing of a course may act, whatever a browser thinks of its name.
    if (asked.port == Port::kPages && type.handling == Handling::kActive)
        type.name = type.is_text ? "text/plain" : "application/octet-stream";
    Answer answer;
    answer.type = type.name;
    if (type.is_text && reader->size() > 0) {
        const Result<std::string_view> probe = reader->read(0);
        if (probe.has_value() && begins_as_utf8(probe->substr(0, kCharsetProbeBytes)))
            answer.type += "; charset=utf-8";
    }
    answer.headers.emplace_back("ETag", etag_of(*reader));
    answer.headers.emplace_back("Accept-Ranges", "bytes");
    // A newer edition may come any time: a browser asks again, and is told in a few bytes that nothing
    // changed.
    answer.headers.emplace_back("Cache-Control", "no-cache");
    answer.headers.emplace_back("Content-Disposition",
                                disposition(is_download ? "attachment" : "inline", path));
    // A PDF is shown by a part of the browser that some policies stop; in it nothing of this origin can act.
    if (asked.port == Port::kWebLessons || type.name != "application/pdf") put_policy(asked, answer);
    // Scripts, fonts and data that a lesson loads from within its sandbox come from the origin "null".
    if (asked.port == Port::kWebLessons) answer.headers.emplace_back("Access-Control-Allow-Origin", "null");
    answer.file = std::move(reader);
    return answer;
}

void Answers::put_policy(const Asked& asked, Answer& answer) const {
    std::string policy;
    if (asked.port == Port::kPages) {
        policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        answer.headers.emplace_back("X-Frame-Options", "DENY");
    } else {
        policy = "sandbox allow-scripts allow-forms; default-src 'self' " + asked.web +
                 " 'unsafe-inline' 'unsafe-eval' data: blob:; base-uri 'self' " + asked.web +
                 "; form-action 'self' " + asked.web + "; frame-ancestors 'self' " + asked.pages;
    }
    if (!answer.body.empty()) answer.headers.emplace_back("Vary", "Accept-Language");
    answer.headers.emplace_back("Content-Security-Policy", policy);
}

Answer Answers::message(const Asked& asked, int status, const std::string& sentence) const {
    Answer answer;
    answer.status = status;
    answer.type = "text/html; charset=utf-8";
    answer.body = message_page(asked.language, sentence,
                               asked.port == Port::kPages ? std::string("/") : asked.pages + "/");
    answer.headers.emplace_back("Cache-Control", "no-store");
    put_policy(asked, answer);
    return answer;
}

Answer Answers::refused(const Asked& asked, int status) const {
    const text::Language language = asked.language;
    switch (status) {
        case 404:
            return message(asked, status, fill(language, "There is nothing here by this name."));
        case 405: {
            Answer answer = message(asked, status, fill(language, "Courses can only be read here."));
            answer.headers.emplace_back("Allow", "GET, HEAD");
            return answer;
        }
        case 412:
            return message(asked, status, fill(language, "This file has changed since."));
        case 416:
            return message(asked, status,
                           fill(language, "The file ends before the range that was asked for."));
        case 421:
            return message(asked, status,
                           fill(language,
                                "This box does not know itself by that name. Call it by its address, or name "
                                "it with --play-name."));
        case 503:
            return message(
                asked, status,
                fill(language, "The course {course} is not complete here: part of this file is missing.",
                     {{"course", asked.request.parts.size() > 1 ? asked.request.parts[1] : ""}}));
        default:
            return message(asked, status, fill(language, "This request makes no sense here."));
    }
}

Answer Answers::failed(const Asked& asked, const std::string& id, const Error& error) const {
    if (is_incomplete(error.code) && !id.empty()) return refused(asked, 503);
    return message(asked, error.code == ErrorCode::kCancelled ? 503 : 500,
                   std::string(text::translate(asked.language, error.reason.text())));
}

}  // namespace satchel::play
