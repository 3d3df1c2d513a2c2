// What a command is: its name, its arguments, its help and what carries it out. The command line's grammar,
// its help in both languages and the check of the man page are all made from these tables.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_codes.hpp"
#include "engine/base/result.hpp"

namespace satchel::commands {

struct Context;

enum class ArgumentKind {
    kPositional,
    kOptionalPositional,
    kListPositional,
    kOption,
    kRequiredOption,
    kListOption,
    kFlag
};

struct ArgumentSpec {
    const char* name;  // "FOLDER" or "--message"
    ArgumentKind kind;
    const char* value;  // what stands for an option's value in the help; empty otherwise
    Literal help;
};

// What must be there before a command runs.
enum class Needs {
    kNothing,     // no site
    kFolder,      // the folder DIR, made if missing, under its lock: the site comes to be there
    kClosedSite,  // a site that nobody has open, under its lock; it may be damaged
    kSite,        // an open site, here or in the process that owns it; the engine's turn is held to the end
    kLinks,       // likewise, but its links take the turn for each of their steps
    kOwner,       // to become the owner
};

struct CommandSpec {
    const char* name;  // "stick write"
    Literal summary;
    Needs needs;
    std::vector<ArgumentSpec> arguments;
    std::array<const char*, 2> examples;
    Result<cli::ExitCode> (*run)(Context& context);  // null where cli/run.cpp does it
};

struct GroupSpec {
    const char* name;  // "stick"
    Literal summary;
};

// The values that a command was given, by argument name.
class Arguments {
  public:
    void put(const std::string& name, std::vector<std::string> values) { values_[name] = std::move(values); }
    [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) != 0; }
    [[nodiscard]] std::string text(const std::string& name) const {
        const auto found = values_.find(name);
        return found == values_.end() || found->second.empty() ? std::string() : found->second.front();
    }
    [[nodiscard]] std::optional<std::string> optional(const std::string& name) const {
        if (!has(name)) return std::nullopt;
        return text(name);
    }
    [[nodiscard]] std::vector<std::string> list(const std::string& name) const {
        const auto found = values_.find(name);
        return found == values_.end() ? std::vector<std::string>() : found->second;
    }

  private:
    std::map<std::string, std::vector<std::string>> values_;
};

[[nodiscard]] const std::vector<CommandSpec>& all_commands();
[[nodiscard]] const std::vector<GroupSpec>& all_groups();
[[nodiscard]] const std::vector<ArgumentSpec>& global_options();

// One family each; all_commands() puts them together.
[[nodiscard]] std::vector<CommandSpec> setup_commands();
[[nodiscard]] std::vector<CommandSpec> sites_commands();
[[nodiscard]] std::vector<CommandSpec> publish_commands();
[[nodiscard]] std::vector<CommandSpec> review_commands();
[[nodiscard]] std::vector<CommandSpec> reviewers_commands();
[[nodiscard]] std::vector<CommandSpec> catalogue_commands();
[[nodiscard]] std::vector<CommandSpec> room_commands();
[[nodiscard]] std::vector<CommandSpec> subscribe_commands();
[[nodiscard]] std::vector<CommandSpec> stick_commands();
[[nodiscard]] std::vector<CommandSpec> sync_commands();
[[nodiscard]] std::vector<CommandSpec> course_commands();
[[nodiscard]] std::vector<CommandSpec> store_commands();
[[nodiscard]] std::vector<CommandSpec> store_verify_commands();
[[nodiscard]] std::vector<CommandSpec> records_commands();
[[nodiscard]] std::vector<CommandSpec> report_commands();
[[nodiscard]] std::vector<CommandSpec> status_commands();
[[nodiscard]] std::vector<CommandSpec> repair_commands();
[[nodiscard]] std::vector<CommandSpec> help_commands();

}  // namespace satchel::commands
