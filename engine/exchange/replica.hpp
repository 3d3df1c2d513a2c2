// The parts of a site that exchange works on, lent by the site: they must outlive whoever keeps them.
#pragma once

#include "engine/catalogue/catalogue.hpp"
#include "engine/exchange/records_port.hpp"
#include "engine/exchange/room.hpp"
#include "engine/store/store.hpp"
#include "engine/trust/trust_store.hpp"

namespace satchel::exchange {

struct Replica {
    database::Database& database;
    trust::TrustStore& trust;
    catalogue::Catalogue& catalogue;
    store::Store& store;
    const NetworkId& network;
    const trust::SiteEntry& self;
    const trust::SigningKey& signing_key;
    env::World world;
    RecordsPort* records = nullptr;  // none: this site exchanges no records
    RoomPort* room = nullptr;        // none: there is room for everything
};

}  // namespace satchel::exchange
