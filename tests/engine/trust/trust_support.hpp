// Keys, roots and stock tools for the tests of engine/trust.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/check.hpp"
#include "engine/trust/root.hpp"

namespace satchel::trust {

// The key whose seed is 32 times `seed`.
inline SigningKey key_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return SigningKey::from_seed(bytes);
}

inline SealingKey sealing_key_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return SealingKey::from_seed(bytes);
}

inline KeyHolder holder_of(std::uint8_t seed, std::string name) {
    return {key_of(seed).public_key(), std::move(name)};
}

inline SignedRoot sign_document(const std::string& document, const std::vector<std::uint8_t>& seeds) {
    SignedRoot root{ByteBuffer(document.begin(), document.end()), {}};
    for (const std::uint8_t seed : seeds)
        root.signatures.push_back(ssh_sign(key_of(seed), "satchel-root", bytes_of(document)));
    return root;
}
inline SignedRoot sign_root(const Root& root, const std::vector<std::uint8_t>& seeds) {
    return sign_document(encode(root), seeds);
}

// Version 1: root keys 1, 2, 3 of three holders with a threshold of 2, editor 11, reviewers 21 and 22.
inline Root example_root() {
    Root root;
    root.network = "玉山县";
    root.utc_offset_minutes = 480;
    root.keys = {holder_of(1, "root-1"), holder_of(2, "root-2"), holder_of(3, "root-3")};
    root.threshold = 2;
    Lane office;
    office.name = "office";
    office.editors = {holder_of(11, "editor-1")};
    office.reviewers = {holder_of(21, "reviewer-1"), holder_of(22, "reviewer-2")};
    office.reviews_needed = 2;
    office.scope = {"courses/", "sites/"};
    root.lanes = {office};
    return root;
}

inline std::string source_file(const std::string& path) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
}

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Ran {
    int status = -1;  // 0: the command was content
    std::string output;
};
inline Ran run(const std::string& command) {
    std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    SATCHEL_CHECK(pipe != nullptr);
    Ran ran;
    std::array<char, 4096> block;
    while (const std::size_t size = std::fread(block.data(), 1, block.size(), pipe))
        ran.output.append(block.data(), size);
    ran.status = pclose(pipe);
    return ran;
}

// The reason of an error as text; empty for a value.
template <typename T>
std::string reason_of(const Result<T>& result) {
    return result.has_value() ? std::string() : std::string(result.error().reason.text());
}

}  // namespace satchel::trust
