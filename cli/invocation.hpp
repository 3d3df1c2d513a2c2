// One call of the command line, freed from the process it came from: the same command runs in the caller's
// process or, over the socket, in the process that owns the site.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/text/text.hpp"
#include "engine/base/result.hpp"

namespace satchel::cli {

// What standard input may hold when an argument is "-": requests, grants, keys and statements are smaller.
inline constexpr std::size_t kInputMax = 256 * 1024;

struct Invocation {
    std::vector<std::string> arguments;                  // without the program's name
    std::string cwd;                                     // relative paths start here
    std::string site_variable;                           // SATCHEL_SITE
    text::Language language = text::Language::kEnglish;  // of the environment; --lang goes before it
    bool err_is_terminal = false;
    std::uint32_t width = 80;          // columns of that terminal
    std::optional<std::string> input;  // standard input, when an argument is "-"
};

// Where a command's words go.
class Streams {
  public:
    virtual ~Streams() = default;
    virtual Result<void> out(
        std::string_view bytes) = 0;  // an error: nobody reads any more, or the disk is full
    virtual void err(std::string_view bytes) = 0;
    virtual bool cancelled() = 0;  // the person stopped it or went away
};

}  // namespace satchel::cli
