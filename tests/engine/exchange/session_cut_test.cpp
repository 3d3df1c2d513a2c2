// What a cut costs, what a kill costs, and who else may go on.
#include <gtest/gtest.h>

#include "tests/support/contact.hpp"
#include "tests/support/crash_county.hpp"

namespace satchel::exchange {
namespace {

using namespace support;

// A hub with a film of several megabytes that do not compress.
class CutLink : public testing::Test {
  protected:
    CutLink() {
        simulations::SimDisk folder;
        write_files(folder, {{"film/course.json", R"({"id": "film", "title": {"en": "A film"}})"},
                             {"film/film.mp4", noise(3'000'000, 9)},
                             {"film/small.txt", "first\n"}});
        publish(*hub_.site, folder, 1);
        review_everything(*hub_.site);
        must(hub_.wants->refresh());
    }

    // All that a whole transfer brings.
    std::uint64_t record_bytes() {
        std::uint64_t bytes = 0;
        for (const ChunkId& id : objects_held(*hub_.site))
            bytes += must(hub_.site->store().read_record(id)).size();
        return bytes;
    }

    NetSite hub_{crash_county().hub_after, 81};
    NetSite west_{crash_county().west, 82};
};

TEST_F(CutLink, GoesOnInMidChunkAndSendsNothingTwice) {
    std::uint64_t received = 0, largest_step = 0;
    int contacts = 0;
    for (bool done = false; !done; ++contacts) {
        ASSERT_LT(contacts, 40);
        NetOptions options;
        options.cut_after_bytes = 700'000;  // of which 500,000 are still on the line when it is cut
        const ContactReport report = meet(west_, hub_, options);
        EXPECT_FALSE(report.broken.has_value());
        EXPECT_EQ(report.first.bytes_again, 0u);
        const std::uint64_t step = report.first.cost_of(Stage::kContent).bytes_received;
        received += step;
        largest_step = std::max(largest_step, step);
        done = report.done;
    }
    EXPECT_GT(contacts, 5);
    EXPECT_EQ(checkouts(*west_.site), checkouts(*hub_.site));
    const std::uint64_t whole = record_bytes();
    EXPECT_LE(received, whole + whole / 50) << "of " << whole << " bytes, messages and all";
}

// The hub answers a greeting that may be a copy with 64 KiB only. A village that has asked for enough and has
// nothing else to say must not leave it at that until it greets again.
TEST_F(CutLink, GoesOnWithoutAPause) {
    NetOptions options;
    for (const std::uint64_t moved : {700'000u, 1'500'000u}) {
        options.cut_after_bytes = moved;
        ASSERT_FALSE(meet(west_, hub_, options).done);
    }
    const ContactReport report = meet(west_, hub_);
    EXPECT_TRUE(report.done);
    EXPECT_GT(report.bytes, 1'000'000u);
    EXPECT_LE(report.lasted_ms, static_cast<std::int64_t>(report.bytes / 250) + 2'500);  // the line's time
}

TEST_F(CutLink, CostsAtMostOneChunkAfterAKill) {
    std::uint64_t received = 0;
    int contacts = 0;
    std::uint64_t largest = 0;
    for (const ChunkId& id : objects_held(*hub_.site))
        largest = std::max<std::uint64_t>(largest, must(hub_.site->store().read_record(id)).size());
    for (bool done = false; !done; ++contacts) {
        ASSERT_LT(contacts, 60);
        NetOptions options;
        options.cut_after_bytes = 900'000;
        Contact contact(west_, hub_, options);
        while (contact.step()) {
        }
        received += contact.session(0).report().cost_of(Stage::kContent).bytes_received;
        done = contact.session(0).is_done();
        contact.forget();
        west_.kill();
    }
    EXPECT_GT(contacts, 4);
    EXPECT_EQ(checkouts(*west_.site), checkouts(*hub_.site));
    const std::uint64_t whole = record_bytes();
    EXPECT_LE(received, whole + whole / 50 + static_cast<std::uint64_t>(contacts) * largest);
    require_sound(*west_.site);
}

TEST_F(CutLink, UsesTheLineWhileContentComes) {
    NetOptions options;
    const ContactReport report = meet(west_, hub_, options);
    ASSERT_TRUE(report.done);
    // 3 MB at 250,000 B/s are 12 s; greetings, catalogue and the last round trips come on top.
    const auto line_ms = static_cast<std::int64_t>(report.bytes * 1000 / options.bytes_per_second);
    EXPECT_LE(report.lasted_ms, line_ms + 8 * 600);
}

TEST_F(CutLink, SharesWantsBetweenTwoLinks) {
    // The east village holds everything; the west asks both it and the hub.
    NetSite east(crash_county().east, 84);
    ASSERT_TRUE(meet(east, hub_).done);
    NetOptions few;
    few.bytes_per_second = 50'000;
    Contact with_hub(west_, hub_, few);
    while (with_hub.now().unix_ms - west_.world.clock.wall().unix_ms < 5'000 && with_hub.step()) {
    }
    Contact with_east(west_, east, few);
    bool hub_goes_on = true, east_goes_on = true;
    while (hub_goes_on || east_goes_on) {
        const bool hub_is_next = hub_goes_on && (!east_goes_on || with_hub.now() <= with_east.now());
        if (hub_is_next)
            hub_goes_on = with_hub.step();
        else
            east_goes_on = with_east.step();
    }
    const ContactReport hub_report = with_hub.finish(), east_report = with_east.finish();
    EXPECT_TRUE(hub_report.done);
    EXPECT_EQ(hub_report.first.bytes_again + east_report.first.bytes_again, 0u);
    EXPECT_GT(hub_report.first.chunks_taken, 0u);
    EXPECT_GT(east_report.first.chunks_taken, 0u);
    EXPECT_EQ(checkouts(*west_.site), checkouts(*hub_.site));
}

TEST_F(CutLink, ThatStaysTellsWhatIsNew) {
    NetOptions options;
    options.stay = true;
    Contact contact(west_, hub_, options);
    while (contact.step()) {
    }
    EXPECT_EQ(checkouts(*west_.site), checkouts(*hub_.site));
    simulations::SimDisk folder;
    write_files(folder, {{"wells/course.json", R"({"id": "wells", "title": {"en": "Wells"}})"},
                         {"wells/new.txt", "news\n"}});
    publish(*hub_.site, folder, 1);
    review_everything(*hub_.site);
    must(hub_.wants->refresh());
    while (contact.step()) {
    }
    EXPECT_FALSE(contact.session(0).is_done());
    EXPECT_EQ(checkouts(*west_.site), checkouts(*hub_.site));
}

TEST_F(CutLink, IsNotHeldWithARevokedSite) {
    ASSERT_TRUE(meet(west_, hub_).done);
    must(hub_.site->revoke_site("west"));
    const auto begun = Session::begin(hub_.replica(), *hub_.wants, {.peer = west_.id()}, {});
    ASSERT_FALSE(begun.has_value());
    EXPECT_EQ(begun.error().code, ErrorCode::kRefused);
}

}  // namespace
}  // namespace satchel::exchange
