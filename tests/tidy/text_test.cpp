// What every text of ours keeps to: lengths, words that stay out, namespaces named as folders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "tests/tidy/tree.hpp"

namespace satchel::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kLinesMax = 600;
constexpr std::size_t kColumnsMax = 120;

std::size_t columns_of(std::string_view line) {
    std::size_t columns = 0;
    for (const char byte : line) {
        if ((static_cast<unsigned char>(byte) & 0xC0u) != 0x80u) ++columns;  // continuation bytes of UTF-8
    }
    return columns;
}

Complaints bad_lengths(const SourceFile& file) {
    Complaints out;
    if (!is_text_of_ours(file.path)) return out;
    const std::vector<std::string_view> lines = lines_of(file.text);
    if (lines.size() > kLinesMax) complain(out, file, lines.size(), "is longer than 600 lines");
    if (!file.text.empty() && !file.text.ends_with('\n'))
        complain(out, file, lines.size(), "does not end its last line");
    for (std::size_t at = 0; at < lines.size(); ++at) {
        // Rows of a table can't be broken, be it of a page or of translations, nor can the exact text that a
        // planted bug looks for.
        const bool is_row = lines[at].starts_with("    {\"") && file.path.starts_with("cli/text/zh_CN");
        const bool breakable = !is_row && !file.path.ends_with(".md") && !file.path.ends_with(".mutant");
        if (breakable && columns_of(lines[at]) > kColumnsMax)
            complain(out, file, at + 1, "is wider than 120 columns");
        if (lines[at].find('\t') != std::string_view::npos) complain(out, file, at + 1, "holds a tab");
        if (lines[at].ends_with(' ') && !file.path.ends_with(".mutant"))
            complain(out, file, at + 1, "ends in a space");
    }
    return out;
}

struct Banned {
    std::string_view word;
    std::string_view why;
};

// Each is written in two pieces, so that this file keeps to its own rule.
constexpr std::array<Banned, 7> kBanned = {{
    {"FIX"
     "ME",
     "mend it or write an issue"},
    {"XX"
     "X:",
     "mend it or write an issue"},
    {"#if"
     " 0",
     "dead code goes"},
    {"DISABLED"
     "_",
     "a test that does not run is no test"},
    {"GTEST"
     "_SKIP",
     "a test that does not run is no test"},
    {"NOLINT"
     "(*",
     "name the check"},
    {"/home"
     "/",
     "a path of one machine"},
}};

Complaints banned_words(const SourceFile& file) {
    Complaints out;
    if (!is_text_of_ours(file.path)) return out;
    constexpr std::string_view kLater =
        "TO"
        "DO";
    std::size_t number = 0;
    for (std::string_view line : lines_of(file.text)) {
        ++number;
        for (const Banned& banned : kBanned) {
            if (line.find(banned.word) != std::string_view::npos) {
                complain(out, file, number, std::string(banned.word) + ": " + std::string(banned.why));
            }
        }
        const std::size_t later = line.find(kLater);
        if (later != std::string_view::npos && line.find('#', later) == std::string_view::npos) {
            complain(out, file, number, std::string(kLater) + " without the number of its issue");
        }
    }
    return out;
}

// The namespaces that a file may open: satchel itself in engine/base and at the top of cli, else
// satchel::FOLDER of any folder that the file lies in below the first.
std::set<std::string> namespaces_of(std::string_view path) {
    std::set<std::string> allowed;
    std::string folder = folder_of(path);
    if (folder == "engine/base") return {"satchel"};
    std::size_t slashes = 0;
    while (!folder.empty()) {
        allowed.insert("satchel::" + name_of(folder));
        const std::size_t slash = folder.rfind('/');
        folder = slash == std::string::npos ? std::string() : folder.substr(0, slash);
        ++slashes;
    }
    allowed.erase("satchel::engine");
    allowed.erase("satchel::transport");
    return allowed;
}

Complaints foreign_namespaces(const SourceFile& file) {
    Complaints out;
    if (!is_cpp(file.path) || file.path.starts_with("tests/")) return out;
    const std::set<std::string> allowed = namespaces_of(file.path);
    std::size_t number = 0;
    for (std::string_view line : lines_of(file.text)) {
        ++number;
        constexpr std::string_view kOpening = "namespace satchel";
        // One line that opens and closes only announces a name of elsewhere.
        if (!line.starts_with(kOpening) || line.find('{') == std::string_view::npos) continue;
        if (line.find('}') != std::string_view::npos) continue;
        std::string name(line.substr(10, line.find_first_of(" {", 10) - 10));
        const bool inner = std::any_of(allowed.begin(), allowed.end(), [&name](const std::string& one) {
            return name.starts_with(one + "::");
        });
        if (!inner && !allowed.contains(name))
            complain(out, file, number, name + " is not the namespace of its folder");
    }
    return out;
}

