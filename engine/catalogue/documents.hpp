// Documents that an office signs: small canonical JSON, one file each in the lane's git tree.
// Path: KIND/x/y/z/NAME.json where x, y, z are the first three hex digits of the BLAKE2b-256 of the
// document's id: three levels of 16, so that one changed document among 40,000 moves about 2 KB.
// (schemas/edition.md)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"

namespace satchel::catalogue {

inline constexpr std::size_t kDocumentMax = 64 * 1024;
inline constexpr std::size_t kEditionDocumentMax = 2048;
inline constexpr std::size_t kCourseIdMax = 255;

// What people search and subscribe by. All fields are UTF-8; empty means unknown.
struct CourseMetadata {
    std::map<std::string, std::string> title;  // by language: "zh", "en"
    std::string theme, audience, language, producer, licence, version;
    std::int64_t lessons = 0;
    std::int64_t duration_s = 0;
    friend bool operator==(const CourseMetadata&, const CourseMetadata&) = default;
    [[nodiscard]] std::string title_for(std::string_view language) const;  // falls back to any
};

struct Edition {
    std::string course;  // id: course.json's "id", else the folder's name
    std::uint32_t number = 1;
    ChunkId manifest;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint32_t reviews_needed = 0;
    CourseMetadata metadata;
    friend bool operator==(const Edition&, const Edition&) = default;
};
[[nodiscard]] std::string encode(const Edition& edition);
Result<Edition> decode_edition(ByteView document);

// Reads a course.json as people write it: unknown fields are kept out; a wrong type, or texts too long for an
// edition document, are an error about the field. (schemas/course-json.md)
Result<CourseMetadata> parse_course_json(ByteView text, std::optional<std::string>& id);

// A row of the register of sites: what reports group by, whether a box is enrolled there or not. Records name
// a site by its code. ("satchel-register-1")
struct RegisteredSite {
    std::string code;  // of the office's own numbering, or the name that the site was enrolled under
    std::string name;  // for people
    std::string town;
    std::string county;  // code
    std::string county_name;
    std::string type;
    friend bool operator==(const RegisteredSite&, const RegisteredSite&) = default;
};
inline constexpr std::size_t kRegisterTextMax = 120;  // bytes of each text
[[nodiscard]] std::string encode(const RegisteredSite& site);
Result<RegisteredSite> decode_registered_site(ByteView document);
[[nodiscard]] std::string register_path(std::string_view code);  // register/x/y/z/HASH16.json

[[nodiscard]] std::string edition_path(std::string_view course,
                                       std::uint32_t number);  // courses/x/y/z/HASH16/000001.json
[[nodiscard]] std::string site_path(const SiteId& site);       // sites/x/y/z/ID.json

}  // namespace satchel::catalogue
