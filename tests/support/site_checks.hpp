// What tests ask of whole sites and sticks: are they sound, and do two of them say the same.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/support/county.hpp"

namespace satchel::support {

// Ends the judgement with `text` unless `holds`.
void require(bool holds, const std::string& text);

// Ends the judgement if trust refused any of the freight.
void require_nothing_refused(const stick::ReadReport& report);

// A simulated world whose clock stands at one day of 2026, as that of every box of a test county.
class FixedWorld : public simulations::SimWorld {
  public:
    explicit FixedWorld(std::uint64_t seed);
};

// A new simulated disk that holds what `tree` holds, all of it sure.
std::unique_ptr<simulations::SimDisk> disk_of(const simulations::Tree& tree,
                                              simulations::SimDiskOptions options = {});
simulations::SimDiskOptions fat_options();

// Database, catalogue and packs are whole, and no edition is called complete that is not. Throws what is
// wrong.
void require_sound(site::Site& site);
void require_store_sound(site::Site& site);  // the same without the catalogue's signatures, which take long

// What a site shows people: equal for two sites that know and hold the same.
struct Picture {
    std::uint32_t root_version = 0;
    std::vector<catalogue::LaneHead> heads;
    std::vector<std::string> courses;  // "rice 2 current complete", of every edition known, in order
    std::set<std::string> reviews;
    std::set<std::string> sites;
    friend bool operator==(const Picture&, const Picture&) = default;
};
Picture picture_of(site::Site& site);
std::string text_of(const Picture& picture);

// Every object of an edition, each once.
std::set<ChunkId> objects_of(site::Site& site, const ChunkId& manifest);
// The objects of all editions that are known and complete.
std::set<ChunkId> objects_held(site::Site& site);

// The whole chunks on a stick, by the folder of the site that wrote them.
std::map<std::string, std::set<ChunkId>> chunks_on(env::Disk& stick);
std::set<ChunkId> all_chunks_on(env::Disk& stick);

// Every course that is complete, checked out to an empty disk: course -> its files.
std::map<std::string, Files> checkouts(site::Site& site);

}  // namespace satchel::support
