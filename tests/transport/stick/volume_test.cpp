// Volumes: what is written is read, any prefix is usable, damage costs its part, resume() goes on.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/transport/stick/volume_support.hpp"

namespace satchel::stick {
namespace {

std::vector<ByteBuffer> ten_records() {
    std::vector<ByteBuffer> records;
    for (std::uint64_t i = 0; i < 10; ++i)
        records.push_back(
            record_of(i, 10 + 37 * i, i < 2 ? store::RecordType::kFreight : store::RecordType::kChunk));
    return records;
}

std::vector<Digest> ids_of(const std::vector<ByteBuffer>& records, std::size_t count) {
    std::vector<Digest> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(id_of(records[i]));
    return ids;
}

struct Resumed {
    ErrorCode code = ErrorCode::kFailed;
    std::unique_ptr<VolumeWriter> writer;
    std::vector<Digest> kept;
};

Resumed resume(env::Disk& disk, const trust::SigningKey& key) {
    Resumed result;
    auto writer =
        VolumeWriter::resume(disk, kPath, key, [&](const store::RecordHeader& header) -> Result<void> {
            result.kept.push_back(header.id);
            return {};
        });
    if (writer.has_value())
        result.writer = std::move(*writer);
    else
        result.code = writer.error().code;
    return result;
}

TEST(Volume, GivesBackWhatWasWrittenInOrder) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    const std::vector<ByteBuffer> records = ten_records();
    write_volume(*disk, records, 3, key);
    const Scan found = scan(*disk);
    EXPECT_EQ(found.ids, ids_of(records, records.size()));
    EXPECT_TRUE(found.damaged.empty());
    EXPECT_EQ(found.committed, size_of(*disk));
    const auto reader = VolumeReader::open(*disk, kPath);
    EXPECT_EQ((*reader)->header(), header_of(key));
}

TEST(Volume, IsNotCreatedOverAnother) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    write_volume(*disk, ten_records(), 3, key);
    EXPECT_EQ(VolumeWriter::create(*disk, kPath, header_of(key), key).error().code, ErrorCode::kExists);
}

TEST(Volume, AnyPrefixIsUsable) {
    const auto disk = stick_disk();
    const std::vector<ByteBuffer> records = ten_records();
    write_volume(*disk, records, 4, key_of(1));
    const ByteBuffer whole = get_file(*disk);
    const Scan all = scan(*disk);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        put_file(*disk, kPath, ByteView(whole).first(size));
        const Scan found = scan(*disk);
        ASSERT_EQ(found.opened, size >= kVolumeHeaderSize) << size;
        std::size_t expected = 0;
        while (expected < records.size() && all.places[expected] + records[expected].size() <= size)
            ++expected;
        ASSERT_EQ(found.ids, ids_of(records, expected)) << size;
        ASSERT_LE(found.committed, size);
        ASSERT_LE(found.damaged.size(), 1U);
    }
}

TEST(Volume, AFlippedByteCostsAtMostItsRecord) {
    const auto disk = stick_disk();
    const std::vector<ByteBuffer> records = ten_records();
    write_volume(*disk, records, 4, key_of(1));
    const std::uint64_t size = size_of(*disk);
    const Scan all = scan(*disk);
    for (std::uint64_t at = 0; at < size; ++at) {
        disk->flip_bit(kPath, at, static_cast<unsigned>(at % 8));
        const Scan found = scan(*disk);
        ASSERT_TRUE(found.opened) << at;
        std::vector<Digest> expected;
        bool hit = false;
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (at >= all.places[i] && at < all.places[i] + records[i].size())
                hit = true;
            else
                expected.push_back(all.ids[i]);
        }
        ASSERT_EQ(found.ids, expected) << at;
        ASSERT_EQ(found.damaged.size(), hit || at >= kRecordsAt ? 1U : 0U) << at;
        disk->flip_bit(kPath, at, static_cast<unsigned>(at % 8));
    }
}

