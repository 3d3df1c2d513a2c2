// Help, made from the command tables.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands/context.hpp"

namespace satchel::commands {

namespace {

constexpr std::size_t kNameColumns = 26;

std::string row(const std::string& name, std::string_view words) {
    std::string line = "  " + name;
    if (line.size() < kNameColumns)
        line.resize(kNameColumns, ' ');
    else
        line += "\n" + std::string(kNameColumns, ' ');
    return line + std::string(words) + "\n";
}

std::string with_value(const ArgumentSpec& argument) {
    std::string shown = argument.name;
    if (argument.value[0] != '\0') shown += std::string(" ") + argument.value;
    return shown;
}

std::string brief(const ArgumentSpec& argument) {
    const std::string shown = with_value(argument);
    switch (argument.kind) {
        case ArgumentKind::kPositional:
        case ArgumentKind::kRequiredOption:
            return shown;
        case ArgumentKind::kOptionalPositional:
        case ArgumentKind::kOption:
        case ArgumentKind::kFlag:
            return "[" + shown + "]";
        case ArgumentKind::kListPositional:
        case ArgumentKind::kListOption:
            return "[" + shown + "...]";
    }
    return shown;
}

std::string command_rows(text::Language language, std::string_view prefix) {
    std::string rows;
    for (const CommandSpec& command : all_commands())
        if (std::string_view(command.name).starts_with(prefix))
            rows += row(command.name, text::translate(language, command.summary.text()));
    return rows;
}

std::string global_rows(text::Language language) {
    std::string rows;
    for (const ArgumentSpec& option : global_options())
        rows += row(with_value(option), text::translate(language, option.help.text()));
    return rows;
}

std::string exit_code_rows(text::Language language) {
    std::string rows;
    for (const cli::ExitMeaning& each : cli::kExitMeanings)
        rows += row(std::to_string(each.code), text::translate(language, each.meaning.text()));
    return rows;
}

std::string footer(text::Language language) {
    std::string codes;
    for (const cli::ExitMeaning& each : cli::kExitMeanings)
        codes += (codes.empty() ? "" : " ") + std::to_string(each.code);
    return text::fill(language, "Exit codes: {codes}; `satchel help exit-codes` explains them.",
                      {{"codes", codes}}) +
           "\n";
}

std::string command_help(text::Language language, const CommandSpec& command) {
    std::string help = usage_line(language, command) + "\n" +
                       std::string(text::translate(language, command.summary.text())) + "\n";
    if (!command.arguments.empty()) help += "\n" + text::fill(language, "Arguments:") + "\n";
    for (const ArgumentSpec& argument : command.arguments)
        help += row(with_value(argument), text::translate(language, argument.help.text()));
    help += "\n" + text::fill(language, "Examples:") + "\n";
    for (const char* const example : command.examples) help += std::string("  ") + example + "\n";
    return help + "\n" + text::fill(language, "Options of every command:") + "\n" + global_rows(language) +
           "\n" + footer(language);
}

Result<cli::ExitCode> help(Context& context) {
    std::string topic;
    for (const char* const name : {"TOPIC", "SUBTOPIC"})
        if (context.arguments.has(name)) topic += (topic.empty() ? "" : " ") + context.arguments.text(name);
    SATCHEL_TRY(const std::string words, help_text(context.output.language(), topic));
    if (context.output.json())
        context.output.summary({{"topic", topic}, {"text", words}});
    else
        context.output.data(words);
    return cli::kExitDone;
}

}  // namespace

std::string usage_line(text::Language language, const CommandSpec& command) {
    std::string line =
        text::fill(language, "Usage: {command}", {{"command", std::string("satchel ") + command.name}});
    for (const ArgumentSpec& argument : command.arguments) line += " " + brief(argument);
    return line + "\n";
}

Result<std::string> help_text(text::Language language, const std::string& topic) {
    if (topic.empty())
        return text::fill(language, "Usage: {command}", {{"command", "satchel [--site DIR] COMMAND ..."}}) +
               "\n" +
               text::fill(language,
                          "Brings courseware to schools with or without a network, signed and whole.") +
               "\n\n" + text::fill(language, "Commands:") + "\n" + command_rows(language, "") + "\n" +
               text::fill(language, "Examples:") +
               "\n  satchel init hub --network 'Yushan county'\n  satchel stick write --help\n\n" +
               text::fill(language, "Options of every command:") + "\n" + global_rows(language) + "\n" +
               footer(language);
    if (topic == "exit-codes") return exit_code_rows(language);
    for (const CommandSpec& command : all_commands())
        if (topic == command.name) return command_help(language, command);
    for (const GroupSpec& group : all_groups())
        if (topic == group.name)
            return text::fill(language, "Usage: {command}",
                              {{"command", "satchel " + topic + " COMMAND ..."}}) +
                   "\n" + std::string(text::translate(language, group.summary.text())) + "\n\n" +
                   text::fill(language, "Commands:") + "\n" + command_rows(language, topic + " ") + "\n" +
                   footer(language);
    return fail(ErrorCode::kUsage, topic, "there is no help on this", "see all commands with `satchel help`");
}

std::vector<CommandSpec> help_commands() {
    return {
        {.name = "help",
         .summary = "Explains a command, or the exit codes",
         .needs = Needs::kNothing,
         .arguments = {{"TOPIC", ArgumentKind::kOptionalPositional, "", "a command, or exit-codes"},
                       {"SUBTOPIC", ArgumentKind::kOptionalPositional, "", "the second word of a command"}},
         .examples = {"satchel help stick write", "satchel help exit-codes"},
         .run = help}};
}

}  // namespace satchel::commands
