// Whatever happens to messages and lines: once they are whole again, sites end equal.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "engine/exchange/haves.hpp"
#include "tests/support/contact.hpp"
#include "tests/support/crash_county.hpp"
#include "tests/support/record_checks.hpp"

namespace satchel {
namespace {

using namespace support;

NetOptions any_line() {
    NetOptions options;
    options.latency_ms = *rc::gen::inRange(1, 1'000);
    options.bytes_per_second = *rc::gen::element<std::uint64_t>(8'000, 50'000, 250'000);
    options.time_max_ms = 120'000;
    options.seed = *rc::gen::arbitrary<std::uint64_t>();
    if (*rc::gen::arbitrary<bool>()) options.cut_after_bytes = *rc::gen::inRange<std::uint64_t>(1, 60'000);
    if (*rc::gen::arbitrary<bool>()) {
        options.loss_percent = *rc::gen::inRange(0u, 40u);
        options.twice_percent = *rc::gen::inRange(0u, 40u);
        options.reorder_percent = *rc::gen::inRange(0u, 40u);
    }
    return options;
}

struct Sites {
    Sites() {
        for (NetSite* site : {&hub, &east, &west}) site->signs_records = true;
    }
    NetSite hub{crash_county().hub_before, 91};
    NetSite east{crash_county().east, 92};
    NetSite west{crash_county().west, 93};

    NetSite& any() {
        NetSite* const all[] = {&hub, &east, &west};
        return *all[*rc::gen::inRange(0, 3)];
    }
    void record() {
        NetSite& site = any();
        const auto ids = must(site.site->records().record({viewing_of(++recorded)}));
        said.insert(records::text_of(ids.front()));
    }
    int recorded = 0;
    std::set<std::string> said;
    void publish_again() {
        simulations::SimDisk folder({}, crash_county().courseware);
        publish(*hub.site, folder, 1);
        review_everything(*hub.site);
        must(hub.wants->refresh());
    }
};

std::string without_records(const NetSite& site) { return support::text_of(picture_of(*site.site)); }

RC_GTEST_PROP(Links, EndEqualAfterAnyCutLossAndOrder, ()) {
    Sites sites;
    for (int left = *rc::gen::inRange(1, 8); left > 0; --left) {
        switch (*rc::gen::inRange(0, 6)) {
            case 0:
                sites.record();
                break;
            case 1:
                sites.any().kill();
                break;
            case 2:
                sites.publish_again();
                break;
            default: {
                NetSite& one = sites.any();
                NetSite& other = sites.any();
                if (&one == &other) break;
                const ContactReport report = meet(one, other, any_line());
                require(!report.broken, report.broken ? report.broken->about + report.broken->reason.text() +
                                                            report.broken->detail
                                                      : "");
            }
        }
    }
    // The lines are whole again: two rounds carry everything to the hub and back.
    for (int round = 0; round < 2; ++round)
        for (NetSite* village : {&sites.east, &sites.west}) {
            const ContactReport report = meet(*village, sites.hub);
            RC_ASSERT(!report.broken.has_value());
            RC_ASSERT(report.done);
        }
    RC_ASSERT(std::ranges::includes(counted_at(*sites.hub.site), sites.said));
    for (NetSite* village : {&sites.east, &sites.west}) {
        RC_ASSERT(must(village->site->status()).carried_sites == 0u);
        RC_ASSERT(without_records(*village) == without_records(sites.hub));
        RC_ASSERT(checkouts(*village->site) == checkouts(*sites.hub.site));
        RC_ASSERT(segments_of(*village->site, village->id()) == segments_of(*sites.hub.site, village->id()));
        const auto have = must(exchange::peer_have(sites.hub.replica(), village->id()));
        RC_ASSERT(have.has_value());
        RC_ASSERT(have->heads == must(sites.hub.site->catalogue().heads()));
        require_store_sound(*village->site);
        RC_ASSERT(meet(*village, sites.hub).messages == 4u);  // and nothing is left to say
    }
}

}  // namespace
}  // namespace satchel
