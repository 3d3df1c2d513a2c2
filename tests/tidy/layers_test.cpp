// Who may include whom, which headers stay in .cpp files, and what the engine may not reach for by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <set>

#include "tests/tidy/tree.hpp"

namespace satchel::tidy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Include {
    std::size_t line = 0;
    std::string path;
    bool of_ours = false;  // "x" rather than <x>
};

std::vector<Include> includes_of(std::string_view text) {
    std::vector<Include> includes;
    std::size_t number = 0;
    for (std::string_view line : lines_of(text)) {
        ++number;
        if (!line.starts_with("#include")) continue;
        const std::size_t open = line.find_first_of("\"<");
        if (open == std::string_view::npos) continue;
        const std::size_t close = line.find_first_of("\">", open + 1);
        if (close == std::string_view::npos) continue;
        includes.push_back({number, std::string(line.substr(open + 1, close - open - 1)), line[open] == '"'});
    }
    return includes;
}

// The rooms of the house and which rooms each may see, itself apart. docs/architecture.md has the reasons.
const std::map<std::string, std::set<std::string>>& rooms() {
    static const auto made = [] {
        std::map<std::string, std::set<std::string>> may;
        may["engine/base"] = {};
        may["schemas"] = {};
        const auto add = [&may](const std::string& room, std::initializer_list<std::string> below) {
            std::set<std::string>& all = may[room];
            for (const std::string& one : below) {
                all.insert(one);
                all.insert(may.at(one).begin(), may.at(one).end());
            }
        };
        add("engine/env", {"engine/base"});
        add("engine/env/os", {"engine/env"});
        add("engine/database", {"engine/env", "schemas"});
        add("engine/store", {"engine/database"});
        add("engine/trust", {"engine/database"});
        add("engine/catalogue", {"engine/store", "engine/trust"});
        add("engine/records", {"engine/store", "engine/trust"});
        add("engine/exchange", {"engine/catalogue", "engine/records"});
        add("engine/site", {"engine/exchange"});
        add("transport/channel", {"engine/base", "engine/trust"});
        add("transport/link", {"engine/site", "transport/channel"});
        add("transport/stick", {"engine/site"});
        add("cli", {"transport/link", "transport/stick", "engine/env/os"});
        add("simulations/world", {"engine/env"});
        add("simulations", {"simulations/world", "transport/channel", "transport/stick"});
        add("tests", {"cli", "simulations"});
        return may;
    }();
    return made;
}

// The innermost room that a path lies in; empty outside the house.
std::string room_of(std::string_view path) {
    std::string best;
    for (const auto& [room, below] : rooms()) {
        if (path.starts_with(room + "/") && room.size() > best.size()) best = room;
    }
    return best;
}

Complaints foreign_includes(const SourceFile& file) {
    Complaints out;
    if (!is_cpp(file.path)) return out;
    const std::string room = room_of(file.path);
    if (room.empty()) {
        complain(out, file, 1, "lies in no room of the house");
        return out;
    }
    for (const Include& include : includes_of(file.text)) {
        if (!include.of_ours) continue;
        const std::string wanted = room_of(include.path);
        if (wanted.empty()) {
            complain(out, file, include.line, "includes are written from the root: " + include.path);
        } else if (wanted != room && !rooms().at(room).contains(wanted)) {
            complain(out, file, include.line, room + " may not include " + wanted);
        }
    }
    return out;
}

Complaints missing_includes(const SourceFile& file, const std::vector<SourceFile>& files) {
    Complaints out;
    if (!is_cpp(file.path)) return out;
    for (const Include& include : includes_of(file.text)) {
        if (!include.of_ours || find_file(files, include.path) != nullptr) continue;
        // Made by schemas/CMakeLists.txt: NAME.sql becomes NAME_sql.hpp, NAME.proto
        // becomes NAME.pb.h, kinds/*.json become kinds_json.hpp.
        std::string source = include.path;
        if (source.ends_with(".pb.h")) source.replace(source.size() - 5, 5, ".proto");
        if (const std::size_t at = source.rfind("_sql.hpp"); at != std::string::npos)
            source.replace(at, 8, ".sql");
        if (source == "schemas/kinds_json.hpp") source = "schemas/kinds/viewing.json";
        if (source == include.path || find_file(files, source) == nullptr) {
            complain(out, file, include.line, "there is no " + include.path);
        }
    }
    return out;
}

constexpr std::array<std::string_view, 14> kHeavyHeaders = {
    "CLI/", "nlohmann/", "asio",  "boost/",          "sqlite3.h", "sodium",     "git2",
    "zstd", "zlib.h",    "isa-l", "google/protobuf", "toml++/",   "rapidcheck", "httplib.h"};