Complaints unguarded_headers(const SourceFile& file) {
    Complaints out;
    if (file.path.ends_with(".hpp") && file.text.find("#pragma once") == std::string::npos) {
        complain(out, file, 1, "has no #pragma once");
    }
    return out;
}

// -- the tree -------------------------------------------------------------------------------------

TEST(Texts, KeepToLinesAndColumns) { EXPECT_THAT(over_all(tree(), bad_lengths), IsEmpty()); }

TEST(Texts, HoldNoWordThatStaysOut) { EXPECT_THAT(over_all(tree(), banned_words), IsEmpty()); }

TEST(Texts, AreInTheNamespaceOfTheirFolder) { EXPECT_THAT(over_all(tree(), foreign_namespaces), IsEmpty()); }

TEST(Texts, HeadersAreIncludedOnce) { EXPECT_THAT(over_all(tree(), unguarded_headers), IsEmpty()); }

// -- the rules themselves -------------------------------------------------------------------------

TEST(TextRules, RefuseALongFileAndAWideLine) {
    std::string lines;
    for (std::size_t at = 0; at < kLinesMax; ++at) lines += "x\n";
    EXPECT_THAT(bad_lengths({"engine/a.cpp", lines}), IsEmpty());
    EXPECT_THAT(bad_lengths({"engine/a.cpp", lines + "x\n"}), SizeIs(1));
    EXPECT_THAT(bad_lengths({"engine/a.cpp", std::string(kColumnsMax, 'x') + "\n"}), IsEmpty());
    EXPECT_THAT(bad_lengths({"engine/a.cpp", "\n" + std::string(kColumnsMax + 1, 'x') + "\n"}),
                ElementsAre(HasSubstr("a.cpp:2:")));
    std::string chinese;
    for (std::size_t at = 0; at < kColumnsMax; ++at) chinese += "\xE8\xAF\xBE";
    EXPECT_THAT(bad_lengths({"cli/text/zh.cpp", chinese + "\n"}), IsEmpty());
}

TEST(TextRules, RefuseTabsSpacesAtTheEndAndAnOpenLastLine) {
    EXPECT_THAT(bad_lengths({"a.cpp", "\tx\n"}), SizeIs(1));
    EXPECT_THAT(bad_lengths({"a.cpp", "x \n"}), SizeIs(1));
    EXPECT_THAT(bad_lengths({"a.cpp", "x"}), SizeIs(1));
    EXPECT_THAT(bad_lengths({"tests/fuzz/corpus/a/seed.txt", "\tx"}), IsEmpty());
}

TEST(TextRules, RefuseEachBannedWord) {
    for (const Banned& banned : kBanned) {
        EXPECT_THAT(banned_words({"a.cpp", "x " + std::string(banned.word) + "\n"}), SizeIs(1))
            << banned.word;
    }
    EXPECT_THAT(banned_words({"a.cpp",
                              "// TO"
                              "DO: later\n"}),
                SizeIs(1));
    EXPECT_THAT(banned_words({"a.cpp",
                              "// TO"
                              "DO #12: later\n"}),
                IsEmpty());
}

TEST(TextRules, RefuseANamespaceOfElsewhere) {
    EXPECT_THAT(foreign_namespaces({"engine/store/a.cpp", "namespace satchel::trust {\n"}), SizeIs(1));
    EXPECT_THAT(foreign_namespaces({"engine/store/a.cpp", "namespace satchel {\n"}), SizeIs(1));
    EXPECT_THAT(foreign_namespaces({"engine/store/a.cpp", "namespace satchel::store {\n"}), IsEmpty());
    EXPECT_THAT(foreign_namespaces({"engine/store/a.cpp", "namespace satchel::store::detail {\n"}),
                IsEmpty());
    EXPECT_THAT(foreign_namespaces({"engine/store/a.hpp", "namespace satchel::trust { class Key; }\n"}),
                IsEmpty());
    EXPECT_THAT(foreign_namespaces({"engine/base/a.cpp", "namespace satchel {\n"}), IsEmpty());
    EXPECT_THAT(foreign_namespaces({"engine/env/os/a.cpp", "namespace satchel::os {\n"}), IsEmpty());
    EXPECT_THAT(foreign_namespaces({"cli/commands/a.cpp", "namespace satchel::cli {\n"}), IsEmpty());
}

TEST(TextRules, RefuseAHeaderWithoutItsGuard) {
    EXPECT_THAT(unguarded_headers({"engine/a.hpp", "int a();\n"}), SizeIs(1));
    EXPECT_THAT(unguarded_headers({"engine/a.hpp", "#pragma once\nint a();\n"}), IsEmpty());
}

}  // namespace
}  // namespace satchel::tidy
