// Taking files in and reading them again: what is stored anew for each sort of change.
#include "engine/store/ingest.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "engine/env/os/offload.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;

constexpr std::size_t kMiB = 1024 * 1024;

class IngestTest : public testing::Test {
  protected:
    Ingested take(ByteView bytes, const std::optional<FileContent>& earlier = std::nullopt) {
        put_file(disk_, "source", bytes);
        const std::unique_ptr<env::File> source = must(disk_.open("source", env::OpenMode::kRead));
        std::uint64_t told = 0;
        Ingested taken =
            must(Ingester(*store_, offload_).take(*source, earlier, [&](std::uint64_t step) -> Result<void> {
                told += step;
                EXPECT_LE(step, kChunkMax);
                return {};
            }));
        EXPECT_EQ(told, bytes.size());
        EXPECT_EQ(taken.size, bytes.size());
        EXPECT_EQ(read(taken.content, 0, bytes.size()), ByteBuffer(bytes.begin(), bytes.end()));
        return taken;
    }

    ByteBuffer read(const FileContent& content, std::uint64_t offset, std::uint64_t length) {
        ByteBuffer out;
        must(read_content(*store_, content, offset, length, [&](ByteView bytes) -> Result<void> {
            append(out, bytes);
            return {};
        }));
        return out;
    }

    SimDisk disk_;
    Opened store_{disk_, PackLimits{}};
    simulations::InlineOffload offload_;
};

TEST_F(IngestTest, AnEmptyFileAndASmallOneNeedNoRecipe) {
    EXPECT_TRUE(std::holds_alternative<EmptyContent>(take({}).content));
    const Ingested small = take(noise(1000, 1));
    EXPECT_EQ(std::get<Extent>(small.content), (Extent{ChunkId{hash_of(noise(1000, 1))}, 0, 1000}));
    EXPECT_EQ(small.new_chunks, 1u);
    EXPECT_EQ(take(noise(1000, 1)).new_chunks, 0u);
}

TEST_F(IngestTest, ALargeFileBecomesChunksAndARecipe) {
    const Ingested taken = take(noise(kMiB, 2));
    ASSERT_TRUE(std::holds_alternative<RecipeContent>(taken.content));
    EXPECT_GE(taken.new_chunks, 11u);
    EXPECT_LE(taken.new_chunks, 33u);
    EXPECT_EQ(must(extents_of(*store_, taken.content)).size(), taken.new_chunks);
}

TEST_F(IngestTest, EveryRangeOfAFileIsReadable) {
    const ByteBuffer bytes = noise(400'000, 3);
    const FileContent content = take(bytes).content;
    simulations::Seeded random(1);
    for (int i = 0; i < 60; ++i) {
        const std::uint64_t offset = random.below(bytes.size() + 1);
        const std::uint64_t length = i % 3 == 0 ? random.below(3) : random.below(bytes.size() - offset + 1);
        const std::uint64_t kept = std::min<std::uint64_t>(length, bytes.size() - offset);
        const ByteView expected =
            ByteView(bytes).subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(kept));
        EXPECT_EQ(read(content, offset, kept), ByteBuffer(expected.begin(), expected.end())) << offset;
    }
}

TEST_F(IngestTest, ARangeBeyondTheEndIsAnError) {
    const FileContent content = take(noise(1000, 4)).content;
    const auto ignore = [](ByteView) -> Result<void> { return {}; };
    EXPECT_FALSE(read_content(*store_, content, 0, 1001, ignore).has_value());
    EXPECT_FALSE(read_content(*store_, content, 1, ~std::uint64_t{0}, ignore).has_value());
    EXPECT_FALSE(read_content(*store_, EmptyContent{}, 0, 1, ignore).has_value());
    EXPECT_TRUE(read_content(*store_, content, 1000, 0, ignore).has_value());
}

TEST_F(IngestTest, AnUnchangedFileStoresNothingAndKeepsItsContent) {
    const ByteBuffer bytes = noise(kMiB, 5);
    const Ingested first = take(bytes);
    const Ingested second = take(bytes, first.content);
    EXPECT_EQ(second.content, first.content);
    EXPECT_EQ(second.new_chunks, 0u);
}

