// The county in which power is cut: a hub, two villages and a stick, at the moments before and after a second
// edition. Built once; each crash state starts from a copy.
#pragma once

#include "tests/support/site_checks.hpp"

namespace satchel::support {

struct CrashCounty {
    simulations::Tree hub_founded;   // both villages are enrolled, nothing is published
    simulations::Tree east_joined;   // and read nothing yet
    simulations::Tree hub_before;    // edition 1 is current and on the stick, the east village has answered
    simulations::Tree hub_after;     // edition 2 is current, under a second root
    simulations::Tree courseware;    // of edition 2
    simulations::Tree stick_before;  // with edition 1 and the east village's answer
    simulations::Tree stick_after;   // the hub wrote edition 2 on it as well
    simulations::Tree east;          // holds edition 1
    simulations::Tree west;          // joined, and read nothing yet
    SiteId hub_id;
    SiteId east_id;
    SiteId west_id;
};
const CrashCounty& crash_county();

// Signs the newest edition of every course that waits for it, as a reviewer at the hub does.
void review_everything(site::Site& hub);

// What was promised at some moment; nothing of it may be gone after a crash.
struct Promise {
    Picture picture;
    std::set<ChunkId> objects;
    friend bool operator==(const Promise&, const Promise&) = default;
};
Promise promise_of(site::Site& site);
void require_kept(site::Site& site, const Promise& promise);

// The files below a folder, by path; none where there is no such folder.
Files files_below(env::Disk& disk, const std::string& folder);

}  // namespace satchel::support
