// The chunker: what it promises of every cut, and the cuts themselves (schemas/chunker.md).
#include "engine/store/chunker.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

std::vector<std::size_t> lengths_of(ChunkClass chunk_class, ByteView bytes) {
    std::vector<std::size_t> lengths;
    while (!bytes.empty()) {
        lengths.push_back(first_cut(chunk_class, bytes, true));
        bytes = bytes.subspan(lengths.back());
    }
    return lengths;
}

// The definition, one place after the other: the earliest smallest hash of the four bytes before the cut.
std::size_t plain_first_cut(ChunkClass chunk_class, ByteView bytes) {
    const ChunkBounds bounds = bounds_of(chunk_class);
    std::size_t best_length = std::min(bounds.min, bytes.size());
    std::uint64_t best = ~std::uint64_t{0};
    for (std::size_t length = bounds.min; length <= std::min(bounds.max, bytes.size()); ++length) {
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i) word |= std::uint32_t{bytes[length - 4 + i]} << (8 * i);
        const std::uint32_t hash = (word ^ (word >> 15)) * 0x9E3779B1u;
        if (hash < best) {
            best = hash;
            best_length = length;
        }
    }
    return best_length;
}

std::set<Digest> chunk_ids(ByteView bytes) {
    std::set<Digest> ids;
    for (const std::size_t length : lengths_of(ChunkClass::kSmall, bytes)) {
        ids.insert(hash_of(bytes.first(length)));
        bytes = bytes.subspan(length);
    }
    return ids;
}

// Each line of the vector: class, seed, size, and the lengths of all chunks.
TEST(Chunker, CutsAsTheGoldenVectorSays) {
    std::istringstream lines(std::string(text_of(vector_file("vectors/chunker/cuts.txt"))));
    std::size_t checked = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        int chunk_class = 0;
        std::uint64_t seed = 0;
        std::size_t size = 0;
        fields >> chunk_class >> seed >> size;
        const std::vector<std::size_t> expected{std::istream_iterator<std::size_t>(fields), {}};
        EXPECT_EQ(lengths_of(static_cast<ChunkClass>(chunk_class), noise(size, seed)), expected) << line;
        ++checked;
    }
    EXPECT_EQ(checked, 4u);
}

TEST(Chunker, CutsAtTheEarliestSmallestHash) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        ByteBuffer bytes = noise(700'000, seed);
        if (seed > 4) {  // few different words, so that the smallest hash stands many times
            for (std::uint8_t& byte : bytes) byte &= 1;
        }
        for (const ChunkClass chunk_class : {ChunkClass::kSmall, ChunkClass::kMedia}) {
            for (const std::size_t offset : {0u, 1u, 2u, 3u, 257u}) {
                const ByteView view = ByteView(bytes).subspan(offset);
                EXPECT_EQ(first_cut(chunk_class, view, true), plain_first_cut(chunk_class, view)) << seed;
            }
        }
        for (const std::size_t size : {32'769u, 32'770u, 33'023u, 33'024u, 33'025u, 98'303u}) {
            const ByteView view = ByteView(bytes).first(size);
            EXPECT_EQ(first_cut(ChunkClass::kSmall, view, true), plain_first_cut(ChunkClass::kSmall, view))
                << size;
        }
    }
}

RC_GTEST_PROP(Chunker, CutsAlikeWithAndWithoutVectors, ()) {
    const auto chunk_class = *rc::gen::element(ChunkClass::kSmall, ChunkClass::kMedia);
    const auto size = *rc::gen::inRange<std::size_t>(1, kChunkMax + 1000);
    ByteBuffer bytes = noise(size, *rc::gen::arbitrary<std::uint64_t>());
    const auto mask = *rc::gen::element<std::uint8_t>(0xff, 0x03, 0x01);  // few words: many equal hashes
    for (std::uint8_t& byte : bytes) byte &= mask;
    RC_ASSERT(first_cut(chunk_class, bytes, true, ChunkerCode::kFastest) ==
              first_cut(chunk_class, bytes, true, ChunkerCode::kPlain));
}

RC_GTEST_PROP(Chunker, ChunksAreWithinBoundsAndMakeUpTheFile, ()) {
    const auto chunk_class = *rc::gen::element(ChunkClass::kSmall, ChunkClass::kMedia);
    const auto size = *rc::gen::inRange<std::size_t>(0, kMiB);
    const ByteBuffer bytes = noise(size, *rc::gen::arbitrary<std::uint64_t>());
    const ChunkBounds bounds = bounds_of(chunk_class);
    std::size_t total = 0;
    for (const std::size_t length : lengths_of(chunk_class, bytes)) {
        total += length;
        RC_ASSERT(length > 0u);
        RC_ASSERT(length <= bounds.max);
        RC_ASSERT(length >= bounds.min || total == size);
    }
    RC_ASSERT(total == size);
}

