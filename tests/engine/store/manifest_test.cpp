// Manifests: nodes and their golden vectors, the tree, lookup, and what is refused (schemas/manifest.md).
#include "engine/store/manifest.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "engine/store/manifest_node.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

// A store of objects in memory, enough for builder and reader.
class ObjectMap : public Store {
  public:
    std::map<ChunkId, ByteBuffer> objects;

    Result<bool> contains(const ChunkId& id) override { return objects.contains(id); }
    Result<std::uint32_t> size_of(const ChunkId& id) override {
        return static_cast<std::uint32_t>(objects.at(id).size());
    }
    Result<ByteBuffer> read(const ChunkId& id) override {
        const auto found = objects.find(id);
        if (found == objects.end())
            return fail(ErrorCode::kNotFound, "chunk", "this chunk is not here", "check the path");
        return found->second;
    }
    Result<void> read_each(std::span<const ChunkId> ids,
                           const std::function<Result<void>(std::size_t, ByteView)>& sink) override {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            SATCHEL_TRY(const ByteBuffer plain, read(ids[i]));
            SATCHEL_TRY_VOID(sink(i, plain));
        }
        return {};
    }
    Result<ByteBuffer> read_record(const ChunkId& id) override { return read(id); }
    Result<Placed> put(ByteView plain) override {
        const ChunkId id{hash_of(plain)};
        const bool is_new = objects.emplace(id, ByteBuffer(plain.begin(), plain.end())).second;
        return Placed{id, is_new, static_cast<std::uint32_t>(plain.size())};
    }
    Result<Placed> put_prepared(const PreparedRecord& record) override { return put(record.plain); }
    Result<Placed> put_record(ByteView record, Reach) override { return put(record); }
    Result<void> commit() override { return {}; }
    [[nodiscard]] std::uint64_t uncommitted_bytes() const override { return 0; }
    Result<std::uint64_t> verify(const std::function<void(const Damage&)>&,
                                 const std::function<void(std::uint64_t, std::uint64_t)>&) override {
        return std::uint64_t{0};
    }
    Result<ScrubReport> scrub(std::uint64_t, const std::function<void(const Damage&)>&,
                              const std::function<void(std::uint64_t, std::uint64_t)>&) override {
        return ScrubReport{};
    }
    Result<void> scrub_lossy_first() override { return {}; }
    Result<void> write_off_cut_chunks() override { return {}; }
    Result<void> write_off_unread_packs() override { return {}; }
    Result<void> rebuild_index() override { return {}; }
    Result<void> forget(const ChunkId& id) override {
        objects.erase(id);
        return {};
    }
    Result<StoreStats> stats() override { return StoreStats{}; }
    Result<std::uint64_t> parity_bytes() override { return std::uint64_t{0}; }
    void limit(const StoreLimit&) override {}
    Result<std::unique_ptr<Collection>> collect() override {
        return fail(ErrorCode::kUnsupported, "store", "this chunk is not here", "use a store of packs");
    }

    ObjectSource source() {
        return [this](const ChunkId& id) { return read(id); };
    }
};

ChunkId chunk_of(std::uint8_t fill) {
    ChunkId id;
    id.digest.fill(fill);
    return id;
}

ManifestEntry file_entry(const std::string& path, std::uint64_t number) {
    ManifestEntry entry;
    entry.path = path;
    entry.mtime_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(number) * 1'000'000'000;
    entry.size = 100 + number;
    entry.content = Extent{ChunkId{hash_of(bytes_of(path))}, 0, static_cast<std::uint32_t>(entry.size)};
    return entry;
}

// Files f0000.html to f0999.html: what the golden root is made of.
std::vector<ManifestEntry> thousand_files() {
    std::vector<ManifestEntry> entries;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::string digits = std::to_string(10'000 + i).substr(1);
        entries.push_back(file_entry("f" + digits + ".html", i));
    }
    return entries;
}

