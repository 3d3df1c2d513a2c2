// course.json: what is read makes an edition document that decodes to the same.
#include <cstdlib>

#include "engine/catalogue/documents.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    std::optional<std::string> id;
    const Result<catalogue::CourseMetadata> metadata = catalogue::parse_course_json({data, size}, id);
    if (!metadata.has_value()) return 0;
    catalogue::Edition edition;
    edition.course = id.value_or("folder");
    edition.metadata = *metadata;
    const Result<catalogue::Edition> decoded =
        catalogue::decode_edition(bytes_of(catalogue::encode(edition)));
    if (!decoded.has_value() || !(*decoded == edition)) std::abort();
    return 0;
}
