#include "cli/play/request.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "cli/play/words.hpp"

namespace satchel::play {
namespace {

using Parts = std::vector<std::string>;

Request get(const std::string& target, const std::string& headers = "Host: localhost\r\n") {
    return parse_head("GET " + target + " HTTP/1.1\r\n" + headers + "\r\n");
}

TEST(Request, IsReadWithTheHeadersThatCount) {
    const Request request = parse_head(
        "HEAD /course/a%2Fb/?page=3&x&download HTTP/1.1\r\nHOST: Village.LAN:8080\r\nrange: bytes=1-2 \r\n"
        "If-None-Match: \"a\"\r\nIf-Range: \"b\"\r\nIf-Match: \"c\"\r\nAccept-Language: zh\r\n"
        "Cookie: anything\r\n\r\n");
    EXPECT_EQ(request.refusal, 0);
    EXPECT_EQ(request.method, Method::kHead);
    EXPECT_EQ(request.parts, (Parts{"course", "a/b", ""}));
    EXPECT_EQ(request.page, 3U);
    EXPECT_TRUE(request.is_download);
    EXPECT_EQ(request.host, "village.lan");
    EXPECT_EQ(request.range, "bytes=1-2");
    EXPECT_EQ(request.if_none_match, "\"a\"");
    EXPECT_EQ(request.if_range, "\"b\"");
    EXPECT_EQ(request.if_match, "\"c\"");
    EXPECT_EQ(request.accept_language, "zh");
    EXPECT_TRUE(request.keeps_alive);
}

TEST(Request, KeepsTheConnectionAsItsVersionAndItsHeaderSay) {
    EXPECT_TRUE(get("/").keeps_alive);
    EXPECT_FALSE(get("/", "Host: a\r\nConnection: x, Close\r\n").keeps_alive);
    EXPECT_FALSE(parse_head("GET / HTTP/1.0\r\n\r\n").keeps_alive);
    EXPECT_TRUE(parse_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_alive);
    EXPECT_EQ(parse_head("GET / HTTP/1.0\r\n\r\n").refusal, 0);
}

TEST(Request, DecodesEachPartOfItsPathOnce) {
    EXPECT_EQ(get("/").parts, (Parts{""}));
    EXPECT_EQ(get("/a//b/").parts, (Parts{"a", "", "b", ""}));
    EXPECT_EQ(get("/%E8%AF%BE/%2541?x").parts, (Parts{"课", "%41"}));
    EXPECT_EQ(get("/a%2f%2E%2e").parts, (Parts{"a/.."}));
    EXPECT_EQ(get("/a%00b").parts, (Parts{std::string("a\0b", 3)}));
    EXPECT_EQ(get("http://Other:80/a").parts, (Parts{"a"}));
    EXPECT_EQ(get("http://Other:80/a").host, "other");
    EXPECT_EQ(get("http://other").parts, (Parts{""}));
    for (const char* const bad : {"a", "*", "/%", "/%1", "/%g0", "/a b", "/a\x01", "http:///x", "https://a/"})
        EXPECT_EQ(get(bad).refusal, 400) << bad;
}

TEST(Request, IsRefusedForWhatServersWereFooledByBefore) {
    const std::string host = "Host: a\r\n";
    EXPECT_EQ(get("/", "").refusal, 400);
    EXPECT_EQ(get("/", host + host).refusal, 400);
    EXPECT_EQ(get("/", host + " folded: line\r\n").refusal, 400);
    EXPECT_EQ(get("/", host + "space : x\r\n").refusal, 400);
    EXPECT_EQ(get("/", host + "no colon\r\n").refusal, 400);
    EXPECT_EQ(get("/", host + "x: a\nb: c\r\n").refusal, 400);
    EXPECT_EQ(get("/", host + "x: a\rb\r\n").refusal, 400);
    EXPECT_EQ(get("/", host + std::string("x: a\0b\r\n", 8)).refusal, 400);
    EXPECT_EQ(get("/", host + "Content-Length: 5\r\n").refusal, 413);
    EXPECT_EQ(get("/", host + "Content-Length: 0\r\n").refusal, 0);
    EXPECT_EQ(get("/", host + "Transfer-Encoding: chunked\r\n").refusal, 413);
    EXPECT_EQ(parse_head("GET / HTTP/2.0\r\n\r\n").refusal, 505);
    EXPECT_EQ(parse_head("GET /\r\n\r\n").refusal, 400);
    EXPECT_EQ(parse_head("\r\n\r\n").refusal, 400);
    EXPECT_EQ(parse_head("").refusal, 400);
    EXPECT_EQ(parse_head("GET / HTTP/1.1\r\nHost: a\r\n").refusal, 400);
    EXPECT_FALSE(get("/", host + host).keeps_alive);
}

TEST(Request, IsRefusedBeyondItsLimits) {
    EXPECT_EQ(get("/" + std::string(kTargetBytesMax - 1, 'a')).refusal, 0);
    EXPECT_EQ(get("/" + std::string(kTargetBytesMax, 'a')).refusal, 414);
    EXPECT_EQ(get("/", "Host: a\r\nx: " + std::string(kHeadBytesMax, 'a') + "\r\n").refusal, 431);
    std::string lines = "Host: a\r\n";
    for (std::size_t i = 1; i < kHeaderLinesMax; ++i) lines += "x: y\r\n";
    EXPECT_EQ(get("/", lines).refusal, 0);
    EXPECT_EQ(get("/", lines + "x: y\r\n").refusal, 431);
}

TEST(Request, TakesARangeThatCameTwiceForNone) {
    EXPECT_EQ(get("/", "Host: a\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n").range, "");
}

TEST(Request, CountsPagesFromOneAndNotBeyondReason) {
    EXPECT_EQ(get("/?page=2").page, 2U);
    for (const char* const bad :
         {"/?page=0", "/?page=", "/?page=-1", "/?page=99999999999999999999", "/?page=1x"})
        EXPECT_EQ(get(bad).page, 1U) << bad;
}

TEST(OwnHost, IsAnAddressLocalhostOrANameThatWasGiven) {
    for (const char* const own :
         {"", "localhost", "127.0.0.1", "192.168.1.5", "[::1]", "[fe80::1]", "village.lan"})
        EXPECT_TRUE(is_own_host(own, {"Village.lan"})) << own;
    for (const char* const foreign : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                                      "1.2.3", "[::1", "village.lan."})
        EXPECT_FALSE(is_own_host(foreign, {"Village.lan"})) << foreign;
}

RC_GTEST_PROP(Request, FindsEveryPathThatWasWrittenAsAUrl, (const std::vector<std::string>& parts)) {
    std::string target;
    for (const std::string& part : parts) target += "/" + url_part(part);
    RC_PRE(!parts.empty() && target.size() <= kTargetBytesMax);
    RC_ASSERT(get(target).parts == parts);
}

RC_GTEST_PROP(Request, OfAnyBytesIsReadOrRefused, (const std::string& bytes)) {
    const Request request = parse_head(bytes + "\r\n\r\n");
    RC_ASSERT(request.refusal == 0 || (request.refusal >= 400 && !request.keeps_alive));
}

}  // namespace
}  // namespace satchel::play