Complaints heavy_headers(const SourceFile& file) {
    Complaints out;
    if (!file.path.ends_with(".hpp") || file.path.starts_with("tests/")) return out;
    for (const Include& include : includes_of(file.text)) {
        if (include.path == "nlohmann/json_fwd.hpp") continue;  // names only: made to be included in headers
        bool is_heavy = include.path.ends_with(".pb.h");
        for (std::string_view heavy : kHeavyHeaders) is_heavy = is_heavy || include.path.starts_with(heavy);
        if (is_heavy) complain(out, file, include.line, "belongs into a .cpp file: " + include.path);
    }
    return out;
}

constexpr std::array<std::string_view, 19> kWorldHeaders = {
    "thread",     "mutex", "shared_mutex", "condition_variable", "future",  "random", "fstream",   "iostream",
    "filesystem", "ctime", "time.h",       "unistd.h",           "fcntl.h", "sys/",   "pthread.h", "poll.h",
    "netinet/",   "arpa/", "dirent.h"};

// Calls that take time, chance, files or the environment from the machine instead of from env.
constexpr std::array<std::string_view, 16> kWorldCalls = {"system_clock",
                                                          "steady_clock",
                                                          "high_resolution_clock",
                                                          "clock_gettime",
                                                          "gettimeofday",
                                                          "std::time(",
                                                          " time(",
                                                          "fopen(",
                                                          "getenv(",
                                                          "random_device",
                                                          " rand(",
                                                          "std::rand(",
                                                          "randombytes",
                                                          "crypto_sign_keypair(",
                                                          "crypto_box_keypair(",
                                                          "crypto_box_seal("};

bool lives_on_a_lent_world(std::string_view path) {
    return (path.starts_with("engine/") && !path.starts_with("engine/env/os/")) ||
           path.starts_with("transport/channel/") || path.starts_with("transport/stick/") ||
           path.starts_with("simulations/");
}

Complaints unlent_world(const SourceFile& file) {
    Complaints out;
    if (!is_cpp(file.path) || !lives_on_a_lent_world(file.path)) return out;
    for (const Include& include : includes_of(file.text)) {
        if (include.of_ours) continue;
        for (std::string_view header : kWorldHeaders) {
            const bool hit =
                header.ends_with('/') ? include.path.starts_with(header) : include.path == header;
            if (hit) complain(out, file, include.line, "the world is lent by env: <" + include.path + ">");
        }
    }
    const std::string code = code_of(file.text);
    std::size_t number = 0;
    for (std::string_view line : lines_of(code)) {
        ++number;
        for (std::string_view call : kWorldCalls) {
            if (line.find(call) != std::string_view::npos) {
                complain(out, file, number, "the world is lent by env: " + std::string(call));
            }
        }
    }
    return out;
}

// -- the tree -------------------------------------------------------------------------------------

TEST(Layers, IncludesGoDownTheHouseOnly) { EXPECT_THAT(over_all(tree(), foreign_includes), IsEmpty()); }

TEST(Layers, EveryIncludeOfOursIsThere) {
    EXPECT_THAT(over_all(tree(), [](const SourceFile& file) { return missing_includes(file, tree()); }),
                IsEmpty());
}

TEST(Layers, HeavyHeadersStayInSourceFiles) { EXPECT_THAT(over_all(tree(), heavy_headers), IsEmpty()); }

TEST(Layers, TheEngineTakesTimeChanceAndDisksFromItsWorld) {
    EXPECT_THAT(over_all(tree(), unlent_world), IsEmpty());
}

TEST(Layers, TheTreeWasFound) {
    EXPECT_NE(find_file(tree(), "engine/base/result.hpp"), nullptr);
    EXPECT_NE(find_file(tree(), "tests/tidy/layers_test.cpp"), nullptr);
}

// -- the rules themselves -------------------------------------------------------------------------

TEST(LayerRules, RefuseAnIncludeThatGoesUp) {
    EXPECT_THAT(foreign_includes({"engine/base/x.hpp", "\n#include \"engine/env/clock.hpp\"\n"}),
                ElementsAre(HasSubstr("x.hpp:2: engine/base may not include engine/env")));
    EXPECT_THAT(foreign_includes({"engine/store/x.cpp", "#include \"engine/trust/keys.hpp\"\n"}), SizeIs(1));
    EXPECT_THAT(foreign_includes({"engine/site/x.cpp", "#include \"engine/env/os/disk.hpp\"\n"}), SizeIs(1));
    EXPECT_THAT(foreign_includes({"transport/channel/x.cpp", "#include \"engine/site/site.hpp\"\n"}),
                SizeIs(1));
    EXPECT_THAT(foreign_includes({"cli/commands/x.cpp", "#include \"simulations/world/disk.hpp\"\n"}),
                SizeIs(1));
    EXPECT_THAT(foreign_includes({"simulations/world/x.cpp", "#include \"engine/store/store.hpp\"\n"}),
                SizeIs(1));
    EXPECT_THAT(foreign_includes({"simulations/x.cpp", "#include \"engine/env/os/disk.hpp\"\n"}), SizeIs(1));
    EXPECT_THAT(foreign_includes({"engine/store/x.cpp", "#include \"tests/support/x.hpp\"\n"}), SizeIs(1));
}