RC_GTEST_PROP(Chunker, LooksNoFurtherThanTheLongestChunk, ()) {
    const auto chunk_class = *rc::gen::element(ChunkClass::kSmall, ChunkClass::kMedia);
    const std::size_t longest = bounds_of(chunk_class).max;
    const ByteBuffer bytes = noise(longest + 5000, *rc::gen::arbitrary<std::uint64_t>());
    const auto more = *rc::gen::inRange<std::size_t>(0, 5000);
    RC_ASSERT(first_cut(chunk_class, ByteView(bytes).first(longest), false) ==
              first_cut(chunk_class, ByteView(bytes).first(longest + more), true));
}

// The promise that updates rest on: an insertion costs the chunks around it, wherever it stands.
TEST(Chunker, AnInsertionChangesTheChunksAroundItAlone) {
    const ByteBuffer before = noise(8 * kMiB, 9);
    const std::set<Digest> old_ids = chunk_ids(before);
    std::size_t fresh_in_all = 0;
    constexpr std::size_t kEdits = 20;
    for (std::size_t edit = 0; edit < kEdits; ++edit) {
        ByteBuffer after = before;
        const ByteBuffer insertion = noise(1 + edit * 7, 100 + edit);
        const auto place = static_cast<std::ptrdiff_t>(edit * before.size() / kEdits + 12'345);
        after.insert(after.begin() + place, insertion.begin(), insertion.end());
        std::size_t fresh = 0;
        for (const Digest& id : chunk_ids(after)) fresh += old_ids.contains(id) ? 0u : 1u;
        EXPECT_GE(fresh, 1u);
        EXPECT_LE(fresh, 12u) << edit;
        fresh_in_all += fresh;
    }
    EXPECT_LE(fresh_in_all, 3 * kEdits);
}

TEST(Chunker, ARunOfOneByteIsTheSmallestChunkAgainAndAgain) {
    for (const int byte : {0, 7, 255}) {
        const ByteBuffer run(kMiB, static_cast<std::uint8_t>(byte));
        const std::vector<std::size_t> lengths = lengths_of(ChunkClass::kSmall, run);
        EXPECT_EQ(lengths, std::vector<std::size_t>(32, 32 * 1024));
    }
}

TEST(Chunker, ShortFilesAreOneChunk) {
    EXPECT_EQ(first_cut(ChunkClass::kSmall, {}, true), 0u);
    for (const std::size_t size : {1u, 3u, 4u, 5u, 32u * 1024}) {
        EXPECT_EQ(first_cut(ChunkClass::kSmall, noise(size, 1), true), size);
        EXPECT_EQ(first_cut(ChunkClass::kMedia, noise(size, 1), true), size);
    }
}

TEST(ChunkClass, IsMediaForLargeFilesWithAMediaHeadAlone) {
    constexpr std::uint64_t kLarge = 8 * kMiB;
    const ByteBuffer mp4 = buffer_of(std::string("\0\0\0\x20", 4) + "ftypisom");
    EXPECT_EQ(class_of(mp4, kLarge), ChunkClass::kMedia);
    EXPECT_EQ(class_of(mp4, kLarge - 1), ChunkClass::kSmall);
    for (const std::string& head :
         {std::string("\x1a\x45\xdf\xa3"), std::string("ID3"), std::string("\xff\xfb"), std::string("OggS"),
          std::string("RIFF"), std::string("fLaC"), std::string("ZIM\x04"), std::string("FLV\x01"),
          std::string("\0\0\x01\xba", 4), std::string("\x30\x26\xb2\x75"), std::string("G"),
          std::string("0000moov"), std::string("0000mdat")})
        EXPECT_EQ(class_of(bytes_of(head), kLarge), ChunkClass::kMedia) << head;
    for (const std::string& head : {std::string("PK\x03\x04"), std::string("%PDF-1.7"), std::string("<html>"),
                                    std::string("ftyp"), std::string("Og"), std::string()})
        EXPECT_EQ(class_of(bytes_of(head), kLarge), ChunkClass::kSmall) << head;
}

}  // namespace
}  // namespace satchel::store
