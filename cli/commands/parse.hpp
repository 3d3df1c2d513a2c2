// From arguments to a command. CLI11 does the reading; the rules come from the command tables.
#pragma once

#include <optional>
#include <string>

#include "cli/commands/spec.hpp"
#include "cli/invocation.hpp"

namespace satchel::commands {

struct Parsed {
    const CommandSpec* command = nullptr;  // null: only help or version was asked for
    Arguments arguments;
    std::string help_topic;  // the command or group whose help was asked for; empty: all
    bool help = false;
    bool version = false;
    std::optional<std::string> site;  // --site
};

// How to speak, found before anything else so that even a wrong command line is answered well.
struct Manner {
    text::Language language = text::Language::kEnglish;
    bool json = false;
    bool quiet = false;
};
[[nodiscard]] Manner manner_of(const cli::Invocation& invocation);

Result<Parsed> parse_command_line(const cli::Invocation& invocation);  // kUsage

// Help in the reader's language. Topic: "", a group ("stick"), a command ("stick write"), "exit-codes".
Result<std::string> help_text(text::Language language, const std::string& topic);
[[nodiscard]] std::string usage_line(text::Language language, const CommandSpec& command);

}  // namespace satchel::commands
