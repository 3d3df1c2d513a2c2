// Disks that fail once, in the midst of something: what they gave before and after must not be taken for all
// that there is.
#include <gtest/gtest.h>

#include "engine/env/holes.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;

constexpr char kFirst[] = "packs/00000001.pack";
constexpr std::uint64_t kChunks = 80;

ByteBuffer chunk(std::uint64_t number) { return noise(4000 + number * 37 % 900, number); }

void fill(PackStore& store) {
    for (std::uint64_t number = 1; number <= kChunks; ++number) must(store.put(chunk(number)));
    must(store.commit());
}

std::uint64_t readable(PackStore& store) {
    std::uint64_t found = 0;
    for (std::uint64_t number = 1; number <= kChunks; ++number)
        found += store.read(ChunkId{hash_of(chunk(number))}).has_value() ? 1u : 0u;
    return found;
}

// Fails from its `reads`th read on.
class TiringFile final : public env::File {
  public:
    TiringFile(env::File& file, std::size_t reads) : file_(file), reads_(reads) {}
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        if (++done_ >= reads_) return fail(ErrorCode::kIo, "file", "the disk answered with an error", "wait");
        return file_.read_at(offset, into);
    }
    Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
        return file_.write_at(offset, bytes);
    }
    Result<void> truncate(std::uint64_t size) override { return file_.truncate(size); }
    Result<std::uint64_t> size() override { return file_.size(); }
    Result<void> sync() override { return file_.sync(); }
    Result<void> set_mode(std::uint32_t mode) override { return file_.set_mode(mode); }
    Result<void> set_mtime(std::int64_t mtime_ns) override { return file_.set_mtime(mtime_ns); }

  private:
    env::File& file_;
    std::size_t reads_;
    std::size_t done_ = 0;
};

TEST(UnsteadyDisk, AnIndexIsNotWholeWhoseRowsCameWithAHole) {
    SimDisk disk;
    Opened store(disk);
    fill(*store);
    const auto file = must(disk.open(kFirst, env::OpenMode::kRead));
    const PackTrailer trailer = must(read_trailer(*file));
    std::size_t wholes = 0, in_the_second_reading = 0;
    for (std::size_t reads = 1; wholes == 0; ++reads) {
        TiringFile tiring(*file, reads);
        env::HolesAsZeros readable(tiring);
        std::size_t rows = 0;
        const Result<void> read = read_index(readable, trailer, [&](const IndexRow&) -> Result<void> {
            ++rows;
            return {};
        });
        in_the_second_reading += !read.has_value() && rows > 0 ? 1u : 0u;
        wholes += read.has_value() ? 1u : 0u;
        if (read.has_value()) {
            EXPECT_FALSE(readable.has_met_any());
        }
    }
    EXPECT_GT(in_the_second_reading, 0u);
}

// The last records and the index of a pack are hit, and its parity mends them; but a write fails once.
TEST(UnsteadyDisk, AWriteThatFailsWhileAPackIsMendedCostsNothing) {
    PackLimits guarded = kSmallPacks;
    guarded.target_bytes = 256 * 1024;
    guarded.guarded_from = 1;
    SimDisk sound;
    std::uint64_t last_record = 0, index = 0;
    {
        Opened store(sound, guarded);
        fill(*store);
        for (std::uint64_t number = 1; number <= kChunks; ++number) {
            const Position position = position_of(store, ChunkId{hash_of(chunk(number))});
            if (position.path == kFirst) last_record = std::max(last_record, position.place);
        }
        const auto file = must(sound.open(kFirst, env::OpenMode::kRead));
        index = must(read_trailer(*file)).index.offset;
        must(store.database().run("DELETE FROM index_run; DELETE FROM pack"));
    }
    std::size_t stopped = 0;
    for (std::uint64_t operation = 1; operation < 400; ++operation) {
        SimDisk disk({}, sound.tree());
        for (const std::uint64_t from : {last_record + kRecordHeaderSize, index})
            for (std::uint64_t byte = from; byte < from + 300; byte += 3) disk.flip_bit(kFirst, byte, 2);
        disk.fail_operation(operation, ErrorCode::kIo);
        try {
            Opened store(disk, guarded);
        } catch (const std::runtime_error&) {
            ++stopped;
        }
        SimDisk later({}, disk.tree());
        Opened store(later, guarded);
        damages_of(*store);  // and mends
        ASSERT_EQ(readable(*store), kChunks) << operation;
        if (disk.operations() < operation) break;
    }
    EXPECT_GT(stopped, 0u);
}

}  // namespace
}  // namespace satchel::store
