// A hub whose power is cut while it records, signs, takes records of others, and imports a file of them.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;

// Segments of the east village, to be taken by the hub.
std::vector<ByteBuffer> segments_of_the_east() {
    FixedWorld world(40);
    const auto disk = disk_of(crash_county().east);
    const auto east = must(site::Site::open(*disk, world.world()));
    for (int i = 0; i < 3; ++i) {
        must(east->records().record({viewing_of(100 + i)}));
        must(east->records().close_segment());
    }
    return segments_of(*east, crash_county().east_id);
}

// What the cases have in common: a hub that says things one after the other.
class AtTheHub : public CrashCase {
  public:
    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions box;
        box.syncs_are_lies = syncs_are_lies;
        promised_.assign(1, {});
        return {disk_of(crash_county().hub_after, box), std::make_unique<SimDisk>()};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        FixedWorld world(42);
        const auto hub = must(site::Site::open(*disks.box, world.world()));
        work(*hub, [&](std::set<std::string> more) {
            more.insert(promised_.back().begin(), promised_.back().end());
            promised_.push_back(std::move(more));
            acknowledged();
        });
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        FixedWorld world(43);
        const auto hub = must(site::Site::open(*found.box, world.world()));
        const std::set<std::string> counted = counted_at(*hub);
        for (const std::string& id : promised_.at(static_cast<std::size_t>(acknowledgements)))
            require(counted.contains(id), "an acknowledged record is gone: " + id);
        for (const std::string& id : counted) require(all_.contains(id), "counted, and never said: " + id);
        for (const std::set<std::string>& batch : batches_) {
            const bool any = std::any_of(batch.begin(), batch.end(),
                                         [&](const std::string& id) { return counted.contains(id); });
            require(!any || std::includes(counted.begin(), counted.end(), batch.begin(), batch.end()),
                    "of what was said at once only a part is here");
        }
        require_records_sound(*hub);
        finish(*hub);
        const std::set<std::string> more = counted_at(*hub);
        must(hub->records().rebuild());
        require(counted_at(*hub) == more, "the log does not hold what the tables do");
    }

  protected:
    using Acknowledge = std::function<void(std::set<std::string> more)>;
    virtual void work(site::Site& hub, const Acknowledge& acknowledge) = 0;
    virtual void finish(site::Site& hub) = 0;  // after a stop

    std::set<std::string> record(site::Site& hub, std::vector<records::Event> events) {
        std::set<std::string> said;
        for (const records::Identity& id : must(hub.records().record(std::move(events))))
            said.insert(records::text_of(id));
        all_.insert(said.begin(), said.end());
        return said;
    }
    // Notes what was said in one call: all of it counts, or none. Equal in each run.
    std::set<std::string> at_once(std::set<std::string> batch) {
        if (std::find(batches_.begin(), batches_.end(), batch) == batches_.end()) batches_.push_back(batch);
        return batch;
    }
    // The case once without a stop: what is said at once, and all that may ever be counted.
    void rehearse() {
        TwoDisks disks = start(false);
        run(disks, [] {});
        FixedWorld world(41);
        all_ = counted_at(*must(site::Site::open(*disks.box, world.world())));
    }

    std::vector<std::set<std::string>> promised_;
    std::vector<std::set<std::string>> batches_;
    std::set<std::string> all_;
};

class Recording : public AtTheHub {
  public:
    Recording() : segments_(segments_of_the_east()) { rehearse(); }
    [[nodiscard]] std::string name() const override { return "records"; }

  protected:
    void work(site::Site& hub, const Acknowledge& acknowledge) override {
        const auto say = [&](std::vector<records::Event> events) {
            acknowledge(at_once(record(hub, std::move(events))));
        };
        say({viewing_of(1)});
        say({viewing_of(2), viewing_of(3), viewing_of(4)});
        say({viewing_of(5)});
        must(hub.records().close_segment());
        acknowledge({});
        accept_all(hub, segments_);
        acknowledge(counted_at(hub));
        say(orders_made_elsewhere(1, 70));
        say({viewing_of(6)});
    }
    void finish(site::Site& hub) override {
        const std::set<std::string> said = record(hub, {viewing_of(9)});
        require(counted_at(hub).contains(*said.begin()), "a record after the stop was not counted");
    }

  private:
    std::vector<ByteBuffer> segments_;
};

// A file of records made elsewhere, taken in parts, each at once.
class RecordImport : public AtTheHub {
  public:
    RecordImport() { rehearse(); }
    [[nodiscard]] std::string name() const override { return "record import"; }

  protected:
    static constexpr int kParts = 2, kPartSize = 80;

    void work(site::Site& hub, const Acknowledge& acknowledge) override {
        acknowledge(record(hub, {viewing_of(1)}));
        for (int part = 0; part < kParts; ++part) acknowledge(at_once(import_part(hub, part)));
        must(hub.records().close_segment());
        acknowledge({});
    }
    void finish(site::Site& hub) override {  // the whole file again
        for (int part = 0; part < kParts; ++part) import_part(hub, part);
        std::set<std::string> counted = counted_at(hub);
        for (const std::set<std::string>& batch : batches_)
            for (const std::string& id : batch)
                require(counted.erase(id) == 1, "the file was read again, and lacks " + id);
        require(counted.size() <= 1, "something of the file counts twice");
    }

  private:
    std::set<std::string> import_part(site::Site& hub, int part) {
        return record(hub, orders_made_elsewhere(part * kPartSize + 1, (part + 1) * kPartSize));
    }
};

void expect_no_violation(CrashCase& work, std::size_t states) {
    const Explored explored = explore(work, options_for(states));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, states);
}

void expect_caught_when_syncs_are_lies(CrashCase& work) {
    EXPECT_GT(explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true}).violations, 0u);
}

TEST(RecordsCrash, WhatWasAcknowledgedIsCountedAndNothingElse) {
    Recording work;
    expect_no_violation(work, crash_states_wanted() / 4);
}

TEST(RecordsCrash, WithoutSyncsRecordsAreLost) {
    Recording work;
    expect_caught_when_syncs_are_lies(work);
}

TEST(RecordImportCrash, TakesEachPartWholeOrNotAndFinishesWhenRunAgain) {
    RecordImport work;
    expect_no_violation(work, crash_states_wanted() / 8);
}

TEST(RecordImportCrash, IsCaughtWhenSyncsAreLies) {
    RecordImport work;
    expect_caught_when_syncs_are_lies(work);
}

}  // namespace
}  // namespace satchel
