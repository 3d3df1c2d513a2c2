// Small files side by side in chunks: where each lies, and that nothing depends on how many hands helped.
#include "engine/store/bags.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/env/os/offload.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;

struct Taken {
    std::vector<Extent> places;
    std::vector<ByteBuffer> packs;
    std::uint64_t new_chunks = 0;
};

Taken take(const std::vector<ByteBuffer>& files, std::size_t hands) {
    SimDisk disk;
    Opened store(disk, PackLimits{});
    env::os::ThreadOffload offload(hands);
    Bags bags(*store, offload);
    Taken taken;
    const auto put_all = [&] {
        const Bags::Put put = must(bags.put_all());
        taken.places.insert(taken.places.end(), put.places.begin(), put.places.end());
        taken.new_chunks += put.new_chunks;
    };
    for (const ByteBuffer& file : files) {
        if (!bags.has_room(file.size())) put_all();
        const std::size_t number = bags.add(file);
        EXPECT_TRUE(equal(bags.bytes_of(number), file));
    }
    put_all();
    must(store->commit());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const ByteBuffer chunk = must(store->read(taken.places[i].chunk));
        EXPECT_TRUE(equal(ByteView(chunk).subspan(taken.places[i].offset, taken.places[i].length), files[i]))
            << i;
        EXPECT_LE(chunk.size(), kBagMax);
    }
    for (const env::EntryInfo& pack : must(disk.list("packs")))
        taken.packs.push_back(get_file(disk, "packs/" + pack.name));
    return taken;
}

TEST(Bags, FillChunksUpToTheirLimitInOrder) {
    const std::vector<ByteBuffer> files = {noise(kBaggedMax, 1), noise(kBaggedMax, 2), noise(kBaggedMax, 3),
                                           noise(3, 4), noise(1, 5)};
    const std::vector<Extent> places = take(files, 1).places;
    EXPECT_EQ(places[2].chunk, places[0].chunk);
    EXPECT_EQ(places[3].chunk, places[0].chunk);  // 98,304 bytes to the last one
    EXPECT_NE(places[4].chunk, places[0].chunk);
    EXPECT_EQ(places[4].offset, 0u);
    EXPECT_EQ(places[3].offset, 3 * kBaggedMax);
}

TEST(Bags, AFileAloneIsAChunkOfItsOwn) {
    EXPECT_EQ(take({noise(1000, 1)}, 1).places[0], (Extent{ChunkId{hash_of(noise(1000, 1))}, 0, 1000}));
}

TEST(Bags, StoreTheSameInTheSameOrderHoweverManyHandsHelp) {
    std::vector<ByteBuffer> files;
    for (std::uint64_t i = 0; i < 400; ++i) {
        files.push_back(noise(1 + i * 7919 % kBaggedMax, i % 300));
        if (i % 2 == 0)
            for (std::uint8_t& byte : files.back()) byte &= 3;  // compresses
    }
    const Taken one = take(files, 1);
    EXPECT_GE(one.new_chunks, files.size() * kBaggedMax / 2 / kBagMax);
    for (const std::size_t hands : {2u, 4u}) {
        const Taken more = take(files, hands);
        EXPECT_EQ(more.places, one.places);
        EXPECT_EQ(more.packs, one.packs);
    }
}

TEST(Bags, AreCompressedTogether) {
    std::vector<ByteBuffer> files;
    for (std::uint64_t i = 0; i < 64; ++i) files.push_back(noise(200, 7));  // alone none shrinks
    SimDisk disk;
    Opened store(disk, PackLimits{});
    simulations::InlineOffload offload;
    Bags bags(*store, offload);
    for (const ByteBuffer& file : files) bags.add(file);
    EXPECT_LE(must(bags.put_all()).new_stored_bytes, 400u);
}

RC_GTEST_PROP(Bags, EveryFileIsWhereItsPlaceSays, ()) {
    const auto sizes =
        *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, kBaggedMax));
    std::vector<ByteBuffer> files;
    for (std::size_t i = 0; i < sizes.size(); ++i) files.push_back(noise(sizes[i], i));
    RC_ASSERT(take(files, 2).places.size() == files.size());
}

}  // namespace
}  // namespace satchel::store
