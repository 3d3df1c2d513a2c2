// Carrying by stick: what `satchel stick write`, `read` and `show` do, over a site and a lent disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/exchange/freight_gate.hpp"
#include "engine/site/site.hpp"
#include "transport/stick/layout.hpp"

namespace satchel::stick {

struct WriteOptions {
    std::vector<std::string> sites;  // names or ids; empty: every active site of the roster but this one
};
struct WriteReport {
    std::vector<std::string> sites;     // written for
    std::uint64_t chunks = 0;           // written now
    std::uint64_t chunks_there = 0;     // needed, and on the stick already
    std::uint64_t payload_bytes = 0;    // bytes added to the stick, records and all
    std::uint64_t catalogue_bytes = 0;  // of these: catalogue, roots, reviews, haves, receipts
    std::uint64_t volumes_removed = 0;  // that nobody needs any more
    std::vector<Error> damaged;         // chunks that this site cannot give: at most site::kSkippedListMax
    std::uint64_t damaged_count = 0;
};
// Brings the stick to where the sites' lacks, as far as their haves tell, are all on it. Never touches what
// other sites wrote. Stopped, yanked or full, it leaves a usable stick; the same call goes on. On a full
// stick it first removes what nobody needs any more (kNoSpace if that is nothing).
Result<WriteReport> write_stick(site::Site& site, env::Disk& stick, const WriteOptions& options,
                                Progress& progress);

struct DamagedPart {
    std::string file;
    std::uint64_t place = 0;
    Error error;
};
struct ReadReport : exchange::FreightTaken {
    std::uint64_t folders = 0;
    std::uint64_t foreign_folders = 0;   // of other networks: left alone
    std::uint64_t chunks = 0;            // taken into the store
    std::uint64_t chunk_bytes = 0;       // as stored
    std::uint64_t chunks_known = 0;      // were here already or are not wanted
    std::vector<std::string> completed;  // course ids whose current edition became complete
    std::vector<DamagedPart> damaged;    // at most site::kSkippedListMax
    std::uint64_t damaged_count = 0;
    std::optional<Error> no_room;     // something that was planned for had none; all else was taken
    bool answered = false;            // this site's have and receipts were written back
    std::optional<Error> unanswered;  // why not
};
// Takes what this site wants. Damage and refusals cost their part only. Then writes this site's have and
// receipts to its own folder, if the stick can be written to.
Result<ReadReport> read_stick(site::Site& site, env::Disk& stick, Progress& progress);

struct ShownVolume {
    std::string file;
    std::uint64_t bytes = 0;
    std::uint64_t chunks = 0;
    std::uint64_t freight = 0;
    std::uint64_t damaged = 0;
};
struct ShownFolder {
    std::string folder;
    NetworkId network;
    SiteId writer;
    std::uint64_t generation = 0;
    std::vector<ShownVolume> volumes;
};
// Reads and checks a whole stick; needs no site.
Result<std::vector<ShownFolder>> show_stick(env::Disk& stick, Progress& progress);

}  // namespace satchel::stick
