// Who carries out commands on a site: this process under the site's lock, or, over its socket, the process
// that owns the site already. The command line, the socket and later the console speak to this interface.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "cli/commands/context.hpp"
#include "cli/invocation.hpp"
#include "engine/env/os/clock.hpp"
#include "engine/env/os/machine.hpp"
#include "engine/env/os/offload.hpp"
#include "engine/env/os/random.hpp"
#include "engine/site/site.hpp"
#include "transport/link/links.hpp"

namespace satchel::cli {

class SiteService {
  public:
    virtual ~SiteService() = default;
    // Carries out one command and returns its exit code.
    virtual int execute(const Invocation& invocation, Streams& streams) = 0;
};

// What this box lends to engines.
struct BoxWorld {
    env::os::SystemClock clock;
    env::os::SystemRandom random;
    env::os::ThreadOffload offload{0};
    Digest machine = env::os::machine_digest();
    [[nodiscard]] env::World lend() { return {clock, random, offload, machine}; }
};

// Runs one command that is ready to go, says its error if it fails, and returns its exit code.
int perform(const commands::CommandSpec& command, commands::Context& context);

// Commands on a site in this process, each in its turn; several threads may call. The caller holds the
// site's lock.
class LocalService : public SiteService {
  public:
    static Result<std::unique_ptr<LocalService>> open(const std::string& folder, BoxWorld& world);
    ~LocalService() override;
    int execute(const Invocation& invocation, Streams& streams) override;
    // Begins them at the first call; `on_event` is that of the first call.
    Result<link::Links*> links(const std::function<void(const link::Event&)>& on_event = {});
    // For whoever else works on the site while it is served: one at a time, each turn short.
    void with_engine(const std::function<void()>& work);
    // The same; the links hear of it if it says that what is here, or wanted, has changed.
    void change_in_turn(const std::function<bool(site::Site& site)>& work);
    [[nodiscard]] site::Site& site() { return *site_; }

  private:
    LocalService(std::unique_ptr<env::Disk> disk, std::unique_ptr<site::Site> site, BoxWorld& world);
    int execute_in_turn(const commands::CommandSpec& command, commands::Context& context);
    void tell_links_of_change();
    std::unique_ptr<env::Disk> disk_;
    std::unique_ptr<site::Site> site_;
    BoxWorld& world_;
    link::EngineTurn turn_;
    struct Linkage;                     // the links and what they need
    std::mutex linkage_mutex_;          // of the next; after the turn where both are taken
    std::unique_ptr<Linkage> linkage_;  // none before links()
};

}  // namespace satchel::cli
