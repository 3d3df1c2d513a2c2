// What one change costs in a lane of 40,000 documents: bytes on the way and time at the editor.
#include <chrono>

#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

constexpr std::uint32_t kDocuments = 40'000;
constexpr std::size_t kOneChangeBytesMax = 2560;

std::string course_name(std::uint32_t number) { return "course-" + std::to_string(number); }

// As much as courseware of the field says about itself.
Edition rich_edition(const std::string& course, std::uint32_t number) {
    Edition edition = edition_of(course, number);
    edition.metadata.title = {{"en", "Safe use of electricity and fire protection in the village"},
                              {"zh", "农村安全用电与防火知识讲座"}};
    edition.metadata.audience = "adults, 村民";
    edition.metadata.language = "zh-CN";
    edition.metadata.producer = "玉山县农村党员干部现代远程教育中心";
    edition.metadata.licence = "CC-BY-SA-4.0";
    edition.metadata.version = "2.1";
    edition.metadata.lessons = 12;
    edition.metadata.duration_s = 5400;
    return edition;
}

TEST(LaneSize, OneChangeAmongFortyThousandDocumentsIsSmallAndQuick) {
    Box hub;
    std::vector<DocumentChange> all;
    for (std::uint32_t at = 0; at < kDocuments; ++at)
        all.push_back(change_of(edition_of(course_name(at), 1)));
    must(hub->commit("office", key_of(kEditor), "Begin", all));
    const GitId known = hub.head().head;
    const auto begin = std::chrono::steady_clock::now();
    hub.publish(rich_edition(course_name(7), 2));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    EXPECT_LE(total_bytes(hub.export_from(known)), kOneChangeBytesMax);
}

}  // namespace
}  // namespace satchel::catalogue
