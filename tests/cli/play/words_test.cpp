#include "cli/play/words.hpp"

#include <gtest/gtest.h>

#include "cli/play/address.hpp"
#include "cli/play/content_type.hpp"

namespace satchel::play {
namespace {

using text::Language;

TEST(Words, AreSafeInAPage) {
    EXPECT_EQ(html_of("<a href=\"x\" id='y'>&课"), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;课");
    EXPECT_EQ(html_of(std::string("a\0b\n", 4)).find('\0'), std::string::npos);
}

TEST(Words, AreSafeInAUrl) {
    EXPECT_EQ(url_part("a b/?#%课"), "a%20b%2F%3F%23%25%E8%AF%BE");
    EXPECT_EQ(url_path("a b/c"), "a%20b/c");
}

TEST(Words, NameADownloadForOldAndNewBrowsers) {
    EXPECT_EQ(disposition("inline", "x/a\"b\\c%课.mp4"),
              "inline; filename=\"a_b_c__.mp4\"; filename*=UTF-8''a%22b%5Cc%25%E8%AF%BE.mp4");
    EXPECT_EQ(disposition("attachment", "a\r\nb").find('\n'), std::string::npos);
}

TEST(Words, ChooseTheLanguageThatABrowserLikesBest) {
    EXPECT_EQ(page_language(""), Language::kEnglish);
    EXPECT_EQ(page_language("zh-CN"), Language::kChinese);
    EXPECT_EQ(page_language("fr, zh;q=0.5, en;q=0.4"), Language::kChinese);
    EXPECT_EQ(page_language("en;q=0.9,zh;q=0.8"), Language::kEnglish);
    EXPECT_EQ(page_language("zh;q=0, fr"), Language::kEnglish);
    EXPECT_EQ(page_language(",;,;q=;zh;q=x"), Language::kEnglish);
}

TEST(Words, TellTextInUtf8EvenWhenItIsCut) {
    EXPECT_TRUE(begins_as_utf8("课"));
    EXPECT_TRUE(begins_as_utf8(std::string_view("课").substr(0, 2)));
    EXPECT_FALSE(begins_as_utf8("\xBF\xCE\xB3\xCC"));  // GBK
    EXPECT_FALSE(begins_as_utf8("a\xFF"));
}

TEST(ContentType, IsToldByTheNameAlone) {
    EXPECT_EQ(content_type_of("a/b.MP4").name, "video/mp4");
    EXPECT_EQ(content_type_of("a.vtt").name, "text/vtt");
    EXPECT_EQ(content_type_of("mp4").name, "application/octet-stream");
    EXPECT_EQ(content_type_of("a.mp4/b").name, "application/octet-stream");
    EXPECT_EQ(content_type_of("").name, "application/octet-stream");
}

TEST(ContentType, OfWhatCanActIsMarked) {
    for (const char* const path : {"a.html", "a.HTM", "a.xhtml", "a.svg", "a.js", "a.mjs", "a.xml", "a.css"})
        EXPECT_EQ(content_type_of(path).handling, Handling::kActive) << path;
    for (const char* const path : {"a", "a.html.x", "a.swf", "a.mht", "a.hta", "a.zip"})
        EXPECT_EQ(content_type_of(path).handling, Handling::kDownloaded) << path;
}

TEST(Address, IsReadAsPeopleWriteIt) {
    const auto read = [](const std::string& text) {
        const Result<Address> address = parse_address("--play", text, "127.0.0.1");
        return address.has_value() ? address->url_host() + " " + std::to_string(address->port) : "none";
    };
    EXPECT_EQ(read("8080"), "127.0.0.1 8080");
    EXPECT_EQ(read("0"), "127.0.0.1 0");
    EXPECT_EQ(read("0.0.0.0:80"), "0.0.0.0 80");
    EXPECT_EQ(read("localhost:80"), "127.0.0.1 80");
    EXPECT_EQ(read("[::1]:80"), "[::1] 80");
    for (const char* const bad : {"", ":", ":80", "::1:80", "[::1]", "[1.2.3.4]:80", "1.2.3.4:65536",
                                  "name:80", "1.2.3.4:", "1.2.3.4:-1", "65536", "99999999999"})
        EXPECT_EQ(read(bad), "none") << bad;
}

}  // namespace
}  // namespace satchel::play
