// Requests, grants and site entries: what a box and a hub say to each other before they know each other
// (schemas/enrolment.md).
#include "engine/trust/enrolment.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <limits>

#include <nlohmann/json.hpp>

#include "engine/base/encoding.hpp"
#include "engine/trust/json_document.hpp"
#include "simulations/world/sim_world.hpp"
#include "tests/engine/trust/trust_support.hpp"

namespace satchel::trust {
namespace {

constexpr std::int64_t kIssued = 1'750'000'000'000;
constexpr std::int64_t kDay = 24ll * 3600 * 1000;

// -- site entries ---------------------------------------------------------------------------------

SiteEntry village() {
    SiteEntry entry;
    entry.signing_key = key_of(31).public_key();
    entry.sealing_key = sealing_key_of(32).public_key();
    entry.id = site_id_of(entry.signing_key);
    entry.name = "李家村";
    entry.parent = site_id_of(key_of(41).public_key());
    return entry;
}

TEST(SiteEntryDocument, IsTheGoldenOne) {
    const std::string golden = source_file("schemas/vectors/enrolment/site.json");
    EXPECT_EQ(encode(village()), golden);
    const Result<SiteEntry> decoded = decode_site_entry(bytes_of(golden));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, village());
}

TEST(SiteEntryDocument, OfEveryRoleAndStateSurvivesARoundTrip) {
    for (const SiteRole role :
         {SiteRole::kHub, SiteRole::kVillage, SiteRole::kCarrier, SiteRole::kHousehold}) {
        for (const SiteState state : {SiteState::kActive, SiteState::kRevoked}) {
            SiteEntry entry = village();
            entry.role = role;
            entry.state = state;
            if (role == SiteRole::kHub) entry.parent.reset();
            EXPECT_EQ(decode_site_entry(bytes_of(encode(entry))).value(), entry);
        }
    }
    EXPECT_FALSE(site_role_of("").has_value());
    EXPECT_FALSE(site_role_of("Hub").has_value());
}

TEST(SiteEntryDocument, RefusesWhatIsMissingOrDoesNotFit) {
    const Json whole = Json::parse(encode(village()));
    for (const auto& [name, value] : whole.items()) {
        Json lacking = whole;
        lacking.erase(name);
        EXPECT_EQ(decode_site_entry(bytes_of(canonical(lacking))).has_value(), name == "parent") << name;
        Json wrong = whole;
        wrong[name] = 5;
        EXPECT_FALSE(decode_site_entry(bytes_of(canonical(wrong))).has_value()) << name;
    }
    const auto refused = [&](const char* name, const std::string& value) {
        Json json = whole;
        json[name] = value;
        return !decode_site_entry(bytes_of(canonical(json))).has_value();
    };
    EXPECT_TRUE(refused("id", std::string(64, '1'))) << "the id is the hash of the signing key";
    EXPECT_TRUE(refused("signing_key", to_hex(key_of(1).public_key())));
    EXPECT_TRUE(refused("name", ""));
    EXPECT_TRUE(refused("name", "a/b"));
    EXPECT_TRUE(refused("name", "a\x1b[31mb"));
    EXPECT_TRUE(refused("name", std::string(kSiteNameMax + 1, 'x')));
    EXPECT_FALSE(refused("name", std::string(kSiteNameMax, 'x')));
    EXPECT_TRUE(refused("role", "king"));
    EXPECT_TRUE(refused("state", "gone"));
    EXPECT_TRUE(refused("parent", "x"));
}

TEST(SiteEntryDocument, TellsANewerProgramFromDamage) {
    Json json = Json::parse(encode(village()));
    json["colour"] = "red";
    EXPECT_EQ(decode_site_entry(bytes_of(canonical(json))).error().code, ErrorCode::kUnsupported);
    json.erase("colour");
    json["format"] = "satchel-site-2";
    EXPECT_EQ(decode_site_entry(bytes_of(canonical(json))).error().code, ErrorCode::kUnsupported);
    json["format"] = "satchel-root-1";
    EXPECT_EQ(decode_site_entry(bytes_of(canonical(json))).error().code, ErrorCode::kDamaged);
}

// -- requests -------------------------------------------------------------------------------------

JoinRequest example_request(std::uint8_t nonce = 0x77) {
    JoinRequest request;
    request.site_name = "李家村";
    request.signing_key = key_of(31).public_key();
    request.sealing_key = sealing_key_of(32).public_key();
    request.nonce.fill(nonce);
    return request;
}

std::string request_text(std::uint8_t nonce = 0x77) {
    return make_request(example_request(nonce), key_of(31));
}

TEST(Request, IsTheGoldenOne) {
    const std::string golden = source_file("schemas/vectors/enrolment/lijia.request");
    EXPECT_EQ(request_text(), golden);
    EXPECT_EQ(words_of(fingerprint_of_text(golden)) + "\n",
              source_file("schemas/vectors/enrolment/request-words.txt"));
    const Result<JoinRequest> parsed = parse_request(golden);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().reason.text();
    EXPECT_EQ(parsed->site_name, "李家村");
    EXPECT_EQ(parsed->signing_key, key_of(31).public_key());
    EXPECT_EQ(parsed->sealing_key, sealing_key_of(32).public_key());
    EXPECT_EQ(parsed->nonce, example_request().nonce);
}

TEST(Request, SurvivesWhatChatsAndEditorsDoToAText) {
    std::string crlf;
    for (const char c : request_text()) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    for (const std::string& text :
         {crlf, request_text() + "\n\n  \t", request_text().substr(0, request_text().size() - 1)}) {
        EXPECT_TRUE(parse_request(text).has_value());
        EXPECT_EQ(fingerprint_of_text(text), fingerprint_of_text(request_text()));
    }
}

TEST(Request, IsRefusedWhenTruncated) {
    const std::string text = request_text();
    for (std::size_t size = 0; size + 1 < text.size(); ++size) {
        const Result<JoinRequest> parsed = parse_request(std::string_view(text).substr(0, size));
        ASSERT_FALSE(parsed.has_value()) << size;
        EXPECT_EQ(parsed.error().code, ErrorCode::kDamaged) << size;
    }
}

TEST(Request, IsRefusedWhenAnyByteOfItIsAltered) {
    const std::string text = request_text();
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {  // all but the last line's end
        for (const unsigned bit : {0u, 1u, 5u}) {
            std::string altered = text;
            altered[at] = static_cast<char>(static_cast<unsigned char>(altered[at]) ^ (1u << bit));
            EXPECT_FALSE(parse_request(altered).has_value()) << at << " " << bit;
        }
    }
}

TEST(Request, IsRefusedWithSomethingBehindIt) {
    EXPECT_FALSE(parse_request(request_text() + "x").has_value());
    EXPECT_FALSE(parse_request(request_text() + request_text()).has_value());
}

TEST(Request, IsRefusedWhenAnotherKeySignedIt) {
    const Result<JoinRequest> parsed = parse_request(make_request(example_request(), key_of(1)));
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, ErrorCode::kRefused);
    EXPECT_EQ(reason_of(parsed), "the request was altered after it was made");
}

