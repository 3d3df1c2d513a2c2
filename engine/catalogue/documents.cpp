#include "engine/catalogue/documents.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/catalogue/plain_text.hpp"
#include "engine/trust/json_document.hpp"
#include "engine/trust/root.hpp"

namespace satchel::catalogue {

namespace {

using trust::Fields;
using trust::Json;

constexpr char kWhat[] = "edition";
constexpr char kFormat[] = "satchel-edition-1";
constexpr std::string_view kRegisterFormat = "satchel-register-1";
constexpr std::size_t kEditionDigits = 6;  // so that names sort as numbers do
constexpr std::uint32_t kNumberMax = 999'999;
constexpr std::size_t kHashDigits = 16;

// The texts of a document by their name there.
template <typename Metadata>
auto texts_of(Metadata& metadata) {
    using Text = decltype(&metadata.theme);
    return std::array<std::pair<const char*, Text>, 6>{{{"theme", &metadata.theme},
                                                        {"audience", &metadata.audience},
                                                        {"language", &metadata.language},
                                                        {"producer", &metadata.producer},
                                                        {"licence", &metadata.licence},
                                                        {"version", &metadata.version}}};
}

// An absent field and an empty one would mean the same: only the first is in the format.
std::string text_if_any(Fields& fields, const char* name) {
    if (!fields.has(name)) return {};
    std::string text = fields.text(name, kEditionDocumentMax);
    fields.require(!text.empty() && is_plain_text(text));
    return text;
}

std::int64_t number_if_any(Fields& fields, const char* name) {
    return fields.has(name) ? fields.number(name, 1, INT64_MAX) : 0;
}

void read_title(Fields& fields, std::map<std::string, std::string>& title) {
    const Json* json = fields.take("title");
    if (json == nullptr) return;
    fields.require(json->is_object() && !json->empty());
    if (!fields.ok()) return;
    for (const auto& [language, value] : json->items()) {
        const auto* text = value.get_ptr<const std::string*>();
        fields.require(is_language_tag(language) && text != nullptr && !text->empty() &&
                       is_plain_text(*text));
        if (fields.ok()) title[language] = *text;
    }
}

}  // namespace

std::string CourseMetadata::title_for(std::string_view wanted) const {
    if (const auto exact = title.find(std::string(wanted)); exact != title.end()) return exact->second;
    // "zh" and "zh-Hant-TW" serve each other better than another language does.
    for (const auto& [tag, text] : title)
        if (primary_language(tag) == primary_language(wanted)) return text;
    return title.empty() ? std::string() : title.begin()->second;
}

std::string encode(const Edition& edition) {
    Json json = {{"format", kFormat},
                 {"course", edition.course},
                 {"number", edition.number},
                 {"manifest", to_hex(edition.manifest)},
                 {"files", edition.files},
                 {"bytes", edition.bytes},
                 {"reviews_needed", edition.reviews_needed}};
    for (const auto& [name, text] : texts_of(edition.metadata))
        if (!text->empty()) json[name] = *text;
    if (!edition.metadata.title.empty()) json["title"] = edition.metadata.title;
    if (edition.metadata.lessons != 0) json["lessons"] = edition.metadata.lessons;
    if (edition.metadata.duration_s != 0) json["duration_s"] = edition.metadata.duration_s;
    return trust::canonical(json);
}

Result<Edition> decode_edition(ByteView document) {
    SATCHEL_TRY(const Json json, trust::parse_canonical(document, kEditionDocumentMax, kWhat));
    Fields fields(json);
    const std::string format = fields.text("format", 64);
    if (fields.ok() && format != kFormat && format.starts_with("satchel-edition-"))
        return fail(ErrorCode::kUnsupported, kWhat, "it was written by a newer program",
                    "update satchel on this box", format);
    fields.require(format == kFormat);
    Edition edition;
    edition.course = fields.text("course", kCourseIdMax);
    fields.require(!edition.course.empty() && is_plain_text(edition.course));
    edition.number = static_cast<std::uint32_t>(fields.number("number", 1, kNumberMax));
    edition.manifest = fields.id<ChunkId>("manifest");
    edition.files = static_cast<std::uint64_t>(fields.number("files", 0, INT64_MAX));
    edition.bytes = static_cast<std::uint64_t>(fields.number("bytes", 0, INT64_MAX));
    edition.reviews_needed =
        static_cast<std::uint32_t>(fields.number("reviews_needed", 0, trust::kRootKeysMax));
    for (const auto& [name, text] : texts_of(edition.metadata)) *text = text_if_any(fields, name);
    read_title(fields, edition.metadata.title);
    edition.metadata.lessons = number_if_any(fields, "lessons");
    edition.metadata.duration_s = number_if_any(fields, "duration_s");
    SATCHEL_TRY_VOID(fields.finish(kWhat));
    return edition;
}

std::string edition_path(std::string_view course, std::uint32_t number) {
    const std::string hash = to_hex(ByteView(hash_of(bytes_of(course)))).substr(0, kHashDigits);
    std::string digits = std::to_string(number);
    if (digits.size() < kEditionDigits) digits.insert(0, kEditionDigits - digits.size(), '0');
    return "courses/" + hash.substr(0, 1) + "/" + hash.substr(1, 1) + "/" + hash.substr(2, 1) + "/" + hash +
           "/" + digits + ".json";
}

// A site's id is a BLAKE2b-256 already: its own first digits spread as well as those of another hash would.
std::string site_path(const SiteId& site) {
    const std::string id = to_hex(site);
    return "sites/" + id.substr(0, 1) + "/" + id.substr(1, 1) + "/" + id.substr(2, 1) + "/" + id + ".json";
}

std::string encode(const RegisteredSite& site) {
    return trust::canonical({{"format", kRegisterFormat},
                             {"code", site.code},
                             {"name", site.name},
                             {"town", site.town},
                             {"county", site.county},
                             {"county_name", site.county_name},
                             {"type", site.type}});
}

Result<RegisteredSite> decode_registered_site(ByteView document) {
    constexpr const char* kRegister = "register of sites";
    SATCHEL_TRY(const Json json, trust::parse_canonical(document, kEditionDocumentMax, kRegister));
    Fields fields(json);
    const std::string format = fields.text("format", 64);
    if (fields.ok() && format != kRegisterFormat && format.starts_with("satchel-register-"))
        return fail(ErrorCode::kUnsupported, kRegister, "it was written by a newer program",
                    "update satchel on this box", format);
    fields.require(format == kRegisterFormat);
    RegisteredSite site;
    site.code = fields.text("code", kRegisterTextMax);
    site.name = fields.text("name", kRegisterTextMax);
    site.town = fields.text("town", kRegisterTextMax);
    site.county = fields.text("county", kRegisterTextMax);
    site.county_name = fields.text("county_name", kRegisterTextMax);
    site.type = fields.text("type", kRegisterTextMax);
    fields.require(!site.code.empty() && site.code.find('/') == std::string::npos);
    for (const std::string* text :
         {&site.code, &site.name, &site.town, &site.county, &site.county_name, &site.type})
        fields.require(text->empty() || trust::is_printable(*text));
    SATCHEL_TRY_VOID(fields.finish(kRegister));
    return site;
}

std::string register_path(std::string_view code) {
    const std::string hash = to_hex(ByteView(hash_of(bytes_of(code)))).substr(0, kHashDigits);
    return "register/" + hash.substr(0, 1) + "/" + hash.substr(1, 1) + "/" + hash.substr(2, 1) + "/" + hash +
           ".json";
}

}  // namespace satchel::catalogue
