// The frame of a pack: header, sections, trailer, and what is refused (schemas/pack.md).
#include "engine/store/pack_format.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/store/pack_check.hpp"
#include "engine/store/pack_scan.hpp"
#include "tests/engine/store/store_kit.hpp"

namespace satchel::store {
namespace {

using simulations::SimDisk;

constexpr std::size_t kTailAt = kPackTailSize;  // from the end

// A pack of three chunks that was committed twice and then sealed; too small for a guard in earnest.
ByteBuffer golden_pack(std::uint64_t guarded_from = kGuardedFromBytes) {
    SimDisk disk;
    {
        Opened store(disk,
                     {.target_bytes = 4096, .group_bytes = kCommitGroupBytes, .guarded_from = guarded_from});
        must(store->put(bytes_of("one")));
        must(store->put(bytes_of("two")));
        must(store->commit());
        must(store->put(bytes_of("three")));
        must(store->commit());
    }
    return get_file(disk, "packs/00000001.pack");
}

class PackFile {
  public:
    explicit PackFile(ByteView bytes) {
        put_file(disk_, "pack", bytes);
        file_ = must(disk_.open("pack", env::OpenMode::kRead));
    }
    env::File& operator*() { return *file_; }

  private:
    SimDisk disk_;
    std::unique_ptr<env::File> file_;
};

ErrorCode trailer_code(ByteView pack) {
    PackFile file(pack);
    const Result<PackTrailer> trailer = read_trailer(*file);
    return trailer.has_value() ? ErrorCode::kFailed : trailer.error().code;
}

// A pack of `rows` with further sections, table and tail; its records are zeros.
ByteBuffer sealed_pack(const std::vector<IndexRow>& rows, std::vector<Section> sections = {},
                       std::size_t records = 4096) {
    ByteBuffer pack = encode(PackHeader{1, {}});
    pack.resize(records);
    Section index;
    index.type = kSectionIndex;
    index.must_understand = true;
    index.offset = pack.size();
    for (const IndexRow& row : rows) put_index_row(pack, row);
    index.size = pack.size() - index.offset;
    index.hash = hash_of(ByteView(pack).subspan(static_cast<std::size_t>(index.offset)));
    sections.insert(sections.begin(), index);
    for (std::size_t i = 1; i < sections.size(); ++i) {
        sections[i].offset = pack.size();
        pack.resize(pack.size() + static_cast<std::size_t>(sections[i].size));
    }
    PackId id;
    append(pack, encode_trailer(sections, pack.size(), id));
    return pack;
}

IndexRow row_of(std::uint8_t fill, std::uint32_t place, std::uint32_t stored, std::uint32_t raw) {
    IndexRow row;
    row.id.digest.fill(fill);
    row.place = place;
    row.stored_size = stored;
    row.raw_size = raw;
    return row;
}

bool index_reads(const std::vector<IndexRow>& rows) {
    PackFile file(sealed_pack(rows));
    const PackTrailer trailer = must(read_trailer(*file));
    std::vector<IndexRow> read;
    const Result<void> result = read_index(*file, trailer, [&](const IndexRow& row) -> Result<void> {
        read.push_back(row);
        return {};
    });
    EXPECT_EQ(read, result.has_value() ? rows : std::vector<IndexRow>());
    return result.has_value();
}

TEST(PackFormat, TheGoldenPackIsWrittenAndReadAgain) {
    const ByteBuffer golden = vector_file("vectors/pack/sealed.pack");
    EXPECT_EQ(to_hex(golden_pack()), to_hex(golden));
    PackFile file(golden);
    const PackHeader header = must(decode_pack_header(golden));
    EXPECT_EQ(header, (PackHeader{1, {}}));
    const PackTrailer trailer = must(read_trailer(*file));
    ASSERT_EQ(trailer.sections.size(), 1u);
    EXPECT_EQ(trailer.sections[0].type, kSectionIndex);
    std::vector<std::string> chunks;
    must(read_index(*file, trailer, [&](const IndexRow& row) -> Result<void> {
        const ByteBuffer plain = must(open_record(must(read_record_at(*file, row.place, row.stored_size))));
        EXPECT_EQ(hash_of(plain), row.id.digest);
        chunks.emplace_back(text_of(plain));
        return {};
    }));
    std::sort(chunks.begin(), chunks.end());
    EXPECT_EQ(chunks, (std::vector<std::string>{"one", "three", "two"}));
}

TEST(PackFormat, TheGuardedGoldenPackIsWrittenAndReadAgain) {
    const ByteBuffer golden = vector_file("vectors/pack/guarded.pack");
    EXPECT_EQ(to_hex(golden_pack(0)), to_hex(golden));
    PackFile file(golden);
    const PackTrailer trailer = must(read_trailer(*file));
    std::vector<std::uint16_t> types;
    for (const Section& section : trailer.sections) {
        types.push_back(section.type);
        const ByteView bytes = ByteView(golden).subspan(static_cast<std::size_t>(section.offset),
                                                        static_cast<std::size_t>(section.size));
        EXPECT_EQ(hash_of(bytes), section.hash);
        EXPECT_EQ(section.must_understand, section.type == kSectionIndex);
    }
    EXPECT_EQ(types,
              (std::vector<std::uint16_t>{kSectionIndex, kSectionGuard, kSectionParity, kSectionGuard}));
    const PackCheck check = must(check_pack(*file, trailer.id));
    EXPECT_TRUE(check.is_sound());
    ASSERT_TRUE(check.guard.has_value());
    EXPECT_EQ(check.guard->layout, (GuardLayout{3, 2}));
    EXPECT_EQ(end_of(*check.guard).decoded.sections, trailer.sections);
    // What guards add stands behind what a pack without them holds.
    const ByteBuffer bare = vector_file("vectors/pack/sealed.pack");
    const auto same = static_cast<std::size_t>(trailer.index.offset + trailer.index.size);
    EXPECT_TRUE(equal(ByteView(golden).first(same), ByteView(bare).first(same)));
}

TEST(PackFormat, TheGoldenPackScansToTheSameRowsAsItsIndex) {
    PackFile file(vector_file("vectors/pack/sealed.pack"));
    std::vector<IndexRow> by_index;
    std::vector<IndexRow> by_scan;
    const PackTrailer trailer = must(read_trailer(*file));
    must(read_index(*file, trailer, [&](const IndexRow& row) -> Result<void> {
        by_index.push_back(row);
        return {};
    }));
    must(scan_records(*file, {kPackHeaderSize, must((*file).size()), 0},
                      [&](const IndexRow& row) -> Result<void> {
                          by_scan.push_back(row);
                          return {};
                      }));
    std::sort(by_scan.begin(), by_scan.end(),
              [](const IndexRow& a, const IndexRow& b) { return a.id < b.id; });
    EXPECT_EQ(by_scan, by_index);
    EXPECT_EQ(by_scan.size(), 3u);
}

TEST(PackFormat, APackOfANewerProgramIsToldFromDamage) {
    const ByteBuffer newer = vector_file("vectors/pack/newer-section.pack");
    EXPECT_EQ(trailer_code(newer), ErrorCode::kUnsupported);
    const ByteBuffer unknown = vector_file("vectors/pack/unknown-section.pack");
    PackFile file(unknown);
    EXPECT_EQ(must(read_trailer(*file)).sections.size(), 2u);
    ByteBuffer header = encode(PackHeader{1, {}});
    header[4] = 2;
    EXPECT_EQ(decode_pack_header(header).error().code, ErrorCode::kDamaged);
    const Digest digest = hash_of(ByteView(header).first(56));
    std::copy_n(digest.begin(), 8, header.begin() + 56);
    EXPECT_EQ(decode_pack_header(header).error().code, ErrorCode::kUnsupported);
}

TEST(PackFormat, UnknownSectionsAreGeneratedAsThePageSays) {
    Section unknown;
    unknown.type = 77;
    unknown.size = 3;
    unknown.hash = hash_of(ByteBuffer(3, 0));
    EXPECT_EQ(to_hex(sealed_pack({}, {unknown}, kPackHeaderSize)),
              to_hex(vector_file("vectors/pack/unknown-section.pack")));
    unknown.must_understand = true;
    EXPECT_EQ(to_hex(sealed_pack({}, {unknown}, kPackHeaderSize)),
              to_hex(vector_file("vectors/pack/newer-section.pack")));
}

RC_GTEST_PROP(PackFormat, HeadersSurviveARoundTrip, (std::uint32_t number, std::uint8_t fill)) {
    PackHeader header;
    header.number = number;
    header.affinity.fill(fill);
    RC_ASSERT(encode(header).size() == kPackHeaderSize);
    RC_ASSERT(must(decode_pack_header(encode(header))) == header);
}

TEST(PackFormat, RefusesEveryFlippedBitOfTheHeader) {
    const ByteBuffer good = encode(PackHeader{7, {}});
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        ByteBuffer bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
        EXPECT_EQ(decode_pack_header(bad).error().code, ErrorCode::kDamaged) << bit;
    }
    EXPECT_FALSE(decode_pack_header(ByteView(good).first(63)).has_value());
}

TEST(PackFormat, NoFlippedBitOfIndexTableOrTailPassesUnseen) {
    const ByteBuffer good = golden_pack();
    PackFile whole(good);
    const auto from = static_cast<std::size_t>(must(read_trailer(*whole)).index.offset);
    for (std::size_t byte = from; byte < good.size(); ++byte) {
        ByteBuffer bad = good;
        bad[byte] ^= static_cast<std::uint8_t>(1u << (byte % 8));
        PackFile file(bad);
        const Result<PackTrailer> trailer = read_trailer(*file);
        const auto ignore = [](const IndexRow&) -> Result<void> { return {}; };
        EXPECT_FALSE(trailer.has_value() && read_index(*file, *trailer, ignore).has_value()) << byte;
        EXPECT_FALSE(!trailer.has_value() && trailer.error().code == ErrorCode::kUnsupported) << byte;
    }
}

TEST(PackFormat, RefusesEveryTruncation) {
    const ByteBuffer good = golden_pack();
    for (std::size_t size = 0; size < good.size(); size += size < 4096 ? 97 : 1)
        EXPECT_EQ(trailer_code(ByteView(good).first(size)), ErrorCode::kNotFound) << size;
}

TEST(PackFormat, RefusesATableThatPointsElsewhere) {
    const auto with_table_at = [](std::uint64_t offset, std::uint16_t count) {
        ByteBuffer pack = golden_pack();
        ByteBuffer place;
        Writer(place).u16(count).u64(offset);
        std::copy(place.begin(), place.end(), pack.end() - kTailAt + 6);
        const ByteView block = ByteView(pack).last(kPackTailSize);
        const Digest digest = hash_of(block.first(56));
        std::copy_n(digest.begin(), 8, pack.end() - 8);
        return pack;
    };
    const std::size_t size = golden_pack().size();
    EXPECT_EQ(trailer_code(with_table_at(size - 64 - 52, 1)), ErrorCode::kFailed);  // as it was
    EXPECT_EQ(trailer_code(with_table_at(size - 64 - 52 - 1, 1)), ErrorCode::kDamaged);
    EXPECT_EQ(trailer_code(with_table_at(~std::uint64_t{0} - 51, 1)), ErrorCode::kDamaged);
    EXPECT_EQ(trailer_code(with_table_at(size - 64 - 52, 0)), ErrorCode::kDamaged);
    EXPECT_EQ(trailer_code(with_table_at(size - 64, 0)), ErrorCode::kDamaged);
    EXPECT_EQ(trailer_code(with_table_at(64, kSectionsMax + 1)), ErrorCode::kDamaged);
    EXPECT_EQ(trailer_code(with_table_at(0, 65535)), ErrorCode::kDamaged);
}

TEST(PackFormat, RefusesSectionsWithGapsOrOutsideThePack) {
    const auto code_of = [](std::uint64_t offset, std::uint64_t size, std::uint16_t type) {
        ByteBuffer pack = encode(PackHeader{1, {}});
        pack.resize(4096);
        Section section;
        section.type = type;
        section.offset = offset;
        section.size = size;
        PackId id;
        append(pack, encode_trailer({section}, pack.size(), id));
        return trailer_code(pack);
    };
    EXPECT_EQ(code_of(4096 - 44, 44, kSectionIndex), ErrorCode::kFailed);
    EXPECT_EQ(code_of(4096, 0, kSectionIndex), ErrorCode::kFailed);
    EXPECT_EQ(code_of(4096 - 88, 44, kSectionIndex), ErrorCode::kDamaged);
    EXPECT_EQ(code_of(4096 - 43, 43, kSectionIndex), ErrorCode::kDamaged);
    EXPECT_EQ(code_of(0, 4096, kSectionIndex), ErrorCode::kDamaged);
    EXPECT_EQ(code_of(4097, ~std::uint64_t{0}, kSectionIndex), ErrorCode::kDamaged);
    EXPECT_EQ(code_of(4096 - 44, 44, 9), ErrorCode::kDamaged);  // no index
}

TEST(PackFormat, RefusesRowsThatNoPackHas) {
    EXPECT_TRUE(index_reads({row_of(1, 64, 10, 10), row_of(2, 130, 10, 20)}));
    EXPECT_TRUE(index_reads({row_of(1, 4096 - 66, 10, 10)}));
    EXPECT_FALSE(index_reads({row_of(1, 4096 - 65, 10, 10)}));
    EXPECT_FALSE(index_reads({row_of(1, 63, 10, 10)}));
    EXPECT_FALSE(index_reads({row_of(1, 0xffffffff, 0xffffffff, 1)}));
    EXPECT_FALSE(index_reads({row_of(1, 64, 10, kObjectMax + 1)}));
    EXPECT_FALSE(index_reads({row_of(2, 64, 10, 10), row_of(1, 130, 10, 20)}));
    EXPECT_FALSE(index_reads({row_of(1, 64, 10, 10), row_of(1, 130, 10, 20)}));
}

TEST(PackFormat, NamesOfPacksAreEightHexDigits) {
    EXPECT_EQ(pack_name(42), "0000002a.pack");
    EXPECT_EQ(pack_number_of("0000002a.pack"), 42u);
    EXPECT_EQ(pack_number_of(pack_name(0xffffffff)), 0xffffffffu);
    for (const char* const name :
         {"0000002A.pack", "2a.pack", "0000002a.pac", "0000002a.pack~", "0000002g.pack", ""})
        EXPECT_FALSE(pack_number_of(name).has_value()) << name;
}

// -- scanning -----------------------------------------------------------------------------------

struct Scan {
    std::vector<ChunkId> ids;
    Result<std::uint64_t> end = std::uint64_t{0};
};
Scan scan(ByteView bytes) {
    PackFile file(bytes);
    Scan result;
    result.end = scan_records(*file, {0, bytes.size(), 0}, [&](const IndexRow& row) -> Result<void> {
        result.ids.push_back(row.id);
        return {};
    });
    return result;
}

ByteBuffer records(std::uint64_t first_seed, int count) {
    ByteBuffer out;
    for (int i = 0; i < count; ++i)
        encode_record(out, RecordType::kChunk, noise(300, first_seed + static_cast<std::uint64_t>(i)));
    return out;
}

TEST(PackScan, PassesOverADamagedRecordToTheNextWhole) {
    const ByteBuffer good = records(1, 5);
    const std::size_t each = good.size() / 5;
    for (const std::size_t inside : {0u, 4u, 8u, 12u, 30u, 60u, 355u}) {
        ByteBuffer bad = good;
        bad[2 * each + inside] ^= 0x10;
        const Scan scanned = scan(bad);
        EXPECT_EQ(scanned.ids.size(), 4u) << inside;
        EXPECT_EQ(must(scanned.end), good.size()) << inside;
    }
}

TEST(PackScan, EndsBehindTheLastWholeRecord) {
    const ByteBuffer good = records(1, 3);
    const std::size_t each = good.size() / 3;
    for (std::size_t size = 0; size <= good.size(); size += 17) {
        const Scan scanned = scan(ByteView(good).first(size));
        EXPECT_EQ(scanned.ids.size(), size / each);
        EXPECT_EQ(must(scanned.end), size / each * each);
    }
    ByteBuffer with_tail = good;
    append(with_tail, noise(9000, 5));
    EXPECT_EQ(must(scan(with_tail).end), good.size());
}

TEST(PackScan, GoesOnAtTheNextBlockBehindZeros) {
    ByteBuffer pack = records(1, 2);
    pack.resize(kPackBlockSize);
    append(pack, records(9, 2));
    EXPECT_EQ(scan(pack).ids.size(), 4u);
    pack[kPackBlockSize + 60] ^= 1;  // the first behind the zeros is damaged: its length still counts
    EXPECT_EQ(scan(pack).ids.size(), 3u);
}

TEST(PackScan, DoesNotTakeAnObjectsBytesForRecordsWhileItIsWhole) {
    ByteBuffer outer;
    encode_record(outer, RecordType::kChunk, records(1, 3));
    append(outer, records(7, 1));
    EXPECT_EQ(scan(outer).ids.size(), 2u);
    // Damaged in the payload, its length still leads to the next one.
    outer.at(kRecordHeaderSize + 5) ^= 1;
    EXPECT_EQ(scan(outer).ids.size(), 1u);
}

TEST(PackScan, StopsAtARecordOfANewerProgram) {
    ByteBuffer bytes = records(1, 1);
    append(bytes, vector_file("vectors/record/newer-flag.bin"));
    const Scan scanned = scan(bytes);
    ASSERT_FALSE(scanned.end.has_value());
    EXPECT_EQ(scanned.end.error().code, ErrorCode::kUnsupported);
}

// An object may be made of headers that claim much; the search must not read megabytes for each of them.
TEST(PackScan, GivesUpAfterSoManyFalseHeaders) {
    ByteBuffer record;
    encode_record(record, RecordType::kChunk, noise(200'000, 3));
    record.resize(kRecordHeaderSize);
    ByteBuffer bytes(1, 0x55);
    for (int i = 0; i < 1000; ++i) append(bytes, record);
    bytes.resize(bytes.size() + 200'000);
    append(bytes, records(1, 1));
    EXPECT_TRUE(scan(bytes).ids.empty());
}

RC_GTEST_PROP(PackScan, FindsAllRecordsThatDamageLeftWhole, ()) {
    const int count = *rc::gen::inRange(1, 8);
    std::vector<std::size_t> starts;
    ByteBuffer bytes;
    simulations::Seeded random(*rc::gen::arbitrary<std::uint64_t>());
    for (int i = 0; i < count; ++i) {
        starts.push_back(bytes.size());
        encode_record(bytes, RecordType::kChunk, noise(random.below(600), random.next()));
    }
    starts.push_back(bytes.size());
    const auto from = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const auto to = *rc::gen::inRange<std::size_t>(from, bytes.size()) + 1;
    for (std::size_t at = from; at < to; ++at)
        bytes[at] = static_cast<std::uint8_t>(bytes[at] + 1 + random.below(255));
    std::size_t whole = 0;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i)
        whole += starts[i + 1] <= from || starts[i] >= to ? 1u : 0u;
    RC_ASSERT(scan(bytes).ids.size() == whole);
}

}  // namespace
}  // namespace satchel::store
