#include "cli/play/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/play/words.hpp"
#include "tests/cli/play/fake_library.hpp"

namespace satchel::play {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class AnswersTest : public testing::Test {
  protected:
    AnswersTest() {
        library_.add("maths", "film.mp4", {.bytes = "0123456789"});
        library_.add("maths", "film.vtt", {.bytes = "WEBVTT"});
        library_.add("maths", "empty.txt", {.bytes = ""});
        library_.add("maths", "第一课/<i>.html", {.bytes = "<h1>课</h1>"});
        library_.add("maths", "old.html", {.bytes = "<h1>\xBF\xCE</h1>"});
        library_.add("maths", "tool.exe", {.bytes = "MZ"});
        library_.add("songs", "song.html", {.bytes = "<p>la</p>"});
        library_.all["songs"].title_en = "<script>alert(1)</script>";
    }

    Answer get(const std::string& path, const std::string& headers = "", Port port = Port::kPages,
               const std::string& host = "127.0.0.1:8080") {
        return answers_.to(
            port, parse_head("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + headers + "\r\n"));
    }

    static std::string header(const Answer& answer, const std::string& name) {
        std::string all;
        for (const auto& [key, value] : answer.headers)
            if (key == name) all += (all.empty() ? "" : "|") + value;
        return all;
    }

    static std::string bytes(const Answer& answer) {
        std::string all;
        while (answer.file != nullptr && all.size() < answer.length) {
            const Result<std::string_view> more = answer.file->read(answer.offset + all.size());
            if (!more.has_value()) break;
            all += more->substr(0, static_cast<std::size_t>(answer.length) - all.size());
        }
        return all;
    }

    std::string web(const std::string& course) { return "/" + answers_.web_key(course) + "/" + course + "/"; }

    FakeLibrary library_;
    Answers answers_{library_, Origins{.bound_host = "127.0.0.1",
                                       .pages_port = 8080,
                                       .web_port = 8081,
                                       .names = {"village.lan"},
                                       .secret = {1, 2, 3}}};
};

TEST_F(AnswersTest, ListsCoursesAndFilesWithEveryNameEscaped) {
    const Answer list = get("/");
    EXPECT_EQ(list.status, 200);
    EXPECT_THAT(list.body, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
    EXPECT_THAT(list.body, Not(HasSubstr("<script")));
    EXPECT_THAT(header(list, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_EQ(header(list, "Cross-Origin-Resource-Policy"), "same-origin");
    const Answer course = get("/course/maths/");
    EXPECT_THAT(course.body, HasSubstr("<video controls preload=\"none\" src=\"/lesson/maths/film.mp4\">"));
    EXPECT_THAT(course.body, HasSubstr("<track kind=\"subtitles\" src=\"/lesson/maths/film.vtt\""));
    EXPECT_THAT(course.body, HasSubstr("http://127.0.0.1:8081" + web("maths") +
                                       "%E7%AC%AC%E4%B8%80%E8%AF%BE/%3Ci%3E.html"));
    EXPECT_THAT(course.body, Not(HasSubstr("<i>")));
    EXPECT_THAT(get("/", "Accept-Language: zh\r\n").body, HasSubstr("本站点的课程"));
}

TEST_F(AnswersTest, ShowsLongListsInPages) {
    for (int i = 0; i < 450; ++i) library_.add("course" + std::to_string(1000 + i), "a.txt", {.bytes = "a"});
    EXPECT_THAT(get("/").body, HasSubstr("Page 1 of 3"));
    EXPECT_THAT(get("/?page=3").body, HasSubstr("/course/course1449/"));
    EXPECT_THAT(get("/?page=3").body, HasSubstr("?page=2"));
    EXPECT_THAT(get("/?page=900").body, Not(HasSubstr("/course/")));
}

TEST_F(AnswersTest, SendsAFileOrThePartThatWasAskedFor) {
    const Answer whole = get("/lesson/maths/film.mp4");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(bytes(whole), "0123456789");
    EXPECT_EQ(header(whole, "Accept-Ranges"), "bytes");
    const Answer part = get("/lesson/maths/film.mp4", "Range: bytes=3-5\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(bytes(part), "345");
    EXPECT_EQ(header(part, "Content-Range"), "bytes 3-5/10");
    const Answer behind = get("/lesson/maths/film.mp4", "Range: bytes=10-\r\n");
    EXPECT_EQ(behind.status, 416);
    EXPECT_EQ(header(behind, "Content-Range"), "bytes */10");
    EXPECT_EQ(get("/lesson/maths/film.mp4", "Range: bytes=0-1,3-4\r\n").status, 200);
    EXPECT_EQ(get("/lesson/maths/empty.txt").status, 200);
    EXPECT_EQ(get("/lesson/maths/empty.txt").file, nullptr);
    EXPECT_EQ(get("/lesson/maths/empty.txt", "Range: bytes=0-\r\n").status, 416);
}

TEST_F(AnswersTest, HoldsToTheConditionsOfARequest) {
    const std::string tag = header(get("/lesson/maths/film.mp4"), "ETag");
    const auto with = [&](const std::string& headers) {
        return get("/lesson/maths/film.mp4", headers).status;
    };
    EXPECT_EQ(with("If-None-Match: " + tag + "\r\n"), 304);
    EXPECT_EQ(with("If-None-Match: \"x\", W/" + tag + "\r\n"), 304);
    EXPECT_EQ(with("If-None-Match: *\r\n"), 304);
    EXPECT_EQ(with("If-None-Match: \"x\"\r\n"), 200);
    EXPECT_EQ(with("If-Match: \"x\"\r\n"), 412);
    EXPECT_EQ(with("If-Match: W/" + tag + "\r\n"), 412);
    EXPECT_EQ(with("If-Match: " + tag + "\r\n"), 200);
    EXPECT_EQ(with("Range: bytes=0-0\r\nIf-Range: " + tag + "\r\n"), 206);
    EXPECT_EQ(with("Range: bytes=0-0\r\nIf-Range: W/" + tag + "\r\n"), 200);
    EXPECT_EQ(with("Range: bytes=0-0\r\nIf-Range: Sat, 01 Jan 2022 00:00:00 GMT\r\n"), 200);
    EXPECT_EQ(with("Range: bytes=99-\r\nIf-None-Match: " + tag + "\r\n"), 304);
}

TEST_F(AnswersTest, FindsAFileByItsExactPathOnly) {
    for (const char* const path :
         {"/lesson/maths/", "/lesson/maths", "/lesson/maths/FILM.mp4", "/lesson/maths/./film.mp4",
          "/lesson/maths/x/../film.mp4", "/lesson/maths//film.mp4", "/lesson/maths/film.mp4/",
          "/lesson/maths/film.mp4%00", "/lesson/maths/%E7%AC%AC%E4%B8%80%E8%AF%BE%2F%3Ci%3E.html",
          "/lesson/nothing/film.mp4", "/lesson", "/x", "/course/maths/x", "/course//"})
        EXPECT_EQ(get(path).status, 404) << path;
    EXPECT_EQ(get("/lesson/maths/%E7%AC%AC%E4%B8%80%E8%AF%BE/%3Ci%3E.html").status, 200);
}

TEST_F(AnswersTest, LetsNothingActOnThePortOfPages) {
    const Answer page = get("/lesson/maths/%E7%AC%AC%E4%B8%80%E8%AF%BE/%3Ci%3E.html");
    EXPECT_EQ(page.type, "text/plain; charset=utf-8");
    EXPECT_EQ(header(page, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(get("/lesson/maths/old.html").type, "text/plain");
    const Answer tool = get("/lesson/maths/tool.exe");
    EXPECT_EQ(tool.type, "application/octet-stream");
    EXPECT_THAT(header(tool, "Content-Disposition"), StartsWith("attachment"));
    EXPECT_THAT(header(get("/lesson/maths/film.mp4?download"), "Content-Disposition"),
                StartsWith("attachment"));
    EXPECT_THAT(header(get("/lesson/maths/film.mp4"), "Content-Disposition"), StartsWith("inline"));
}

TEST_F(AnswersTest, KeepsWebLessonsInASandboxBelowTheirKey) {
    const Answer page = get(web("songs") + "song.html", "", Port::kWebLessons, "192.168.1.5:8081");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.type, "text/html; charset=utf-8");
    const std::string policy = header(page, "Content-Security-Policy");
    EXPECT_THAT(policy,
                StartsWith("sandbox allow-scripts allow-forms; default-src 'self' http://192.168.1.5:8081 "));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'self' http://192.168.1.5:8080"));
    EXPECT_THAT(policy, Not(HasSubstr("allow-same-origin")));
    EXPECT_EQ(header(page, "Access-Control-Allow-Origin"), "null");
    EXPECT_EQ(header(page, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(get(web("maths") + "old.html", "", Port::kWebLessons).type, "text/html");
    EXPECT_NE(answers_.web_key("maths"), answers_.web_key("songs"));
    for (const std::string& path :
         {std::string("/"), std::string("/songs/song.html"), std::string("/lesson/songs/song.html"),
          "/" + answers_.web_key("maths") + "/songs/song.html",
          "/" + answers_.web_key("songs").substr(1) + "/songs/song.html", std::string("//songs/song.html")})
        EXPECT_EQ(get(path, "", Port::kWebLessons).status, 404) << path;
}

TEST_F(AnswersTest, AnswersNoForeignNameOnEitherPort) {
    for (const Port port : {Port::kPages, Port::kWebLessons}) {
        EXPECT_EQ(get("/", "", port, "evil.example:8080").status, 421);
        EXPECT_EQ(get(web("songs") + "song.html", "", port, "evil.example").status, 421);
    }
    EXPECT_EQ(get("/", "", Port::kPages, "village.lan").status, 200);
    EXPECT_THAT(get("/course/maths/", "", Port::kPages, "village.lan").body,
                HasSubstr("http://village.lan:8081/"));
    EXPECT_THAT(get("/", "", Port::kWebLessons, "evil.example").body, Not(HasSubstr("evil.example")));
}

TEST_F(AnswersTest, SaysWhatIsNotCompleteBeforeTheFirstByte) {
    library_.add("maths", "far.mp4", {.bytes = "x", .is_missing = true});
    library_.add("maths", "bad.mp4", {.bytes = "xx", .damaged_from = 0});
    library_.without_table.insert("songs");
    for (const char* const path : {"/lesson/maths/far.mp4", "/lesson/maths/bad.mp4"}) {
        EXPECT_EQ(get(path).status, 503) << path;
        EXPECT_THAT(get(path).body, HasSubstr("The course maths is not complete here"));
    }
    EXPECT_THAT(get("/course/songs/").body, HasSubstr("The course songs is not complete here"));
    EXPECT_EQ(get("/lesson/songs/song.html").status, 503);
}

TEST_F(AnswersTest, OnlyReads) {
    const Answer answer = answers_.to(
        Port::kPages, parse_head("DELETE /lesson/maths/film.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(header(answer, "Allow"), "GET, HEAD");
}

}  // namespace
}  // namespace satchel::play
