// A box in the simulated county: a whole site on a disk that may lose power, with a clock of its own.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "engine/exchange/wants.hpp"
#include "engine/site/site.hpp"
#include "simulations/contact.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"

namespace satchel::simulations {

class SimSite {
  public:
    // `machine`: of its hardware; zero: not known.
    SimSite(std::string name, std::uint64_t seed, SimDiskOptions options, Tree tree = {},
            const Digest& machine = {});

    // Every call below needs an open site but open() itself, whose error is a finding.
    Result<void> open();
    void close();  // in order
    // The power goes: of what was not synced each write is kept, lost, torn or garbled by chance.
    void lose_power(Seeded& chance);
    void kill();  // -9: what was written stays
    void put_back(const Tree& older);
    void advance_to(std::int64_t true_ms);

    // Records a viewing whose headcount is `serial`; true once it was acknowledged.
    Result<bool> record(std::int64_t serial, const std::string& course);
    // The serials that this site counts, each as often as it is counted.
    Result<std::multiset<std::int64_t>> counted(bool own_only);
    // What its report says of the sum of all headcounts, and of how many viewings there were.
    struct Reported {
        std::int64_t viewings = 0, headcount = 0;
    };
    Result<Reported> reported();
    Result<std::string> report();

    [[nodiscard]] LineEnd end() { return {site_->replica(), *wants_}; }
    [[nodiscard]] site::Site& site() { return *site_; }
    [[nodiscard]] SimDisk& disk() { return *disk_; }
    [[nodiscard]] SimWorld& world() { return world_; }
    [[nodiscard]] env::World lent();
    [[nodiscard]] const Digest& machine() const { return machine_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool is_open() const { return site_ != nullptr; }
    // After another carrier or a command changed something.
    Result<void> learn() { return wants_->refresh(); }

    std::set<std::int64_t> acknowledged;  // by this box, and still its own to keep

  private:
    void replace_disk(std::unique_ptr<SimDisk> disk);
    std::string name_;
    SimWorld world_;
    Digest machine_;
    std::unique_ptr<SimDisk> disk_;
    std::unique_ptr<site::Site> site_;
    std::unique_ptr<exchange::Wants> wants_;
    std::int64_t true_ms_ = 0;
};

}  // namespace satchel::simulations