TEST(Request, WithANameThatNoSiteCanHaveIsRefusedAndTheNameNotRepeated) {
    for (const char* name : {"", "a/b", "\x1b[2J"}) {
        JoinRequest request = example_request();
        request.site_name = name;
        const Result<JoinRequest> parsed = parse_request(make_request(request, key_of(31)));
        ASSERT_FALSE(parsed.has_value());
        EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
        EXPECT_EQ(parsed.error().about, "request");
    }
}

TEST(Request, OfANewerProgramIsNamedSo) {
    std::string newer = request_text();
    newer.replace(0, std::string("satchel request 1").size(), "satchel request 2");
    EXPECT_EQ(parse_request(newer).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(parse_request("satchel request 1").error().code, ErrorCode::kDamaged) << "cut off, not newer";
    EXPECT_EQ(parse_request("satchel grant 1\n").error().code, ErrorCode::kDamaged);
}

TEST(Request, BeyondItsLimitIsRefusedUnread) {
    EXPECT_FALSE(parse_request(request_text() + std::string(kRequestTextMax, ' ')).has_value());
}

// -- grants ---------------------------------------------------------------------------------------

class GrantTest : public testing::Test {
  protected:
    GrantTest() {
        grant_.roots = {sign_root(example_root(), {1, 2})};
        grant_.site = village();
        grant_.request = fingerprint_of_text(request_text());
        grant_.issued_ms = kIssued;
        grant_.expires_ms = kIssued + 30 * kDay;
        grant_.sealed_secret = seal(box_.public_key(), secret_, random_);
    }
    [[nodiscard]] std::string text(std::uint8_t editor = 11) const {
        return make_grant(grant_, key_of(editor)).value();
    }
    [[nodiscard]] Result<VerifiedGrant> verify(std::string_view text,
                                               std::int64_t box_ms = kIssued + kDay) const {
        return verify_grant(text, fingerprint_of_text(request_text()), box_, {box_ms});
    }
    simulations::SimRandom random_;
    SealingKey box_ = sealing_key_of(32);
    ByteBuffer secret_ = ByteBuffer(32, 0x5e);
    Grant grant_;
};

TEST_F(GrantTest, IsTheGoldenOne) {
    const std::string golden = source_file("schemas/vectors/enrolment/lijia.grant");
    EXPECT_EQ(text(), golden);
    EXPECT_EQ(words_of(fingerprint_of_text(golden)) + "\n",
              source_file("schemas/vectors/enrolment/grant-words.txt"));
    EXPECT_TRUE(verify(golden).has_value());
}

TEST_F(GrantTest, GivesTheBoxItsNetworkItsPlaceAndTheSecret) {
    const Result<VerifiedGrant> verified = verify(text());
    ASSERT_TRUE(verified.has_value()) << verified.error().reason.text() << verified.error().detail;
    EXPECT_EQ(verified->secret, secret_);
    EXPECT_EQ(verified->root, example_root());
    EXPECT_EQ(verified->network, network_id_of(grant_.roots[0]));
    EXPECT_EQ(verified->grant.site, village());
    EXPECT_EQ(verified->grant.roots.size(), 1u);
    EXPECT_EQ(verified->grant.issued_ms, kIssued);
}

TEST_F(GrantTest, SurvivesWhatChatsAndEditorsDoToAText) {
    std::string crlf;
    for (const char c : text()) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
    EXPECT_TRUE(verify(crlf + "\r\n ").has_value());
    EXPECT_EQ(fingerprint_of_text(crlf), fingerprint_of_text(text()));
}

TEST_F(GrantTest, IsRefusedWhenTruncated) {
    const std::string whole = text();
    for (std::size_t size = 0; size + 1 < whole.size(); size += 3)
        EXPECT_FALSE(verify(std::string_view(whole).substr(0, size)).has_value()) << size;
}

TEST_F(GrantTest, IsRefusedWhenAnyByteOfItIsAltered) {
    const std::string whole = text();
    for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
        std::string altered = whole;
        altered[at] = static_cast<char>(altered[at] ^ 1);
        EXPECT_FALSE(verify(altered).has_value()) << at;
    }
}

