// course.json, as people write it (schemas/course-json.md): lenient about what it does not know, strict about
// the type and length of what it does. What passes here fits into an edition document, whatever the edition's
// numbers will be: the sum is measured on the longest document that could come of it.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/catalogue/documents.hpp"
#include "engine/catalogue/plain_text.hpp"
#include "engine/trust/json_document.hpp"

namespace satchel::catalogue {

namespace {

using trust::Json;

constexpr std::size_t kCourseJsonMax = 256 * 1024;
constexpr int kDepthMax = 64;                 // of fields that are not ours
constexpr double kNumberMax = 1'000'000'000;  // a billion lessons, or 30 years of film
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kTitlePrefix = "title_";

Error wrong_type(const std::string& field, std::string detail) {
    return fail(ErrorCode::kUsage, field, "this field has a value of the wrong kind",
                "write it as schemas/course-json.md shows", std::move(detail));
}

Error wrong_text(const std::string& field) {
    return fail(ErrorCode::kUsage, field, "this field holds control characters or is too long",
                "write it shorter, on one line");
}

std::string trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

Result<std::string> text_of_field(const std::string& name, const Json& value) {
    if (!value.is_string()) return wrong_type(name, "a text is wanted");
    std::string text = trimmed(value.get_ref<const std::string&>());
    if (!is_plain_text(text)) return wrong_text(name);
    return text;
}

// People write versions as 3, 1.2 or "2025-b".
Result<std::string> version_of(const std::string& name, const Json& value) {
    if (value.is_number()) return value.dump();
    if (!value.is_string()) return wrong_type(name, "a number or a text is wanted");
    return text_of_field(name, value);
}

Result<std::int64_t> count_of(const std::string& name, const Json& value) {
    const double number = value.is_number() ? value.get<double>() : -1;
    if (!(number >= 0 && number <= kNumberMax))
        return wrong_type(name, "a number from 0 to 1000000000 is wanted");
    return static_cast<std::int64_t>(std::llround(number));
}

// "zh-CN" files its titles under "zh", as title_zh does.
std::string title_language(const CourseMetadata& metadata, std::string_view text) {
    const std::string primary(primary_language(metadata.language));
    const bool plain =
        std::all_of(primary.begin(), primary.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (plain && (primary.size() == 2 || primary.size() == 3)) return primary;
    const auto is_wide = [](char c) { return static_cast<unsigned char>(c) >= 0xe0; };
    const bool wide = std::any_of(text.begin(), text.end(), is_wide);
    return wide ? "zh" : "en";
}

Result<void> add_title(CourseMetadata& metadata, const std::string& field, const std::string& language,
                       const Json& value) {
    if (!is_language_tag(language)) return wrong_type(field, "a language is named as zh, en or zh-Hant");
    SATCHEL_TRY(std::string text, text_of_field(field, value));
    if (!text.empty()) metadata.title[language] = std::move(text);
    return {};
}

Result<void> read_titles(CourseMetadata& metadata, const Json& json) {
    for (const auto& [name, value] : json.items()) {
        if (value.is_null()) continue;
        if (name.starts_with(kTitlePrefix))
            SATCHEL_TRY_VOID(add_title(metadata, name, name.substr(kTitlePrefix.size()), value));
        if (name != "title") continue;
        if (value.is_string()) {
            const std::string language = title_language(metadata, value.get_ref<const std::string&>());
            SATCHEL_TRY_VOID(add_title(metadata, name, language, value));
            continue;
        }
        if (!value.is_object()) return wrong_type(name, "a text, or an object of languages, is wanted");
        for (const auto& [language, text] : value.items())
            SATCHEL_TRY_VOID(add_title(metadata, "title." + language, language, text));
    }
    return {};
}

Result<void> read_texts(CourseMetadata& metadata, const Json& json) {
    const std::array<std::pair<const char*, std::string*>, 6> texts{{{"theme", &metadata.theme},
                                                                     {"audience", &metadata.audience},
                                                                     {"language", &metadata.language},
                                                                     {"producer", &metadata.producer},
                                                                     {"license", &metadata.licence},
                                                                     {"licence", &metadata.licence}}};
    for (const auto& [name, into] : texts) {
        const auto found = json.find(name);
        if (found == json.end() || found->is_null()) continue;
        SATCHEL_TRY(std::string text, text_of_field(name, *found));
        *into = std::move(text);
    }
    const auto version = json.find("version");
    if (version == json.end() || version->is_null()) return {};
    SATCHEL_TRY(metadata.version, version_of("version", *version));
    return {};
}

Result<void> read_numbers(CourseMetadata& metadata, const Json& json) {
    for (const auto& [name, into] :
         {std::pair{"lessons", &metadata.lessons}, std::pair{"duration_s", &metadata.duration_s}}) {
        const auto found = json.find(name);
        if (found == json.end() || found->is_null()) continue;
        SATCHEL_TRY(*into, count_of(name, *found));
    }
    return {};
}

Result<void> read_id(std::optional<std::string>& id, const Json& json) {
    const auto found = json.find("id");
    if (found == json.end() || found->is_null()) return {};
    SATCHEL_TRY(std::string text, text_of_field("id", *found));
    if (text.size() > kCourseIdMax) return wrong_text("id");
    if (!text.empty()) id = std::move(text);
    return {};
}

// What takes most room, to be named in the refusal.
std::string longest_field(const CourseMetadata& metadata) {
    std::pair<std::size_t, std::string> longest{0, "title"};
    const auto consider = [&](std::string name, std::size_t size) {
        if (size > longest.first) longest = {size, std::move(name)};
    };
    consider("theme", metadata.theme.size());
    consider("audience", metadata.audience.size());
    consider("language", metadata.language.size());
    consider("producer", metadata.producer.size());
    consider("licence", metadata.licence.size());
    consider("version", metadata.version.size());
    for (const auto& [language, text] : metadata.title) consider("title_" + language, text.size());
    return longest.second;
}

Result<void> check_room(const CourseMetadata& metadata, const std::optional<std::string>& id) {
    // A folder's name stands in for an id or a title that is missing. Quotes count twice in JSON.
    const std::string longest_name(kCourseIdMax, '"');
    Edition edition;
    edition.course = id.value_or(longest_name);
    edition.number = UINT32_MAX;
    edition.files = edition.bytes = INT64_MAX;
    edition.reviews_needed = UINT32_MAX;
    edition.metadata = metadata;
    if (metadata.title.empty()) edition.metadata.title["zh"] = longest_name;
    if (metadata.lessons == 0) edition.metadata.lessons = INT64_MAX;
    const std::size_t size = encode(edition).size();
    if (size <= kEditionDocumentMax) return {};
    return fail(ErrorCode::kTooLarge, longest_field(metadata),
                "the texts of this course.json take too much room", "shorten the field that is named",
                std::to_string(size - kEditionDocumentMax) + " bytes too many");
}

}  // namespace

Result<CourseMetadata> parse_course_json(ByteView text, std::optional<std::string>& id) {
    id.reset();
    if (text.size() > kCourseJsonMax)
        return fail(ErrorCode::kTooLarge, "", "the file is larger than its kind allows",
                    "check that this is the right file", std::to_string(text.size()) + " bytes");
    std::string_view body = text_of(text);
    if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
    const auto not_too_deep = [](int depth, Json::parse_event_t, Json&) { return depth <= kDepthMax; };
    const Json json = Json::parse(body.begin(), body.end(), not_too_deep, false);
    if (json.is_discarded() || !json.is_object())
        return fail(ErrorCode::kDamaged, "", "this is not a JSON object in UTF-8",
                    "write it as schemas/course-json.md shows");
    CourseMetadata metadata;
    SATCHEL_TRY_VOID(read_id(id, json));
    SATCHEL_TRY_VOID(read_texts(metadata, json));  // before the titles: they may need its language
    SATCHEL_TRY_VOID(read_titles(metadata, json));
    SATCHEL_TRY_VOID(read_numbers(metadata, json));
    SATCHEL_TRY_VOID(check_room(metadata, id));
    return metadata;
}

}  // namespace satchel::catalogue
