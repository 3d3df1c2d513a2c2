// What a Site is made of; private to engine/site.
#pragma once

#include "engine/exchange/site_records.hpp"
#include "engine/site/keep_log.hpp"
#include "engine/site/site.hpp"

namespace satchel::site {

inline constexpr char kDatabasePath[] = "site.db";
inline constexpr char kPacksPath[] = "packs";
inline constexpr char kMirrorPath[] = "catalogue.git";
inline constexpr char kRepairMeta[] = "repair/unfinished";  // in a site.db that is being made again
inline constexpr char kOfficeLane[] = "office";

struct Site::State {
    State(env::Disk& lent_disk, env::World lent_world, std::unique_ptr<database::Database> opened,
          trust::SigningKey signing, trust::SealingKey sealing)
        : disk(lent_disk),
          world(lent_world),
          database(std::move(opened)),
          trust(*database),
          signing_key(std::move(signing)),
          sealing_key(std::move(sealing)) {}

    env::Disk& disk;
    env::World world;
    std::unique_ptr<database::Database> database;
    std::unique_ptr<KeepLog> keep_log;
    trust::TrustStore trust;
    trust::SigningKey signing_key;
    trust::SealingKey sealing_key;
    NetworkId network;
    trust::SiteEntry self;
    std::unique_ptr<catalogue::Catalogue> catalogue;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<records::Records> records;
    std::unique_ptr<exchange::SiteRecords> carried_records;
    std::unique_ptr<exchange::RoomPort> room;
};

[[nodiscard]] Error site_db_not_whole(env::Disk& disk);  // names the remedy: repair

// The office's signing keys lie on the hub that made the network.
Result<trust::SigningKey> load_office_key(env::Disk& disk, std::string_view name);

// Site::edition_to_show.
Result<std::optional<catalogue::EditionState>> shown_edition(Site::State& state, const std::string& course);

}  // namespace satchel::site
