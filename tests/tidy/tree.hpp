// The tree of sources as the tidy tests see it: every text file of ours, read once.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::tidy {

struct SourceFile {
    std::string path;  // from the root, joined by '/'
    std::string text;
};

// What a rule finds: "path:line: what is wrong".
using Complaints = std::vector<std::string>;

inline const std::filesystem::path& root() {
    static const std::filesystem::path root = SATCHEL_SOURCE_DIR;
    return root;
}

inline bool has_ending(std::string_view path, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(),
                       [path](std::string_view end) { return path.ends_with(end); });
}

inline bool is_cpp(std::string_view path) { return has_ending(path, {".cpp", ".hpp"}); }

// Bytes that others or programs made: seeds, golden vectors, fixtures. No rule of layout holds for them.
inline bool is_data(std::string_view path) {
    return path.starts_with("tests/fuzz/corpus/") || path.starts_with("schemas/vectors/") ||
           (path.starts_with("tests/fixtures/") && !path.ends_with(".sh")) ||
           path.find("/vectors/") != std::string_view::npos;
}

inline bool is_text_of_ours(std::string_view path) {
    return !is_data(path) && (has_ending(path, {".cpp", ".hpp", ".md", ".txt", ".cmake", ".sql", ".sh", ".py",
                                                ".mutant", ".proto"}) ||
                              path == "dev" || path == ".ci/run" || path == "tests/soak/run");
}

inline std::vector<SourceFile> load_tree() {
    std::vector<SourceFile> files;
    std::filesystem::recursive_directory_iterator walk(root());
    for (; walk != std::filesystem::recursive_directory_iterator(); ++walk) {
        const std::string name = walk->path().filename().string();
        if (walk->is_directory() && (name == ".git" || name == "build" || name == "__pycache__")) {
            walk.disable_recursion_pending();
            continue;
        }
        if (!walk->is_regular_file()) continue;
        SourceFile file{walk->path().lexically_relative(root()).generic_string(), {}};
        if (is_text_of_ours(file.path)) {
            std::ifstream in(walk->path(), std::ios::binary);
            file.text.assign(std::istreambuf_iterator<char>(in), {});
        }
        files.push_back(std::move(file));
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

inline const std::vector<SourceFile>& tree() {
    static const std::vector<SourceFile> files = load_tree();
    return files;
}

inline const SourceFile* find_file(const std::vector<SourceFile>& files, std::string_view path) {
    const auto at =
        std::find_if(files.begin(), files.end(), [path](const auto& file) { return file.path == path; });
    return at == files.end() ? nullptr : &*at;
}

inline std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

inline std::string folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return std::string(slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash));
}

inline std::string name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

inline void complain(Complaints& out, const SourceFile& file, std::size_t line, std::string_view what) {
    out.push_back(file.path + ":" + std::to_string(line) + ": " + std::string(what));
}

// Every complaint of one rule over all files.
template <typename Rule>
Complaints over_all(const std::vector<SourceFile>& files, const Rule& rule) {
    Complaints all;
    for (const SourceFile& file : files) {
        for (std::string& complaint : rule(file)) all.push_back(std::move(complaint));
    }
    return all;
}

// The text with comments and the insides of literals blanked; lines stay where they are.
inline std::string code_of(std::string_view text) {
    enum class In { kCode, kLine, kBlock, kString, kChar, kRaw };
    In in = In::kCode;
    std::string raw_end;
    std::string out(text);
    const auto blank = [&out](std::size_t at) { out[at] = out[at] == '\n' ? '\n' : ' '; };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string_view rest = text.substr(at);
        switch (in) {
            case In::kCode:
                if (rest.starts_with("//")) in = In::kLine;
                if (rest.starts_with("/*")) in = In::kBlock;
                if (rest.starts_with("R\"") && rest.find('(') != std::string_view::npos) {
                    in = In::kRaw;
                    raw_end = ")" + std::string(rest.substr(2, rest.find('(') - 2)) + "\"";
                    at += 1;
                } else if (rest[0] == '"') {
                    in = In::kString;
                } else if (rest[0] == '\'' &&
                           (at == 0 || std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0)) {
                    in = In::kChar;  // not the ' that groups digits
                }
                break;
            case In::kLine:
                if (rest[0] == '\n') in = In::kCode;
                blank(at);
                break;
            case In::kBlock:
                if (rest.starts_with("*/")) {
                    in = In::kCode;
                    blank(at + 1);
                }
                blank(at);
                break;
            case In::kString:
            case In::kChar:
                if (rest[0] == '\\' && at + 1 < text.size()) {
                    blank(at);
                    ++at;
                    blank(at);
                } else if (rest[0] == (in == In::kString ? '"' : '\'')) {
                    in = In::kCode;
                } else {
                    blank(at);
                }
                break;
            case In::kRaw:
                if (rest.starts_with(raw_end)) {
                    in = In::kCode;
                    at += raw_end.size() - 1;
                } else {
                    blank(at);
                }
                break;
        }
    }
    return out;
}

}  // namespace satchel::tidy