RC_GTEST_PROP(Volume, DamagedStretchesCostOnlyTheRecordsTheyTouch, ()) {
    const auto disk = stick_disk();
    std::vector<ByteBuffer> records;
    const auto sizes =
        *rc::gen::container<std::vector<std::size_t>>(12, rc::gen::inRange<std::size_t>(0, 5000));
    for (const std::size_t size : sizes) records.push_back(record_of(records.size(), size));
    write_volume(*disk, records, *rc::gen::inRange<std::size_t>(1, 13), key_of(1));
    const Scan all = scan(*disk);
    ByteBuffer bytes = get_file(*disk);
    std::vector<bool> hit(records.size(), false);
    for (int stretch = *rc::gen::inRange(1, 4); stretch > 0; --stretch) {
        const auto from = *rc::gen::inRange<std::size_t>(kRecordsAt, bytes.size());
        const auto size = *rc::gen::inRange<std::size_t>(1, 3000);
        const std::size_t end = std::min(bytes.size(), from + size);
        simulations::Seeded random(*rc::gen::arbitrary<std::uint64_t>());
        random.fill(MutableBytes(bytes).subspan(from, end - from));
        for (std::size_t i = 0; i < records.size(); ++i)
            if (from < all.places[i] + records[i].size() && end > all.places[i]) hit[i] = true;
    }
    put_file(*disk, kPath, bytes);
    const Scan found = scan(*disk);
    for (std::size_t i = 0; i < records.size(); ++i)
        if (!hit[i]) RC_ASSERT(std::find(found.ids.begin(), found.ids.end(), all.ids[i]) != found.ids.end());
}

TEST(Volume, FindsTheNextRecordAcrossTheBorderOfItsSearchWindows) {
    const trust::SigningKey key = key_of(1);
    for (const std::size_t offset : {0U, 1U, 30U, 55U, 56U, 57U, 100U}) {
        const auto disk = stick_disk();
        const std::vector<ByteBuffer> records = {record_of(1, 3 * 64 * 1024 - 80 + offset),
                                                 record_of(2, 500)};
        write_volume(*disk, records, 9, key);
        disk->flip_bit(kPath, kRecordsAt + 2, 3);
        EXPECT_EQ(scan(*disk).ids, ids_of({records[1]}, 1)) << offset;
    }
}

TEST(Volume, OneBadSectorInTheHeaderCostsNothing) {
    const auto disk = stick_disk();
    const std::vector<ByteBuffer> records = ten_records();
    write_volume(*disk, records, 4, key_of(1));
    ByteBuffer bytes = get_file(*disk);
    for (const std::size_t sector : {0U, 512U}) {
        ByteBuffer bad = bytes;
        std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(sector), 512, std::uint8_t{0xEE});
        put_file(*disk, kPath, bad);
        EXPECT_EQ(scan(*disk).ids.size(), records.size());
    }
    std::fill_n(bytes.begin(), 1024, std::uint8_t{0xEE});
    put_file(*disk, kPath, bytes);
    EXPECT_EQ(VolumeReader::open(*disk, kPath).error().code, ErrorCode::kDamaged);
}

TEST(Volume, TellsANewerVersionFromDamage) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    ByteBuffer block = encode(header_of(key), key);
    block[4] = 2;
    EXPECT_EQ(decode_volume_header(block, "v").error().code, ErrorCode::kDamaged);
    const Digest digest = hash_of(ByteView(block).first(kVolumeHeaderSize - 8));
    std::copy_n(digest.begin(), 8, block.end() - 8);
    put_file(*disk, kPath, block);
    const Error error = VolumeReader::open(*disk, kPath).error();
    EXPECT_EQ(error.code, ErrorCode::kUnsupported);
    EXPECT_EQ(error.about, disk->describe(kPath));
    EXPECT_STREQ(error.remedy.text(), "update satchel on this box");
}

TEST(Volume, RefusesAHeaderThatItsWriterDidNotSign) {
    const trust::SigningKey key = key_of(1);
    ByteBuffer block = encode(header_of(key), key);
    const trust::SigningKey other = key_of(2);
    std::copy_n(other.public_key().digest.begin(), 32, block.begin() + 64);
    const Digest digest = hash_of(ByteView(block).first(kVolumeHeaderSize - 8));
    std::copy_n(digest.begin(), 8, block.end() - 8);
    EXPECT_EQ(decode_volume_header(block, "v").error().code, ErrorCode::kRefused);
}