ManifestNode example_leaf() {
    ManifestNode node;
    ManifestEntry folder;
    folder.path = "第一课";
    folder.type = EntryType::kDirectory;
    folder.mode = 0755;
    folder.mtime_ns = 1'700'000'000'123'456'789;
    ManifestEntry empty;
    empty.path = "第一课/empty";
    empty.mtime_ns = -1;
    ManifestEntry small;
    small.path = "第一课/small.html";
    small.mode = 0600;
    small.size = 77;
    small.content = Extent{chunk_of(0x22), 300, 77};
    ManifestEntry large;
    large.path = "第一课/video.mp4";
    large.mtime_ns = 1'700'000'001'000'000'000;
    large.size = 10'000'000'000;
    large.content = RecipeContent{chunk_of(0x33)};
    node.entries = {folder, empty, small, large};
    return node;
}

ManifestNode example_interior() {
    ManifestNode node;
    node.level = 1;
    node.children = {{"a/9", chunk_of(0x44)}, {"a/99", chunk_of(0x55)}, {"b", chunk_of(0x66)}};
    return node;
}

ChunkId build(Store& store, const std::vector<ManifestEntry>& entries) {
    ManifestBuilder builder(store);
    for (const ManifestEntry& entry : entries) must(builder.add(entry));
    return must(builder.finish());
}

std::vector<ManifestEntry> all_of(ObjectMap& store, const ChunkId& root) {
    std::vector<ManifestEntry> entries;
    must(ManifestReader(store.source(), root).for_each([&](const ManifestEntry& entry) -> Result<void> {
        entries.push_back(entry);
        return {};
    }));
    return entries;
}

ErrorCode refusal_of(ByteView node) {
    const Result<ManifestNode> decoded = decode_manifest_node(node);
    EXPECT_FALSE(decoded.has_value());
    return decoded.has_value() ? ErrorCode::kFailed : decoded.error().code;
}

ErrorCode walk_refusal_of(ObjectMap& store, const ManifestNode& root) {
    const ChunkId id = must(store.put(encode(root))).id;
    const Result<void> walked =
        ManifestReader(store.source(), id).for_each([](const ManifestEntry&) -> Result<void> { return {}; });
    EXPECT_FALSE(walked.has_value());
    return walked.has_value() ? ErrorCode::kFailed : walked.error().code;
}

// -- nodes --------------------------------------------------------------------------------------

TEST(ManifestCursor, HandsOutWhatAWalkDoes) {
    for (const std::size_t count : {0u, 1u, 17u, 1000u}) {
        ObjectMap objects;
        ManifestBuilder builder(objects);
        std::vector<ManifestEntry> entries = thousand_files();
        entries.resize(count);
        for (const ManifestEntry& entry : entries) must(builder.add(entry));
        ManifestCursor cursor(objects.source(), must(builder.finish()));
        for (const ManifestEntry& entry : entries) {
            const ManifestEntry* const next = must(cursor.next());
            ASSERT_NE(next, nullptr);
            EXPECT_EQ(*next, entry);
        }
        EXPECT_EQ(must(cursor.next()), nullptr);
        EXPECT_EQ(must(cursor.next()), nullptr);
    }
}

TEST(ManifestNode, GoldenVectorsDecodeAndAreEncodedAgain) {
    const ByteBuffer leaf = vector_file("vectors/manifest/leaf.bin");
    EXPECT_EQ(to_hex(encode(example_leaf())), to_hex(leaf));
    EXPECT_EQ(must(decode_manifest_node(leaf)), example_leaf());
    const ByteBuffer interior = vector_file("vectors/manifest/interior.bin");
    EXPECT_EQ(to_hex(encode(example_interior())), to_hex(interior));
    EXPECT_EQ(must(decode_manifest_node(interior)), example_interior());
    const ByteBuffer empty = vector_file("vectors/manifest/empty.bin");
    EXPECT_EQ(to_hex(encode(ManifestNode{})), to_hex(empty));
    EXPECT_EQ(must(decode_manifest_node(empty)), ManifestNode{});
    EXPECT_EQ(refusal_of(vector_file("vectors/manifest/climbs-out.bin")), ErrorCode::kDamaged);
}

