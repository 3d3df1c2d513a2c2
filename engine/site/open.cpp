// How a site comes to be, and how it is opened.
//
// Crash points of create_network and join: keys are made once and loaded from then on; roots, roster and
// the row `meta.site` go in by one transaction (create_network: the hub's own document is committed before
// it). Before that row stands there is no site, and the same command begins again with the same keys.
#include "engine/database/meta.hpp"
#include "engine/site/key_files.hpp"
#include "engine/site/retention.hpp"
#include "engine/site/site_state.hpp"

namespace satchel::site {

namespace {

constexpr char kSiteMeta[] = "site";
constexpr char kNetworkMeta[] = "network";

// A site whose site.db was lost is a site still: nothing new may be founded over its keys and packs.
Result<bool> has_site(env::Disk& disk, database::Database& database) {
    SATCHEL_TRY(const std::optional<ByteBuffer> site, database::meta(database, kSiteMeta));
    if (site) return true;
    return env::exists(disk, kKeepLogPath);
}

Error exists_already(env::Disk& disk) {
    return fail(ErrorCode::kExists, disk.describe(""), "there is a site in this folder already",
                "choose an empty folder, or use the site that is there");
}

trust::SignedRoot first_root(const NetworkOptions& options, const trust::SigningKey& root_key,
                             const trust::SigningKey& editor, const trust::SigningKey& reviewer) {
    trust::Root root;
    root.version = 1;
    root.network = options.network;
    root.utc_offset_minutes = options.utc_offset_minutes;
    root.keys = {{root_key.public_key(), "root"}};
    trust::Lane lane;
    lane.name = kOfficeLane;
    lane.editors = {{editor.public_key(), "editor"}};
    lane.reviewers = {{reviewer.public_key(), "reviewer"}};
    lane.reviews_needed = options.reviews_needed;
    root.lanes = {lane};
    const std::string document = encode(root);
    return {ByteBuffer(document.begin(), document.end()),
            {trust::ssh_sign(root_key, "satchel-root", bytes_of(document))}};
}

trust::SiteEntry entry_of(const std::string& name, trust::SiteRole role, const trust::SigningKey& signing,
                          const trust::SealingKey& sealing) {
    trust::SiteEntry entry;
    entry.id = trust::site_id_of(signing.public_key());
    entry.name = name;
    entry.role = role;
    entry.signing_key = signing.public_key();
    entry.sealing_key = sealing.public_key();
    return entry;
}

// The row that makes a folder a site. In the caller's transaction.
Result<void> found_site(database::Database& database, const NetworkId& network, const SiteId& site) {
    SATCHEL_TRY_VOID(database::set_meta(database, kNetworkMeta, network.view()));
    SATCHEL_TRY_VOID(database.run("INSERT OR IGNORE INTO subscription (kind, value) VALUES ('all', '')"));
    return database::set_meta(database, kSiteMeta, site.view());
}

Result<NetworkId> accept_first_root(database::Database& database, trust::TrustStore& trust,
                                    const trust::SignedRoot& made) {
    SATCHEL_TRY(const std::vector<trust::SignedRoot> held, trust.roots(1));
    if (!held.empty()) return trust::network_id_of(held.front());
    const NetworkId network = trust::network_id_of(made);
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database));
    SATCHEL_TRY_VOID(trust.accept_roots(network, {made}));
    SATCHEL_TRY_VOID(transaction.commit());
    return network;
}

// All that is in it lies elsewhere, too.
Result<std::unique_ptr<database::Database>> open_database(env::Disk& disk, env::World world) {
    Result<std::unique_ptr<database::Database>> opened = database::Database::open(disk, world, kDatabasePath);
    if (opened.has_value() || opened.error().code != ErrorCode::kIo) return opened;
    return fail(ErrorCode::kIo, disk.describe(kDatabasePath), "the disk answered with an error",
                "try once more; if it stays so, run `satchel repair`", opened.error().detail);
}

}  // namespace

Error site_db_not_whole(env::Disk& disk) {
    return fail(ErrorCode::kDamaged, disk.describe(kDatabasePath), "the site's own record is not whole",
                "run `satchel repair`");
}

