// Parts of containers are cut alike wherever they stand.
#include "engine/store/structure.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/base/encoding.hpp"
#include "engine/store/ingest.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;

// A zip package of members that are not compressed, with local headers, directory and end record.
struct Package {
    ByteBuffer bytes, directory;
    std::uint16_t members = 0;
    std::vector<std::uint64_t> parts;  // where the data of each begins and ends

    void add(const std::string& name, ByteView data, std::uint16_t time) {
        const auto header_at = static_cast<std::uint32_t>(bytes.size());
        const auto size = static_cast<std::uint32_t>(data.size());
        const auto name_size = static_cast<std::uint16_t>(name.size());
        Writer(bytes).u32(0x04034B50).u16(10).u16(0).u16(0).u16(time).u16(0).u32(0).u32(size).u32(size);
        Writer(bytes).u16(name_size).u16(0).raw(name);
        parts.push_back(bytes.size());
        append(bytes, data);
        parts.push_back(bytes.size());
        Writer(directory)
            .u32(0x02014B50)
            .u16(10)
            .u16(10)
            .u16(0)
            .u16(0)
            .u16(time)
            .u16(0)
            .u32(0)
            .u32(size)
            .u32(size);
        Writer(directory).u16(name_size).u16(0).u16(0).u16(0).u16(0).u32(0).u32(header_at).raw(name);
        ++members;
    }
    ByteBuffer finish(const std::string& comment = "") {
        ByteBuffer whole = bytes;
        append(whole, directory);
        Writer(whole).u32(0x06054B50).u16(0).u16(0).u16(members).u16(members);
        Writer(whole).u32(static_cast<std::uint32_t>(directory.size()));
        Writer(whole)
            .u32(static_cast<std::uint32_t>(bytes.size()))
            .u16(static_cast<std::uint16_t>(comment.size()));
        Writer(whole).raw(comment);
        return whole;
    }
};

void put_box(ByteBuffer& film, const std::string& type, ByteView payload) {
    const auto size = static_cast<std::uint32_t>(8 + payload.size());
    for (int shift = 24; shift >= 0; shift -= 8) film.push_back(static_cast<std::uint8_t>(size >> shift));
    append(film, bytes_of(type));
    append(film, payload);
}

class Structure : public testing::Test {
  protected:
    std::vector<std::uint64_t> cuts_of(ByteView bytes) {
        put_file(disk_, "source", bytes);
        return must(structure_cuts(*must(disk_.open("source", env::OpenMode::kRead)), bytes.size()));
    }
    Ingested take(ByteView bytes) {
        put_file(disk_, "source", bytes);
        const auto source = must(disk_.open("source", env::OpenMode::kRead));
        const Ingested taken =
            must(Ingester(*store_, offload_).take(*source, std::nullopt, [](std::uint64_t) {
                return Result<void>();
            }));
        ByteBuffer out;
        must(read_content(*store_, taken.content, 0, bytes.size(), [&](ByteView part) -> Result<void> {
            append(out, part);
            return {};
        }));
        EXPECT_TRUE(equal(out, bytes));
        return taken;
    }

    SimDisk disk_;
    Opened store_{disk_, PackLimits{}};
    simulations::InlineOffload offload_;
};

TEST_F(Structure, OfAPackageIsTheDataOfItsLargeMembers) {
    Package package;
    package.add("picture.png", noise(40'000, 1), 1);
    package.add("note.txt", noise(100, 2), 2);
    package.add("film.mp4", noise(20'000, 3), 3);
    std::vector<std::uint64_t> expected = package.parts;
    expected.erase(expected.begin() + 2, expected.begin() + 4);
    EXPECT_EQ(cuts_of(package.finish()), expected);
    EXPECT_EQ(cuts_of(package.finish("a comment behind it")), expected);
}

TEST_F(Structure, OfAFilmIsItsMediaData) {
    ByteBuffer film;
    put_box(film, "ftyp", bytes_of("isom0000isom"));
    put_box(film, "moov", noise(5'000, 1));
    const std::uint64_t begin = film.size() + 8;
    put_box(film, "mdat", noise(100'000, 2));
    put_box(film, "free", {});
    EXPECT_EQ(cuts_of(film), (std::vector<std::uint64_t>{begin, begin + 100'000}));
}

TEST_F(Structure, IsNotSeenInOtherFiles) {
    EXPECT_TRUE(cuts_of(noise(100'000, 1)).empty());
    EXPECT_TRUE(cuts_of({}).empty());
}

TEST_F(Structure, MembersThatComeAgainInAnotherPackageAreStoredOnce) {
    Package first, second;
    for (std::uint64_t i = 0; i < 12; ++i)
        first.add("media/" + std::to_string(i) + ".png", noise(45'000, i), static_cast<std::uint16_t>(i));
    for (std::uint64_t i = 12; i > 0; --i)
        second.add("images/other-" + std::to_string(i) + ".png", noise(45'000, i - 1), 77);
    take(first.finish());
    EXPECT_LE(take(second.finish()).new_stored_bytes, 5'000u);
}

TEST_F(Structure, MediaDataBehindAnotherHeadIsStoredOnce) {
    const ByteBuffer media = noise(300'000, 5);
    for (const std::size_t head : {std::size_t{9'000}, std::size_t{17'321}}) {
        ByteBuffer film;
        put_box(film, "ftyp", bytes_of("isom0000isom"));
        put_box(film, "moov", noise(head, head));
        put_box(film, "mdat", media);
        const Ingested taken = take(film);
        if (head > 9'000) {
            EXPECT_LE(taken.new_stored_bytes, head + 1'000);
        }
    }
}

RC_GTEST_FIXTURE_PROP(Structure, OfADamagedContainerCostsNothingButBytes, ()) {
    Package package;
    for (std::uint64_t i = 0; i < 3; ++i) package.add("m" + std::to_string(i), noise(20'000, i), 1);
    ByteBuffer bytes = package.finish();
    for (int left = *rc::gen::inRange(1, 20); left > 0; --left) {
        const auto from_end = *rc::gen::inRange<std::size_t>(1, 250);
        bytes[bytes.size() - from_end] = *rc::gen::arbitrary<std::uint8_t>();
    }
    take(bytes);
}

}  // namespace
}  // namespace satchel::store