// A forger can keep the text canonical and its fields sound; only the signature tells.
TEST_F(GrantTest, IsRefusedWhenAFieldIsAltered) {
    const std::string signature = text().substr(text().rfind("-----BEGIN"));
    const std::function<void(Grant&)> changes[] = {
        [](Grant& grant) { grant.site.role = SiteRole::kHub; },
        [](Grant& grant) { grant.site.name = "other"; },
        [](Grant& grant) { grant.expires_ms += kDay; },
        [](Grant& grant) { grant.issued_ms += 1; },
        [](Grant& grant) { grant.site.parent.reset(); },
        [&](Grant& grant) { grant.sealed_secret = seal(box_.public_key(), secret_, random_); },
    };
    for (const auto& change : changes) {
        Grant forged = grant_;
        change(forged);
        std::string forged_text = make_grant(forged, key_of(99)).value();
        forged_text.replace(forged_text.rfind("-----BEGIN"), std::string::npos, signature);
        const Result<VerifiedGrant> verified = verify(forged_text);
        EXPECT_EQ(reason_of(verified), "the signature does not hold");
    }
}

TEST_F(GrantTest, SignedByNoEditorIsRefused) {
    constexpr std::uint8_t kSigners[] = {1, 21, 31,
                                         99};  // a root holder, a reviewer, the box itself, a stranger
    for (const std::uint8_t signer : kSigners)
        EXPECT_EQ(reason_of(verify(text(signer))), "who signed the grant is no editor of this network")
            << +signer;
}

TEST_F(GrantTest, SignedByAnEditorOfAnOlderRootIsRefused) {
    Root next = example_root();
    next.version = 2;
    next.lanes[0].editors = {holder_of(12, "editor-2")};
    grant_.roots.push_back(sign_root(next, {1, 2}));
    EXPECT_EQ(reason_of(verify(text(11))), "who signed the grant is no editor of this network");
    const Result<VerifiedGrant> verified = verify(text(12));
    ASSERT_TRUE(verified.has_value());
    EXPECT_EQ(verified->root.version, 2u);
    EXPECT_EQ(verified->network, network_id_of(grant_.roots[0]));
}

TEST_F(GrantTest, WithAChainOfRootsThatDoesNotHoldIsRefused) {
    const SignedRoot first = grant_.roots[0];
    Root next = example_root();
    next.version = 3;
    const std::vector<std::vector<SignedRoot>> chains = {{},
                                                         {sign_root(example_root(), {1})},
                                                         {first, first},
                                                         {first, sign_root(next, {1, 2})},
                                                         {sign_root(next, {1, 2})}};
    for (const std::vector<SignedRoot>& chain : chains) {
        grant_.roots = chain;
        EXPECT_FALSE(verify(text()).has_value()) << chain.size();
    }
}

TEST_F(GrantTest, ForAnotherRequestOfTheSameBoxIsRefused) {
    const Result<VerifiedGrant> verified =
        verify_grant(text(), fingerprint_of_text(request_text(0x78)), box_, {kIssued});
    ASSERT_FALSE(verified.has_value());
    EXPECT_EQ(verified.error().code, ErrorCode::kRefused);
    EXPECT_EQ(reason_of(verified), "the grant answers another box's request");
}