TEST_F(IngestTest, AChangedByteStoresFewBytes) {
    ByteBuffer bytes = noise(kMiB, 6);
    const Ingested first = take(bytes);
    for (const std::size_t at : {0u, 100u, 500'000u, 1'048'575u}) {
        ByteBuffer changed = bytes;
        changed[at] ^= 1;
        const Ingested second = take(changed, first.content);
        EXPECT_LE(second.new_stored_bytes, 64u) << at;
        EXPECT_LE(second.new_chunks, 1u) << at;
    }
}

TEST_F(IngestTest, ATruncatedFileStoresNothing) {
    const ByteBuffer bytes = noise(kMiB, 7);
    const Ingested first = take(bytes);
    for (const std::size_t size : {1u, 31u, 40'000u, 600'001u})
        EXPECT_LE(take(ByteView(bytes).first(size), first.content).new_stored_bytes, 63u) << size;
    EXPECT_EQ(take(ByteView(bytes).subspan(70'000), first.content).new_chunks, 0u);
}

TEST_F(IngestTest, AnInsertionStoresWhatWasInserted) {
    const ByteBuffer bytes = noise(kMiB, 8);
    const Ingested first = take(bytes);
    for (const std::size_t size : {1u, 1000u, 50'000u}) {
        ByteBuffer longer = bytes;
        const ByteBuffer inserted = noise(size, 80 + size);
        longer.insert(longer.begin() + 300'000, inserted.begin(), inserted.end());
        EXPECT_LE(take(longer, first.content).new_stored_bytes, size) << size;
    }
}

TEST_F(IngestTest, RegionsThatChangedPlacesStoreLittle) {
    const ByteBuffer bytes = noise(2 * kMiB, 9);
    const Ingested first = take(bytes);
    ByteBuffer swapped(bytes.begin() + kMiB, bytes.end());
    swapped.insert(swapped.end(), bytes.begin(), bytes.begin() + kMiB);
    constexpr std::size_t kRegions = 2;
    const std::size_t longest = bounds_of(ChunkClass::kSmall).max;
    EXPECT_LE(take(swapped, first.content).new_stored_bytes, 2 * longest * kRegions);
}

TEST_F(IngestTest, ManyEditionsOnEndKeepReadingRight) {
    ByteBuffer bytes = noise(600'000, 10);
    FileContent content = take(bytes).content;
    simulations::Seeded random(2);
    for (int edition = 0; edition < 12; ++edition) {
        const std::size_t at = random.below(bytes.size() - 1000);
        switch (edition % 4) {
            case 0:
                bytes[at] ^= 0x55;
                break;
            case 1:
                bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                            bytes.begin() + static_cast<std::ptrdiff_t>(at + 900));
                break;
            case 2: {
                const ByteBuffer fresh = noise(700, at);
                bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), fresh.begin(), fresh.end());
                break;
            }
            default:
                std::rotate(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end());
                break;
        }
        const Ingested taken = take(bytes, content);
        EXPECT_LE(taken.new_stored_bytes, 2 * bounds_of(ChunkClass::kSmall).max) << edition;
        content = taken.content;
    }
}

TEST_F(IngestTest, AChangedFileKeepsTheClassOfItsLastEdition) {
    ByteBuffer video = noise(8 * kMiB, 11);
    const std::string head = "\x1a\x45\xdf\xa3";
    std::copy(head.begin(), head.end(), video.begin());
    const Ingested first = take(video);
    const auto class_of_recipe = [&](const FileContent& content) {
        return must(decode_recipe(must(store_->read(std::get<RecipeContent>(content).recipe)))).chunk_class;
    };
    EXPECT_EQ(class_of_recipe(first.content), ChunkClass::kMedia);
    video.resize(4 * kMiB);
    video[2 * kMiB] ^= 1;
    const Ingested second = take(video, first.content);
    EXPECT_EQ(class_of_recipe(second.content), ChunkClass::kMedia);
    EXPECT_LE(second.new_stored_bytes, 64u);
}

TEST_F(IngestTest, WithoutItsEarlierEditionAFileIsTakenInAsNew) {
    const ByteBuffer bytes = noise(kMiB, 12);
    const Ingested first = take(bytes);
    ByteBuffer changed = bytes;
    changed[500'000] ^= 1;
    must(store_->commit());
    // First the chunks around the change are gone, then the recipe too.
    const std::vector<Extent> extents = must(extents_of(*store_, first.content));
    for (const Extent& extent : extents) must(store_->forget(extent.chunk));
    EXPECT_GT(take(changed, first.content).new_stored_bytes, kMiB - 200'000);
    must(store_->commit());
    must(store_->forget(std::get<RecipeContent>(first.content).recipe));
    EXPECT_EQ(take(changed, first.content).new_chunks, 0u);
    EXPECT_EQ(take(noise(3000, 13), FileContent(Extent{ChunkId{}, 0, 3000})).new_chunks, 1u);
}

TEST_F(IngestTest, StopsWhenItIsTold) {
    put_file(disk_, "source", noise(kMiB, 14));
    const std::unique_ptr<env::File> source = must(disk_.open("source", env::OpenMode::kRead));
    int steps = 0;
    const auto stop = [&](std::uint64_t) -> Result<void> {
        if (++steps < 3) return {};
        return fail(ErrorCode::kCancelled, "", "stopped", "run it again");
    };
    const Result<Ingested> taken = Ingester(*store_, offload_).take(*source, std::nullopt, stop);
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(steps, 3);
}

TEST_F(IngestTest, RefusesARecipeThatPassesTheEndOfItsChunk) {
    const ChunkId chunk = must(store_->put(noise(100, 15))).id;
    const ChunkId recipe = must(store_->put(encode(Recipe{ChunkClass::kSmall, {{chunk, 50, 51}}}))).id;
    const Result<void> read =
        read_content(*store_, RecipeContent{recipe}, 0, 51, [](ByteView) -> Result<void> { return {}; });
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::kDamaged);
}

// Half noise, half words, with stretches that come again: 3 batches, cut off at a place of no meaning.
ByteBuffer mixed_film(std::uint64_t seed) {
    ByteBuffer bytes = noise(2 * kBatchBytes + kMiB + 12'345, seed);
    for (std::size_t at = kMiB; at < 3 * kMiB; ++at) bytes[at] = static_cast<std::uint8_t>(at % 97);
    std::copy_n(bytes.begin(), kMiB, bytes.begin() + 4 * kMiB);
    return bytes;
}

TEST(Ingest, StoresTheSameInTheSameOrderHoweverManyHandsHelp) {
    const ByteBuffer film = mixed_film(20);
    ByteBuffer changed = film;
    changed.erase(changed.begin() + 5'000'000, changed.begin() + 5'000'100);
    std::vector<std::vector<ByteBuffer>> packs;
    for (const std::size_t hands : {1u, 2u, 4u}) {
        SimDisk disk;
        Opened store(disk, PackLimits{});
        env::os::ThreadOffload offload(hands);
        Ingester ingester(*store, offload);
        std::optional<FileContent> earlier;
        for (const ByteBuffer* const bytes : {&film, static_cast<const ByteBuffer*>(&changed)}) {
            put_file(disk, "source", *bytes);
            const std::unique_ptr<env::File> source = must(disk.open("source", env::OpenMode::kRead));
            const auto on = [](std::uint64_t) -> Result<void> { return {}; };
            earlier = must(ingester.take(*source, earlier, on)).content;
        }
        must(store->commit());
        packs.emplace_back();
        for (const env::EntryInfo& pack : must(disk.list("packs")))
            packs.back().push_back(get_file(disk, "packs/" + pack.name));
    }
    EXPECT_EQ(packs[0], packs[1]);
    EXPECT_EQ(packs[0], packs[2]);
}

// The cuts are those of the file as a whole, wherever its batches end.
TEST_F(IngestTest, ABatchsEndIsNoCut) {
    const ByteBuffer film = mixed_film(21);
    const std::vector<Extent> extents = must(extents_of(*store_, take(film).content));
    std::size_t at = 0;
    for (const Extent& extent : extents) {
        EXPECT_EQ(extent.length, first_cut(ChunkClass::kSmall, ByteView(film).subspan(at), true)) << at;
        at += extent.length;
    }
    EXPECT_EQ(at, film.size());
}

// Two editions made of parts of each other, cut and put together at random.
RC_GTEST_PROP(Ingest, AnyEditionReadsAsItWas, ()) {
    SimDisk disk;
    Opened store(disk, PackLimits{});
    simulations::InlineOffload offload;
    const ByteBuffer base =
        noise(*rc::gen::inRange<std::size_t>(0, 400'000), *rc::gen::arbitrary<std::uint64_t>());
    ByteBuffer changed;
    for (int parts = *rc::gen::inRange(1, 6); parts > 0 && !base.empty(); --parts) {
        const auto from = *rc::gen::inRange<std::size_t>(0, base.size());
        const auto size = *rc::gen::inRange<std::size_t>(0, base.size() - from + 1);
        append(changed, ByteView(base).subspan(from, size));
        append(changed, *rc::gen::arbitrary<std::vector<std::uint8_t>>());
    }
    std::optional<FileContent> content;
    for (const ByteBuffer* const bytes : {&base, static_cast<const ByteBuffer*>(&changed), &base}) {
        put_file(disk, "source", *bytes);
        const std::unique_ptr<env::File> source = must(disk.open("source", env::OpenMode::kRead));
        const Ingested taken =
            must(Ingester(*store, offload).take(*source, content, [](std::uint64_t) -> Result<void> {
                return {};
            }));
        ByteBuffer read;
        must(read_content(*store, taken.content, 0, bytes->size(), [&](ByteView part) -> Result<void> {
            append(read, part);
            return {};
        }));
        RC_ASSERT(read == *bytes);
        content = taken.content;
    }
}

}  // namespace
}  // namespace satchel::store
