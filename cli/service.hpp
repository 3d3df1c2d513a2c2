// Who carries out commands on a site: this process under the site's lock, or, over its socket, the process
// that owns the site already. The command line, the socket and later the console speak to this interface.
#pragma once

#include <memory>
#include <string>

#include "cli/commands/context.hpp"
#include "cli/invocation.hpp"
#include "engine/env/os/clock.hpp"
#include "engine/env/os/offload.hpp"
#include "engine/env/os/random.hpp"
#include "engine/site/site.hpp"

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
    [[nodiscard]] env::World lend() { return {clock, random, offload}; }
};

// Runs one command that is ready to go, says its error if it fails, and returns its exit code.
int perform(const commands::CommandSpec& command, commands::Context& context);

// Commands on a site in this process. The caller holds the site's lock.
class LocalService : public SiteService {
  public:
    static Result<std::unique_ptr<LocalService>> open(const std::string& folder, BoxWorld& world);
    int execute(const Invocation& invocation, Streams& streams) override;

  private:
    LocalService(std::unique_ptr<env::Disk> disk, std::unique_ptr<site::Site> site, BoxWorld& world)
        : disk_(std::move(disk)), site_(std::move(site)), world_(world) {}
    std::unique_ptr<env::Disk> disk_;
    std::unique_ptr<site::Site> site_;
    BoxWorld& world_;
};

}  // namespace satchel::cli