// Commits of another key, volume or place, and records that were put in the place of others.
TEST(Volume, CountsOnlyCommitsOfItsWriterForItsPlace) {
    const trust::SigningKey key = key_of(1);
    const trust::SigningKey other = key_of(2);
    const std::vector<ByteBuffer> records = ten_records();
    const auto disk = stick_disk();
    write_volume(*disk, records, 10, key);
    const ByteBuffer good = get_file(*disk);
    const std::size_t commit_at = good.size() - kCommitRecordSize;
    const auto with_commit = [&](Commit commit, const trust::SigningKey& by) {
        ByteBuffer bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(commit_at));
        store::encode_record(bytes, store::RecordType::kCommit, encode(commit, by));
        put_file(*disk, kPath, bytes);
        return scan(*disk);
    };
    const Commit commit =
        decode_commit(store::open_record(ByteView(good).subspan(commit_at)).value(), key.public_key())
            .value();
    EXPECT_EQ(with_commit(commit, key).committed, good.size());
    EXPECT_EQ(with_commit(commit, other).committed, 0U);
    Commit moved = commit;
    moved.place += 1;
    Commit foreign = commit;
    foreign.volume.fill(7);
    Commit of_others = commit;
    of_others.records.fill(7);
    for (const Commit& wrong : {moved, foreign, of_others}) {
        const Scan found = with_commit(wrong, key);
        EXPECT_EQ(found.committed, 0U);
        EXPECT_EQ(found.damaged, std::vector<std::uint64_t>{commit_at});
        EXPECT_EQ(found.ids.size(), records.size());
    }
}

TEST(Volume, ReadsOnBehindALengthThatPointsPastTheEnd) {
    const auto disk = stick_disk();
    const std::vector<ByteBuffer> records = {record_of(1, 100), record_of(2, 100)};
    write_volume(*disk, records, 9, key_of(1));
    ByteBuffer bytes(kRecordsAt);
    const ByteBuffer before = get_file(*disk);
    std::copy_n(before.begin(), kRecordsAt, bytes.begin());
    const ByteBuffer huge = record_of(3, store::kObjectMax);
    append(bytes, ByteView(huge).first(store::kRecordHeaderSize));  // its payload never came
    append(bytes, records[0]);
    append(bytes, records[1]);
    put_file(*disk, kPath, bytes);
    const Scan found = scan(*disk);
    EXPECT_EQ(found.ids, ids_of(records, 2));
    EXPECT_EQ(found.damaged, std::vector<std::uint64_t>{kRecordsAt});
}

// A file of nothing but headers that promise much must not make the reader read the same bytes again and
// again.
TEST(Volume, TakesTimeInProportionToItsSizeWhateverHeadersSay) {
    class CountingFile : public env::File {
      public:
        CountingFile(std::unique_ptr<env::File> file, std::uint64_t& bytes)
            : file_(std::move(file)), bytes_(bytes) {}
        Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
            Result<std::size_t> got = file_->read_at(offset, into);
            if (got.has_value()) bytes_ += *got;
            return got;
        }
        Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
            return file_->write_at(offset, bytes);
        }
        Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
        Result<std::uint64_t> size() override { return file_->size(); }
        Result<void> sync() override { return file_->sync(); }
        Result<void> set_mode(std::uint32_t mode) override { return file_->set_mode(mode); }
        Result<void> set_mtime(std::int64_t mtime_ns) override { return file_->set_mtime(mtime_ns); }

      private:
        std::unique_ptr<env::File> file_;
        std::uint64_t& bytes_;
    };
    class CountingDisk : public simulations::SimDisk {
      public:
        Result<std::unique_ptr<env::File>> open(std::string_view path, env::OpenMode mode) override {
            SATCHEL_TRY(std::unique_ptr<env::File> file, simulations::SimDisk::open(path, mode));
            return std::unique_ptr<env::File>(std::make_unique<CountingFile>(std::move(file), bytes_read));
        }
        std::uint64_t bytes_read = 0;
    };
    const trust::SigningKey key = key_of(1);
    const ByteBuffer huge = record_of(3, 1024 * 1024);
    const ByteBuffer empty = record_of(4, 0);
    const ByteView head = ByteView(huge).first(store::kRecordHeaderSize);
    for (const bool with_records_between : {false, true}) {
        ByteBuffer bytes = encode_header_area(header_of(key), key);
        while (bytes.size() < 2 * 1024 * 1024) {
            append(bytes, head);  // promises a payload that no room is for
            if (with_records_between) append(bytes, ByteView(empty));
            if (with_records_between) bytes.push_back(0);
        }
        CountingDisk disk;
        put_file(disk, "00000001.SAT", bytes);
        EXPECT_GT(scan(disk, "00000001.SAT").damaged.size(), 0U);
        EXPECT_LT(disk.bytes_read, 8 * bytes.size());
    }
}

