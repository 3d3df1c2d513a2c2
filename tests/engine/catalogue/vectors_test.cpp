// The golden vectors of schemas/catalogue.md, which other programs made.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

std::string schema_file(const std::string& name) {
    std::ifstream in(std::string(SATCHEL_SOURCE_DIR) + "/schemas/" + name, std::ios::binary);
    EXPECT_TRUE(in.good()) << name;
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

ByteBuffer vector_file(const std::string& name) {
    const std::string text = schema_file("vectors/catalogue/" + name);
    return {text.begin(), text.end()};
}

std::map<std::string, std::string> names() {
    std::istringstream lines(schema_file("vectors/catalogue/names.txt"));
    std::map<std::string, std::string> found;
    for (std::string name, hex; lines >> name >> hex;) found[name] = hex;
    return found;
}

trust::SignedRoot root_vector() {
    const std::string document = schema_file("vectors/root/root-1.json");
    return {ByteBuffer(document.begin(), document.end()),
            {schema_file("vectors/root/root-1.key-1.sig"), schema_file("vectors/root/root-1.key-2.sig")}};
}

TEST(CatalogueVectors, HaveTheNamesThatOtherProgramsGaveThem) {
    std::map<std::string, std::string> wanted = names();
    const ByteBuffer bytes = vector_file("commit.txt");
    const GitId id = git_id_of(GitType::kCommit, bytes);
    EXPECT_EQ(to_hex(ByteView(id)), wanted["commit-2"]);
    EXPECT_EQ(to_hex(ByteView(hash_of(bytes))), wanted["commit-2-digest"]);
    const Commit commit = must(parse_commit(id, bytes));
    EXPECT_EQ(commit.subject, "Publish another course");
    EXPECT_EQ(to_hex(commit.tree_digest), wanted["tree-2"]);
    EXPECT_EQ(git_id_of(GitType::kTree, vector_file("tree.bin")), commit.tree);
    EXPECT_EQ(encode_tree(must(parse_tree(commit.tree, vector_file("tree.bin")))), vector_file("tree.bin"));
    const Box box({root_vector()});
    EXPECT_EQ(to_hex(ByteView(lane_origin(box.network(), "office"))), wanted["lane-origin"]);
}

TEST(CatalogueVectors, AreALaneThatASiteAccepts) {
    std::map<std::string, std::string> wanted = names();
    Box box({root_vector()});
    must(box.accept(git_id_from_hex(wanted["commit-1"]).value(), {vector_file("whole.batch")}));
    must(box.accept(git_id_from_hex(wanted["commit-2"]).value(), {vector_file("news.batch")}));
    EXPECT_EQ(to_hex(ByteView(box.head().head)), wanted["commit-2"]);
    EXPECT_EQ(must(box->verify()), 2u);
    EXPECT_EQ(encode(must(box->newest_edition("c008"))->edition), schema_file("vectors/edition/full.json"));
}

}  // namespace
}  // namespace satchel::catalogue
