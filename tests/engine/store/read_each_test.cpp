// Many records at once give what each gives by itself.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "engine/env/os/offload.hpp"
#include "engine/store/batch.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;

ByteBuffer some_plain() {
    const auto size = *rc::gen::inRange<std::size_t>(0, 3'000);
    return *rc::gen::arbitrary<bool>() ? noise(size, size) : ByteBuffer(size, 'a');
}

ByteBuffer some_record() {
    const ByteBuffer plain = some_plain();
    ByteBuffer record;
    const bool lies = *rc::gen::inRange(0, 4) == 0;  // with checksums that hold, and the name of other bytes
    encode_record(record, RecordType::kChunk, plain, lies ? hash_of(noise(9, 9)) : hash_of(plain));
    if (*rc::gen::inRange(0, 4) == 0)
        record[*rc::gen::inRange<std::size_t>(0, record.size())] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
    if (*rc::gen::inRange(0, 8) == 0) record.resize(*rc::gen::inRange<std::size_t>(0, record.size()));
    return record;
}

RC_GTEST_PROP(OpenRecords, GivesWhatEachGivesAlone, ()) {
    std::vector<ByteBuffer> records;
    for (int left = *rc::gen::inRange(0, 12); left > 0; --left) records.push_back(some_record());
    const std::vector<ByteView> views(records.begin(), records.end());
    env::os::ThreadOffload threads(3);
    simulations::InlineOffload here;
    env::Offload& offload = **rc::gen::element<env::Offload*>(&threads, &here);
    const std::vector<OpenedRecord> opened = open_records(offload, views);
    RC_ASSERT(opened.size() == records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
        const Result<ByteBuffer> alone = open_record(records[i]);
        RC_ASSERT(opened[i].is_whole == alone.has_value());
        if (alone.has_value()) RC_ASSERT(equal(opened[i].plain, *alone));
    }
}

constexpr std::size_t kChunks = 40;
ByteBuffer chunk(std::size_t number) { return noise(150'000 + number * 3'001, number); }

// 8 MiB or so in several packs, so that no window holds all of it.
class ReadEach : public testing::Test {
  protected:
    ReadEach() {
        for (std::size_t number = 0; number < kChunks; ++number)
            ids_.push_back(must(store_->put(chunk(number))).id);
        must(store_->commit());
    }
    Result<void> read(std::span<const ChunkId> ids) {
        got_.clear();
        return store_->read_each(ids, [&](std::size_t index, ByteView plain) -> Result<void> {
            EXPECT_EQ(index, got_.size());
            got_.emplace_back(plain.begin(), plain.end());
            return {};
        });
    }

    SimDisk disk_;
    Opened store_{disk_, PackLimits{.target_bytes = 3'000'000}};
    std::vector<ChunkId> ids_;
    std::vector<ByteBuffer> got_;
};

TEST_F(ReadEach, GivesAllInTheirOrderAndAsOftenAsTheyAreAskedFor) {
    std::vector<ChunkId> asked = ids_;
    std::reverse(asked.begin() + 5, asked.begin() + 20);
    asked.insert(asked.end(), 3, ids_[7]);
    must(read(asked));
    ASSERT_EQ(got_.size(), asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i) EXPECT_EQ(hash_of(got_[i]), asked[i].digest);
    must(read({}));
    EXPECT_TRUE(got_.empty());
}

TEST_F(ReadEach, EndsWhereOneIsNotHereAfterThoseBeforeIt) {
    std::vector<ChunkId> asked = ids_;
    asked[30] = ChunkId{hash_of(noise(5, 5))};
    const Result<void> ended = read(asked);
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().code, store_->read(asked[30]).error().code);
    EXPECT_EQ(got_.size(), 30u);
}

TEST_F(ReadEach, NamesWhatIsDamagedAndGivesNoneOfItsBytes) {
    const Position position = position_of(store_, ids_[12]);
    const auto file = must(disk_.open(position.path, env::OpenMode::kWrite));
    must(file->write_at(position.place + kRecordHeaderSize + 1'000, bytes_of("damage")));
    const Result<void> ended = read(ids_);
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().code, ErrorCode::kDamaged);
    EXPECT_EQ(got_.size(), 12u);
}

TEST_F(ReadEach, StopsWhereItIsTold) {
    std::size_t given = 0;
    const Result<void> ended = store_->read_each(ids_, [&](std::size_t, ByteView) -> Result<void> {
        if (++given == 3) return fail(ErrorCode::kCancelled, "test", "it was stopped", "go on");
        return {};
    });
    EXPECT_EQ(ended.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(given, 3u);
}

}  // namespace
}  // namespace satchel::store
