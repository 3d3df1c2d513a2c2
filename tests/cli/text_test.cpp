#include "cli/text/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/cli/literal_scan.hpp"

namespace satchel::text {
namespace {

const testing::LiteralScan& scan_of_all_sources() {
    static const testing::LiteralScan kScan = [] {
        testing::LiteralScan scan;
        for (const char* const folder : {"engine", "transport", "cli"})
            scan.add_sources(std::filesystem::path(SATCHEL_SOURCE_DIR) / folder);
        scan.run();
        return scan;
    }();
    return kScan;
}

std::multiset<std::string> placeholders(std::string_view text) {
    std::multiset<std::string> found;
    for (std::size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1)) {
        const std::size_t close = text.find('}', open);
        if (close == std::string_view::npos) break;
        found.insert(std::string(text.substr(open, close - open)));
    }
    return found;
}

std::vector<Translation> whole_table() {
    std::vector<Translation> all;
    for (const auto& table : {chinese_of_command_line(), chinese_of_engine()})
        all.insert(all.end(), table.begin(), table.end());
    return all;
}

TEST(TextTable, IsSortedAndHoldsEachKeyOnce) {
    std::set<std::string_view> keys;
    for (const auto& table : {chinese_of_command_line(), chinese_of_engine()})
        for (std::size_t i = 1; i < table.size(); ++i) EXPECT_LT(table[i - 1].english, table[i].english);
    for (const Translation& row : whole_table()) EXPECT_TRUE(keys.insert(row.english).second) << row.english;
}

TEST(TextTable, HasChineseForEveryWordForPeople) {
    for (const auto& [key, file] : scan_of_all_sources().keys) {
        if (placeholders(key).size() == 1 && key.front() == '{' && key.back() == '}')
            continue;  // nothing to say
        if (translate(Language::kChinese, key) != key) continue;
        ADD_FAILURE() << file << ": no Chinese for: " << key;
    }
    EXPECT_GT(scan_of_all_sources().keys.size(), 200u) << "the scan finds too little to be believed";
}

TEST(TextTable, HoldsNoKeyThatNobodySays) {
    const std::set<std::string>& texts = scan_of_all_sources().texts;
    for (const Translation& row : whole_table())
        EXPECT_TRUE(texts.count(std::string(row.english)) != 0) << "nobody says: " << row.english;
}

TEST(TextTable, KeepsPlaceholdersInTranslation) {
    for (const Translation& row : whole_table())
        EXPECT_EQ(placeholders(row.english), placeholders(row.chinese)) << row.english;
}

TEST(LiteralScan, FindsReasonsRemediesLambdasFieldsAndConstants) {
    testing::LiteralScan scan;
    scan.add_source("base", R"(
        Error fail(ErrorCode code, std::string about, Literal reason, Literal remedy, std::string detail = {});
        struct Skipped { std::string path; Literal reason; };
        constexpr char kSame[] = "a constant";)");
    scan.add_source("use", R"(
        const auto refuse = [&](Literal reason) { return fail(code, "x", reason, kSame); };
        return bad ? refuse("from a lambda")
                   : fail(code, name(a, "not this"), "joined " "words", good ? "one" : "two", "nor this");
        list.push_back(Skipped{path, "left out"}); update({.reason = "by name"}); // fail(1, 2, "a comment", "too"))");
    scan.run();
    std::set<std::string> found;
    for (const auto& [key, file] : scan.keys) found.insert(key);
    EXPECT_EQ(found, (std::set<std::string>{"a constant", "from a lambda", "joined words", "one", "two",
                                            "left out", "by name"}));
}

TEST(Text, FillsPlaceholdersAndLeavesUnknownOnesAlone) {
    EXPECT_EQ(fill(Language::kEnglish, "{a} and {b} and {c}", {{"a", "1"}, {"b", "{a}"}}),
              "1 and {a} and {c}");
}

TEST(Text, SpeaksEnglishWhereChineseIsMissing) {
    EXPECT_EQ(translate(Language::kChinese, "no such key in any table"), "no such key in any table");
    EXPECT_EQ(translate(Language::kChinese, "done"), "完成");
}

TEST(Text, TakesTheLanguageFromTheFirstVariableThatIsSet) {
    EXPECT_EQ(language_of_environment("", "", "zh_CN.UTF-8"), Language::kChinese);
    EXPECT_EQ(language_of_environment("C.UTF-8", "", "zh_CN.UTF-8"), Language::kEnglish);
    EXPECT_EQ(language_of_environment("", "zh_TW", "en_US.UTF-8"), Language::kChinese);
    EXPECT_EQ(language_of_environment("", "", ""), Language::kEnglish);
    EXPECT_EQ(language_of_environment("", "", "fr_FR"), Language::kEnglish);
}

TEST(Text, ShowsSizesAndTimesForPeople) {
    EXPECT_EQ(size_text(0), "0 B");
    EXPECT_EQ(size_text(1023), "1023 B");
    EXPECT_EQ(size_text(1024), "1.0 KiB");
    EXPECT_EQ(size_text(1024 * 1024 - 1), "1.0 MiB");
    EXPECT_EQ(size_text(1610612736), "1.5 GiB");
    EXPECT_EQ(duration_text(125), "2:05");
    EXPECT_EQ(duration_text(3725), "1:02:05");
}

}  // namespace
}  // namespace satchel::text
