// Edition documents and course.json: round trips, refusals, room, golden vectors (schemas/edition.md,
// schemas/course-json.md).
#include "engine/catalogue/documents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"

namespace satchel::catalogue {
namespace {

using testing::HasSubstr;

std::string vector_file(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Edition full_edition() {
    Edition edition;
    edition.course = "c008";
    edition.number = 3;
    edition.manifest.digest.fill(0x22);
    edition.files = 27;
    edition.bytes = 3'820'114;
    edition.reviews_needed = 2;
    edition.metadata.title = {{"en", "Electrical and fire safety"}, {"zh", "安全用电与防火"}};
    edition.metadata.theme = "生活安全";
    edition.metadata.audience = "返乡青年";
    edition.metadata.language = "zh-CN";
    edition.metadata.producer = "农业广播电视学校 Agricultural TV School";
    edition.metadata.licence = "CC BY-SA 4.0";
    edition.metadata.version = "1";
    edition.metadata.lessons = 1;
    edition.metadata.duration_s = 44;
    return edition;
}

Edition least_edition() {
    Edition edition;
    edition.course = "maths";
    return edition;
}

Result<CourseMetadata> parse(std::string_view text) {
    std::optional<std::string> id;
    return parse_course_json(bytes_of(text), id);
}

CourseMetadata parsed(std::string_view text) {
    const Result<CourseMetadata> metadata = parse(text);
    EXPECT_TRUE(metadata.has_value()) << text;
    return metadata.has_value() ? *metadata : CourseMetadata();
}

ErrorCode refusal(std::string_view document) {
    const Result<Edition> edition = decode_edition(bytes_of(document));
    EXPECT_FALSE(edition.has_value()) << document;
    return edition.has_value() ? ErrorCode::kFailed : edition.error().code;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(EditionDocument, EncodesTheGoldenEditions) {
    EXPECT_EQ(encode(full_edition()), vector_file("vectors/edition/full.json"));
    EXPECT_EQ(encode(least_edition()), vector_file("vectors/edition/least.json"));
}

TEST(EditionDocument, DecodesTheGoldenEditions) {
    const Result<Edition> full = decode_edition(bytes_of(vector_file("vectors/edition/full.json")));
    ASSERT_TRUE(full.has_value());
    EXPECT_EQ(*full, full_edition());
    const Result<Edition> least = decode_edition(bytes_of(vector_file("vectors/edition/least.json")));
    ASSERT_TRUE(least.has_value());
    EXPECT_EQ(*least, least_edition());
}

TEST(EditionDocument, RefusesEveryCutOffDocument) {
    const std::string good = encode(full_edition());
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_EQ(refusal(good.substr(0, size)), ErrorCode::kDamaged);
}

TEST(EditionDocument, TellsANewerFormatFromDamage) {
    const std::string good = encode(full_edition());
    EXPECT_EQ(refusal(replaced(good, "satchel-edition-1", "satchel-edition-2")), ErrorCode::kUnsupported);
    EXPECT_EQ(refusal(replaced(good, "\"licence\"", "\"license\"")), ErrorCode::kUnsupported);
    EXPECT_EQ(refusal(replaced(good, "satchel-edition-1", "satchel-root-1")), ErrorCode::kDamaged);
}

TEST(EditionDocument, RefusesFieldsBeyondTheirLimits) {
    const std::string good = encode(full_edition());
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {"\"number\": 3", "\"number\": 0"},
        {"\"number\": 3", "\"number\": 1000000"},
        {"\"number\": 3", "\"number\": \"3\""},
        {"\"files\": 27", "\"files\": -1"},
        {"\"bytes\": 3820114", "\"bytes\": 18446744073709551615"},
        {"\"lessons\": 1", "\"lessons\": 0"},
        {"\"reviews_needed\": 2", "\"reviews_needed\": 65"},
        {"\"course\": \"c008\"", "\"course\": \"\""},
        {"\"course\": \"c008\"", "\"course\": \"" + std::string(256, 'c') + "\""},
        {"\"course\": \"c008\"", "\"course\": \"c\\u001b[2J\""},
        {"\"version\": \"1\"", "\"version\": \"\""},
        {"\"theme\": \"生活安全\"",
         "\"theme\": \"a\xc2\x9b"
         "b\""},
        {"\"en\": \"Electrical and fire safety\"", "\"en us\": \"Electrical and fire safety\""},
        {"\"en\": \"Electrical and fire safety\"", "\"en\": 1"},
        {"2222\"", "22\""}};
    for (const auto& [from, to] : wrong)
        EXPECT_EQ(refusal(replaced(good, from, to)), ErrorCode::kDamaged) << to;
}

TEST(EditionDocument, RefusesMoreThanTwoKibibytes) {
    Edition edition = full_edition();
    edition.metadata.producer.clear();
    edition.metadata.producer.assign(
        kEditionDocumentMax - encode(edition).size() - std::string(",\n  \"producer\": \"\"").size(), 'p');
    ASSERT_EQ(encode(edition).size(), kEditionDocumentMax);
    EXPECT_TRUE(decode_edition(bytes_of(encode(edition))).has_value());
    edition.metadata.producer += 'p';
    EXPECT_EQ(refusal(encode(edition)), ErrorCode::kDamaged);
}

TEST(EditionDocument, LiesAtAPathOfThreeLevels) {
    const std::string hash = to_hex(ByteView(hash_of(bytes_of("c008"))));
    EXPECT_EQ(edition_path("c008", 3), std::string("courses/") + hash[0] + "/" + hash[1] + "/" + hash[2] +
                                           "/" + hash.substr(0, 16) + "/000003.json");
    EXPECT_EQ(edition_path("c008", 3), "courses/9/6/4/96406352c67bf9c9/000003.json");
    SiteId site;
    site.digest.fill(0xab);
    EXPECT_EQ(site_path(site), "sites/a/b/a/" + to_hex(site) + ".json");
}

TEST(CourseTitle, FallsBackToTheSameLanguageThenToAny) {
    CourseMetadata metadata;
    EXPECT_EQ(metadata.title_for("zh"), "");
    metadata.title = {{"en", "Maths"}, {"zh-Hant", "數學"}};
    EXPECT_EQ(metadata.title_for("en"), "Maths");
    EXPECT_EQ(metadata.title_for("zh"), "數學");
    EXPECT_EQ(metadata.title_for("fr"), "Maths");
}

TEST(CourseJson, ReadsTheGoldenFile) {
    std::optional<std::string> id;
    const Result<CourseMetadata> metadata =
        parse_course_json(bytes_of(vector_file("vectors/course-json/full.json")), id);
    ASSERT_TRUE(metadata.has_value());
    EXPECT_EQ(*metadata, full_edition().metadata);
    EXPECT_EQ(id, "c008");
}

TEST(CourseJson, ReadsTitlesInEveryWayTheyAreWritten) {
    const std::map<std::string, std::string> both = {{"en", "Maths"}, {"zh", "数学"}};
    EXPECT_EQ(parsed(vector_file("vectors/course-json/title-object.json")).title, both);
    EXPECT_EQ(parsed(R"({"title_zh": "数学", "title_en": " Maths "})").title, both);
    EXPECT_EQ(parsed(R"({"title": "Maths"})").title, (std::map<std::string, std::string>{{"en", "Maths"}}));
    EXPECT_EQ(parsed(R"({"title": "数学"})").title, (std::map<std::string, std::string>{{"zh", "数学"}}));
    EXPECT_EQ(parsed(R"({"title": "Mathe", "language": "de-AT"})").title,
              (std::map<std::string, std::string>{{"de", "Mathe"}}));
}

TEST(CourseJson, ForgivesWhatPeopleDo) {
    EXPECT_EQ(parsed("\xef\xbb\xbf{\"theme\": \"maths\"}\r\n").theme, "maths");
    EXPECT_EQ(parsed(R"({"theme": null, "title": null, "lessons": null, "id": null})"), CourseMetadata());
    EXPECT_EQ(parsed(R"({"license": "CC0"})").licence, "CC0");
    EXPECT_EQ(parsed(R"({"version": 1.2})").version, "1.2");
    EXPECT_EQ(parsed(R"({"version": "2025-b"})").version, "2025-b");
    EXPECT_EQ(parsed(R"({"duration_s": 44.6})").duration_s, 45);
    EXPECT_EQ(parsed(R"({"resolution": "640x360", "chapters": [{"at": 1}]})"), CourseMetadata());
}

TEST(CourseJson, NamesTheFieldOfAWrongType) {
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {R"({"theme": 5})", "theme"},
        {R"({"lessons": "two"})", "lessons"},
        {R"({"lessons": -1})", "lessons"},
        {R"({"duration_s": 1e300})", "duration_s"},
        {R"({"title": 5})", "title"},
        {R"({"title": {"en": 5}})", "title.en"},
        {R"({"title_zh": []})", "title_zh"},
        {R"({"title_": "x"})", "title_"},
        {R"({"id": 12})", "id"},
        {R"({"version": {}})", "version"},
        {R"({"audience": "a\nb"})", "audience"}};
    for (const auto& [text, field] : wrong) {
        const Result<CourseMetadata> metadata = parse(text);
        ASSERT_FALSE(metadata.has_value()) << text;
        EXPECT_EQ(metadata.error().code, ErrorCode::kUsage);
        EXPECT_EQ(metadata.error().about, field);
    }
}

TEST(CourseJson, RefusesWhatIsNoJsonObjectOrTooLarge) {
    for (const char* text : {"", "[]", "5", "{\"theme\": \"maths\"", "{\"theme\": \"\xb0\xa1\"}"}) {
        const Result<CourseMetadata> metadata = parse(text);
        ASSERT_FALSE(metadata.has_value()) << text;
        EXPECT_EQ(metadata.error().code, ErrorCode::kDamaged);
    }
    const Result<CourseMetadata> large = parse("{\"x\": \"" + std::string(256 * 1024, 'x') + "\"}");
    ASSERT_FALSE(large.has_value());
    EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
}

TEST(CourseJson, RefusesTextsTooLongForAnEditionAndNamesTheLongest) {
    const Result<CourseMetadata> metadata =
        parse(R"({"id": "c1", "theme": "short", "producer": ")" + std::string(3000, 'p') + "\"}");
    ASSERT_FALSE(metadata.has_value());
    EXPECT_EQ(metadata.error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(metadata.error().about, "producer");
    EXPECT_THAT(metadata.error().detail, HasSubstr("bytes too many"));
}

// The longest that passes still makes a document that decodes, whatever numbers the edition gets.
TEST(CourseJson, WhatPassesFitsIntoAnEditionDocument) {
    const std::string quotes(255, '"');
    std::size_t longest = 0;
    for (std::size_t size = 1; size < kEditionDocumentMax; ++size) {
        std::optional<std::string> id;
        const Result<CourseMetadata> metadata =
            parse_course_json(bytes_of("{\"theme\": \"" + std::string(size, 't') + "\"}"), id);
        if (!metadata.has_value()) break;
        longest = size;
        Edition edition = least_edition();
        edition.course = quotes;  // a folder's name
        edition.metadata = *metadata;
        edition.metadata.title["zh"] = quotes;
        edition.metadata.lessons = 1'000'000'000;
        edition.number = 999'999;
        edition.files = edition.bytes = INT64_MAX;
        edition.reviews_needed = 64;
        ASSERT_TRUE(decode_edition(bytes_of(encode(edition))).has_value()) << size;
    }
    EXPECT_GT(longest, 400u);
}

RC_GTEST_PROP(EditionDocument, SurvivesARoundTripOrIsRefused, ()) {
    const auto text = rc::gen::container<std::string>(rc::gen::oneOf(rc::gen::inRange<char>(32, 126)));
    Edition edition;
    edition.course = "c" + *text;
    edition.number = *rc::gen::inRange(1u, 1'000'000u);
    edition.manifest.digest = *rc::gen::arbitrary<Digest>();
    edition.files = *rc::gen::inRange<std::uint64_t>(0, INT64_MAX);
    edition.metadata.theme = *text;
    edition.metadata.title["en"] = "t" + *text;
    edition.metadata.lessons = *rc::gen::inRange<std::int64_t>(0, INT64_MAX);
    const Result<Edition> decoded = decode_edition(bytes_of(encode(edition)));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == edition);
}

RC_GTEST_PROP(EditionDocument, AnyTextIsDecodedToItselfOrRefused,
              (const std::string& noise, std::uint16_t place)) {
    std::string text = encode(full_edition());
    text.replace(place % text.size(), noise.size() / 2, noise);
    const Result<Edition> decoded = decode_edition(bytes_of(text));
    if (decoded.has_value()) RC_ASSERT(encode(*decoded) == text);
}

}  // namespace
}  // namespace satchel::catalogue
