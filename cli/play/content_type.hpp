// What a browser is told about a file, by the end of its name; nothing is guessed from its bytes.
#pragma once

#include <string_view>

namespace satchel::play {

enum class Handling {
    kShown,       // a browser shows or plays it, and nothing in it can act
    kActive,      // it can act (HTML, SVG, scripts): only the port of web lessons serves it as what it is
    kDownloaded,  // to be saved, not shown
};

struct ContentType {
    std::string_view name;
    bool is_text = false;  // has a charset
    Handling handling = Handling::kDownloaded;
};

[[nodiscard]] ContentType content_type_of(std::string_view path);
[[nodiscard]] bool is_video(const ContentType& type);
[[nodiscard]] bool is_audio(const ContentType& type);
[[nodiscard]] bool is_web_page(std::string_view path);  // what a link opens as a web lesson

}  // namespace satchel::play
