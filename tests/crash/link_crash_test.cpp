// Two sites whose power is cut while they are in conversation over a link and take from each other: the box
// of the harness is the site that takes most, its stick is the disk of the other site. Either may stop while
// the other goes on, or both.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "engine/exchange/acknowledgement.hpp"
#include "engine/exchange/edition_walk.hpp"
#include "engine/exchange/haves.hpp"
#include "engine/exchange/holdings.hpp"
#include "simulations/contact.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/crash_harness.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel {
namespace {

using namespace support;
using simulations::SimDisk;
using simulations::SimDiskOptions;
using simulations::Tree;

// One of the two, running.
struct Running {
    Running(SimDisk& disk, std::uint64_t seed)
        : world(seed),
          site(must(site::Site::open(disk, world.world()))),
          wants(must(exchange::Wants::create(site->replica()))) {}
    [[nodiscard]] simulations::LineEnd end() { return {site->replica(), *wants}; }

    FixedWorld world;
    std::unique_ptr<site::Site> site;
    std::unique_ptr<exchange::Wants> wants;
};

// What one site has told the other, or its own people: it must be so after any stop.
struct Told {
    Promise promise;
    std::set<std::string> counted;
    std::set<records::SegmentId> segments;
    ByteBuffer have;  // as numbered in the newest greeting
    std::uint64_t have_known = 0, receipts_known = 0;
    friend bool operator==(const Told&, const Told&) = default;
};
using ToldByBoth = std::array<Told, 2>;

// A site calls complete what its have says, and nothing more is promised of content.
Promise promised_by(site::Site& site) {
    Promise promise{picture_of(site), {}};
    must(site.catalogue().for_each_edition([&](const catalogue::EditionState& state) -> Result<void> {
        if (!must(exchange::is_complete(site.database(), state.edition.manifest))) return {};
        promise.objects.merge(objects_of(site, state.edition.manifest));
        return {};
    }));
    return promise;
}

std::uint64_t have_of_peer(site::Site& site, const SiteId& peer) {
    const std::optional<exchange::Have> have = must(exchange::peer_have(site.replica(), peer));
    return have ? have->sequence : 0;
}

std::uint64_t receipts_of_peer(site::Site& site, const SiteId& peer) {
    std::uint64_t known = 0;
    must(exchange::for_each_receipt_of(site.replica(), peer,
                                       [&](std::uint64_t sequence, ByteView) -> Result<void> {
                                           known = sequence;
                                           return {};
                                       }));
    return known;
}

// Adds what a message tells of its sender.
void note_said(Told& told, site::Site& site, ByteView bytes) {
    const exchange::Message message = must(exchange::decode_message(bytes, site.self().id));
    if (const auto* hello = std::get_if<exchange::Hello>(&message.body)) {
        told.promise = promised_by(site);
        require(told.promise.picture.root_version == hello->root_version, "another root is told of");
        require(told.promise.picture.heads == hello->lanes, "other heads of lanes are told of");
        for (const auto* feeds : {&hello->feeds, &hello->more_feeds})
            for (const exchange::Feed& feed : *feeds)
                for (const exchange::FeedHead& head : feed.heads)
                    told.segments.insert(records::SegmentId{head.head.digest});
        told.have = must(exchange::own_have(site.replica()));
        require(must(exchange::decode_have(told.have)).sequence == hello->have_sequence,
                "another have is told of");
        told.have_known = hello->have_known;
        told.receipts_known = hello->receipts_known;
    } else if (const auto* word = std::get_if<exchange::AcknowledgementMessage>(&message.body)) {
        for (const exchange::AcknowledgedFeed& feed :
             must(exchange::decode_acknowledgement(word->bytes)).feeds)
            for (const exchange::FeedHead& head : feed.heads)
                told.segments.insert(records::SegmentId{head.head.digest});
    }
}

void require_as_told(site::Site& site, const SiteId& peer, const Told& told) {
    require_kept(site, told.promise);
    const std::set<std::string> counted = counted_at(site);
    for (const std::string& id : told.counted)
        require(counted.contains(id), "an acknowledged record is gone: " + id);
    for (const records::SegmentId& id : told.segments)
        require(must(site.records().has(id)), "a segment that this site said to have is gone");
    require(have_of_peer(site, peer) >= told.have_known, "an older have of the other site is known");
    require(receipts_of_peer(site, peer) >= told.receipts_known, "a receipt that was told of is gone");
    if (told.have.empty()) return;
    const ByteBuffer now = must(exchange::own_have(site.replica()));
    const std::uint64_t number = must(exchange::decode_have(now)).sequence;
    const std::uint64_t before = must(exchange::decode_have(told.have)).sequence;
    require(number > before || (number == before && now == told.have),
            "a have comes under a number that was told for another");
}

struct Trees {
    Tree box, other;
};

class Meeting : public CrashCase {
  public:
    Meeting(std::string name, Trees trees) : name_(std::move(name)), trees_(std::move(trees)) {
        TwoDisks disks = start(false);
        {
            Running box(*disks.box, 60), other(*disks.stick, 61);
            ids_ = {box.site->self().id, other.site->self().id};
            for (std::size_t side = 0; side < 2; ++side) {
                site::Site& site = side == 0 ? *box.site : *other.site;
                before_[side].promise = promised_by(site);
                before_[side].counted = counted_at(site);
            }
        }
        told_.assign(1, before_);
        run(disks, [] {});
        Running box(*disks.box, 60), other(*disks.stick, 61);
        expected_ = finish(box, other);
    }

