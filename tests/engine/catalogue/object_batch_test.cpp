// Batches of objects and edits of trees: what is sent is what arrives, and nothing else is taken.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "engine/catalogue/tree_edit.hpp"
#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

using testing::SizeIs;

Batches write(const std::vector<std::pair<GitType, std::string>>& objects) {
    Batches batches;
    BatchWriter writer([&](ByteView batch) -> Result<void> {
        batches.emplace_back(batch.begin(), batch.end());
        return {};
    });
    for (const auto& [type, data] : objects) must(writer.add(type, bytes_of(data)));
    must(writer.finish());
    return batches;
}

ByteBuffer batch_of(std::uint8_t version, std::uint8_t method, std::uint64_t size, ByteView payload) {
    ByteBuffer bytes;
    Writer(bytes).u8(version).u8(method).varint(size).raw(payload);
    return bytes;
}

ByteBuffer framed(std::uint8_t kind, std::string_view data) {
    ByteBuffer bytes;
    Writer(bytes).u8(kind).sized(data);
    return bytes;
}

ErrorCode refusal(ByteView batch) {
    const Result<Batch> decoded = Batch::decode(batch);
    return decoded.has_value() ? ErrorCode::kFailed : decoded.error().code;
}

RC_GTEST_PROP(ObjectBatch, ArrivesAsItWasSent, (const std::vector<std::pair<bool, std::string>>& texts)) {
    std::vector<std::pair<GitType, std::string>> objects;
    for (const auto& [is_commit, text] : texts)
        objects.emplace_back(is_commit ? GitType::kCommit : GitType::kBlob, text);
    std::vector<std::pair<GitType, std::string>> arrived;
    for (const ByteBuffer& bytes : write(objects)) {
        const Batch batch = must(Batch::decode(bytes));
        for (const PlainObject& object : batch.objects())
            arrived.emplace_back(object.type, text_of(object.data));
    }
    RC_ASSERT(arrived == objects);
}

RC_GTEST_PROP(ObjectBatch, AnyBytesAreDecodedOrRefused, (const std::vector<std::uint8_t>& bytes)) {
    ByteBuffer with_head = {1, static_cast<std::uint8_t>(bytes.size() % 3)};
    append(with_head, bytes);
    static_cast<void>(Batch::decode(with_head).has_value());
    static_cast<void>(Batch::decode(bytes).has_value());
}

TEST(ObjectBatch, NoneIsLargerThanItsLimit) {
    std::vector<std::pair<GitType, std::string>> objects;
    for (std::size_t at = 0; at < 40; ++at)
        objects.emplace_back(GitType::kBlob, std::string(kDocumentMax, static_cast<char>(at)));
    const Batches batches = write(objects);
    EXPECT_THAT(batches, SizeIs(3));
    std::size_t arrived = 0;
    for (const ByteBuffer& bytes : batches) arrived += must(Batch::decode(bytes)).objects().size();
    EXPECT_EQ(arrived, objects.size());
    EXPECT_THAT(write({{GitType::kTree, std::string(kObjectBytesMax, 'x')}}), SizeIs(1));
}

TEST(ObjectBatch, TellsANewerFormatFromDamage) {
    const ByteBuffer object = framed(3, "blob");
    EXPECT_TRUE(Batch::decode(batch_of(1, 0, object.size(), object)).has_value());
    EXPECT_EQ(refusal(batch_of(2, 0, object.size(), object)), ErrorCode::kUnsupported);
    EXPECT_EQ(refusal(batch_of(0, 0, object.size(), object)), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(batch_of(1, 2, object.size(), object)), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(ByteBuffer()), ErrorCode::kDamaged);
}