Result<std::unique_ptr<Site>> Site::create_network(env::Disk& disk, env::World world,
                                                   const NetworkOptions& options) {
    SATCHEL_TRY(const trust::SigningKey signing, load_or_make_key(disk, kSiteKey, world.random));
    SATCHEL_TRY(const trust::SealingKey sealing, load_or_make_sealing_key(disk, world.random));
    SATCHEL_TRY_VOID(load_or_make_network_secret(disk, world.random));
    SATCHEL_TRY(const trust::SigningKey root_key, load_or_make_key(disk, kRootKey, world.random));
    SATCHEL_TRY(const trust::SigningKey editor, load_or_make_key(disk, kEditorKey, world.random));
    SATCHEL_TRY(const trust::SigningKey reviewer, load_or_make_key(disk, kReviewerKey, world.random));
    {
        SATCHEL_TRY(const std::unique_ptr<database::Database> database,
                    database::Database::open(disk, world, kDatabasePath));
        SATCHEL_TRY(const bool there, has_site(disk, *database));
        if (there) return exists_already(disk);
        trust::TrustStore trust(*database);
        SATCHEL_TRY(const NetworkId network,
                    accept_first_root(*database, trust, first_root(options, root_key, editor, reviewer)));
        const trust::SiteEntry self = entry_of(options.site_name, trust::SiteRole::kHub, signing, sealing);
        SATCHEL_TRY(const std::unique_ptr<catalogue::Catalogue> catalogue,
                    catalogue::Catalogue::open(*database, world, trust, network));
        SATCHEL_TRY(const std::optional<trust::SiteEntry> enrolled, trust.site(self.id));
        if (!enrolled)
            SATCHEL_TRY_VOID(catalogue->commit(kOfficeLane, editor, "Found the network " + options.network,
                                               {{catalogue::site_path(self.id), encode(self)}}));
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(*database));
        SATCHEL_TRY_VOID(found_site(*database, network, self.id));
        SATCHEL_TRY_VOID(transaction.commit());
    }
    SATCHEL_TRY(std::unique_ptr<Site> site, open(disk, world));
    SATCHEL_TRY_VOID(site->update_mirror());
    return site;
}

Result<std::string> Site::request_to_join(env::Disk& disk, env::World world, const std::string& site_name) {
    SATCHEL_TRY(const bool founded, env::exists(disk, kDatabasePath));
    if (founded) {
        SATCHEL_TRY(const std::unique_ptr<database::Database> database,
                    database::Database::open(disk, world, kDatabasePath));
        SATCHEL_TRY(const bool there, has_site(disk, *database));
        if (there) return exists_already(disk);
    }
    if (Result<std::string> pending = load_request(disk); pending.has_value()) {
        SATCHEL_TRY(const trust::JoinRequest request, trust::parse_request(*pending));
        if (request.site_name == site_name) return pending;
    }
    SATCHEL_TRY(const trust::SigningKey signing, load_or_make_key(disk, kSiteKey, world.random));
    SATCHEL_TRY(const trust::SealingKey sealing, load_or_make_sealing_key(disk, world.random));
    trust::JoinRequest request;
    request.site_name = site_name;
    request.signing_key = signing.public_key();
    request.sealing_key = sealing.public_key();
    world.random.fill(request.nonce);
    const std::string text = trust::make_request(request, signing);
    SATCHEL_TRY(const trust::JoinRequest checked, trust::parse_request(text));
    static_cast<void>(checked);
    SATCHEL_TRY_VOID(save_request(disk, text));
    return text;
}

Result<std::unique_ptr<Site>> Site::join(env::Disk& disk, env::World world, std::string_view grant_text,
                                         const std::optional<std::string>& expected_words) {
    const Result<std::string> request = load_request(disk);
    SATCHEL_TRY(const bool founded, env::exists(disk, kDatabasePath));
    if (!request.has_value()) {
        if (founded)
            return fail(ErrorCode::kRefused, disk.describe(""),
                        "this site has joined already; a grant counts once",
                        "use the site as it is, or make a new request in an empty folder");
        return fail(ErrorCode::kNoSite, disk.describe(""), "no request to join was made in this folder",
                    "run `satchel join-request` here first and have the hub answer it");
    }
    if (expected_words && !trust::words_match(*expected_words, trust::fingerprint_of_text(grant_text)))
        return fail(ErrorCode::kRefused, "grant", "the grant's fingerprint is not the one that was read out",
                    "get the grant again from the hub and compare the words with the person there");
    SATCHEL_TRY(const trust::SigningKey signing, load_key(disk, kSiteKey));
    SATCHEL_TRY(const trust::SealingKey sealing, load_sealing_key(disk));
    SATCHEL_TRY(
        const trust::VerifiedGrant verified,
        trust::verify_grant(grant_text, trust::fingerprint_of_text(*request), sealing, world.clock.wall()));
    const trust::SiteEntry& self = verified.grant.site;
    if (self.signing_key != signing.public_key() || self.sealing_key != sealing.public_key())
        return fail(ErrorCode::kRefused, "grant", "the grant answers another box's request",
                    "have the hub answer the request that was made in this folder");
    SATCHEL_TRY_VOID(save_network_secret(disk, verified.secret));
    {
        SATCHEL_TRY(const std::unique_ptr<database::Database> database,
                    database::Database::open(disk, world, kDatabasePath));
        SATCHEL_TRY(const bool there, has_site(disk, *database));
        if (!there) {
            trust::TrustStore trust(*database);
            SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(*database));
            SATCHEL_TRY_VOID(trust.accept_roots(verified.network, verified.grant.roots));
            SATCHEL_TRY_VOID(trust.put_site(self));
            SATCHEL_TRY_VOID(found_site(*database, verified.network, self.id));
            SATCHEL_TRY_VOID(transaction.commit());
        }
    }
    SATCHEL_TRY_VOID(remove_request(disk));
    return open(disk, world);
}

