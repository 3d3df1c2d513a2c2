// Small volumes for tests, and what a reader makes of any file.
#pragma once

#include <gtest/gtest.h>

#include "engine/base/encoding.hpp"
#include "simulations/world/seeded.hpp"
#include "simulations/world/sim_disk.hpp"
#include "transport/stick/layout.hpp"
#include "transport/stick/volume_format.hpp"

namespace satchel::stick {

inline constexpr char kFolder[] = "SATCHEL/0A0B0C0D";
inline constexpr char kPath[] = "SATCHEL/0A0B0C0D/00000001.SAT";

inline trust::SigningKey key_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return trust::SigningKey::from_seed(bytes);
}

inline VolumeHeader header_of(const trust::SigningKey& key) {
    VolumeHeader header;
    header.network.digest.fill(0x11);
    header.writer = key.public_key();
    header.stick.fill(0x55);
    header.number = 1;
    return header;
}

// Bytes that do not compress, of a record that no other seed gives.
inline ByteBuffer record_of(std::uint64_t seed, std::size_t size,
                            store::RecordType type = store::RecordType::kChunk) {
    ByteBuffer plain(size);
    simulations::Seeded random(seed * 7919 + size);
    random.fill(plain);
    ByteBuffer record;
    store::encode_record(record, type, plain);
    return record;
}

inline Digest id_of(const ByteBuffer& record) { return store::decode_header(record)->id; }

inline std::unique_ptr<simulations::SimDisk> stick_disk(simulations::SimDiskOptions options = {
                                                            .profile = simulations::SimDiskOptions::kFat}) {
    auto disk = std::make_unique<simulations::SimDisk>(options);
    EXPECT_TRUE(env::make_directories(*disk, kFolder).has_value());
    EXPECT_TRUE(disk->sync_directory("").has_value() && disk->sync_directory("SATCHEL").has_value());
    return disk;
}

struct Scan {
    bool opened = false;
    std::vector<Digest> ids;
    std::vector<std::uint64_t> places;
    std::vector<std::uint64_t> damaged;
    std::vector<ErrorCode> codes;
    std::uint64_t committed = 0;
};

inline Scan scan(env::Disk& disk, std::string_view path = kPath) {
    Scan result;
    const Result<std::unique_ptr<VolumeReader>> reader = VolumeReader::open(disk, path);
    if (!reader.has_value()) return result;
    result.opened = true;
    const auto damaged = [&](std::uint64_t place, const Error& error) {
        result.damaged.push_back(place);
        result.codes.push_back(error.code);
    };
    while (true) {
        const Result<std::optional<VolumeRecord>> record = (*reader)->next(damaged);
        EXPECT_TRUE(record.has_value()) << record.error().detail;
        if (!record.has_value() || !*record) break;
        EXPECT_TRUE(store::check_record((*record)->bytes).has_value());
        result.ids.push_back((*record)->header.id);
        result.places.push_back((*record)->place);
    }
    result.committed = (*reader)->committed_bytes();
    return result;
}

// A volume with a commit after each `commit_every` records.
inline void write_volume(env::Disk& disk, const std::vector<ByteBuffer>& records, std::size_t commit_every,
                         const trust::SigningKey& key, std::string_view path = kPath) {
    auto writer = VolumeWriter::create(disk, path, header_of(key), key);
    ASSERT_TRUE(writer.has_value());
    for (std::size_t i = 0; i < records.size(); ++i) {
        ASSERT_TRUE((*writer)->append(records[i]).has_value());
        const bool is_due = (i + 1) % commit_every == 0;
        ASSERT_TRUE(!is_due || (*writer)->commit().has_value());
    }
    ASSERT_TRUE((*writer)->commit().has_value());
}

inline std::uint64_t size_of(env::Disk& disk, std::string_view path = kPath) { return disk.stat(path)->size; }

inline void put_file(env::Disk& disk, std::string_view path, ByteView bytes) {
    auto file = disk.open(path, env::OpenMode::kWrite);
    ASSERT_TRUE(file.has_value() && (*file)->truncate(0).has_value() &&
                (*file)->write_at(0, bytes).has_value());
}

inline ByteBuffer get_file(env::Disk& disk, std::string_view path = kPath) {
    return env::read_file(disk, path, 64 * 1024 * 1024).value();
}

}  // namespace satchel::stick
