// Finds the words for people in C++ sources: string literals that reach a parameter or a field of type
// Literal. It reads tokens, not types: what it can't see (a Literal handed on by name) needs no finding,
// because the literal itself stands somewhere it can see.
#pragma once

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace satchel::testing {

struct Token {
    enum Kind { kWord, kText, kMark } kind;
    std::string text;
};
using Tokens = std::vector<Token>;

inline Tokens tokens_of(const std::string& source) {
    Tokens tokens;
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    for (std::size_t i = 0; i < source.size();) {
        const char c = source[i];
        if (source.compare(i, 2, "//") == 0) {
            i = std::min(source.find('\n', i), source.size());
        } else if (source.compare(i, 2, "/*") == 0) {
            i = std::min(source.find("*/", i + 2), source.size() - 2) + 2;
        } else if (source.compare(i, 2, "R\"") == 0) {
            const std::size_t open = source.find('(', i);
            const std::string close = ")" + source.substr(i + 2, open - i - 2) + "\"";
            const std::size_t end = source.find(close, open);
            tokens.push_back({Token::kText, source.substr(open + 1, end - open - 1)});
            i = end + close.size();
        } else if (c == '"') {
            std::string text;
            for (++i; i < source.size() && source[i] != '"'; ++i) {
                if (source[i] == '\\')
                    text += source[++i] == 'n' ? '\n' : source[i];
                else
                    text += source[i];
            }
            ++i;
            if (!tokens.empty() && tokens.back().kind == Token::kText)
                tokens.back().text += text;
            else
                tokens.push_back({Token::kText, text});
        } else if (c == '\'') {
            i += source[i + 1] == '\\' ? 2U : 1U;
            i = source.find('\'', i + 1) + 1;
            tokens.push_back({Token::kMark, "'"});
        } else if (is_word(c)) {
            const std::size_t begin = i;
            // A quote inside a number parts its digits.
            while (i < source.size() &&
                   (is_word(source[i]) ||
                    (source[i] == '\'' && std::isdigit(static_cast<unsigned char>(c)) != 0)))
                ++i;
            tokens.push_back({Token::kWord, source.substr(begin, i - begin)});
        } else {
            if (std::isspace(static_cast<unsigned char>(c)) == 0)
                tokens.push_back({Token::kMark, std::string(1, c)});
            ++i;
        }
    }
    return tokens;
}

class LiteralScan {
  public:
    void add_sources(const std::filesystem::path& folder) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            const std::string extension = entry.path().extension().string();
            if ((extension != ".cpp" && extension != ".hpp") ||
                entry.path().filename().string().starts_with("zh_CN"))
                continue;
            std::stringstream text;
            text << std::ifstream(entry.path()).rdbuf();
            add_source(entry.path().string(), text.str());
        }
    }

    void add_source(const std::string& name, const std::string& source) {
        files_.emplace_back(name, tokens_of(source));
    }

    // Call once, after all sources.
    void run() {
        for (const auto& [name, tokens] : files_) find_declarations(tokens);
        for (const auto& [name, tokens] : files_) find_uses(name, tokens);
    }

    std::map<std::string, std::string> keys;  // text to a file that says it
    std::set<std::string> texts;              // every literal there is

  private:
    static bool is(const Tokens& tokens, std::size_t at, const char* text) {
        return at < tokens.size() && tokens[at].kind != Token::kText && tokens[at].text == text;
    }

    // The arguments between the bracket at `open` and its mate, as token ranges.
    static std::vector<Tokens> arguments(const Tokens& tokens, std::size_t open) {
        std::vector<Tokens> all(1);
        int depth = 0;
        for (std::size_t i = open; i < tokens.size(); ++i) {
            const bool mark = tokens[i].kind == Token::kMark;
            if (mark && std::string("([{").find(tokens[i].text) != std::string::npos) {
                if (depth++ == 0) continue;
            } else if (mark && std::string(")]}").find(tokens[i].text) != std::string::npos) {
                if (--depth == 0) return all;
            } else if (mark && depth == 1 && tokens[i].text == ",") {
                all.emplace_back();
                continue;
            }
            all.back().push_back(tokens[i]);
        }
        return {};
    }

    // The name of what a parameter list at `open` belongs to: a function, or a lambda that is given a name.
    static std::string name_before(const Tokens& tokens, std::size_t open) {
        if (open == 0) return "";
        if (tokens[open - 1].kind == Token::kWord) return tokens[open - 1].text;
        if (!is(tokens, open - 1, "]")) return "";
        for (std::size_t i = open - 1; i > 1; --i)
            if (is(tokens, i, "["))
                return is(tokens, i - 1, "=") && tokens[i - 2].kind == Token::kWord ? tokens[i - 2].text : "";
        return "";
    }

    static bool declares_literal(const Tokens& parameter) {
        for (std::size_t i = 0; i + 1 < parameter.size(); ++i)
            if (is(parameter, i, "Literal") && parameter[i + 1].kind == Token::kWord) return true;
        return false;
    }

    void find_declarations(const Tokens& tokens) {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (is(tokens, i, "(")) {
                const std::vector<Tokens> parameters = arguments(tokens, i);
                for (std::size_t p = 0; p < parameters.size(); ++p)
                    if (declares_literal(parameters[p])) takers_[name_before(tokens, i)].insert(p);
            }
            if (is(tokens, i, "struct") && is(tokens, i + 2, "{")) find_fields(tokens, i + 1);
            if (is(tokens, i, "char") && is(tokens, i + 2, "[") && is(tokens, i + 3, "]") &&
                is(tokens, i + 4, "=") && i + 5 < tokens.size() && tokens[i + 5].kind == Token::kText)
                constants_[tokens[i + 1].text] = tokens[i + 5].text;
        }
    }

    void find_fields(const Tokens& tokens, std::size_t name) {
        std::size_t field = 0;
        int depth = 0;
        Tokens member;
        for (std::size_t i = name + 1; i < tokens.size(); ++i) {
            if (is(tokens, i, "{")) ++depth;
            if (is(tokens, i, "}") && --depth == 0) return;
            if (depth == 1 && is(tokens, i, ";")) {
                if (declares_literal(member)) {
                    takers_[tokens[name].text].insert(field);
                    fields_.insert(member.back().text);
                }
                member.clear();
                ++field;
            } else {
                member.push_back(tokens[i]);
            }
        }
    }

    // The texts that an argument may be: itself, or one of the branches of `?`. What is composed is no
    // Literal.
    void take(const std::string& file, const Tokens& argument) {
        int depth = 0;
        for (std::size_t i = 0; i < argument.size(); ++i)
            if (is(argument, i, "+")) return;
        for (const Token& token : argument) {
            if (token.kind == Token::kMark && std::string("([{").find(token.text) != std::string::npos)
                ++depth;
            if (token.kind == Token::kMark && std::string(")]}").find(token.text) != std::string::npos)
                --depth;
            if (depth != 0) continue;
            if (token.kind == Token::kText && !token.text.empty()) keys[token.text] = file;
            const auto constant = constants_.find(token.text);
            if (token.kind == Token::kWord && constant != constants_.end()) keys[constant->second] = file;
        }
    }

    void find_uses(const std::string& file, const Tokens& tokens) {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (tokens[i].kind == Token::kText) texts.insert(tokens[i].text);
            if (is(tokens, i, ".") && i + 3 < tokens.size() && fields_.count(tokens[i + 1].text) != 0 &&
                is(tokens, i + 2, "=") && tokens[i + 3].kind == Token::kText)
                keys[tokens[i + 3].text] = file;
            if (is(tokens, i, "{") && is(tokens, i + 2, ",") && is(tokens, i + 3, "ArgumentKind")) {
                const std::vector<Tokens> given = arguments(tokens, i);
                if (given.size() == 4) take(file, given[3]);
            }
            const auto taker = tokens[i].kind == Token::kWord ? takers_.find(tokens[i].text) : takers_.end();
            if (taker == takers_.end() || !(is(tokens, i + 1, "(") || is(tokens, i + 1, "{"))) continue;
            const std::vector<Tokens> given = arguments(tokens, i + 1);
            for (const std::size_t place : taker->second)
                if (place < given.size()) take(file, given[place]);
        }
    }

    std::vector<std::pair<std::string, Tokens>> files_;
    std::map<std::string, std::set<std::size_t>>
        takers_;                                    // functions and structs, and where they take a Literal
    std::set<std::string> fields_;                  // names of fields of type Literal
    std::map<std::string, std::string> constants_;  // char arrays
};

}  // namespace satchel::testing
