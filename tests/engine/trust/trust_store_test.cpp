// What a site trusts, in site.db: roots only forward, ratchets only up, the revoked for good.
#include "engine/trust/trust_store.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "engine/base/encoding.hpp"
#include "simulations/world/sim_disk.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/engine/trust/trust_support.hpp"

namespace satchel::trust {
namespace {

using database::Database;
using database::Transaction;

// A store on a database of its own.
struct Opened {
    simulations::SimDisk disk;
    simulations::SimWorld world;
    std::unique_ptr<Database> database = std::move(Database::open(disk, world.world(), "site.db").value());
    TrustStore store{*database};
};

class TrustStoreTest : public testing::Test {
  protected:
    TrustStoreTest() {
        for (std::uint32_t version = 1; version <= 4; ++version) {
            Root root = example_root();
            root.version = version;
            root.lanes[0].editors = {holder_of(static_cast<std::uint8_t>(100 + version), "editor-1")};
            roots_.push_back(root);
            chain_.push_back(sign_root(root, {1, 2}));
        }
        network_ = network_id_of(chain_[0]);
    }
    [[nodiscard]] std::vector<SignedRoot> part(std::size_t from, std::size_t to) const {
        return {chain_.begin() + static_cast<std::ptrdiff_t>(from),
                chain_.begin() + static_cast<std::ptrdiff_t>(to)};
    }
    std::uint32_t version() { return (*store_.current_root())->version; }

