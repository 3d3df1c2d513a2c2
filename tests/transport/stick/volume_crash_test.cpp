// A yank or power cut at any moment: committed records are there, what is there can be gone on with, and the
// head is the last acknowledged one or the next.
#include "simulations/world/crash_images.hpp"
#include "tests/transport/stick/volume_support.hpp"

namespace satchel::stick {
namespace {

using simulations::CrashBudget;
using simulations::CrashPlan;
using simulations::SimDisk;
using simulations::SimDiskOptions;

struct Outcome {
    std::size_t states = 0;
    std::size_t violations = 0;
    std::string first;

    void judge(const std::string& wrong, const CrashPlan& plan) {
        ++states;
        if (wrong.empty()) return;
        if (++violations == 1) first = wrong + " after " + simulations::describe(plan);
    }
};

// What is wrong with a stick on which the first `committed` of `records` were acknowledged.
std::string complaint(SimDisk& disk, const std::vector<ByteBuffer>& records, std::size_t committed,
                      const trust::SigningKey& key) {
    const Scan found = scan(disk);
    if (!found.opened) return committed == 0 ? "" : "the volume does not open";
    for (std::size_t i = 0; i < committed; ++i)
        if (i >= found.ids.size() || found.ids[i] != id_of(records[i])) return "a committed record is lost";
    std::vector<Digest> kept;
    auto writer =
        VolumeWriter::resume(disk, kPath, key, [&](const store::RecordHeader& header) -> Result<void> {
            kept.push_back(header.id);
            return {};
        });
    if (!writer.has_value()) return "cannot be gone on with: " + writer.error().detail;
    if (kept.size() < committed || kept.size() > records.size()) return "resume lost records";
    for (std::size_t i = 0; i < kept.size(); ++i)
        if (kept[i] != id_of(records[i])) return "resume kept what was not written there";
    for (std::size_t i = kept.size(); i < records.size(); ++i)
        if (!(*writer)->append(records[i]).has_value()) return "cannot append";
    if (!(*writer)->commit().has_value()) return "cannot commit";
    const Scan after = scan(disk);
    if (after.ids.size() != records.size() || !after.damaged.empty() || after.committed != size_of(disk))
        return "not whole after going on";
    return {};
}

Outcome explore_volume(SimDiskOptions options, CrashBudget budget) {
    const trust::SigningKey key = key_of(1);
    std::vector<ByteBuffer> records;
    for (std::uint64_t i = 0; i < 12; ++i) records.push_back(record_of(i, 200 + 700 * (i % 4)));
    const auto disk = stick_disk(options);
    Outcome outcome;
    std::size_t committed = 0;
    std::set<std::pair<std::size_t, Digest>> judged;
    const auto look = [&](SimDisk& now) {
        std::set<Digest> seen;
        simulations::for_each_image(now, budget, seen, [&](SimDisk& state, const CrashPlan& plan) {
            if (!judged.insert({committed, simulations::image_hash(state)}).second) return;
            outcome.judge(complaint(state, records, committed, key), plan);
        });
    };
    disk->on_sync = look;
    {
        auto writer = VolumeWriter::create(*disk, kPath, header_of(key), key);
        EXPECT_TRUE(writer.has_value());
        for (std::size_t i = 0; i < 8; ++i) {
            EXPECT_TRUE((*writer)->append(records[i]).has_value());
            if (i % 3 != 2) continue;
            EXPECT_TRUE((*writer)->commit().has_value());
            committed = i + 1;
            look(*disk);
        }
    }
    look(*disk);  // six are committed, two hang in the air
    {
        std::size_t kept = 0;
        auto writer =
            VolumeWriter::resume(*disk, kPath, key, [&](const store::RecordHeader&) -> Result<void> {
                ++kept;
                return {};
            });
        EXPECT_TRUE(writer.has_value());
        EXPECT_EQ(kept, 8U);
        for (std::size_t i = kept; i < 10; ++i) EXPECT_TRUE((*writer)->append(records[i]).has_value());
        EXPECT_TRUE((*writer)->commit().has_value());
        committed = 10;
    }
    look(*disk);
    return outcome;
}

TEST(VolumeCrash, LosesNoCommittedRecordOnFat) {
    const Outcome outcome =
        explore_volume({.profile = SimDiskOptions::kFat}, {.singles_max = 32, .random_mixes = 100});
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 200U);
    std::printf("crash states: %zu volume on FAT\n", outcome.states);
}

TEST(VolumeCrash, LosesNoCommittedRecordOnAJournaledDisk) {
    const Outcome outcome = explore_volume({}, {.singles_max = 32, .random_mixes = 100});
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 200U);
    std::printf("crash states: %zu volume\n", outcome.states);
}