    [[nodiscard]] std::string name() const override { return name_; }

    TwoDisks start(bool syncs_are_lies) override {
        SimDiskOptions options;
        options.syncs_are_lies = syncs_are_lies;
        told_.assign(1, before_);
        return {disk_of(trees_.box, options), disk_of(trees_.other, options)};
    }

    void run(TwoDisks& disks, const std::function<void()>& acknowledged) override {
        Running box(*disks.box, 62), other(*disks.stick, 63);
        std::array<Running*, 2> both = {&box, &other};
        const auto tell = [&](const ToldByBoth& now) {
            if (now == told_.back()) return;
            told_.push_back(now);
            acknowledged();
        };
        int said_by_the_box = 0;
        simulations::LineOptions line = slow_line();
        line.said = [&](std::size_t side, ByteView message) {
            ToldByBoth now = told_.back();
            note_said(now[side], *both[side]->site, message);
            tell(now);
            if (side != 0 || ++said_by_the_box != 3) return;
            now[0].counted.merge(say_beside(box));  // somebody records while the two speak
            tell(now);
        };
        const simulations::ContactResult result = converse(box, other, line);
        require(result.done, "the conversation did not end");
        ToldByBoth now = told_.back();
        for (std::size_t side = 0; side < 2; ++side) {
            now[side].promise = promised_by(*both[side]->site);
            now[side].counted.merge(counted_at(*both[side]->site));
        }
        tell(now);
    }

    void judge(TwoDisks& found, int acknowledgements) override {
        const ToldByBoth& told = told_.at(static_cast<std::size_t>(acknowledgements));
        const std::array<Digest, 2> images = {simulations::image_hash(*found.box),
                                              simulations::image_hash(*found.stick)};
        Running box(*found.box, 64), other(*found.stick, 65);
        std::array<Running*, 2> both = {&box, &other};
        for (std::size_t side = 0; side < 2; ++side) {
            site::Site& site = *both[side]->site;
            require_as_told(site, ids_[1 - side], told[side]);
            if (sound_.contains(images[side])) continue;  // many states differ in the other disk only
            require_sound(site);
            must(site.records().verify(
                [](const Error& error) { require(false, "damaged: " + error.about + " " + error.detail); }));
            sound_.insert(images[side]);
        }
        const Outcome outcome = finish(box, other);
        for (std::size_t side = 0; side < 2; ++side) {
            const std::string who = side == 0 ? "the box " : "the other ";
            require(outcome.pictures[side] == expected_.pictures[side],
                    who + "ends otherwise: " + support::text_of(outcome.pictures[side]));
            require(outcome.courses[side] == expected_.courses[side], who + "checks out otherwise");
            require(outcome.counted[side] == expected_.counted[side], who + "counts otherwise");
        }
    }

  private:
    struct Outcome {
        std::array<Picture, 2> pictures;
        std::array<std::map<std::string, Files>, 2> courses;
        std::array<std::set<std::string>, 2> counted;
    };

    // So slow that what came is made sure several times on the way.
    static simulations::LineOptions slow_line() {
        simulations::LineOptions line;
        line.bytes_per_second = 2'000;
        line.up_for_ms = 3'600'000;
        return line;
    }

    static simulations::ContactResult converse(Running& box, Running& other,
                                               const simulations::LineOptions& line) {
        simulations::ContactResult result =
            simulations::converse(box.end(), other.end(), box.world.clock.wall().unix_ms, line);
        if (result.broken) require(false, result.broken->about + ": " + result.broken->reason.text());
        for (const exchange::SessionReport& report : result.reports)
            for (const Error& refused : report.refused)
                require(false, "refused: " + refused.about + ": " + refused.reason.text());
        return result;
    }

    // Named: said again after a stop it is the same record, but what is there is not said again.
    std::set<std::string> say_beside(Running& box) {
        if (!said_beside_.empty() && counted_at(*box.site).contains(said_beside_)) return {said_beside_};
        said_beside_ = records::text_of(must(box.site->records().record({viewing_of(50)})).front());
        box.wants->note_change();
        return {said_beside_};
    }