TEST(ManifestNode, TheGoldenTreeHasItsRoot) {
    ObjectMap store;
    EXPECT_EQ(to_hex(build(store, thousand_files())) + "\n",
              text_of(vector_file("vectors/manifest/thousand-files-root.txt")));
}

RC_GTEST_PROP(ManifestNode, SurvivesARoundTrip, (std::set<std::string> names)) {
    ManifestNode node;
    for (const std::string& name : names) {
        if (!check_path(name).has_value() || node.entries.size() == kNodeItemsMax) continue;
        ManifestEntry entry = file_entry(name, 0);
        entry.mtime_ns = *rc::gen::arbitrary<std::int64_t>();
        entry.mode = *rc::gen::inRange<std::uint32_t>(0, 01000);
        if (*rc::gen::arbitrary<bool>()) {
            entry.size = 1 + *rc::gen::inRange<std::uint64_t>(0, kFileBytesMax);
            entry.content = RecipeContent{chunk_of(7)};
        }
        node.entries.push_back(entry);
    }
    RC_ASSERT(must(decode_manifest_node(encode(node))) == node);
}

RC_GTEST_PROP(ManifestNode, WhatIsDecodedIsEncodedToTheSameBytes, ()) {
    ByteBuffer bytes = *rc::gen::element(encode(example_leaf()), encode(example_interior()));
    for (int changes = *rc::gen::inRange(1, 4); changes > 0; --changes)
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<std::uint8_t>();
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    const Result<ManifestNode> node = decode_manifest_node(bytes);
    if (node.has_value()) RC_ASSERT(encode(*node) == bytes);
}

TEST(ManifestNode, TellsWhatIsNewerFromDamage) {
    ByteBuffer newer = encode(example_leaf());
    newer[4] = 2;
    EXPECT_EQ(refusal_of(newer), ErrorCode::kUnsupported);
    ByteBuffer deep = encode(example_interior());
    deep[5] = kManifestLevelsMax;
    EXPECT_EQ(refusal_of(deep), ErrorCode::kDamaged);
}

TEST(ManifestNode, RefusesPathsThatMustNotBeWritten) {
    for (const std::string& path :
         {std::string("../x"), std::string("a/../b"), std::string("/a"), std::string("a//b"),
          std::string("a/"), std::string("."), std::string("a\nb"), std::string("a\0b", 3)}) {
        ManifestNode node;
        node.entries = {file_entry(path, 1)};
        EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged) << path;
    }
}

TEST(ManifestNode, RefusesPathsThatDoNotAscend) {
    ManifestNode node;
    node.entries = {file_entry("b", 1), file_entry("a", 2)};
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
    node.entries = {file_entry("a", 1), file_entry("a", 2)};
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
}

TEST(ManifestNode, RefusesMoreEntriesThanANodeHas) {
    ManifestNode node;
    for (std::size_t i = 0; i < kNodeItemsMax; ++i)
        node.entries.push_back(file_entry("f" + std::to_string(1000 + i), i));
    EXPECT_TRUE(decode_manifest_node(encode(node)).has_value());
    node.entries.push_back(file_entry("g", 0));
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
}

TEST(ManifestNode, RefusesSizesThatNoContentHas) {
    ManifestNode node;
    node.entries = {file_entry("a", 1)};
    node.entries[0].size = kFileBytesMax + 1;
    node.entries[0].content = RecipeContent{chunk_of(1)};
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
    node.entries[0].size = kFileBytesMax;
    EXPECT_TRUE(decode_manifest_node(encode(node)).has_value());
    node.entries[0].size = 0;
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
    node.entries[0].content = Extent{chunk_of(1), 0, 0};
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
    node.entries[0].size = kObjectMax;
    node.entries[0].content = Extent{chunk_of(1), 1, kObjectMax};
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
    node.entries[0].size = 1;
    node.entries[0].content = EmptyContent{};
    EXPECT_EQ(refusal_of(encode(node)), ErrorCode::kDamaged);
}

