#include "cli/commands/parse.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

namespace satchel::commands {

namespace {

struct Slot {
    const CommandSpec* command;
    const ArgumentSpec* argument;
    CLI::Option* option;
    std::vector<std::string> values;
};

// CLI11's tree of one command line, with what it found. Options keep pointers into `slots`.
struct Grammar {
    CLI::App app{"", "satchel"};
    std::vector<std::unique_ptr<Slot>> slots;
    std::map<const CLI::App*, const CommandSpec*> commands;
    std::string site, language;
    bool json = false, quiet = false;
};

void add_argument(Grammar& grammar, CLI::App& app, const CommandSpec& command, const ArgumentSpec& argument) {
    grammar.slots.push_back(std::make_unique<Slot>(Slot{&command, &argument, nullptr, {}}));
    Slot& slot = *grammar.slots.back();
    switch (argument.kind) {
        case ArgumentKind::kFlag:
            slot.option = app.add_flag(argument.name);
            return;
        case ArgumentKind::kListOption:
            slot.option = app.add_option(argument.name, slot.values)->expected(1, -1);
            return;
        case ArgumentKind::kListPositional:
            slot.option = app.add_option(argument.name, slot.values)->expected(0, -1);
            return;
        case ArgumentKind::kPositional:
        case ArgumentKind::kOptionalPositional:
        case ArgumentKind::kOption:
        case ArgumentKind::kRequiredOption:
            slot.option = app.add_option(argument.name, slot.values)->expected(1)->allow_extra_args(false);
            return;
    }
}

void prepare(CLI::App& app) {
    app.set_help_flag("-h,--help");
    app.allow_extras();
    app.require_subcommand(0, 1);
    app.fallthrough();
}

void build(Grammar& grammar) {
    prepare(grammar.app);
    grammar.app.add_option("--site", grammar.site);
    grammar.app.add_option("--lang", grammar.language);
    grammar.app.add_flag("--json", grammar.json);
    grammar.app.add_flag("--quiet,-q", grammar.quiet);
    grammar.app.add_flag("--version");
    std::map<std::string, CLI::App*> groups;
    for (const GroupSpec& group : all_groups()) {
        CLI::App* const app = grammar.app.add_subcommand(group.name);
        prepare(*app);
        groups[group.name] = app;
    }
    for (const CommandSpec& command : all_commands()) {
        const std::string name = command.name;
        const std::size_t space = name.find(' ');
        CLI::App* const parent = space == std::string::npos ? &grammar.app : groups.at(name.substr(0, space));
        CLI::App* const app =
            parent->add_subcommand(space == std::string::npos ? name : name.substr(space + 1));
        prepare(*app);
        grammar.commands[app] = &command;
        for (const ArgumentSpec& argument : command.arguments) add_argument(grammar, *app, command, argument);
    }
}

const CLI::App* deepest(const CLI::App& app) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return at;
}

std::string topic_of(const Grammar& grammar, const CLI::App& app) {
    if (&app == &grammar.app) return "";
    const std::string above = app.get_parent() == &grammar.app ? "" : app.get_parent()->get_name() + " ";
    return above + app.get_name();
}

constexpr char kSeeHelp[] = "see what it takes with --help";

Result<void> check_leftovers(const CLI::App& app) {
    const std::vector<std::string> left = app.remaining(true);
    if (left.empty()) return {};
    const std::string& first = left.front();
    if (first.size() > 1 && first.front() == '-')
        return fail(ErrorCode::kUsage, first, "there is no such option", kSeeHelp);
    return fail(ErrorCode::kUsage, first, "this argument is one too many, or no command", kSeeHelp);
}

// A list takes all that follows: in `stick write --for lijia wangcun /media/usb` the last is the argument
// itself.
void give_back_last(const Grammar& grammar, const CommandSpec& command) {
    Slot* missing = nullptr;
    Slot* list = nullptr;
    for (const std::unique_ptr<Slot>& slot : grammar.slots) {
        if (slot->command != &command) continue;
        if (slot->argument->kind == ArgumentKind::kPositional && slot->values.empty()) missing = slot.get();
        if (slot->argument->kind == ArgumentKind::kListOption && slot->values.size() > 1) list = slot.get();
    }
    if (missing == nullptr || list == nullptr) return;
    missing->values.push_back(std::move(list->values.back()));
    list->values.pop_back();
}

Result<Parsed> result_of(const Grammar& grammar) {
    const CLI::App& app = *deepest(grammar.app);
    SATCHEL_TRY_VOID(check_leftovers(grammar.app));
    Parsed parsed;
    if (grammar.app.count("--site") != 0) parsed.site = grammar.site;
    if (grammar.app.count("--lang") != 0 && !text::language_of(grammar.language))
        return fail(ErrorCode::kUsage, "--lang " + grammar.language, "this language is not spoken here",
                    "choose en or zh");
    if (grammar.app.count("--version") != 0) {
        parsed.version = true;
        return parsed;
    }
    const auto found = grammar.commands.find(&app);
    if (found == grammar.commands.end()) {
        if (&app == &grammar.app) return fail(ErrorCode::kUsage, "satchel", "a command is missing", kSeeHelp);
        return fail(ErrorCode::kUsage, topic_of(grammar, app), "a command is missing", kSeeHelp);
    }
    parsed.command = found->second;
    give_back_last(grammar, *parsed.command);
    for (const std::unique_ptr<Slot>& slot : grammar.slots) {
        if (slot->command != parsed.command) continue;
        if (slot->option->count() != 0 || !slot->values.empty()) {
            parsed.arguments.put(slot->argument->name, slot->values);
        } else if (slot->argument->kind == ArgumentKind::kPositional ||
                   slot->argument->kind == ArgumentKind::kRequiredOption) {
            return fail(ErrorCode::kUsage, slot->argument->name, "this argument is missing", kSeeHelp);
        }
    }
    return parsed;
}

}  // namespace

Manner manner_of(const cli::Invocation& invocation) {
    Manner manner{invocation.language, false, false};
    for (std::size_t i = 0; i < invocation.arguments.size(); ++i) {
        const std::string& argument = invocation.arguments[i];
        std::string language;
        if (argument == "--json") manner.json = true;
        if (argument == "--quiet" || argument == "-q") manner.quiet = true;
        if (argument == "--lang" && i + 1 < invocation.arguments.size())
            language = invocation.arguments[i + 1];
        if (argument.starts_with("--lang=")) language = argument.substr(7);
        if (!language.empty()) manner.language = text::language_of(language).value_or(manner.language);
    }
    return manner;
}

Result<Parsed> parse_command_line(const cli::Invocation& invocation) {
    Grammar grammar;
    build(grammar);
    std::vector<std::string> arguments(invocation.arguments.rbegin(), invocation.arguments.rend());
    try {
        grammar.app.parse(arguments);
    } catch (const CLI::CallForHelp&) {
        Parsed parsed;
        parsed.help = true;
        parsed.help_topic = topic_of(grammar, *deepest(grammar.app));
        return parsed;
    } catch (const CLI::ParseError& error) {
        return fail(ErrorCode::kUsage, topic_of(grammar, *deepest(grammar.app)),
                    "the command line is not understood", kSeeHelp, error.what());
    }
    return result_of(grammar);
}

}  // namespace satchel::commands
