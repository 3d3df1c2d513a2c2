#include "cli/play/content_type.hpp"

#include <algorithm>
#include <iterator>

#include "cli/play/words.hpp"

namespace satchel::play {

namespace {

struct Row {
    std::string_view ending;
    ContentType type;
};

constexpr std::string_view kSlides =
    "application/vnd.openxmlformats-officedocument.presentationml.presentation";
constexpr std::string_view kDocument =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
constexpr std::string_view kSheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

// clang-format off
constexpr Row kRows[] = {
    {"mp4", {"video/mp4", false, Handling::kShown}},
    {"m4v", {"video/mp4", false, Handling::kShown}},
    {"webm", {"video/webm", false, Handling::kShown}},
    {"ogv", {"video/ogg", false, Handling::kShown}},
    {"mov", {"video/quicktime", false, Handling::kShown}},
    {"mpg", {"video/mpeg", false, Handling::kShown}},
    {"mpeg", {"video/mpeg", false, Handling::kShown}},
    {"mp3", {"audio/mpeg", false, Handling::kShown}},
    {"m4a", {"audio/mp4", false, Handling::kShown}},
    {"aac", {"audio/aac", false, Handling::kShown}},
    {"ogg", {"audio/ogg", false, Handling::kShown}},
    {"opus", {"audio/ogg", false, Handling::kShown}},
    {"wav", {"audio/wav", false, Handling::kShown}},
    {"flac", {"audio/flac", false, Handling::kShown}},
    {"vtt", {"text/vtt", true, Handling::kShown}},
    {"srt", {"text/plain", true, Handling::kShown}},
    {"txt", {"text/plain", true, Handling::kShown}},
    {"md", {"text/plain", true, Handling::kShown}},
    {"csv", {"text/plain", true, Handling::kShown}},
    {"json", {"application/json", true, Handling::kActive}},
    {"pdf", {"application/pdf", false, Handling::kShown}},
    {"png", {"image/png", false, Handling::kShown}},
    {"jpg", {"image/jpeg", false, Handling::kShown}},
    {"jpeg", {"image/jpeg", false, Handling::kShown}},
    {"gif", {"image/gif", false, Handling::kShown}},
    {"webp", {"image/webp", false, Handling::kShown}},
    {"bmp", {"image/bmp", false, Handling::kShown}},
    {"ico", {"image/x-icon", false, Handling::kShown}},
    {"html", {"text/html", true, Handling::kActive}},
    {"htm", {"text/html", true, Handling::kActive}},
    {"xhtml", {"application/xhtml+xml", true, Handling::kActive}},
    {"xml", {"application/xml", true, Handling::kActive}},
    {"svg", {"image/svg+xml", true, Handling::kActive}},
    {"css", {"text/css", true, Handling::kActive}},
    {"js", {"text/javascript", true, Handling::kActive}},
    {"mjs", {"text/javascript", true, Handling::kActive}},
    {"wasm", {"application/wasm", false, Handling::kActive}},
    {"woff", {"font/woff", false, Handling::kActive}},
    {"woff2", {"font/woff2", false, Handling::kActive}},
    {"ttf", {"font/ttf", false, Handling::kActive}},
    {"otf", {"font/otf", false, Handling::kActive}},
    {"zip", {"application/zip", false, Handling::kDownloaded}},
    {"epub", {"application/epub+zip", false, Handling::kDownloaded}},
    {"ppt", {"application/vnd.ms-powerpoint", false, Handling::kDownloaded}},
    {"pptx", {kSlides, false, Handling::kDownloaded}},
    {"doc", {"application/msword", false, Handling::kDownloaded}},
    {"docx", {kDocument, false, Handling::kDownloaded}},
    {"xls", {"application/vnd.ms-excel", false, Handling::kDownloaded}},
    {"xlsx", {kSheet, false, Handling::kDownloaded}},
};
// clang-format on

std::string_view ending_of(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

}  // namespace

ContentType content_type_of(std::string_view path) {
    const std::string_view ending = ending_of(path);
    const auto* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                         [&](const Row& each) { return same_word(each.ending, ending); });
    return row == std::end(kRows) ? ContentType{.name = "application/octet-stream"} : row->type;
}

bool is_video(const ContentType& type) { return type.name.starts_with("video/"); }
bool is_audio(const ContentType& type) { return type.name.starts_with("audio/"); }

bool is_web_page(std::string_view path) {
    const ContentType type = content_type_of(path);
    return type.name == "text/html" || type.name == "application/xhtml+xml" || type.name == "image/svg+xml";
}

}  // namespace satchel::play