Result<std::unique_ptr<Site>> Site::open(env::Disk& disk, env::World world) {
    return open(disk, world, Opening::kWhole);
}

Result<std::unique_ptr<Site>> Site::open(env::Disk& disk, env::World world, Opening opening) {
    const auto no_site = [&] {
        return fail(ErrorCode::kNoSite, disk.describe(""), "there is no site in this folder",
                    "make one with `satchel init` or `satchel join`, or name the right folder with --site");
    };
    SATCHEL_TRY(const bool had_keep_log, env::exists(disk, kKeepLogPath));
    SATCHEL_TRY(const bool founded, env::exists(disk, kDatabasePath));
    if (!founded) return had_keep_log ? site_db_not_whole(disk) : no_site();
    SATCHEL_TRY(std::unique_ptr<database::Database> database, open_database(disk, world));
    SATCHEL_TRY(const std::optional<ByteBuffer> site_row, database::meta(*database, kSiteMeta));
    if (!site_row) {
        // Packs come only after the site's row: so this is a database that lost what it held.
        SATCHEL_TRY(const bool had_packs, env::exists(disk, kPacksPath));
        return had_packs || had_keep_log ? site_db_not_whole(disk) : no_site();
    }
    SATCHEL_TRY(const std::optional<ByteBuffer> unfinished, database::meta(*database, kRepairMeta));
    if (unfinished && opening == Opening::kWhole) return site_db_not_whole(disk);
    SATCHEL_TRY(std::unique_ptr<KeepLog> keep_log, KeepLog::open(disk, *database));
    SATCHEL_TRY(const std::optional<ByteBuffer> network, database::meta(*database, kNetworkMeta));
    SATCHEL_TRY(trust::SigningKey signing, load_key(disk, kSiteKey));
    SATCHEL_TRY(trust::SealingKey sealing, load_sealing_key(disk));

    auto state =
        std::make_unique<State>(disk, world, std::move(database), std::move(signing), std::move(sealing));
    state->keep_log = std::move(keep_log);
    if (!network || network->size() != state->network.digest.size()) return site_db_not_whole(disk);
    std::copy(network->begin(), network->end(), state->network.digest.begin());
    SATCHEL_TRY(const std::optional<trust::SiteEntry> self,
                state->trust.site(trust::site_id_of(state->signing_key.public_key())));
    if (!self)
        return fail(ErrorCode::kDamaged, disk.describe("keys"),
                    "the keys in this folder belong to another site",
                    "put the right keys back, or make a new site in an empty folder and join again");
    state->self = *self;
    SATCHEL_TRY(state->catalogue,
                catalogue::Catalogue::open(*state->database, world, state->trust, state->network));
    SATCHEL_TRY_VOID(disk.make_directory(kPacksPath));
    SATCHEL_TRY(state->store, store::Store::open(disk, world, *state->database, kPacksPath));
    SATCHEL_TRY(state->records,
                records::Records::open(
                    disk, world, *state->database, state->trust, state->signing_key,
                    {.network = state->network, .site = state->self.id, .machine = world.machine}));
    state->carried_records = std::make_unique<exchange::SiteRecords>(
        *state->records, *state->database, state->trust, state->signing_key, state->network);
    state->room = std::make_unique<SiteRoom>(*state);
    std::unique_ptr<Site> site(new Site(std::move(state)));
    SATCHEL_TRY_VOID(site->apply_limits());
    return site;
}

Site::Site(std::unique_ptr<State> state) : state_(std::move(state)) {}
Site::~Site() = default;

const trust::SiteEntry& Site::self() const { return state_->self; }
const NetworkId& Site::network() const { return state_->network; }
const trust::SigningKey& Site::signing_key() const { return state_->signing_key; }
const trust::SealingKey& Site::sealing_key() const { return state_->sealing_key; }
Result<ByteBuffer> Site::network_secret() { return load_network_secret(state_->disk); }
catalogue::Catalogue& Site::catalogue() { return *state_->catalogue; }
store::Store& Site::store() { return *state_->store; }
records::Records& Site::records() { return *state_->records; }
trust::TrustStore& Site::trust() { return state_->trust; }
database::Database& Site::database() { return *state_->database; }
env::World& Site::world() { return state_->world; }

exchange::Replica Site::replica() {
    return {*state_->database,   state_->trust,   *state_->catalogue,
            *state_->store,      state_->network, state_->self,
            state_->signing_key, state_->world,   state_->carried_records.get(),
            state_->room.get()};
}

Result<void> Site::update_mirror() { return state_->catalogue->update_mirror(state_->disk, kMirrorPath); }

}  // namespace satchel::site
