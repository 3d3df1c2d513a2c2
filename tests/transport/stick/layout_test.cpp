// Folders and heads on a stick.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/transport/stick/volume_support.hpp"

namespace satchel::stick {
namespace {

constexpr char kHeads[] = "SATCHEL/0A0B0C0D/HEADS.SAT";

Head head_of(const trust::SigningKey& key, std::uint64_t generation) {
    Head head;
    head.generation = generation;
    head.network.digest.fill(0x11);
    head.writer = key.public_key();
    head.stick.fill(0x55);
    head.volumes = {{1, 4096}, {7, 1'000'000 + generation}};
    return head;
}

std::optional<Head> read(env::Disk& disk, int damaged_expected = 0) {
    int damaged = 0;
    const Result<std::optional<Head>> head = read_head(disk, kFolder, damaged);
    EXPECT_TRUE(head.has_value());
    EXPECT_EQ(damaged, damaged_expected);
    return head.has_value() ? *head : std::nullopt;
}

TEST(Head, IsAbsentUntilItIsWritten) {
    const auto disk = stick_disk();
    EXPECT_EQ(read(*disk), std::nullopt);
}

TEST(Head, TheNewestCountsAndTheFileKeepsItsSize) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    for (std::uint64_t generation = 1; generation <= 8; ++generation) {
        ASSERT_TRUE(write_head(*disk, kFolder, head_of(key, generation), key).has_value());
        EXPECT_EQ(read(*disk), head_of(key, generation));
        EXPECT_EQ(disk->stat(kHeads)->size, kSlots * kSlotBytes);
    }
}

TEST(Head, DoesNotGoBack) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    ASSERT_TRUE(write_head(*disk, kFolder, head_of(key, 5), key).has_value());
    EXPECT_EQ(write_head(*disk, kFolder, head_of(key, 5), key).error().code, ErrorCode::kRefused);
    EXPECT_EQ(write_head(*disk, kFolder, head_of(key, 4), key).error().code, ErrorCode::kRefused);
    EXPECT_EQ(read(*disk), head_of(key, 5));
}

TEST(Head, NeverWritesToTheSlotOfTheNewestOne) {
    const trust::SigningKey key = key_of(1);
    for (std::size_t broken = 0; broken <= kSlots; ++broken) {  // kSlots: none
        const auto disk = stick_disk();
        for (std::uint64_t generation = 1; generation <= 4; ++generation)
            ASSERT_TRUE(write_head(*disk, kFolder, head_of(key, generation), key).has_value());
        if (broken < kSlots) disk->flip_bit(kHeads, broken * kSlotBytes + 10, 1);
        int damaged = 0;
        const Head newest = read_head(*disk, kFolder, damaged)->value();
        const ByteBuffer before = get_file(*disk, kHeads);
        ASSERT_TRUE(write_head(*disk, kFolder, head_of(key, 9), key).has_value());
        const ByteBuffer after = get_file(*disk, kHeads);
        std::size_t kept = 0;
        for (std::size_t slot = 0; slot < kSlots; ++slot) {
            const ByteView old_slot = ByteView(before).subspan(slot * kSlotBytes, kSlotBytes);
            const Result<Head> held = decode_head(old_slot);
            if (!held.has_value() || *held != newest) continue;
            EXPECT_TRUE(equal(old_slot, ByteView(after).subspan(slot * kSlotBytes, kSlotBytes)));
            ++kept;
        }
        EXPECT_EQ(kept, 1U);
    }
}

TEST(Head, AnyFlippedByteLeavesTheOneBefore) {
    const auto disk = stick_disk();
    const trust::SigningKey key = key_of(1);
    ASSERT_TRUE(write_head(*disk, kFolder, head_of(key, 1), key).has_value());
    ASSERT_TRUE(write_head(*disk, kFolder, head_of(key, 2), key).has_value());
    const ByteBuffer bytes = get_file(*disk, kHeads);
    std::size_t newest = 0;
    while (decode_head(ByteView(bytes).subspan(newest * kSlotBytes, kSlotBytes))->generation != 2) ++newest;
    for (std::size_t at = 0; at < kSlotBytes; ++at) {
        disk->flip_bit(kHeads, newest * kSlotBytes + at, at % 8);
        EXPECT_EQ(read(*disk, 1), head_of(key, 1)) << at;
        disk->flip_bit(kHeads, newest * kSlotBytes + at, at % 8);
    }
}

