// Nothing lies about unused: sources are built, tests are run, formats have vectors, parsers have seeds, and
// planted bugs still find the line that they break.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>

#include "tests/tidy/tree.hpp"

namespace satchel::tidy {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using Files = std::vector<SourceFile>;

// First and second word of each call of `function` in a CMake file: `satchel_tests(NAME FOLDER`.
std::map<std::string, std::string> calls_of(std::string_view text, std::string_view function) {
    std::map<std::string, std::string> calls;
    const std::string opening = std::string(function) + "(";
    for (std::string_view line : lines_of(text)) {
        while (line.starts_with(' ')) line.remove_prefix(1);
        if (!line.starts_with(opening)) continue;
        line.remove_prefix(opening.size());
        const std::size_t first = line.find(' ');
        if (first == std::string_view::npos) continue;
        const std::string_view rest = line.substr(first + 1);
        calls.emplace(line.substr(0, first), rest.substr(0, rest.find_first_of(" )")));
    }
    return calls;
}

std::map<std::string, std::string> calls_in(const Files& files, std::string_view path,
                                            std::string_view function) {
    const SourceFile* file = find_file(files, path);
    return file == nullptr ? std::map<std::string, std::string>() : calls_of(file->text, function);
}

bool has_under(const Files& files, std::string_view folder) {
    return std::any_of(files.begin(), files.end(), [folder](const SourceFile& file) {
        return file.path.starts_with(folder) && file.path.size() > folder.size() &&
               file.path[folder.size()] == '/';
    });
}

Complaints unbuilt_sources(const Files& files) {
    std::set<std::string> folders;
    for (const auto& [name, folder] : calls_in(files, "CMakeLists.txt", "satchel_library"))
        folders.insert(folder);
    Complaints out;
    for (const SourceFile& file : files) {
        if (!file.path.ends_with(".cpp") || file.path.starts_with("tests/") || file.path == "cli/main.cpp")
            continue;
        if (!folders.contains(folder_of(file.path))) complain(out, file, 1, "no library has this folder");
    }
    return out;
}

std::string stem_of(std::string_view path) {
    const std::string name = name_of(path);
    return name.substr(0, name.find('.'));
}

Complaints unregistered_tests(const Files& files) {
    std::set<std::string> folders;
    for (const auto& [name, folder] : calls_in(files, "tests/CMakeLists.txt", "satchel_tests")) {
        folders.insert("tests/" + folder);
    }
    const auto benchmarks = calls_in(files, "tests/CMakeLists.txt", "satchel_benchmark");
    Complaints out;
    for (const SourceFile& file : files) {
        const std::string folder = folder_of(file.path);
        if (!file.path.starts_with("tests/") || is_data(file.path)) continue;
        if (file.path.ends_with("_test.sh") && folder != "tests/e2e")
            complain(out, file, 1, "only tests/e2e runs scripts");
        if (!file.path.ends_with(".cpp") || folder == "tests/support" || folder == "tests/benchmarks") continue;
        const bool fuzz = file.path.ends_with("_fuzz.cpp") || name_of(file.path) == "replay_main.cpp";
        const bool test = file.path.ends_with("_test.cpp") && folders.contains(folder);
        const auto benchmark = benchmarks.find(stem_of(file.path));
        if (benchmark != benchmarks.end() && folder == "tests/" + benchmark->second) continue;
        if (!test && !(fuzz && folder == "tests/fuzz"))
            complain(out, file, 1, "no test program has this file");
    }
    return out;
}

Complaints formats_without_vectors(const Files& files) {
    Complaints out;
    for (const SourceFile& file : files) {
        if (folder_of(file.path) != "schemas" || !file.path.ends_with(".md") ||
            name_of(file.path) == "README.md")
            continue;
        std::string name = name_of(file.path);
        name.resize(name.size() - 3);
        if (!has_under(files, "schemas/vectors/" + name)) complain(out, file, 1, "has no golden vectors");
        const bool tested = std::any_of(files.begin(), files.end(), [&name](const SourceFile& test) {
            return test.path.starts_with("tests/") && test.path.ends_with(".cpp") &&
                   !test.path.starts_with("tests/tidy/") &&
                   test.text.find("vectors/" + name + "/") != std::string::npos;
        });
        if (!tested) complain(out, file, 1, "no test reads schemas/vectors/" + name + "/");
    }
    return out;
}

Complaints parsers_without_seeds(const Files& files) {
    Complaints out;
    std::set<std::string> targets;
    for (const SourceFile& file : files) {
        if (folder_of(file.path) != "tests/fuzz" || !file.path.ends_with("_fuzz.cpp")) continue;
        std::string name = name_of(file.path);
        name.resize(name.size() - std::string_view("_fuzz.cpp").size());
        if (!has_under(files, "tests/fuzz/corpus/" + name))
            complain(out, file, 1, "has no seeds in tests/fuzz/corpus/" + name);
        targets.insert("tests/fuzz/corpus/" + name);
    }
    for (const SourceFile& file : files) {
        if (!file.path.starts_with("tests/fuzz/corpus/")) continue;
        if (!targets.contains(folder_of(file.path))) complain(out, file, 1, "is the seed of no target");
    }
    return out;
}

std::optional<std::string> field_of(std::string_view text, std::string_view name) {
    for (std::string_view line : lines_of(text)) {
        if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
        line.remove_prefix(name.size() + 1);
        if (line.starts_with(' ')) line.remove_prefix(1);
        return std::string(line);
    }
    return std::nullopt;
}

// The layout is told in tests/mutants/run.py, which builds and runs them; here only that they are not out of
// date.
Complaints stale_mutants(const Files& files) {
    const auto programs = calls_in(files, "tests/CMakeLists.txt", "satchel_tests");
    Complaints out;
    for (const SourceFile& file : files) {
        if (!file.path.ends_with(".mutant")) continue;
        const auto target = field_of(file.text, "file");
        const auto find = field_of(file.text, "find");
        const auto test = field_of(file.text, "test");
        if (!target || !find || find->empty() || !test || !field_of(file.text, "promise") ||
            !field_of(file.text, "replace")) {
            complain(out, file, 1, "a field is missing");
            continue;
        }
        const SourceFile* source = find_file(files, target->substr(target->find_first_not_of(' ')));
        const std::size_t first = source == nullptr ? std::string::npos : source->text.find(*find);
        if (first == std::string::npos || source->text.find(*find, first + 1) != std::string::npos) {
            complain(out, file, 1, "its text must be found exactly once");
        }
        const std::string program = test->substr(0, test->find(' '));
        if (!programs.contains(program)) complain(out, file, 1, "there is no program " + program);
    }
    return out;
}

// -- the tree -------------------------------------------------------------------------------------

TEST(Registration, EverySourceBelongsToALibrary) { EXPECT_THAT(unbuilt_sources(tree()), IsEmpty()); }

TEST(Registration, EveryTestSourceBelongsToAProgram) { EXPECT_THAT(unregistered_tests(tree()), IsEmpty()); }

TEST(Registration, EveryFormatPageHasGoldenVectorsThatATestReads) {
    EXPECT_THAT(formats_without_vectors(tree()), IsEmpty());
}

TEST(Registration, EveryFuzzTargetHasSeedsAndEverySeedATarget) {
    EXPECT_THAT(parsers_without_seeds(tree()), IsEmpty());
}

TEST(Registration, EveryPlantedBugFindsItsLine) { EXPECT_THAT(stale_mutants(tree()), IsEmpty()); }

TEST(Registration, TheListsWereRead) {
    EXPECT_TRUE(calls_in(tree(), "tests/CMakeLists.txt", "satchel_tests").contains("tidy_tests"));
    EXPECT_TRUE(calls_in(tree(), "CMakeLists.txt", "satchel_library").contains("satchel_base"));
}

// -- the rules themselves -------------------------------------------------------------------------

const SourceFile kTestList = {"tests/CMakeLists.txt",
                              "satchel_tests(store_tests engine/store satchel_store)\n"};

TEST(RegistrationRules, RefuseASourceInNoLibrary) {
    const SourceFile list = {"CMakeLists.txt", "satchel_library(satchel_base engine/base)\n"};
    EXPECT_THAT(unbuilt_sources({list, {"engine/base/a.cpp", ""}, {"cli/main.cpp", ""}}), IsEmpty());
    EXPECT_THAT(unbuilt_sources({list, {"engine/base/inner/a.cpp", ""}}), SizeIs(1));
}

TEST(RegistrationRules, RefuseATestThatNoProgramHas) {
    EXPECT_THAT(unregistered_tests({kTestList, {"tests/engine/store/a_test.cpp", ""}}), IsEmpty());
    EXPECT_THAT(unregistered_tests({kTestList, {"tests/support/a.cpp", ""}}), IsEmpty());
    EXPECT_THAT(unregistered_tests({kTestList, {"tests/fuzz/a_fuzz.cpp", ""}}), IsEmpty());
    EXPECT_THAT(unregistered_tests({kTestList, {"tests/engine/store/a_tests.cpp", ""}}), SizeIs(1));
    EXPECT_THAT(unregistered_tests({kTestList, {"tests/engine/other/a_test.cpp", ""}}), SizeIs(1));
    EXPECT_THAT(unregistered_tests({kTestList, {"tests/crash/a_fuzz.cpp", ""}}), SizeIs(1));
    EXPECT_THAT(unregistered_tests({kTestList, {"tests/soak/a_test.sh", ""}}), SizeIs(1));
}

TEST(RegistrationRules, RefuseAFormatWithoutVectorsOrTest) {
    const SourceFile page = {"schemas/pack.md", ""};
    const SourceFile vector = {"schemas/vectors/pack/small.bin", ""};
    const SourceFile test = {"tests/engine/store/pack_test.cpp", "load(\"schemas/vectors/pack/small.bin\")"};
    EXPECT_THAT(formats_without_vectors({page, vector, test}), IsEmpty());
    EXPECT_THAT(formats_without_vectors({page, vector}), SizeIs(1));
    EXPECT_THAT(formats_without_vectors({page, test}), SizeIs(1));
    EXPECT_THAT(formats_without_vectors({{"schemas/README.md", ""}}), IsEmpty());
}

TEST(RegistrationRules, RefuseATargetWithoutSeedsAndASeedWithoutTarget) {
    const SourceFile target = {"tests/fuzz/pack_fuzz.cpp", ""};
    const SourceFile seed = {"tests/fuzz/corpus/pack/one", ""};
    EXPECT_THAT(parsers_without_seeds({target, seed}), IsEmpty());
    EXPECT_THAT(parsers_without_seeds({target}), SizeIs(1));
    EXPECT_THAT(parsers_without_seeds({seed}), SizeIs(1));
}

TEST(RegistrationRules, RefuseABugThatFindsNothing) {
    const SourceFile source = {"engine/store/a.cpp", "if (a < b) return;\nif (c) return;\n"};
    const auto mutant = [](const std::string& find, const std::string& program) {
        return SourceFile{"tests/mutants/a.mutant", "promise: bounds\nfile: engine/store/a.cpp\nfind: " +
                                                        find + "\nreplace: x\ntest: " + program + " A.*\n"};
    };
    EXPECT_THAT(stale_mutants({kTestList, source, mutant("a < b", "store_tests")}), IsEmpty());
    EXPECT_THAT(stale_mutants({kTestList, source, mutant("a > b", "store_tests")}), SizeIs(1));
    EXPECT_THAT(stale_mutants({kTestList, source, mutant("return;", "store_tests")}), SizeIs(1));
    EXPECT_THAT(stale_mutants({kTestList, source, mutant("a < b", "no_tests")}), SizeIs(1));
    EXPECT_THAT(stale_mutants({kTestList, {"tests/mutants/a.mutant", "promise: bounds\n"}}), SizeIs(1));
}

}  // namespace
}  // namespace satchel::tidy
