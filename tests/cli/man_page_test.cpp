#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/commands/spec.hpp"

namespace satchel::commands {
namespace {

std::string man_page() {
    std::ifstream file(SATCHEL_SOURCE_DIR "/cli/dist/satchel.1");
    std::string page{std::istreambuf_iterator<char>(file), {}};
    page.erase(std::remove(page.begin(), page.end(), '\\'), page.end());  // "\-\-site" reads "--site"
    return page;
}

TEST(ManPage, NamesEveryCommandWithItsOptions) {
    const std::string page = man_page();
    for (const CommandSpec& command : all_commands()) {
        const std::string heading = std::string("\n.B satchel ") + command.name + "\n";
        const std::size_t begin = page.find(heading);
        ASSERT_NE(begin, std::string::npos) << command.name;
        const std::string section = page.substr(begin, page.find("\n.TP", begin) - begin);
        for (const ArgumentSpec& argument : command.arguments)
            EXPECT_NE(section.find(argument.name), std::string::npos) << command.name << " " << argument.name;
    }
}

TEST(ManPage, NamesEveryOptionOfAllCommandsAndEveryExitCode) {
    const std::string page = man_page();
    for (const ArgumentSpec& option : global_options())
        EXPECT_NE(page.find(option.name), std::string::npos) << option.name;
    for (const cli::ExitMeaning& each : cli::kExitMeanings)
        EXPECT_NE(page.find("\n.B " + std::to_string(each.code) + "\n" + each.meaning.text()),
                  std::string::npos)
            << each.code;
}

}  // namespace
}  // namespace satchel::commands
