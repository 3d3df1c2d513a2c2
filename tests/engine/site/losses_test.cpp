// Damage beyond mending: what is hit is named, given up and comes again; what may read another day stays.
#include <gtest/gtest.h>

#include "tests/support/contact.hpp"
#include "tests/support/county.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;

constexpr char kPack[] = "packs/00000001.pack";

class Losses : public testing::Test {
  protected:
    void SetUp() override {
        hub_ = found_hub(hub_disk_, world_.world());
        village_ = join_village(*hub_, village_disk_, world_.world(), "east");
        SimDisk folder;
        write_files(folder, {{"film/course.json", R"({"id": "film", "title": {"en": "x"}})"},
                             {"film/first.bin", noise(700'000, 1)},
                             {"film/second.bin", noise(700'000, 2)}});
        publish(*hub_, folder);
        carry();
    }

    void carry() {
        SimDisk stick;
        write_stick(*hub_, stick);
        read_stick(*village_, stick);
    }

    // What a look at every chunk finds after a bit in the middle of the pack has turned.
    site::Findings find_damage() {
        const std::uint64_t size = must(village_disk_.stat(kPack)).size;
        village_disk_.flip_bit(kPack, size / 2, 3);
        site::Findings findings;
        must(village_->store().verify([&](const store::Damage& damage) { findings.add(damage); },
                                      [](std::uint64_t, std::uint64_t) {}));
        return findings;
    }

    // Where the headers of records are hit, too, nothing says which chunks lay there.
    void lose_records_with_their_headers() {
        village_.reset();
        const std::unique_ptr<env::File> pack = must(village_disk_.open(kPack, env::OpenMode::kWrite));
        must(pack->write_at(must(pack->size()) / 2, ByteBuffer(400'000, 0)));
        must(pack->sync());
        village_ = must(site::Site::open(village_disk_, world_.world()));
    }

    site::Findings look_quickly() {
        site::Findings findings;
        must(village_->store().scrub(
            1, [&](const store::Damage& damage) { findings.add(damage); },
            [](std::uint64_t, std::uint64_t) {}));
        return findings;
    }

    site::Settlement settle(site::Findings& findings, site::GiveUp give_up,
                            const site::LackLimits& limits = {}) {
        NoProgress silent;
        return must(village_->settle(
            findings, give_up,
            [this](const site::Loss& loss) -> Result<void> {
                named_.push_back(loss.course + " " + std::to_string(loss.edition) + " " + loss.path);
                return {};
            },
            silent, limits));
    }

    site::WhyState state() { return must(village_->why("film")).state; }

    FixedWorld world_{1};
    SimDisk hub_disk_, village_disk_;
    std::unique_ptr<site::Site> hub_, village_;
    std::vector<std::string> named_;
};

TEST_F(Losses, AreNamedGivenUpAndComeAgain) {
    site::Findings findings = find_damage();
    ASSERT_EQ(findings.lost.size(), 1u);
    const site::Settlement settlement = settle(findings, site::GiveUp::kDamaged);
    EXPECT_EQ(settlement.given_up, 1u);
    EXPECT_EQ(settlement.lost_files, 1u);
    ASSERT_EQ(named_.size(), 1u);
    EXPECT_TRUE(named_[0] == "film 1 first.bin" || named_[0] == "film 1 second.bin") << named_[0];
    EXPECT_NE(state(), site::WhyState::kComplete);
    carry();
    EXPECT_EQ(state(), site::WhyState::kComplete);
    require_sound(*village_);
}

TEST_F(Losses, AreNoneWhereTheChunkReadsNow) {
    site::Findings findings = find_damage();
    village_disk_.flip_bit(kPack, must(village_disk_.stat(kPack)).size / 2, 3);
    EXPECT_EQ(settle(findings, site::GiveUp::kAll).given_up, 0u);
    EXPECT_TRUE(findings.lost.empty());
    EXPECT_TRUE(named_.empty());
    EXPECT_EQ(state(), site::WhyState::kComplete);
}

TEST_F(Losses, OfChunksThatNobodyCanNameAreNamedByWhatLacksThem) {
    lose_records_with_their_headers();
    site::Findings findings = look_quickly();
    EXPECT_TRUE(findings.lacks_chunks);
    const site::Settlement settlement = settle(findings, site::GiveUp::kDamaged);
    EXPECT_GT(settlement.given_up, 1u);
    EXPECT_GE(named_.size(), 1u);
    EXPECT_NE(state(), site::WhyState::kComplete);
    EXPECT_EQ(look_quickly().damaged, 0u) << "told once";
    carry();
    EXPECT_EQ(state(), site::WhyState::kComplete);
    require_sound(*village_);
}

TEST_F(Losses, OfMoreChunksWithoutNamesThanAPackHoldsWaitForAPerson) {
    lose_records_with_their_headers();
    site::Findings findings = look_quickly();
    const site::LackLimits limits{.given_up = 1};
    EXPECT_EQ(settle(findings, site::GiveUp::kDamaged, limits).given_up, 0u);
    EXPECT_GE(named_.size(), 1u);
    EXPECT_TRUE(findings.is_pack_hit) << "the remedy names --forget";
    EXPECT_EQ(must(village_->status()).complete, 1u);
    site::Findings again = look_quickly();
    EXPECT_TRUE(again.lacks_chunks) << "and is told again";
    EXPECT_EQ(settle(again, site::GiveUp::kAll, limits).given_up, 0u) << "the index is made anew instead";
    EXPECT_EQ(must(village_->status()).complete, 0u);
    carry();
    EXPECT_EQ(state(), site::WhyState::kComplete);
    require_sound(*village_);
}

TEST_F(Losses, OfMoreChunksThanAreRememberedAreGivenUpInTurns) {
    lose_records_with_their_headers();
    site::Findings findings = look_quickly();
    EXPECT_EQ(settle(findings, site::GiveUp::kDamaged, {.remembered = 1}).given_up, 1u);
    EXPECT_NE(state(), site::WhyState::kComplete);
    site::Findings again = look_quickly();
    EXPECT_TRUE(again.lacks_chunks) << "what is not known yet is not written off";
    settle(again, site::GiveUp::kDamaged, {.remembered = 1});
    EXPECT_EQ(look_quickly().damaged, 0u);
    carry();
    EXPECT_EQ(state(), site::WhyState::kComplete);
    require_sound(*village_);
}

TEST_F(Losses, OfAMissingPackComeAgainAsWell) {
    village_.reset();
    must(village_disk_.remove_file(kPack));
    village_ = must(site::Site::open(village_disk_, world_.world()));
    site::Findings findings;
    must(village_->store().scrub(
        1, [&](const store::Damage& damage) { findings.add(damage); }, [](std::uint64_t, std::uint64_t) {}));
    EXPECT_TRUE(findings.lacks_chunks && findings.is_pack_hit);
    EXPECT_GE(settle(findings, site::GiveUp::kDamaged).given_up, 1u);
    EXPECT_NE(state(), site::WhyState::kComplete);
    carry();
    EXPECT_EQ(state(), site::WhyState::kComplete);
}

class Stopped : public Progress {
  public:
    Result<void> update(const ProgressUpdate&) override {
        return fail(ErrorCode::kCancelled, "", "stopped before the end", "run it again");
    }
};

TEST_F(Losses, AreAllThereStillWhereTheNamingIsStopped) {
    site::Findings findings = find_damage();
    Stopped stopped;
    const Result<site::Settlement> settled = village_->settle(
        findings, site::GiveUp::kDamaged, [](const site::Loss&) -> Result<void> { return {}; }, stopped);
    ASSERT_FALSE(settled.has_value());
    EXPECT_EQ(settled.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(state(), site::WhyState::kComplete);
    // Packs with nothing lost had their turn, too; this one comes before them once more.
    site::Findings again;
    must(village_->store().scrub(
        1, [&](const store::Damage& damage) { again.add(damage); }, [](std::uint64_t, std::uint64_t) {}));
    EXPECT_EQ(again.lost, findings.lost);
    EXPECT_EQ(settle(again, site::GiveUp::kDamaged).given_up, 1u);
    carry();
    require_sound(*village_);
}

TEST_F(Losses, StayWhereNobodyWouldBringThemAgain) {
    must(village_->pin("film"));
    must(village_->unsubscribe({"all", ""}));
    site::Findings findings = find_damage();
    EXPECT_EQ(settle(findings, site::GiveUp::kDamaged).given_up, 0u);
    EXPECT_EQ(named_.size(), 1u);
    NoProgress silent;
    must(village_->collect(silent, false));
    must(village_->subscribe({"all", ""}));
    EXPECT_EQ(state(), site::WhyState::kComplete);
    EXPECT_EQ(settle(findings, site::GiveUp::kDamaged).given_up, 1u);
    carry();
    require_sound(*village_);
}

TEST_F(Losses, WaitWhereMendingWasHindered) {
    const store::Damage pack{"p", 0, {}, fail(ErrorCode::kNoSpace, "p", "full", "make room"), false, 0};
    store::Damage chunk{"p", 0, ChunkId{}, fail(ErrorCode::kDamaged, "p", "x", "y"), false, 0};
    site::Findings findings;
    findings.add(pack);
    findings.add(chunk);
    EXPECT_EQ(findings.unreadable.size(), 1u);
    chunk.pack = "q";
    chunk.chunk->digest[0] = 1;
    findings.add(chunk);
    EXPECT_EQ(findings.unreadable.size(), 1u);
    EXPECT_EQ(findings.lost.size(), 2u);
}

TEST_F(Losses, WaitWhereTheDiskMayGiveThemAnotherDay) {
    site::Findings findings = find_damage();
    findings.unreadable = findings.lost;
    site::Findings later = findings;
    EXPECT_EQ(settle(findings, site::GiveUp::kDamaged).given_up, 0u);
    EXPECT_EQ(named_.size(), 1u);
    EXPECT_EQ(state(), site::WhyState::kComplete);
    EXPECT_EQ(settle(later, site::GiveUp::kAll).given_up, 1u);
    EXPECT_NE(state(), site::WhyState::kComplete);
}

class HubLosses : public testing::Test {
  protected:
    void SetUp() override {
        write_files(folder_, {{"film/film.bin", noise(700'000, 1)},
                              {"film/note.txt", "one"},
                              {"songs/a.txt", "la"},
                              {"songs/b.txt", "lala"}});
        hub_ = found_hub(disk_, world_.world());
        publish(*hub_, folder_);
    }
    void expect_whole_once_more() {
        const site::PublishReport again = publish(*hub_, folder_);
        for (const site::PublishedCourse& course : again.courses) EXPECT_EQ(course.edition.number, 1u);
        EXPECT_EQ(must(hub_->status()).complete, 2u);
        NoProgress silent;
        must(hub_->rebuild_index(silent));  // a pack that is missing is told of until then
        EXPECT_EQ(must(hub_->status()).complete, 2u);
        require_sound(*hub_);
    }

    FixedWorld world_{1};
    SimDisk disk_, folder_;
    std::unique_ptr<site::Site> hub_;
};

TEST_F(HubLosses, OfAListOfFilesComeBackFromTheFolder) {
    must(hub_->store().forget(must(hub_->why("film")).edition->edition.manifest));
    EXPECT_NE(must(hub_->why("film")).state, site::WhyState::kComplete);
    expect_whole_once_more();
}

TEST_F(HubLosses, OfAWholePackComeBackFromTheFolder) {
    hub_.reset();
    must(disk_.remove_file(kPack));
    hub_ = must(site::Site::open(disk_, world_.world()));
    site::Findings findings;
    must(hub_->store().verify([&](const store::Damage& damage) { findings.add(damage); },
                              [](std::uint64_t, std::uint64_t) {}));
    NoProgress silent;
    must(hub_->settle(
        findings, site::GiveUp::kDamaged, [](const site::Loss&) -> Result<void> { return {}; }, silent));
    EXPECT_EQ(must(hub_->status()).complete, 0u);
    expect_whole_once_more();
}

}  // namespace
}  // namespace satchel
