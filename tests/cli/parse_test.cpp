#include "cli/commands/parse.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/cli/captured.hpp"

namespace satchel::commands {
namespace {

Result<Parsed> parse(std::vector<std::string> arguments) {
    cli::Invocation invocation;
    invocation.arguments = std::move(arguments);
    return parse_command_line(invocation);
}

TEST(CommandLine, FindsCommandsOfOneAndTwoWords) {
    for (const CommandSpec& command : all_commands()) {
        std::vector<std::string> words;
        std::string name = command.name;
        if (const std::size_t space = name.find(' '); space != std::string::npos) {
            words = {name.substr(0, space), name.substr(space + 1)};
        } else {
            words = {name};
        }
        for (const ArgumentSpec& argument : command.arguments) {
            if (argument.kind == ArgumentKind::kRequiredOption) words.emplace_back(argument.name);
            if (argument.kind == ArgumentKind::kRequiredOption || argument.kind == ArgumentKind::kPositional)
                words.emplace_back("value");
        }
        const Result<Parsed> parsed = parse(words);
        ASSERT_TRUE(parsed.has_value())
            << command.name << ": " << parsed.error().about << parsed.error().detail;
        EXPECT_STREQ(parsed->command->name, command.name);
    }
}

TEST(CommandLine, TakesGlobalOptionsBeforeAndBehindTheCommand) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{"--site", "hub", "sites", "list"},
                                                  {"sites", "list", "--site", "hub"},
                                                  {"sites", "--site=hub", "list", "--json"}}) {
        const Result<Parsed> parsed = parse(words);
        ASSERT_TRUE(parsed.has_value()) << parsed.error().about;
        EXPECT_STREQ(parsed->command->name, "sites list");
        EXPECT_EQ(parsed->site, "hub");
    }
}

TEST(CommandLine, TakesAnArgumentThatStandsBehindAList) {
    const Result<Parsed> parsed = parse({"stick", "write", "--for", "a", "b", "/media/usb"});
    ASSERT_TRUE(parsed.has_value()) << parsed.error().about;
    EXPECT_EQ(parsed->arguments.text("PATH"), "/media/usb");
    EXPECT_EQ(parsed->arguments.list("--for"), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(parse({"stick", "write", "--for", "a"}).has_value());
}

TEST(CommandLine, TakesACourseThatIsNamedLikeACommand) {
    const Result<Parsed> parsed = parse({"cat", "status", "list"});
    ASSERT_TRUE(parsed.has_value()) << parsed.error().about;
    EXPECT_STREQ(parsed->command->name, "cat");
    EXPECT_EQ(parsed->arguments.text("COURSE"), "status");
    EXPECT_EQ(parsed->arguments.text("PATH"), "list");
}

TEST(CommandLine, TakesValuesThatBeginWithAMinusAndTheLoneMinus) {
    const Result<Parsed> offset = parse({"init", "d", "--network", "n", "--utc-offset", "-03:30"});
    ASSERT_TRUE(offset.has_value()) << offset.error().about;
    EXPECT_EQ(offset->arguments.text("--utc-offset"), "-03:30");
    const Result<Parsed> input = parse({"enrol", "-"});
    ASSERT_TRUE(input.has_value()) << input.error().about;
    EXPECT_EQ(input->arguments.text("REQUEST"), "-");
}

TEST(CommandLine, TakesListsOfSites) {
    const Result<Parsed> parsed = parse({"stick", "write", "/media/usb", "--for", "a", "b", "--json"});
    ASSERT_TRUE(parsed.has_value()) << parsed.error().about;
    EXPECT_EQ(parsed->arguments.list("--for"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(parsed->arguments.text("PATH"), "/media/usb");
}

TEST(CommandLine, KnowsWhichFlagsWereGiven) {
    const Result<Parsed> parsed = parse({"review", "sign", "maths", "--reject"});
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->arguments.has("--reject"));
    EXPECT_FALSE(parsed->arguments.has("--technical"));
    EXPECT_FALSE(parsed->arguments.has("--key"));
}

TEST(CommandLine, RefusesWhatItDoesNotKnowAndNamesIt) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{}, "satchel"},
        {{"frobnicate"}, "frobnicate"},
        {{"stick"}, "stick"},
        {{"stick", "eat"}, "eat"},
        {{"status", "--frob"}, "--frob"},
        {{"status", "more"}, "more"},
        {{"checkout", "maths"}, "DEST"},
        {{"init", "d"}, "--network"},
        {{"status", "--lang", "fr"}, "--lang fr"},
    };
    for (const auto& [words, about] : cases) {
        const Result<Parsed> parsed = parse(words);
        ASSERT_FALSE(parsed.has_value()) << about;
        EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
        EXPECT_EQ(parsed.error().about, about);
    }
    EXPECT_FALSE(parse({"publish", "folder", "--message"}).has_value());
}

TEST(CommandLine, FindsTheMannerEvenOfAWrongCommandLine) {
    cli::Invocation invocation;
    invocation.arguments = {"nonsense", "--json", "--lang=zh"};
    const Manner manner = manner_of(invocation);
    EXPECT_TRUE(manner.json);
    EXPECT_EQ(manner.language, text::Language::kChinese);
}

TEST(Help, OfEveryCommandShowsItsArgumentsTwoExamplesAndTheExitCodes) {
    for (const CommandSpec& command : all_commands()) {
        std::vector<std::string> words;
        const std::string name = command.name;
        const std::size_t space = name.find(' ');
        words.push_back(name.substr(0, space));
        if (space != std::string::npos) words.push_back(name.substr(space + 1));
        words.emplace_back("--help");
        const cli::Ran ran = cli::run_in("/", words);
        EXPECT_EQ(ran.code, 0);
        EXPECT_NE(ran.out.find("satchel " + name), std::string::npos);
        for (const ArgumentSpec& argument : command.arguments)
            EXPECT_NE(ran.out.find(argument.name), std::string::npos) << name << " " << argument.name;
        EXPECT_STRNE(command.examples[0], command.examples[1]);
        for (const char* const example : command.examples) {
            EXPECT_NE(ran.out.find(example), std::string::npos);
            EXPECT_NE(std::string(example).find(name), std::string::npos) << example;
        }
        EXPECT_NE(ran.out.find("10 11 12 13 14 15"), std::string::npos);
    }
}

TEST(Help, SpeaksChinese) {
    const cli::Ran ran = cli::run_in("/", {"stick", "write", "--help", "--lang", "zh"});
    EXPECT_NE(ran.out.find("用法：satchel stick write"), std::string::npos) << ran.out;
}

TEST(Help, ListsAllCommandsAndExplainsExitCodes) {
    const cli::Ran all = cli::run_in("/", {"help"});
    for (const CommandSpec& command : all_commands())
        EXPECT_NE(all.out.find(command.name), std::string::npos) << command.name;
    const cli::Ran codes = cli::run_in("/", {"help", "exit-codes"});
    for (const cli::ExitMeaning& each : cli::kExitMeanings)
        EXPECT_NE(codes.out.find(each.meaning.text()), std::string::npos);
    EXPECT_EQ(cli::run_in("/", {"help", "nonsense"}).code, cli::kExitUsage);
    EXPECT_EQ(cli::run_in("/", {"stick", "--help"}).code, 0);
}

}  // namespace
}  // namespace satchel::commands