TEST(Volume, ResumeKeepsWholeRecordsThatNoCommitCoversYet) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    const std::vector<ByteBuffer> records = ten_records();
    {
        auto writer = VolumeWriter::create(*disk, kPath, header_of(key), key);
        for (std::size_t i = 0; i < 6; ++i) ASSERT_TRUE((*writer)->append(records[i]).has_value());
    }
    ByteBuffer bytes = get_file(*disk);
    append(bytes, ByteView(records[6]).first(30));  // killed in the middle of a record
    put_file(*disk, kPath, bytes);
    Resumed resumed = resume(*disk, key);
    ASSERT_NE(resumed.writer, nullptr);
    EXPECT_EQ(resumed.kept, ids_of(records, 6));
    for (std::size_t i = 6; i < records.size(); ++i)
        ASSERT_TRUE(resumed.writer->append(records[i]).has_value());
    ASSERT_TRUE(resumed.writer->commit().has_value());
    const Scan found = scan(*disk);
    EXPECT_EQ(found.ids, ids_of(records, records.size()));
    EXPECT_TRUE(found.damaged.empty());
    EXPECT_EQ(found.committed, size_of(*disk));
}

TEST(Volume, ResumeAfterAnyPrefixEndsAsIfNothingHadHappened) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    std::vector<ByteBuffer> records = ten_records();
    records.resize(5);
    write_volume(*disk, records, 2, key);
    const ByteBuffer whole = get_file(*disk);
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        put_file(*disk, kPath, ByteView(whole).first(size));
        Resumed resumed = resume(*disk, key);
        ASSERT_EQ(resumed.writer != nullptr, size >= kVolumeHeaderSize) << size;
        if (resumed.writer == nullptr) {
            ASSERT_EQ(resumed.code, ErrorCode::kDamaged);
            continue;
        }
        for (std::size_t i = resumed.kept.size(); i < records.size(); ++i)
            ASSERT_TRUE(resumed.writer->append(records[i]).has_value());
        ASSERT_TRUE(resumed.writer->commit().has_value());
        const Scan found = scan(*disk);
        ASSERT_EQ(found.ids, ids_of(records, records.size())) << size;
        ASSERT_TRUE(found.damaged.empty()) << size;
        ASSERT_EQ(found.committed, size_of(*disk)) << size;
    }
}

TEST(Volume, ResumeDoesNotThrowAwayWhatStandsBehindOldDamage) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    const std::vector<ByteBuffer> records = ten_records();
    write_volume(*disk, records, 2, key);
    const Scan all = scan(*disk);
    disk->flip_bit(kPath, all.places[3] + 60, 1);
    const std::uint64_t size = size_of(*disk);
    Resumed resumed = resume(*disk, key);
    ASSERT_NE(resumed.writer, nullptr);
    std::vector<Digest> expected = ids_of(records, records.size());
    expected.erase(expected.begin() + 3);
    EXPECT_EQ(resumed.kept, expected);
    EXPECT_EQ(resumed.writer->size(), size);
    ASSERT_TRUE(resumed.writer->append(records[3]).has_value());
    ASSERT_TRUE(resumed.writer->commit().has_value());
    const Scan found = scan(*disk);
    EXPECT_EQ(found.ids.size(), records.size());
    EXPECT_EQ(found.committed, size_of(*disk));
}

TEST(Volume, ResumeCutsOffATailThatWasWrittenOutOfOrder) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    const std::vector<ByteBuffer> records = ten_records();
    {
        auto writer = VolumeWriter::create(*disk, kPath, header_of(key), key);
        for (std::size_t i = 0; i < 6; ++i) {
            ASSERT_TRUE((*writer)->append(records[i]).has_value());
            ASSERT_TRUE(i != 2 || (*writer)->commit().has_value());
        }
    }
    const Scan all = scan(*disk);
    disk->flip_bit(kPath, all.places[4] + 60, 1);  // lost, while the record behind it is there
    Resumed resumed = resume(*disk, key);
    ASSERT_NE(resumed.writer, nullptr);
    EXPECT_EQ(resumed.kept, ids_of(records, 4));
    EXPECT_EQ(resumed.writer->size(), all.places[4]);
    EXPECT_EQ(size_of(*disk), all.places[4]);
}