// -- paths --------------------------------------------------------------------------------------

TEST(ManifestPath, AllowsTheNamesThatSchoolsUse) {
    const std::string part(255, 'x');
    std::string deep = "d";
    for (int i = 1; i < 64; ++i) deep += "/d";
    for (const std::string& path :
         {std::string("a"), std::string("第一课/图 1.png"), std::string("caf\xc3\xa9"),
          std::string("cafe\xcc\x81"), part, part + "/" + part, deep, std::string("..."),
          std::string(".hidden"), std::string("a b;c'd\"e\\f"), std::string("\xf0\x9f\x98\x80"),
          std::string("\xef\xbf\xbd"), std::string("\xf4\x8f\xbf\xbf")})
        EXPECT_TRUE(check_path(path).has_value()) << path;
}

TEST(ManifestPath, RefusesWhatMustNeverBeWritten) {
    std::string deep = "d";
    for (int i = 0; i < 64; ++i) deep += "/d";
    std::string far_too_long = std::string(200, 'x');
    while (far_too_long.size() <= kPathMax) far_too_long += "/" + std::string(200, 'x');
    for (const std::string& path : {std::string(),
                                    std::string("/"),
                                    std::string("/a"),
                                    std::string("a/"),
                                    std::string("a//b"),
                                    std::string("."),
                                    std::string(".."),
                                    std::string("a/.."),
                                    std::string("a/./b"),
                                    std::string("a\tb"),
                                    std::string("\x7f"),
                                    std::string("a\0", 2),
                                    std::string("\xc2\x85"),
                                    std::string("\xff"),
                                    std::string("\xc0\xaf"),
                                    std::string("\xe0\x80\xaf"),
                                    std::string("\xed\xa0\x80"),
                                    std::string("\xf4\x90\x80\x80"),
                                    std::string("\xf0\x80\x80\xaf"),
                                    std::string("\xe4\xb8"),
                                    std::string("\x80"),
                                    std::string(256, 'x'),
                                    deep,
                                    far_too_long}) {
        const Result<void> checked = check_path(path);
        ASSERT_FALSE(checked.has_value()) << path;
        EXPECT_EQ(checked.error().code, ErrorCode::kRefused);
    }
}

// -- the tree -----------------------------------------------------------------------------------

std::vector<ManifestEntry> entries_of(const std::set<std::uint32_t>& numbers) {
    std::vector<ManifestEntry> entries;
    for (const std::uint32_t number : numbers)
        entries.push_back(file_entry("f" + std::to_string(number), number));
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return entries;
}