    // The same again, over a line that is never in the way.
    Outcome finish(Running& box, Running& other) {
        say_beside(box);
        const simulations::ContactResult result = converse(box, other, {});
        require(result.done, "the conversation does not end when it is held again");
        std::array<Running*, 2> both = {&box, &other};
        Outcome outcome;
        for (std::size_t side = 0; side < 2; ++side) {
            site::Site& site = *both[side]->site;
            require_store_sound(site);
            require_records_sound(site);
            outcome.pictures[side] = picture_of(site);
            outcome.courses[side] = checkouts(site);
            outcome.counted[side] = counted_at(site);
        }
        for (const SiteId& feed : {crash_county().east_id, crash_county().west_id})
            require(must(box.site->records().heads_of(feed)) == must(other.site->records().heads_of(feed)),
                    "the two hold different ends of a feed");
        return outcome;
    }

    const std::string name_;
    const Trees trees_;
    std::array<SiteId, 2> ids_{};
    ToldByBoth before_;
    std::vector<ToldByBoth> told_;
    std::string said_beside_;
    std::set<Digest> sound_;  // images of one disk that were found so
    Outcome expected_;
};

// A tree after something was done with the site on it.
Tree after(const Tree& tree, std::uint64_t seed, const std::function<void(site::Site&)>& work) {
    FixedWorld world(seed);
    const auto disk = disk_of(tree);
    {
        const auto site = must(site::Site::open(*disk, world.world()));
        work(*site);
    }
    return disk->tree();
}

// A few segments of viewings that begin with number `first`, and one that is signed by nothing yet.
void say_some(site::Site& site, int first) {
    for (int i = 0; i < 2; ++i) {
        must(site.records().record({viewing_of(first + i)}));
        must(site.records().close_segment());
    }
    must(site.records().record({viewing_of(first + 2)}));
}

std::vector<ByteBuffer> segments_of_the_west() {
    std::vector<ByteBuffer> segments;
    static_cast<void>(after(crash_county().west, 70, [&](site::Site& west) {
        say_some(west, 200);
        must(west.records().close_segment());
        segments = segments_of(west, west.self().id);
    }));
    return segments;
}

// A village takes the second edition; the hub its records, and those of another village that it carries.
Trees village_and_hub() {
    return {after(crash_county().east, 71,
                  [](site::Site& east) {
                      accept_all(east, segments_of_the_west());
                      say_some(east, 100);
                  }),
            crash_county().hub_after};
}

// A village that was put back and recorded since: the hub knows more of its feed than it does.
Trees village_that_was_put_back() {
    const Tree older = after(crash_county().east, 72,
                             [](site::Site& east) { must(east.records().record({viewing_of(90)})); });
    std::vector<ByteBuffer> lost;
    static_cast<void>(after(older, 73, [&](site::Site& east) {
        say_some(east, 100);
        must(east.records().close_segment());
        lost = segments_of(east, east.self().id);
    }));
    return {after(older, 74, [](site::Site& east) { say_some(east, 110); }),
            after(crash_county().hub_after, 75, [&](site::Site& hub) { accept_all(hub, lost); })};
}

// A hub that was put back takes the second edition again from a village that holds it, and records.
Trees hub_that_was_put_back() {
    return {after(crash_county().hub_before, 76, [](site::Site& hub) { say_some(hub, 300); }),
            after(crash_county().east, 77, [](site::Site& east) {
                const auto stick = disk_of(crash_county().stick_after, fat_options());
                read_stick(east, *stick);
                accept_all(east, segments_of_the_west());
                say_some(east, 100);
            })};
}

// Two whole sites cost much a state: outside a soak few pending writes meet a fate of their own, and the
// mixes at every moment make up for it.
ExploreOptions options_of_two_sites(std::size_t states) {
    ExploreOptions options = options_for(states);
    if (!options.damaged_singles) options.singles_max = 1;
    return options;
}

void expect_no_violation(Meeting& work, std::size_t states) {
    const Explored explored = explore(work, options_of_two_sites(states));
    print_table_row(explored);
    std::printf("crash states: %zu %s\n", explored.states, explored.name.c_str());
    EXPECT_EQ(explored.violations, 0u) << explored.first_violation;
    EXPECT_GE(explored.states, states);
}

void expect_caught_when_syncs_are_lies(Meeting& work) {
    const Explored explored = explore(work, {.states = 0, .singles_max = 2, .syncs_are_lies = true});
    print_table_row(explored);
    EXPECT_GT(explored.violations, 0u);
}

TEST(LinkCrash, OfAVillageAndAHubTakesBackNothingThatWasTold) {
    Meeting work("link, village and hub", village_and_hub());
    expect_no_violation(work, crash_states_wanted() / 4);
}

TEST(LinkCrash, OfAVillageThatWasPutBackLosesNeitherLineOfItsRecords) {
    Meeting work("link, village put back", village_that_was_put_back());
    expect_no_violation(work, crash_states_wanted() / 8);
}

TEST(LinkCrash, OfAHubThatWasPutBackTakesBackNothingThatWasTold) {
    Meeting work("link, hub put back", hub_that_was_put_back());
    expect_no_violation(work, crash_states_wanted() / 8);
}

TEST(LinkCrash, IsCaughtWhenSyncsAreLies) {
    Meeting work("link, village and hub", village_and_hub());
    expect_caught_when_syncs_are_lies(work);
}

}  // namespace
}  // namespace satchel
