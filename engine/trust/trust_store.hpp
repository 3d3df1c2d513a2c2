// What a site trusts, kept in site.db: the chain of roots, ratchets and the roster. No method opens a
// transaction of its own: the caller moves a ratchet in the transaction of its effect.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/database/database.hpp"
#include "engine/trust/enrolment.hpp"

namespace satchel::trust {

class TrustStore {
  public:
    explicit TrustStore(database::Database& database) : database_(database) {}

    // Roots. The first call with an empty table fixes the network.
    Result<std::optional<Root>> current_root();
    Result<std::vector<SignedRoot>> roots(std::uint32_t from_version);
    // Takes those of `chain` that come next, in order; returns how many. kRefused at the first that does not
    // hold (what came before it stays, if the caller commits). Old versions are skipped; an old version with
    // other bytes is refused. Of the signatures those are kept that count.
    Result<std::uint32_t> accept_roots(const NetworkId& network, const std::vector<SignedRoot>& chain);

    // Ratchets only go up. raise: kRefused when `value` is lower than what is kept.
    Result<std::uint64_t> ratchet(std::string_view name);
    Result<void> raise(std::string_view name, std::uint64_t value);

    // Roster. A revoked site never becomes active again (kRefused); its id keeps its keys.
    Result<void> put_site(const SiteEntry& entry);
    Result<std::optional<SiteEntry>> site(const SiteId& id);
    Result<std::vector<SiteEntry>> find_sites(std::string_view name_or_id_prefix);
    Result<std::size_t> active_hubs();
    Result<void> for_each_site(const std::function<Result<void>(const SiteEntry&)>& each);  // by name

  private:
    database::Database& database_;
};

}  // namespace satchel::trust