RC_GTEST_PROP(Manifest, GivesBackItsEntriesAndFindsEach, ()) {
    std::set<std::uint32_t> numbers;
    const auto count = *rc::gen::inRange(0, 400);
    simulations::Seeded random(*rc::gen::arbitrary<std::uint64_t>());
    for (int i = 0; i < count; ++i) numbers.insert(static_cast<std::uint32_t>(random.below(100'000)));
    const std::vector<ManifestEntry> entries = entries_of(numbers);
    ObjectMap store;
    const ChunkId root = build(store, entries);
    RC_ASSERT(all_of(store, root) == entries);
    ManifestReader reader(store.source(), root);
    for (std::size_t i = 0; i < entries.size(); i += 7)
        RC_ASSERT(must(reader.find(entries[i].path)) == std::optional(entries[i]));
    for (const char* const absent : {"", "a", "f", "f999999", "f5x", "zzz"})
        RC_ASSERT(!must(reader.find(absent)).has_value());
}

// A change costs its leaf and what stands above it; the rest is named again, so nothing depends on history.
RC_GTEST_PROP(Manifest, AChangeOfOneFileMakesFewNewNodes, ()) {
    std::vector<ManifestEntry> entries = thousand_files();
    ObjectMap store;
    const ChunkId before = build(store, entries);
    const std::size_t nodes = store.objects.size();
    const auto place = *rc::gen::inRange<std::size_t>(0, entries.size());
    const auto what = *rc::gen::inRange(0, 3);
    const ManifestEntry old = entries[place];
    if (what == 0) entries[place].size += 1, entries[place].content = RecipeContent{chunk_of(1)};
    if (what == 1) entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(place));
    if (what == 2) {
        ManifestEntry added = file_entry(old.path + "!", 5);
        entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(place) + 1, added);
    }
    const ChunkId after = build(store, entries);
    RC_ASSERT(after != before);
    // A node that ended behind the file, or begins to, makes two leaves and two nodes above them.
    RC_ASSERT(store.objects.size() - nodes <= 6u);
    RC_ASSERT(all_of(store, after) == entries);
}

TEST(Manifest, LeavesHoldAboutSixtyFourEntries) {
    ObjectMap store;
    build(store, thousand_files());
    EXPECT_GT(store.objects.size(), 10u);
    EXPECT_LT(store.objects.size(), 30u);
}

// As another version of the program may cut it.
TEST(Manifest, IsTheSameTableHoweverItIsCut) {
    ObjectMap store;
    const std::vector<ManifestEntry> entries = thousand_files();
    const ChunkId usual = build(store, entries);
    ManifestNode root{1, {}, {}};
    for (std::size_t begin = 0; begin < entries.size(); begin += 100) {
        ManifestNode leaf;
        leaf.entries.assign(entries.begin() + static_cast<std::ptrdiff_t>(begin),
                            entries.begin() + static_cast<std::ptrdiff_t>(begin + 100));
        root.children.push_back({leaf.entries.back().path, must(store.put(encode(leaf))).id});
    }
    const ChunkId other = must(store.put(encode(root))).id;
    EXPECT_NE(other, usual);
    EXPECT_TRUE(has_same_entries(store.source(), usual, other));
    EXPECT_TRUE(has_same_entries(store.source(), other, usual));
    std::vector<ManifestEntry> less = entries;
    less.pop_back();
    EXPECT_FALSE(has_same_entries(store.source(), other, build(store, less)));
    EXPECT_FALSE(has_same_entries(store.source(), build(store, less), other));
    std::vector<ManifestEntry> changed = entries;
    changed[999].size += 1;
    EXPECT_FALSE(has_same_entries(store.source(), other, build(store, changed)));
    EXPECT_FALSE(has_same_entries(store.source(), usual, ChunkId{}));
    EXPECT_FALSE(has_same_entries(store.source(), ChunkId{}, ChunkId{}));
}

TEST(Manifest, AnEmptyOneHasARoot) {
    ObjectMap store;
    const ChunkId root = build(store, {});
    EXPECT_TRUE(all_of(store, root).empty());
    EXPECT_FALSE(must(ManifestReader(store.source(), root).find("a")).has_value());
}

TEST(Manifest, NodesStayWithinTheirLimitWhateverThePaths) {
    // Paths whose hash never ends a leaf: so that only the limit does.
    std::vector<ManifestEntry> entries;
    for (std::uint64_t i = 0; entries.size() < 2 * kNodeItemsMax + 10; ++i) {
        const std::string path = "p" + std::to_string(1'000'000 + i);
        if (!ends_node(0, path)) entries.push_back(file_entry(path, i));
    }
    ObjectMap store;
    const ChunkId root = build(store, entries);
    EXPECT_EQ(all_of(store, root), entries);
    EXPECT_EQ(store.objects.size(), 4u);
}

TEST(Manifest, ABadPathIsRefusedByTheBuilder) {
    ObjectMap store;
    ManifestBuilder builder(store);
    const Result<void> added = builder.add(file_entry("a/../b", 1));
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().code, ErrorCode::kRefused);
    EXPECT_EQ(added.error().about, "a/../b");
}