TEST(LayerRules, AllowAnIncludeThatGoesDownOrStays) {
    EXPECT_THAT(foreign_includes({"engine/site/x.cpp", "#include \"engine/base/hash.hpp\"\n"}), IsEmpty());
    EXPECT_THAT(foreign_includes({"engine/store/x.cpp", "#include \"engine/store/pack.hpp\"\n"}), IsEmpty());
    EXPECT_THAT(foreign_includes({"engine/env/os/x.cpp", "#include \"engine/env/disk.hpp\"\n"}), IsEmpty());
    EXPECT_THAT(foreign_includes({"cli/commands/x.cpp", "#include \"transport/stick/carry.hpp\"\n"}),
                IsEmpty());
    EXPECT_THAT(foreign_includes({"tests/crash/x.cpp", "#include \"simulations/world/disk.hpp\"\n"}),
                IsEmpty());
}

TEST(LayerRules, RefuseAnIncludeNotWrittenFromTheRoot) {
    EXPECT_THAT(foreign_includes({"engine/store/x.cpp", "#include \"pack.hpp\"\n"}), SizeIs(1));
    EXPECT_THAT(foreign_includes({"elsewhere/x.cpp", ""}), SizeIs(1));
}

TEST(LayerRules, RefuseAnIncludeOfNothing) {
    const std::vector<SourceFile> files = {
        {"engine/base/x.hpp", ""}, {"schemas/site.sql", ""}, {"schemas/exchange.proto", ""}};
    EXPECT_THAT(missing_includes({"a.cpp", "#include \"engine/base/y.hpp\"\n"}, files), SizeIs(1));
    EXPECT_THAT(missing_includes({"a.cpp", "#include \"schemas/other_sql.hpp\"\n"}, files), SizeIs(1));
    EXPECT_THAT(missing_includes({"a.cpp", "#include \"engine/base/x.hpp\"\n"}, files), IsEmpty());
    EXPECT_THAT(missing_includes({"a.cpp", "#include \"schemas/site_sql.hpp\"\n"}, files), IsEmpty());
    EXPECT_THAT(missing_includes({"a.cpp", "#include \"schemas/exchange.pb.h\"\n"}, files), IsEmpty());
}

TEST(LayerRules, RefuseAHeavyHeaderInAHeader) {
    EXPECT_THAT(heavy_headers({"engine/store/x.hpp", "#include <zstd.h>\n"}), SizeIs(1));
    EXPECT_THAT(heavy_headers({"cli/x.hpp", "#include <nlohmann/json.hpp>\n"}), SizeIs(1));
    EXPECT_THAT(heavy_headers({"engine/exchange/x.hpp", "#include \"schemas/exchange.pb.h\"\n"}), SizeIs(1));
    EXPECT_THAT(heavy_headers({"cli/x.hpp", "#include <nlohmann/json_fwd.hpp>\n"}), IsEmpty());
    EXPECT_THAT(heavy_headers({"engine/store/x.cpp", "#include <zstd.h>\n"}), IsEmpty());
    EXPECT_THAT(heavy_headers({"tests/support/x.hpp", "#include <rapidcheck.h>\n"}), IsEmpty());
}

TEST(LayerRules, RefuseAWorldOfOnesOwn) {
    EXPECT_THAT(unlent_world({"engine/store/x.cpp", "#include <thread>\n"}), SizeIs(1));
    EXPECT_THAT(unlent_world({"engine/store/x.cpp", "#include <sys/stat.h>\n"}), SizeIs(1));
    EXPECT_THAT(unlent_world({"engine/store/x.cpp", "auto now = std::chrono::steady_clock::now();\n"}),
                SizeIs(1));
    EXPECT_THAT(unlent_world({"transport/stick/x.cpp", "std::FILE* f = fopen(p, m);\n"}), SizeIs(1));
    EXPECT_THAT(unlent_world({"engine/trust/x.cpp", "randombytes_buf(p, n);\n"}), SizeIs(1));
    EXPECT_THAT(unlent_world({"engine/env/os/x.cpp", "#include <thread>\n"}), IsEmpty());
    EXPECT_THAT(unlent_world({"cli/x.cpp", "#include <iostream>\n"}), IsEmpty());
    EXPECT_THAT(unlent_world({"engine/store/x.cpp", "// no steady_clock here\nf(\"getenv(\");\n"}),
                IsEmpty());
}

TEST(LayerRules, SeeCodeBehindLiteralsAndComments) {
    EXPECT_EQ(code_of("a('\"'); b(\"\\\"\"); c"), "a(' '); b(\"  \"); c");
    EXPECT_EQ(code_of("x = 1'000; /* y\n */ z"), "x = 1'000; /   \n    z");
    EXPECT_EQ(code_of("R\"SQL(a \" b)SQL\" c"), "R\"         )SQL\" c");
}

}  // namespace
}  // namespace satchel::tidy
