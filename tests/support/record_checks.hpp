// What crash tests say as records, and ask of the records of a whole site.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/records/record_text.hpp"
#include "tests/support/site_checks.hpp"

namespace satchel::support {

// A viewing with a name of its own, so that what is said again after a stop is the same record.
records::Event viewing_of(int headcount);
// Orders of another site, as in a file that was made elsewhere: numbers `first` to `last` of its own.
std::vector<records::Event> orders_made_elsewhere(int first, int last);

// The identities of all that is counted here.
std::set<std::string> counted_at(site::Site& site);

// All segments of a feed that are here, oldest first.
std::vector<ByteBuffer> segments_of(site::Site& site, const SiteId& feed);
void accept_all(site::Site& site, const std::vector<ByteBuffer>& segments);

// Every segment is whole, and what is open can be signed, so that it can leave the box. Throws what is wrong.
void require_records_sound(site::Site& site);

}  // namespace satchel::support
