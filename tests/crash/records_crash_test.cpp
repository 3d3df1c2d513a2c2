// A hub whose power is cut while it records, signs, imports and takes records of others.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/records/record_text.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;

constexpr std::int32_t kOffset = 480;

// Named, so that what is said again after a stop is the same record.
records::Event said(int headcount) {
    return must(records::event_from_words("viewing",
                                          {"session=s" + std::to_string(headcount), "course=maths",
                                           "headcount=" + std::to_string(headcount), "dur=60"},
                                          kOffset));
}

std::vector<records::Event> file_of(int lines) {
    std::vector<records::Event> events;
    for (int i = 1; i <= lines; ++i)
        events.push_back(must(records::event_from_json(
            R"({"kind":"order","site":"510700-0001","epoch":1,"theme":"rice","qty":1,"seq":)" +
                std::to_string(i) + "}",
            kOffset)));
    return events;
}

std::set<std::string> counted_at(site::Site& site) {
    std::set<std::string> ids;
    database::Statement select =
        must(site.database().prepare("SELECT origin, epoch, sequence, branch FROM fact"));
    while (must(select.step()))
        ids.insert(records::text_of(records::Identity{std::string(select.text(0)), select.integer(1),
                                                      select.integer(2), std::string(select.text(3))}));
    return ids;
}

// Segments of the east village, to be taken by the hub.
std::vector<ByteBuffer> segments_of_the_east() {
    FixedWorld world(40);
    const auto disk = disk_of(crash_county().east);
    const auto east = must(site::Site::open(*disk, world.world()));
    for (int i = 0; i < 3; ++i) {
        must(east->records().record({said(100 + i)}));
        must(east->records().close_segment());
    }
    std::vector<ByteBuffer> segments;
    must(east->records().segments_after(crash_county().east_id, {},
                                        [&](const records::SegmentId&, ByteView bytes) -> Result<bool> {
                                            segments.emplace_back(bytes.begin(), bytes.end());
                                            return true;
                                        }));
    return segments;
}

class Recording : public CrashCase {
  public:
    Recording() : segments_(segments_of_the_east()) {
        TwoDisks disks = start(false);
        run(disks, [] {});
        FixedWorld world(41);
        all_ = counted_at(*must(site::Site::open(*disks.box, world.world())));
    }
    [[nodiscard]] std::string name() const override { return "records"; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box, stick = fat_options();
        box.syncs_are_lies = stick.syncs_are_lies = syncs_are_lies;
        promised_.assign(1, {});
        return {disk_of(crash_county().hub_after, box), std::make_unique<SimDisk>(stick)};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(42);
        const auto hub = must(site::Site::open(*disks.box, world.world()));
        std::set<std::string> promised;
        const auto promise = [&] {
            promised_.push_back(promised);
            acknowledged();
        };
        const auto record = [&](std::vector<records::Event> events) {
            for (const records::Identity& id : must(hub->records().record(std::move(events))))
                promised.insert(records::text_of(id));
            promise();
        };
        record({said(1)});
        record({said(2), said(3)});
        must(hub->records().close_segment());
        promise();
        for (const ByteBuffer& segment : segments_) must(hub->records().accept(segment));
        must(hub->records().commit());
        for (const std::string& id : counted_at(*hub)) promised.insert(id);
        promise();
        record(file_of(70));
        record({said(4)});
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(43);
        const auto hub = must(site::Site::open(*found.box, world.world()));
        const std::set<std::string> counted = counted_at(*hub);
        for (const std::string& id : promised_.at(static_cast<std::size_t>(acknowledgements)))
            require(counted.contains(id), "an acknowledged record is gone: " + id);
        for (const std::string& id : counted) require(all_.contains(id), "counted, and never said: " + id);
        must(hub->records().verify(
            [](const Error& error) { require(false, "damaged: " + error.about + " " + error.detail); }));
        const std::string id = records::text_of(must(hub->records().record({said(9)})).front());
        all_.insert(id);  // a state may be cut off again after it was judged
        const std::set<std::string> more = counted_at(*hub);
        require(more.contains(id), "a record after the stop was not counted");
        must(hub->records().rebuild());
        require(counted_at(*hub) == more, "the log does not hold what the tables do");
    }

  private:
    std::vector<ByteBuffer> segments_;
    std::vector<std::set<std::string>> promised_;
    std::set<std::string> all_;
};

constexpr std::size_t kShare = 4;  // of the operations that share the wanted count

TEST(RecordsCrash, WhatWasAcknowledgedIsCountedAndNothingElse) {
    Recording work;
    const Explored explored = explore(work, options_for(crash_states_wanted() / kShare));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, crash_states_wanted() / kShare);
}

TEST(RecordsCrash, WithoutSyncsRecordsAreLost) {
    Recording work;
    EXPECT_GT(explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true}).violations, 0u);
}

}  // namespace
}  // namespace satchel