TEST_F(GrantTest, ForAnotherBoxsKeyIsRefused) {
    const SealingKey other = sealing_key_of(50);
    EXPECT_EQ(reason_of(verify_grant(text(), grant_.request, other, {kIssued})),
              "the grant answers another box's request");
    grant_.site.sealing_key = other.public_key();  // as a hub would write that mixed two requests up
    EXPECT_EQ(reason_of(verify_grant(text(), grant_.request, other, {kIssued})),
              "it is not sealed to this box, or it was altered");
}

TEST_F(GrantTest, ForARevokedSiteIsRefused) {
    grant_.site.state = SiteState::kRevoked;
    EXPECT_EQ(reason_of(verify(text())), "this box was revoked");
}

TEST_F(GrantTest, ExpiresByAClockThatMayBeRight) {
    EXPECT_TRUE(verify(text(), grant_.issued_ms).has_value());
    EXPECT_TRUE(verify(text(), grant_.expires_ms).has_value());
    const Result<VerifiedGrant> late = verify(text(), grant_.expires_ms + 1);
    EXPECT_EQ(reason_of(late), "the grant has expired");
    EXPECT_EQ(late.error().code, ErrorCode::kRefused);
    EXPECT_EQ(reason_of(verify(text(), std::numeric_limits<std::int64_t>::max())), "the grant has expired");
}

TEST_F(GrantTest, IsNotExpiredByAClockThatMustBeWrong) {
    EXPECT_TRUE(verify(text(), 0).has_value()) << "1970";
    EXPECT_TRUE(verify(text(), -1).has_value());
    EXPECT_TRUE(verify(text(), grant_.issued_ms - 1).has_value());
}

TEST_F(GrantTest, WithASecretOfAnotherSizeIsRefused) {
    grant_.sealed_secret = seal(box_.public_key(), ByteView(secret_).first(31), random_);
    EXPECT_EQ(verify(text()).error().code, ErrorCode::kDamaged);
    grant_.sealed_secret.clear();
    EXPECT_FALSE(verify(text()).has_value());
}

TEST_F(GrantTest, WhoseWordsAreOthersIsNotTheOneThatWasReadOut) {
    const std::string read_out = words_of(fingerprint_of_text(text()));
    EXPECT_TRUE(words_match(read_out, fingerprint_of_text(text())));
    grant_.expires_ms += 1;
    EXPECT_FALSE(words_match(read_out, fingerprint_of_text(text())));
}

TEST_F(GrantTest, OfANewerProgramIsNamedSo) {
    std::string newer = text();
    newer.replace(0, std::string("satchel grant 1").size(), "satchel grant 2");
    EXPECT_EQ(verify(newer).error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(verify("satchel grant 1").error().code, ErrorCode::kDamaged);
    EXPECT_EQ(verify(request_text()).error().code, ErrorCode::kDamaged);
}

TEST_F(GrantTest, CarriesALongChainAndIsRefusedWhereItWouldBeTooLong) {
    Root root = example_root();
    for (std::uint8_t seed = 60; seed < 68; ++seed)
        root.lanes[0].reviewers.push_back(holder_of(seed, "reviewer-" + std::to_string(seed)));
    grant_.roots = {sign_root(root, {1, 2})};
    while (grant_.roots.size() < 300) {
        root.version += 1;
        grant_.roots.push_back(sign_root(root, {1, 2}));
    }
    const std::string whole = text();
    EXPECT_LE(whole.size(), kEnrolmentTextMax);
    ASSERT_TRUE(verify(whole).has_value());
    EXPECT_EQ(verify(whole)->root.version, 300u);
    const std::vector<SignedRoot> once = grant_.roots;
    grant_.roots.insert(grant_.roots.end(), once.begin(), once.end());
    EXPECT_EQ(make_grant(grant_, key_of(11)).error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(verify(whole + std::string(kEnrolmentTextMax, ' ')).error().code, ErrorCode::kDamaged);
}

RC_GTEST_PROP(EnrolmentTexts, AnyTextIsParsedOrRefused, (const std::string& noise)) {
    const std::string base = *rc::gen::element(request_text(), std::string("satchel grant 1\n{\n}\n-----\n"));
    const auto at = *rc::gen::inRange<std::size_t>(0, base.size() + 1);
    const std::string text =
        base.substr(0, at) + noise + base.substr(std::min(base.size(), at + noise.size()));
    static_cast<void>(verify_grant(text, Digest{}, sealing_key_of(1), {0}).has_value());
    const Result<JoinRequest> request = parse_request(text);
    if (request.has_value()) RC_ASSERT(fingerprint_of_text(text) == fingerprint_of_text(request_text()));
}

}  // namespace
}  // namespace satchel::trust