TEST(ObjectBatch, RefusesSizesThatDoNotFit) {
    const ByteBuffer object = framed(3, "blob");
    EXPECT_EQ(refusal(batch_of(1, 0, object.size() + 1, object)), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(batch_of(1, 0, 0, ByteView())), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(batch_of(1, 1, kBatchMax + 1, object)), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(batch_of(1, 1, kBatchMax, object)), ErrorCode::kDamaged);
    for (const std::uint8_t kind : {std::uint8_t{0}, std::uint8_t{5}}) {
        const ByteBuffer other = framed(kind, "blob");
        EXPECT_EQ(refusal(batch_of(1, 0, other.size(), other)), ErrorCode::kDamaged);
    }
    const ByteBuffer large = framed(3, std::string(kDocumentMax + 1, 'x'));
    EXPECT_EQ(refusal(batch_of(1, 0, large.size(), large)), ErrorCode::kDamaged);
    ByteBuffer cut = framed(3, "blob");
    cut.pop_back();
    EXPECT_EQ(refusal(batch_of(1, 0, cut.size(), cut)), ErrorCode::kDamaged);
}

// A frame of zstd that says little and holds much.
TEST(ObjectBatch, TakesNoMoreMemoryThanItSays) {
    const Batches batches = write({{GitType::kBlob, std::string(kDocumentMax, 'x')}});
    const ByteBuffer& honest = batches.front();
    Reader reader(honest);
    reader.u16();
    reader.varint();
    const ByteView frame = reader.raw(reader.left());
    EXPECT_TRUE(Batch::decode(honest).has_value());
    EXPECT_EQ(refusal(batch_of(1, 1, 100, frame)), ErrorCode::kDamaged);
    ByteBuffer two(frame.begin(), frame.end());
    append(two, frame);
    EXPECT_EQ(refusal(batch_of(1, 1, 2 * (kDocumentMax + 4), two)), ErrorCode::kDamaged);
}

Tree tree_from(const std::map<std::uint8_t, std::pair<bool, std::uint8_t>>& entries) {
    Tree tree;
    for (const auto& [name, entry] : entries) {
        GitId id;
        id.fill(entry.second);
        tree.push_back({entry.first, "n" + std::to_string(name), id});
    }
    return tree;
}

RC_GTEST_PROP(TreeEdit, MakesTheNewTreeFromTheOld,
              (const std::map<std::uint8_t, std::pair<bool, std::uint8_t>>& before,
               const std::map<std::uint8_t, std::pair<bool, std::uint8_t>>& after)) {
    const Tree old_tree = tree_from(before);
    const Tree new_tree = tree_from(after);
    const TreeEdit edit = must(decode_tree_edit(make_tree_edit(GitId{7}, old_tree, new_tree)));
    RC_ASSERT(edit.base == GitId{7});
    RC_ASSERT(must(apply(edit, old_tree)) == encode_tree(new_tree));
}

RC_GTEST_PROP(TreeEdit, AnyBytesAreDecodedOrRefused, (const std::vector<std::uint8_t>& bytes)) {
    ByteBuffer with_base(20, 7);
    append(with_base, bytes);
    const Result<TreeEdit> edit = decode_tree_edit(with_base);
    if (edit.has_value()) static_cast<void>(apply(*edit, tree_from({{1, {true, 2}}})).has_value());
}

RC_GTEST_PROP(Tree, ReadsWhatItWrote,
              (const std::map<std::uint8_t, std::pair<bool, std::uint8_t>>& entries)) {
    RC_PRE(!entries.empty());
    const ByteBuffer bytes = encode_tree(tree_from(entries));
    const Tree tree = must(parse_tree({}, bytes));
    RC_ASSERT(tree.size() == entries.size());
    RC_ASSERT(encode_tree(tree) == bytes);
}

RC_GTEST_PROP(Tree, AnyBytesAreReadBackOrRefused, (const std::vector<std::uint8_t>& bytes)) {
    ByteBuffer begun;
    Writer(begun).raw("40000 a").u8(0).raw(GitId{}).raw("100644 ").raw(bytes);
    const Result<Tree> tree = parse_tree({}, begun);
    if (tree.has_value()) RC_ASSERT(encode_tree(*tree) == begun);
}

}  // namespace
}  // namespace satchel::catalogue