    std::vector<Root> roots_;
    std::vector<SignedRoot> chain_;
    NetworkId network_;
    Opened opened_;
    TrustStore& store_ = opened_.store;
    Database& database_ = *opened_.database;
};

// -- roots ----------------------------------------------------------------------------------------

TEST_F(TrustStoreTest, HasNoRootBeforeTheFirst) {
    EXPECT_FALSE((*store_.current_root()).has_value());
    EXPECT_TRUE(store_.roots(1)->empty());
}

TEST_F(TrustStoreTest, TakesAChainAndKeepsEveryRootAsItCame) {
    EXPECT_EQ(*store_.accept_roots(network_, chain_), 4u);
    EXPECT_EQ(**store_.current_root(), roots_.back());
    const std::vector<SignedRoot> kept = *store_.roots(1);
    ASSERT_EQ(kept.size(), 4u);
    for (std::size_t i = 0; i < kept.size(); ++i) {
        EXPECT_EQ(kept[i].document, chain_[i].document);
        EXPECT_EQ(kept[i].signatures, chain_[i].signatures);
    }
    EXPECT_EQ(store_.roots(3)->size(), 2u);
    EXPECT_TRUE(store_.roots(5)->empty());
}

TEST_F(TrustStoreTest, TakesWhatComesNextAndPassesOverWhatItHolds) {
    EXPECT_EQ(*store_.accept_roots(network_, part(0, 2)), 2u);
    EXPECT_EQ(*store_.accept_roots(network_, part(0, 2)), 0u);
    EXPECT_EQ(*store_.accept_roots(network_, part(1, 4)), 2u);
    EXPECT_EQ(version(), 4u);
}

TEST_F(TrustStoreTest, RefusesToSkipARoot) {
    EXPECT_FALSE(store_.accept_roots(network_, part(1, 2)).has_value());
    EXPECT_EQ(*store_.accept_roots(network_, part(0, 1)), 1u);
    const Result<std::uint32_t> skipped = store_.accept_roots(network_, part(2, 4));
    ASSERT_FALSE(skipped.has_value());
    EXPECT_EQ(skipped.error().code, ErrorCode::kRefused);
    EXPECT_EQ(version(), 1u);
}

TEST_F(TrustStoreTest, StaysWhereItIsWhenOldRootsComeAgain) {
    ASSERT_TRUE(store_.accept_roots(network_, chain_).has_value());
    EXPECT_EQ(*store_.accept_roots(network_, part(0, 2)), 0u);
    EXPECT_EQ(version(), 4u);
}

TEST_F(TrustStoreTest, RefusesAnotherRootOfAVersionThatItHolds) {
    ASSERT_TRUE(store_.accept_roots(network_, part(0, 3)).has_value());
    for (const std::uint32_t version : {1u, 2u, 3u}) {
        Root other = roots_[version - 1];
        other.utc_offset_minutes = 0;
        const Result<std::uint32_t> refused = store_.accept_roots(network_, {sign_root(other, {1, 2, 3})});
        EXPECT_EQ(reason_of(refused), "another root of the same version is held here") << version;
    }
    EXPECT_EQ(version(), 3u);
}

TEST_F(TrustStoreTest, RefusesAnotherNetworksFirstRoot) {
    Root other = roots_[0];
    other.network = "another county";
    EXPECT_FALSE(store_.accept_roots(network_, {sign_root(other, {1, 2})}).has_value());
    EXPECT_FALSE((*store_.current_root()).has_value());
}

TEST_F(TrustStoreTest, KeepsWhatHeldBeforeTheFirstRootThatDoesNot) {
    std::vector<SignedRoot> chain = part(0, 3);
    chain[2].signatures.pop_back();
    EXPECT_FALSE(store_.accept_roots(network_, chain).has_value());
    EXPECT_EQ(version(), 2u);
}

TEST_F(TrustStoreTest, WalksBehindThousandRootsInOneGo) {
    std::vector<SignedRoot> chain;
    Root root = example_root();
    root.threshold = 1;
    for (root.version = 1; root.version <= kRootVersionMax; ++root.version)
        chain.push_back(sign_root(root, {1}));
    EXPECT_EQ(*store_.accept_roots(network_id_of(chain[0]), chain), kRootVersionMax);
    EXPECT_EQ(version(), kRootVersionMax);
}

// Whoever carries a root may add signatures; a site that kept and handed on all of them could be brought to
// hand on a root that nobody takes.
TEST_F(TrustStoreTest, KeepsOfTheSignaturesOnlyThoseThatCount) {
    SignedRoot crowded = chain_[0];
    const std::string document(text_of(crowded.document));
    crowded.signatures.insert(crowded.signatures.begin(), "\n\n\n\n\n\n");
    crowded.signatures.push_back(ssh_sign(key_of(99), "satchel-root", bytes_of(document)));
    crowded.signatures.push_back(crowded.signatures[1]);
    while (crowded.signatures.size() < kRootKeysMax) crowded.signatures.push_back("junk\n\njunk\n\n");
    ASSERT_TRUE(store_.accept_roots(network_, {crowded}).has_value());
    EXPECT_EQ(store_.roots(1)->at(0).signatures, chain_[0].signatures);

    Opened next;
    EXPECT_EQ(*next.store.accept_roots(network_, *store_.roots(1)), 1u);
}

TEST_F(TrustStoreTest, KeepsTheSignaturesOfBothSidesOfARotation) {
    Root handed_over = example_root();
    handed_over.version = 2;
    handed_over.keys = {holder_of(4, "root-4"), holder_of(5, "root-5")};
    const SignedRoot rotation = sign_root(handed_over, {1, 2, 4, 5});
    ASSERT_TRUE(store_.accept_roots(network_, {chain_[0], rotation}).has_value());
    EXPECT_EQ(store_.roots(2)->at(0).signatures, rotation.signatures);
}

TEST_F(TrustStoreTest, RootsGoWithTheTransactionOfTheCaller) {
    {
        Result<Transaction> transaction = Transaction::begin(database_);
        ASSERT_TRUE(transaction.has_value());
        EXPECT_EQ(*store_.accept_roots(network_, chain_), 4u);
        ASSERT_TRUE(store_.raise("lane/office", 9).has_value());
    }
    EXPECT_FALSE((*store_.current_root()).has_value());
    EXPECT_EQ(*store_.ratchet("lane/office"), 0u);
    {
        Result<Transaction> transaction = Transaction::begin(database_);
        EXPECT_EQ(*store_.accept_roots(network_, chain_), 4u);
        ASSERT_TRUE(transaction->commit().has_value());
    }
    EXPECT_EQ(version(), 4u);
}

// -- ratchets -------------------------------------------------------------------------------------

TEST_F(TrustStoreTest, RatchetsStartAtZeroAndGoUpOnly) {
    EXPECT_EQ(*store_.ratchet("a"), 0u);
    ASSERT_TRUE(store_.raise("a", 5).has_value());
    ASSERT_TRUE(store_.raise("a", 5).has_value());
    const Result<void> lower = store_.raise("a", 4);
    ASSERT_FALSE(lower.has_value());
    EXPECT_EQ(lower.error().code, ErrorCode::kRefused);
    EXPECT_EQ(lower.error().about, "a");
    EXPECT_EQ(*store_.ratchet("a"), 5u);
    EXPECT_EQ(*store_.ratchet("b"), 0u);
}

TEST_F(TrustStoreTest, RatchetsHoldNumbersThatSqlTakesForNegative) {
    ASSERT_TRUE(store_.raise("a", 1ull << 63).has_value());
    EXPECT_EQ(*store_.ratchet("a"), 1ull << 63);
    EXPECT_FALSE(store_.raise("a", (1ull << 63) - 1).has_value());
    ASSERT_TRUE(store_.raise("a", UINT64_MAX).has_value());
    EXPECT_EQ(*store_.ratchet("a"), UINT64_MAX);
}

RC_GTEST_PROP(Ratchets, EndAtTheHighestWhateverTheOrder, (const std::vector<std::uint64_t>& values)) {
    Opened opened;
    std::uint64_t highest = 0;
    for (const std::uint64_t value : values) {
        RC_ASSERT(opened.store.raise("r", value).has_value() == (value >= highest));
        highest = std::max(highest, value);
        RC_ASSERT(*opened.store.ratchet("r") == highest);
    }
}

// -- roster ---------------------------------------------------------------------------------------

SiteEntry entry_of(std::uint8_t seed, std::string name) {
    SiteEntry entry;
    entry.signing_key = key_of(seed).public_key();
    entry.sealing_key = sealing_key_of(seed).public_key();
    entry.id = site_id_of(entry.signing_key);
    entry.name = std::move(name);
    return entry;
}

TEST_F(TrustStoreTest, KeepsASiteWhole) {
    SiteEntry hub = entry_of(1, "hub"), village = entry_of(2, "李家村");
    hub.role = SiteRole::kHub;
    village.parent = hub.id;
    ASSERT_TRUE(store_.put_site(hub).has_value());
    ASSERT_TRUE(store_.put_site(village).has_value());
    EXPECT_EQ(**store_.site(hub.id), hub);
    EXPECT_EQ(**store_.site(village.id), village);
    EXPECT_FALSE((*store_.site(SiteId{})).has_value());
    village.name = "李家新村";
    village.role = SiteRole::kCarrier;
    ASSERT_TRUE(store_.put_site(village).has_value());
    EXPECT_EQ(**store_.site(village.id), village);
}

TEST_F(TrustStoreTest, ARevokedSiteStaysRevoked) {
    SiteEntry site = entry_of(2, "lijia");
    ASSERT_TRUE(store_.put_site(site).has_value());
    site.state = SiteState::kRevoked;
    ASSERT_TRUE(store_.put_site(site).has_value());
    ASSERT_TRUE(store_.put_site(site).has_value());
    site.state = SiteState::kActive;
    const Result<void> back = store_.put_site(site);
    EXPECT_EQ(reason_of(back), "this box was revoked");
    EXPECT_EQ(back.error().code, ErrorCode::kRefused);
    EXPECT_EQ((*store_.site(site.id))->state, SiteState::kRevoked);
}

TEST_F(TrustStoreTest, ASiteKeepsItsKeysForLife) {
    const SiteEntry site = entry_of(2, "lijia");
    ASSERT_TRUE(store_.put_site(site).has_value());
    SiteEntry other_sealing = site, other_signing = site;
    other_sealing.sealing_key = sealing_key_of(9).public_key();
    other_signing.signing_key = key_of(9).public_key();
    EXPECT_EQ(reason_of(store_.put_site(other_sealing)), "a site keeps its keys for life");
    EXPECT_EQ(reason_of(store_.put_site(other_signing)), "a site keeps its keys for life");
    EXPECT_EQ(**store_.site(site.id), site);
}

TEST_F(TrustStoreTest, FindsSitesByTheBeginningOfNameOrId) {
    const SiteEntry one = entry_of(1, "lijia"), two = entry_of(2, "lijiagou"),
                    three = entry_of(3, "wang%cun");
    for (const SiteEntry& entry : {two, one, three}) ASSERT_TRUE(store_.put_site(entry).has_value());
    EXPECT_EQ(*store_.find_sites("lijia"), (std::vector<SiteEntry>{one, two})) << "the whole name first";
    EXPECT_EQ(*store_.find_sites("lijiag"), std::vector<SiteEntry>{two});
    EXPECT_EQ(*store_.find_sites(to_hex(three.id).substr(0, 12)), std::vector<SiteEntry>{three});
    EXPECT_TRUE(store_.find_sites("%")->empty());
    EXPECT_TRUE(store_.find_sites("iji")->empty());
}

TEST_F(TrustStoreTest, GoesThroughTheSitesByNameAndStopsAtAnError) {
    for (const SiteEntry& entry : {entry_of(3, "c"), entry_of(1, "a"), entry_of(2, "b")})
        ASSERT_TRUE(store_.put_site(entry).has_value());
    std::string names;
    ASSERT_TRUE(store_
                    .for_each_site([&](const SiteEntry& entry) -> Result<void> {
                        names += entry.name;
                        return {};
                    })
                    .has_value());
    EXPECT_EQ(names, "abc");
    const Result<void> stopped = store_.for_each_site([&](const SiteEntry&) -> Result<void> {
        names += "!";
        return fail(ErrorCode::kCancelled, "", "stopped", "go on");
    });
    EXPECT_EQ(reason_of(stopped), "stopped");
    EXPECT_EQ(names, "abc!");
}

// Any order of entries from any sources: whoever was revoked once is revoked.
RC_GTEST_PROP(Roster, RevocationsWinWhateverTheOrder, ()) {
    Opened opened;
    std::map<std::uint8_t, bool> revoked;
    const auto steps = *rc::gen::container<std::vector<std::pair<std::uint8_t, bool>>>(
        rc::gen::pair(rc::gen::inRange<std::uint8_t>(1, 4), rc::gen::arbitrary<bool>()));
    for (const auto& [seed, revoke] : steps) {
        SiteEntry entry = entry_of(seed, "site-" + std::to_string(seed));
        entry.state = revoke ? SiteState::kRevoked : SiteState::kActive;
        RC_ASSERT(opened.store.put_site(entry).has_value() == (revoke || !revoked[seed]));
        revoked[seed] = revoked[seed] || revoke;
        RC_ASSERT(((*opened.store.site(entry.id))->state == SiteState::kRevoked) == revoked[seed]);
    }
}

}  // namespace
}  // namespace satchel::trust
