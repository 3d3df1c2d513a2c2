#include "transport/link/peer_book.hpp"

#include <gtest/gtest.h>

#include "tests/transport/link/ends.hpp"

namespace satchel::link {
namespace {

channel::Claim claim_of(std::uint8_t number, std::uint8_t dialler = 0, std::uint8_t answerer = 0) {
    return {channel::Contact::kFirst, key_of(number).public_key(), {dialler, answerer}};
}

// The book of village 2, in a network of a hub and two villages.
class Book : public testing::Test {
  protected:
    Book() { book.replace_sites(roster(3)); }
    PeerBook book{site_of(2), key_of(2).public_key()};
};

TEST_F(Book, NamesTheSitesOfTheRoster) {
    EXPECT_EQ(*book.identify_dialler(claim_of(3)), site_of(3));
    EXPECT_EQ(*book.identify_dialled(claim_of(1)), site_of(1));
    EXPECT_EQ(book.name_of(channel::Peer{site_of(1), key_of(1).public_key()}), "hub");
    EXPECT_EQ(book.name_of(channel::Peer{site_of(9), key_of(9).public_key()}), "090909090909");
}

TEST_F(Book, RefusesWhoeverTheRosterDoesNotName) {
    EXPECT_EQ(book.identify_dialler(claim_of(9)).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(book.identify_dialled(claim_of(9)).error().code, ErrorCode::kNotFound);
}

TEST_F(Book, RefusesARevokedSiteInBothDirections) {
    std::vector<Acquaintance> sites = roster(3);
    sites[2].revoked = true;
    book.replace_sites(sites);
    EXPECT_EQ(book.identify_dialler(claim_of(3)).error().code, ErrorCode::kRefused);
    EXPECT_EQ(book.identify_dialled(claim_of(3)).error().code, ErrorCode::kRefused);
}

TEST_F(Book, ComparesTheRoleThatIsClaimed) {
    EXPECT_TRUE(
        book.identify_dialler(claim_of(3, channel::role_byte(trust::SiteRole::kVillage))).has_value());
    EXPECT_FALSE(book.identify_dialler(claim_of(3, channel::role_byte(trust::SiteRole::kHub))).has_value());
    EXPECT_FALSE(
        book.identify_dialled(claim_of(1, 0, channel::role_byte(trust::SiteRole::kVillage))).has_value());
}

TEST_F(Book, KnowsItsOwnKey) {
    EXPECT_EQ(book.identify_dialler(claim_of(2)).error().code, ErrorCode::kUsage);
    EXPECT_EQ(book.identify_dialled(claim_of(2)).error().code, ErrorCode::kUsage);
}

TEST_F(Book, OfABoxThatHasJustJoinedTakesWhomItDialsButNobodyElse) {
    book.replace_sites({roster(2)[1]});
    const Result<SiteId> one = book.identify_dialled(claim_of(1)), other = book.identify_dialled(claim_of(3));
    ASSERT_TRUE(one.has_value() && other.has_value());
    EXPECT_NE(*one, *other);
    EXPECT_NE(*one, site_of(1)) << "a stranger's id is no site's";
    EXPECT_FALSE(book.identify_dialler(claim_of(1)).has_value());
    const channel::Peer hub{*one, key_of(1).public_key()};
    EXPECT_FALSE(book.is_introduced(hub));
    book.replace_sites(roster(3));
    EXPECT_TRUE(book.is_introduced(hub));
    EXPECT_FALSE(book.is_introduced(channel::Peer{site_of(1), key_of(1).public_key()}));
}

TEST_F(Book, RemembersKeysByAddressWithinItsLimit) {
    book.remember("hub:1", key_of(1).public_key());
    EXPECT_EQ(book.key_at("hub:1"), key_of(1).public_key());
    book.forget("hub:1");
    EXPECT_EQ(book.key_at("hub:1"), std::nullopt);
    for (std::size_t i = 0; i < kAddressesRememberedMax; ++i)
        book.remember("a:" + std::to_string(i), key_of(1).public_key());
    book.remember("hub:2", key_of(1).public_key());
    EXPECT_EQ(book.key_at("a:0"), std::nullopt);
    EXPECT_TRUE(book.key_at("hub:2").has_value());
}

}  // namespace
}  // namespace satchel::link