TEST(Manifest, AWalkSkipsTheNodesItIsToldTo) {
    ObjectMap store;
    const ChunkId before = build(store, thousand_files());
    std::set<ChunkId> known;
    for (const auto& [id, bytes] : store.objects) known.insert(id);
    std::vector<ManifestEntry> changed = thousand_files();
    changed[500].mode = 0600;
    const ChunkId after = build(store, changed);
    std::size_t read = 0;
    std::size_t seen = 0;
    must(ManifestReader(store.source(), after)
             .for_each(
                 [&](const ManifestEntry&) -> Result<void> {
                     ++seen;
                     return {};
                 },
                 [&](const ChunkId& id) -> Result<bool> {
                     const bool enter = !known.contains(id);
                     read += enter ? 1 : 0;
                     return enter;
                 }));
    EXPECT_NE(before, after);
    EXPECT_LE(read, 4u);
    EXPECT_LE(seen, kNodeItemsMax);
    EXPECT_GE(seen, 1u);
}

// -- trees that a liar would sign ----------------------------------------------------------------

TEST(Manifest, RefusesAFileInAFileAndAFileInNoFolder) {
    ObjectMap store;
    ManifestNode node;
    node.entries = {file_entry("a", 1), file_entry("a/b", 2)};
    EXPECT_EQ(walk_refusal_of(store, node), ErrorCode::kDamaged);
    node.entries = {file_entry("a/b", 2)};
    EXPECT_EQ(walk_refusal_of(store, node), ErrorCode::kDamaged);
    ManifestEntry folder = file_entry("a", 1);
    folder.type = EntryType::kDirectory;
    folder.size = 0;
    folder.content = EmptyContent{};
    node.entries = {folder, file_entry("a-b", 1), file_entry("a/b", 2)};
    const ChunkId root = must(store.put(encode(node))).id;
    EXPECT_EQ(all_of(store, root), node.entries);
}

TEST(Manifest, RefusesANodeOnAWrongLevel) {
    ObjectMap store;
    ManifestNode leaf;
    leaf.entries = {file_entry("a", 1)};
    ManifestNode root;
    root.level = 2;
    root.children = {{"a", must(store.put(encode(leaf))).id}};
    EXPECT_EQ(walk_refusal_of(store, root), ErrorCode::kDamaged);
    const ChunkId id = must(store.put(encode(root))).id;
    EXPECT_FALSE(ManifestReader(store.source(), id).find("a").has_value());
}

TEST(Manifest, RefusesANodeThatEndsAtAnotherPathThanItsParentSays) {
    ObjectMap store;
    ManifestNode leaf;
    leaf.entries = {file_entry("a", 1)};
    ManifestNode root;
    root.level = 1;
    root.children = {{"b", must(store.put(encode(leaf))).id}};
    EXPECT_EQ(walk_refusal_of(store, root), ErrorCode::kDamaged);
    root.children = {{"b", must(store.put(encode(ManifestNode{}))).id}};
    EXPECT_EQ(walk_refusal_of(store, root), ErrorCode::kDamaged);
}

TEST(Manifest, RefusesNodesThatOverlap) {
    ObjectMap store;
    ManifestNode first;
    first.entries = {file_entry("a", 1), file_entry("c", 1)};
    ManifestNode second;
    second.entries = {file_entry("b", 1), file_entry("d", 1)};
    ManifestNode root;
    root.level = 1;
    root.children = {{"c", must(store.put(encode(first))).id}, {"d", must(store.put(encode(second))).id}};
    EXPECT_EQ(walk_refusal_of(store, root), ErrorCode::kDamaged);
}

TEST(Manifest, NamesAMissingNodeByItsSourcesError) {
    ObjectMap store;
    const ChunkId root = build(store, thousand_files());
    must(store.forget(root));
    EXPECT_EQ(ManifestReader(store.source(), root).find("f0001.html").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace satchel::store