TEST(VolumeCrash, IsCaughtWhenSyncsAreLies) {
    const Outcome outcome = explore_volume({.profile = SimDiskOptions::kFat, .syncs_are_lies = true},
                                           {.singles_max = 4, .random_mixes = 4});
    EXPECT_GT(outcome.violations, 0U);
}

// Every single operation of the stick fails once, or is the last: what was acknowledged stays.
TEST(VolumeCrash, BearsAFailureOfAnyOperation) {
    const trust::SigningKey key = key_of(1);
    std::vector<ByteBuffer> records;
    for (std::uint64_t i = 0; i < 6; ++i) records.push_back(record_of(i, 300 + 500 * i));
    const auto write = [&](SimDisk& disk) {
        std::size_t committed = 0;
        auto writer = VolumeWriter::create(disk, kPath, header_of(key), key);
        if (!writer.has_value()) return committed;
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (!(*writer)->append(records[i]).has_value()) return committed;
            if (i % 2 == 0) continue;
            if (!(*writer)->commit().has_value()) return committed;
            committed = i + 1;
        }
        return committed;
    };
    const std::uint64_t before = stick_disk()->operations();
    for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kNoSpace, ErrorCode::kReadOnly}) {
        std::uint64_t number = before + 1;
        for (;; ++number) {
            const auto disk = stick_disk();
            disk->fail_operation(number, code);
            const std::size_t committed = write(*disk);
            if (number > disk->operations()) break;
            std::set<Digest> seen;
            simulations::for_each_image(*disk, {.singles_max = 4, .random_mixes = 4}, seen,
                                        [&](SimDisk& state, const CrashPlan& plan) {
                                            EXPECT_EQ(complaint(state, records, committed, key), "")
                                                << "operation " << number << ", "
                                                << simulations::describe(plan);
                                        });
            EXPECT_EQ(complaint(*disk, records, committed, key), "") << "operation " << number;
        }
        EXPECT_GT(number, before + 12);
    }
}

Head head_of(const trust::SigningKey& key, std::uint64_t generation) {
    Head head;
    head.generation = generation;
    head.writer = key.public_key();
    head.volumes = {{static_cast<std::uint32_t>(generation), generation * 1000}};
    return head;
}

Outcome explore_heads(SimDiskOptions options, CrashBudget budget) {
    const trust::SigningKey key = key_of(1);
    const auto disk = stick_disk(options);
    Outcome outcome;
    std::uint64_t acknowledged = 0;
    std::set<std::pair<std::uint64_t, Digest>> judged;
    const auto complain = [&](SimDisk& state) -> std::string {
        int damaged = 0;
        const Result<std::optional<Head>> head = read_head(state, kFolder, damaged);
        if (!head.has_value()) return "cannot be read: " + head.error().detail;
        const std::uint64_t generation = *head ? (*head)->generation : 0;
        if (generation < acknowledged || generation > acknowledged + 1) return "the head is lost";
        if (*head && **head != head_of(key, generation)) return "the head says something else";
        if (!write_head(state, kFolder, head_of(key, generation + 1), key).has_value())
            return "no head can be written";
        const Result<std::optional<Head>> next = read_head(state, kFolder, damaged);
        return next.has_value() && *next && (*next)->generation == generation + 1
                   ? ""
                   : "the next head is not read";
    };
    const auto look = [&](SimDisk& now) {
        std::set<Digest> seen;
        simulations::for_each_image(now, budget, seen, [&](SimDisk& state, const CrashPlan& plan) {
            if (judged.insert({acknowledged, simulations::image_hash(state)}).second)
                outcome.judge(complain(state), plan);
        });
    };
    disk->on_sync = look;
    for (std::uint64_t generation = 1; generation <= 8; ++generation) {
        EXPECT_TRUE(write_head(*disk, kFolder, head_of(key, generation), key).has_value());
        acknowledged = generation;
        look(*disk);
    }
    return outcome;
}

TEST(HeadCrash, LosesNoAcknowledgedHeadOnFat) {
    const Outcome outcome =
        explore_heads({.profile = SimDiskOptions::kFat}, {.singles_max = 16, .random_mixes = 100});
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
    EXPECT_GT(outcome.states, 200U);
    std::printf("crash states: %zu heads on FAT\n", outcome.states);
}

TEST(HeadCrash, BearsFlashPagesThatGoBadAsAWhole) {
    const Outcome outcome =
        explore_heads({.profile = SimDiskOptions::kFat, .garbage_spill_bytes = kSlotBytes},
                      {.singles_max = 16, .random_mixes = 100});
    EXPECT_EQ(outcome.violations, 0U) << outcome.first;
}

TEST(HeadCrash, IsCaughtWhenSyncsAreLies) {
    const Outcome outcome = explore_heads({.profile = SimDiskOptions::kFat, .syncs_are_lies = true},
                                          {.singles_max = 4, .random_mixes = 8});
    EXPECT_GT(outcome.violations, 0U);
}

}  // namespace
}  // namespace satchel::stick
