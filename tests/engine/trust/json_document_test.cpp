// Canonical JSON: one text for each document, and fields that are known, of their type and within their
// limits.
#include "engine/trust/json_document.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "engine/base/ids.hpp"

namespace satchel::trust {
namespace {

Result<Json> parse(std::string_view text, std::size_t size_max = 4096) {
    return parse_canonical(bytes_of(text), size_max, "test");
}

TEST(CanonicalJson, HasSortedKeysTwoSpacesAndOneFinalLineFeed) {
    const std::string text = canonical({{"b", 1}, {"a", {{"z", "村"}, {"y", Json::array({1, 2})}}}});
    EXPECT_EQ(
        text,
        "{\n  \"a\": {\n    \"y\": [\n      1,\n      2\n    ],\n    \"z\": \"村\"\n  },\n  \"b\": 1\n}\n");
    ASSERT_TRUE(parse(text).has_value());
    EXPECT_EQ(canonical(*parse(text)), text);
}

TEST(CanonicalJson, RefusesEveryOtherTextOfTheSameDocument) {
    ASSERT_TRUE(parse("{\n  \"a\": 1,\n  \"b\": \"/\"\n}\n").has_value());
    for (const char* other :
         {"{\n  \"a\": 1,\n  \"b\": \"/\"\n}", "{\n  \"a\": 1,\n  \"b\": \"/\"\n}\n\n",
          " {\n  \"a\": 1,\n  \"b\": \"/\"\n}\n", "{\n  \"b\": \"/\",\n  \"a\": 1\n}\n",
          "{\"a\":1,\"b\":\"/\"}\n", "{\n  \"a\": 1,\n  \"b\": \"\\/\"\n}\n",
          "{\n  \"a\": 1,\n  \"b\": \"\\u002f\"\n}\n", "{\r\n  \"a\": 1,\r\n  \"b\": \"/\"\r\n}\r\n",
          "{\n  \"a\": 1,\n  \"a\": 1,\n  \"b\": \"/\"\n}\n", "{\n  \"a\": 1,\n  \"b\": \"/\",\n}\n",
          "{\n  \"a\": 01,\n  \"b\": \"/\"\n}\n", "{\n  \"a\": 1e0,\n  \"b\": \"/\"\n}\n",
          "{\n  \"a\": -0,\n  \"b\": \"/\"\n}\n", "\xEF\xBB\xBF{\n  \"a\": 1,\n  \"b\": \"/\"\n}\n",
          "{\n  \"a\": 1, // one\n  \"b\": \"/\"\n}\n"})
        EXPECT_FALSE(parse(other).has_value()) << other;
}

TEST(CanonicalJson, RefusesWhatIsNoObjectOrNoText) {
    for (const std::string& bad :
         {std::string(), std::string("[]\n"), std::string("1\n"), std::string("null\n"),
          std::string("{\n  \"a\": \"\xFF\"\n}\n"), std::string("{\n  \"a\": 1\n}\n\0", 14),
          std::string("{\n  \"a\": 1e999\n}\n"), std::string("{\n  \"a\": NaN\n}\n")})
        EXPECT_EQ(parse(bad).error().code, ErrorCode::kDamaged) << bad;
}

TEST(CanonicalJson, RefusesADocumentBeyondItsLimitUnread) {
    const std::string text = canonical({{"a", std::string(100, 'x')}});
    EXPECT_TRUE(parse(text, text.size()).has_value());
    EXPECT_FALSE(parse(text, text.size() - 1).has_value());
}

TEST(CanonicalJson, RefusesADocumentThatIsNestedTooDeeply) {
    const auto nested = [](int depth) {
        Json json = {{"a", 1}};
        for (int i = 1; i < depth; ++i) json = Json{{"a", json}};
        return canonical(json);
    };
    EXPECT_TRUE(parse(nested(16), 65536).has_value());
    EXPECT_FALSE(parse(nested(17), 65536).has_value());
    EXPECT_FALSE(parse("{\n  \"a\": " + std::string(60'000, '['), 65536).has_value());
}

RC_GTEST_PROP(CanonicalJson, AnyEditOfADocumentIsRefusedOrTheOnlyForm,
              (const std::string& text, std::int64_t number)) {
    std::string document =
        canonical({{"b", text}, {"a", {{"n", number}, {"l", Json::array({"", 1, Json::object(), false})}}}});
    RC_ASSERT(parse(document, 1 << 20).has_value());
    const auto at = *rc::gen::inRange<std::size_t>(0, document.size());
    const auto count = *rc::gen::inRange<std::size_t>(0, 3);
    document.replace(
        at, count,
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("{}[]\":, \n\\0-19eu\xC2\x80"))));
    const Result<Json> json = parse(document, 1 << 20);
    if (json.has_value()) RC_ASSERT(canonical(*json) == document);
}

TEST(Printable, IsWhatATerminalShowsAndDoesNotObey) {
    for (const char* good : {"hub", "李家村", "a b", "\xC2\xA0", "\xC3\x9F"})
        EXPECT_TRUE(is_printable(good)) << good;
    for (const char* bad : {"", "a\nb", "a\tb", "\x1b[31m", "\x7f",
                            "\xC2\x9B"
                            "31m",
                            "\xC2\x80"})
        EXPECT_FALSE(is_printable(bad)) << bad;
}

// -- fields ---------------------------------------------------------------------------------------

TEST(JsonFields, AreTakenByNameTypeAndLimit) {
    const Json json = {{"n", 5}, {"t", "text"}, {"l", {1, 2}}};
    Fields fields(json);
    EXPECT_EQ(fields.number("n", 0, 5), 5);
    EXPECT_EQ(fields.text("t", 4), "text");
    EXPECT_FALSE(fields.all_known());
    EXPECT_EQ(fields.list("l", 2).size(), 2u);
    EXPECT_TRUE(fields.finish("test").has_value());
}

TEST(JsonFields, AFieldThatIsMissingWrongOrBeyondItsLimitIsDamage) {
    const Json json = {{"n", 5},      {"t", "text"}, {"l", {1, 2}}, {"big", UINT64_MAX},
                       {"real", 5.0}, {"id", "AB"}};
    const auto refuses = [&](const std::function<void(Fields&)>& take) {
        Fields fields(json);
        take(fields);
        return !fields.ok() && fields.finish("test").error().code == ErrorCode::kDamaged;
    };
    EXPECT_TRUE(refuses([](Fields& fields) { fields.text("none", 9); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.text("n", 9); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.text("t", 3); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.number("n", 6, 9); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.number("n", 0, 4); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.number("t", 0, 9); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.number("real", 0, 9); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.number("big", INT64_MIN, INT64_MAX); }));
    EXPECT_TRUE(refuses([](Fields& fields) { EXPECT_EQ(fields.list("l", 1).size(), 0u); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.list("t", 9); }));
    EXPECT_TRUE(refuses([](Fields& fields) { fields.id<SiteId>("id"); }));
}

TEST(JsonFields, AnUnknownFieldIsANewerProgramsAndNotDamage) {
    const Json json = {{"a", 1}, {"new", 2}};
    Fields fields(json);
    fields.number("a", 0, 9);
    EXPECT_EQ(fields.finish("test").error().code, ErrorCode::kUnsupported);
}

TEST(JsonFields, OfSomethingElseThanAnObjectThereAreNone) {
    const Json json = Json::array({1});
    Fields fields(json);
    EXPECT_FALSE(fields.has("a"));
    EXPECT_EQ(fields.number("a", 0, 9), 0);
    EXPECT_FALSE(fields.finish("test").has_value());
}

}  // namespace
}  // namespace satchel::trust