TEST(Head, RefusesAnotherKeysSignatureAndTellsANewerVersion) {
    const trust::SigningKey key = key_of(1);
    const ByteBuffer good = encode(head_of(key, 3), key);
    const auto with_checksum = [](ByteBuffer slot) {
        const Digest digest = hash_of(ByteView(slot).first(kSlotBytes - 32));
        std::copy(digest.begin(), digest.end(), slot.end() - 32);
        return slot;
    };
    ByteBuffer forged = good;
    forged[8] ^= 4;  // the generation
    EXPECT_EQ(decode_head(forged).error().code, ErrorCode::kDamaged);
    EXPECT_EQ(decode_head(with_checksum(forged)).error().code, ErrorCode::kRefused);
    ByteBuffer newer = good;
    newer[4] = 2;
    newer = with_checksum(newer);
    EXPECT_EQ(decode_head(newer).error().code, ErrorCode::kUnsupported);

    const auto disk = stick_disk();
    ASSERT_TRUE(write_head(*disk, kFolder, head_of(key, 3), key).has_value());
    put_file(*disk, kHeads, newer);
    int damaged = 0;
    EXPECT_EQ(read_head(*disk, kFolder, damaged).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(write_head(*disk, kFolder, head_of(key, 9), key).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(get_file(*disk, kHeads), newer);
}

TEST(Head, HoldsAsManyVolumesAsAFolderMayHave) {
    const trust::SigningKey key = key_of(1);
    Head head = head_of(key, 1);
    head.volumes.clear();
    for (std::uint32_t i = 0; i < kVolumesMax; ++i) head.volumes.push_back({i * 3, i});
    const ByteBuffer slot = encode(head, key);
    EXPECT_EQ(slot.size(), kSlotBytes);
    EXPECT_EQ(decode_head(slot).value(), head);
}

RC_GTEST_PROP(Head, AnyBytesAreReadOrRefused, (const std::vector<std::uint8_t>& bytes)) {
    RC_ASSERT(!decode_head(bytes).has_value());
    ByteBuffer slot = bytes;
    slot.resize(kSlotBytes);
    RC_ASSERT(!decode_head(slot).has_value());
}

TEST(Layout, NamesAreShortAndUpperCase) {
    SiteId site;
    site.digest = {0x1a, 0x2b, 0x3c, 0x4d, 0xff};
    EXPECT_EQ(site_folder(site), "SATCHEL/1A2B3C4D");
    EXPECT_EQ(volume_path("SATCHEL/1A2B3C4D", 0xabc), "SATCHEL/1A2B3C4D/00000ABC.SAT");
}

TEST(Layout, ListsOnlyWhatIsOurs) {
    simulations::SimDisk disk;
    for (const char* folder :
         {"SATCHEL", "SATCHEL/1A2B3C4D", "SATCHEL/00000001", "SATCHEL/photos", "SATCHEL/12345678X"})
        ASSERT_TRUE(disk.make_directory(folder).has_value());
    for (const char* file : {"SATCHEL/AAAAAAAA", "SATCHEL/README.TXT", "SATCHEL/1A2B3C4D/00000002.SAT",
                             "SATCHEL/1A2B3C4D/0000000A.SAT", "SATCHEL/1A2B3C4D/HEADS.SAT",
                             "SATCHEL/1A2B3C4D/00000003.TMP", "SATCHEL/1A2B3C4D/0000000G.SAT"})
        put_file(disk, file, bytes_of("x"));
    EXPECT_EQ(list_site_folders(disk).value(),
              (std::vector<std::string>{"SATCHEL/00000001", "SATCHEL/1A2B3C4D"}));
    EXPECT_EQ(list_volumes(disk, "SATCHEL/1A2B3C4D").value(), (std::vector<std::uint32_t>{2, 10}));
}

TEST(Layout, FindsNamesThatADriverShowsInLowerCase) {
    simulations::SimDisk disk({.profile = simulations::SimDiskOptions::kFat});
    ASSERT_TRUE(env::make_directories(disk, "satchel/1a2b3c4d").has_value());
    put_file(disk, "satchel/1a2b3c4d/0000000a.sat", bytes_of("x"));
    EXPECT_EQ(list_site_folders(disk).value(), std::vector<std::string>{"SATCHEL/1A2B3C4D"});
    EXPECT_EQ(list_volumes(disk, "SATCHEL/1A2B3C4D").value(), std::vector<std::uint32_t>{10});
}

TEST(Layout, AStickWithoutOurFolderIsNotFound) {
    simulations::SimDisk disk;
    EXPECT_EQ(list_site_folders(disk).error().code, ErrorCode::kNotFound);
}

TEST(Layout, MoreFoldersOrVolumesThanThereCanBeAreRefused) {
    simulations::SimDisk disk;
    ASSERT_TRUE(env::make_directories(disk, "SATCHEL/00000000").has_value());
    for (std::uint32_t i = 0; i <= kVolumesMax; ++i)
        put_file(disk, volume_path("SATCHEL/00000000", i), bytes_of("x"));
    EXPECT_EQ(list_volumes(disk, "SATCHEL/00000000").error().code, ErrorCode::kTooLarge);
    for (std::uint32_t i = 1; i <= kSiteFoldersMax; ++i) {
        const std::string path = volume_path("SATCHEL", i);
        ASSERT_TRUE(disk.make_directory(path.substr(0, path.size() - 4)).has_value());
    }
    EXPECT_EQ(list_site_folders(disk).error().code, ErrorCode::kTooLarge);
}

TEST(Layout, PreparingAStickTwiceChangesNothing) {
    simulations::SimDisk disk({.profile = simulations::SimDiskOptions::kFat});
    SiteId site;
    site.digest.fill(0xAB);
    ASSERT_TRUE(prepare_stick(disk, site).has_value());
    const Digest before = simulations::tree_hash(disk.tree());
    ASSERT_TRUE(prepare_stick(disk, site).has_value());
    EXPECT_EQ(simulations::tree_hash(disk.tree()), before);
    EXPECT_GT(disk.stat("SATCHEL/README.TXT")->size, 100U);
    EXPECT_EQ(list_site_folders(disk).value(), std::vector<std::string>{"SATCHEL/ABABABAB"});
}

}  // namespace
}  // namespace satchel::stick
