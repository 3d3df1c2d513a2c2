// What a request is answered with, apart from any socket.
//
// Two ports, two origins. The port of pages serves the list, and the files of courses in a form that cannot
// act: HTML, SVG and scripts go out as plain text. The port of web lessons serves the same files as what they
// are, under a policy that puts each page into a sandbox with an origin of its own, and only below a secret
// per course, which the page of the course links to: so a lesson can load its own files, but neither another
// course's nor, through somebody's browser, may a foreign site.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/play/library.hpp"
#include "cli/play/request.hpp"
#include "cli/text/text.hpp"

namespace satchel::play {

enum class Port { kPages, kWebLessons };

struct Answer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;  // without Content-Type and Content-Length
    std::string type;
    std::string body;                  // when there is no file
    std::unique_ptr<PlayReader> file;  // its bytes from `offset`, `length` of them (at least 1)
    std::uint64_t offset = 0, length = 0;
};

struct Origins {
    std::string bound_host;  // as it stands in a URL
    std::uint16_t pages_port = 0, web_port = 0;
    std::vector<std::string> names;         // more names by which browsers may call this box
    std::array<std::uint8_t, 32> secret{};  // of this run
};

// Any thread may call it. The library outlives it.
class Answers {
  public:
    Answers(PlayLibrary& library, Origins origins) : library_(library), origins_(std::move(origins)) {}
    [[nodiscard]] Answer to(Port port, const Request& request) const;
    // The part of the path below which a course's web lessons lie.
    [[nodiscard]] std::string web_key(const std::string& course) const;

  private:
    struct Asked;
    [[nodiscard]] Answer routed(const Asked& asked) const;
    [[nodiscard]] Answer list(const Asked& asked) const;
    [[nodiscard]] Answer course(const Asked& asked, const std::string& id) const;
    [[nodiscard]] Answer lesson(const Asked& asked, const std::string& id) const;
    [[nodiscard]] Answer file(const Asked& asked, const std::string& id, const std::string& path) const;
    [[nodiscard]] Answer bytes(const Asked& asked, const std::string& path,
                               std::unique_ptr<PlayReader> reader) const;
    [[nodiscard]] Answer refused(const Asked& asked, int status) const;
    [[nodiscard]] Answer message(const Asked& asked, int status, const std::string& sentence) const;
    [[nodiscard]] Answer failed(const Asked& asked, const std::string& id, const Error& error) const;
    void put_policy(const Asked& asked, Answer& answer) const;

    PlayLibrary& library_;
    Origins origins_;
};

}  // namespace satchel::play