// The chunk is then counted as not there, and written again.
TEST(Volume, ResumeDoesNotKeepARecordWhoseBytesAreNotThoseOfItsId) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    ByteBuffer lie;
    store::encode_record(lie, store::RecordType::kChunk, bytes_of("not these bytes"),
                         hash_of(bytes_of("others")));
    write_volume(*disk, {record_of(1, 50), lie, record_of(2, 50)}, 9, key);
    EXPECT_EQ(resume(*disk, key).kept, ids_of({record_of(1, 50), record_of(2, 50)}, 2));
}

TEST(Volume, AnotherSitesVolumeIsNotGoneOnWith) {
    const auto disk = stick_disk();
    write_volume(*disk, ten_records(), 3, key_of(1));
    const ByteBuffer before = get_file(*disk);
    EXPECT_EQ(resume(*disk, key_of(2)).code, ErrorCode::kRefused);
    EXPECT_EQ(get_file(*disk), before);
}

TEST(Volume, CommitsByItselfBeforeAGroupGrowsTooLarge) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    auto writer = VolumeWriter::create(*disk, kPath, header_of(key), key);
    ASSERT_TRUE(writer.has_value());
    for (std::uint64_t i = 0; i < 7; ++i) {
        ASSERT_TRUE((*writer)->append(record_of(i, 3 * 1024 * 1024)).has_value());
        EXPECT_LE((*writer)->size() - scan(*disk).committed, kCommitGroupBytes + kRecordsAt);
    }
    EXPECT_GT(scan(*disk).committed, 12 * 1024 * 1024U);
}

TEST(Volume, ACommitWithNothingNewWritesNothing) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    auto writer = VolumeWriter::create(*disk, kPath, header_of(key), key);
    ASSERT_TRUE((*writer)->append(record_of(1, 10)).has_value() && (*writer)->commit().has_value());
    const std::uint64_t operations = disk->operations();
    EXPECT_TRUE((*writer)->commit().has_value());
    EXPECT_EQ(disk->operations(), operations);
}

TEST(Volume, AFullStickKeepsAndCommitsWhatFitted) {
    const trust::SigningKey key = key_of(1);
    const std::vector<ByteBuffer> records = ten_records();
    const auto disk = stick_disk({.profile = simulations::SimDiskOptions::kFat, .capacity = 2200});
    auto writer = VolumeWriter::create(*disk, kPath, header_of(key), key);
    ASSERT_TRUE(writer.has_value());
    std::size_t written = 0;
    Result<void> appended = {};
    while (appended.has_value()) {
        appended = (*writer)->append(records[written]);
        written += appended.has_value() ? 1U : 0U;
    }
    EXPECT_EQ(appended.error().code, ErrorCode::kNoSpace);
    EXPECT_TRUE((*writer)->commit().has_value());
    const Scan found = scan(*disk);
    EXPECT_EQ(found.ids, ids_of(records, written));
    EXPECT_EQ(found.committed, size_of(*disk));
}

// What the system still shows may never have reached the stick: it must not count as written.
TEST(Volume, AfterAFailedSyncOnlyCommittedRecordsAreKept) {
    const trust::SigningKey key = key_of(1);
    const std::vector<ByteBuffer> records = ten_records();
    const auto disk = stick_disk();
    auto writer = VolumeWriter::create(*disk, kPath, header_of(key), key);
    for (std::size_t i = 0; i < 4; ++i) ASSERT_TRUE((*writer)->append(records[i]).has_value());
    ASSERT_TRUE((*writer)->commit().has_value());
    for (std::size_t i = 4; i < 8; ++i) ASSERT_TRUE((*writer)->append(records[i]).has_value());
    disk->fail_operation(disk->operations() + 1, ErrorCode::kIo);
    EXPECT_EQ((*writer)->commit().error().code, ErrorCode::kIo);
    EXPECT_FALSE((*writer)->append(records[8]).has_value());
    EXPECT_FALSE((*writer)->commit().has_value());
    writer->reset();
    EXPECT_EQ(resume(*disk, key).kept, ids_of(records, 4));
}

RC_GTEST_PROP(Volume, AnyBytesAreReadOrRefused, (const std::vector<std::uint8_t>& tail)) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    ByteBuffer bytes = encode_header_area(header_of(key), key);
    append(bytes, tail);
    put_file(*disk, kPath, bytes);
    const Scan found = scan(*disk);
    RC_ASSERT(found.opened && found.ids.empty() && found.committed == 0);
    put_file(*disk, kPath, tail);
    RC_ASSERT(!scan(*disk).opened);
}

}  // namespace
}  // namespace satchel::stick
