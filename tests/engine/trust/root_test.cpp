// Roots: their document, their thresholds, and the walk from version to version (schemas/root.md).
#include "engine/trust/root.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/base/encoding.hpp"
#include "engine/trust/json_document.hpp"
#include "tests/engine/trust/trust_support.hpp"

namespace satchel::trust {
namespace {

Result<Root> as_first(const SignedRoot& root) { return verify_root(std::nullopt, network_id_of(root), root); }
Result<Root> behind(const Root& current, const SignedRoot& next) {
    return verify_root(current, NetworkId{}, next);
}

constexpr char kTooFewOwn[] = "too few of a root's own key holders signed it";
constexpr char kTooFewCurrent[] = "too few of the current root's key holders signed the next root";
constexpr char kGap[] = "roots must follow each other without a gap";

// -- the document ---------------------------------------------------------------------------------

TEST(RootDocument, IsTheGoldenOne) {
    EXPECT_EQ(encode(example_root()), source_file("schemas/vectors/root/root-1.json"));
    Root next = example_root();
    next.version = 2;
    next.keys[2] = holder_of(4, "root-3");
    EXPECT_EQ(encode(next), source_file("schemas/vectors/root/root-2.json"));
}

TEST(RootDocument, OfTheGoldenChainIsDecodedAndHolds) {
    const auto load = [](const std::string& version, const std::vector<std::string>& signatures) {
        const std::string document = source_file("schemas/vectors/root/root-" + version + ".json");
        SignedRoot root{ByteBuffer(document.begin(), document.end()), {}};
        for (const std::string& name : signatures)
            root.signatures.push_back(
                source_file("schemas/vectors/root/root-" + version + "." + name + ".sig"));
        return root;
    };
    const SignedRoot first = load("1", {"key-1", "key-2"}), next = load("2", {"key-1", "key-2"});
    EXPECT_EQ(first.signatures, sign_root(example_root(), {1, 2}).signatures);
    EXPECT_EQ(to_hex(network_id_of(first)) + "\n", source_file("schemas/vectors/root/network-id.txt"));
    const Result<Root> one = as_first(first);
    ASSERT_TRUE(one.has_value()) << one.error().reason.text();
    EXPECT_EQ(*one, example_root());
    EXPECT_TRUE(behind(*one, next).has_value());
}

TEST(RootDocument, IsRefusedWithoutAnyOfItsFields) {
    const Json whole = Json::parse(encode(example_root()));
    for (const auto& [name, value] : whole.items()) {
        Json lacking = whole;
        lacking.erase(name);
        EXPECT_FALSE(decode_root(bytes_of(canonical(lacking))).has_value()) << name;
    }
    for (const auto& [name, value] : whole["lanes"][0].items()) {
        Json lacking = whole;
        lacking["lanes"][0].erase(name);
        EXPECT_FALSE(decode_root(bytes_of(canonical(lacking))).has_value()) << name;
    }
}

TEST(RootDocument, TellsANewerProgramFromDamage) {
    Json json = Json::parse(encode(example_root()));
    json["format"] = "satchel-root-2";
    EXPECT_EQ(decode_root(bytes_of(canonical(json))).error().code, ErrorCode::kUnsupported);
    json["format"] = "satchel-site-1";
    EXPECT_EQ(decode_root(bytes_of(canonical(json))).error().code, ErrorCode::kDamaged);
    json["format"] = "satchel-root-1";
    json["more"] = 1;
    EXPECT_EQ(decode_root(bytes_of(canonical(json))).error().code, ErrorCode::kUnsupported);
    json.erase("more");
    json["lanes"][0]["more"] = 1;
    EXPECT_EQ(decode_root(bytes_of(canonical(json))).error().code, ErrorCode::kUnsupported);
}

TEST(RootDocument, RefusesEveryTruncatedDocument) {
    const std::string document = encode(example_root());
    for (std::size_t size = 0; size < document.size(); ++size)
        EXPECT_FALSE(decode_root(bytes_of(std::string_view(document).substr(0, size))).has_value()) << size;
}

TEST(RootDocument, RefusesWhatBreaksALimit) {
    const auto refused = [](const std::function<void(Root&)>& change) {
        Root root = example_root();
        change(root);
        return decode_root(bytes_of(encode(root))).error().code == ErrorCode::kDamaged;
    };
    EXPECT_TRUE(refused([](Root& root) { root.version = 0; }));
    EXPECT_TRUE(refused([](Root& root) { root.version = kRootVersionMax + 1; }));
    EXPECT_TRUE(refused([](Root& root) { root.network = ""; }));
    EXPECT_TRUE(refused([](Root& root) { root.network = std::string(201, 'x'); }));
    EXPECT_TRUE(refused([](Root& root) { root.network = "\x1b[2J"; }));
    EXPECT_TRUE(refused([](Root& root) { root.utc_offset_minutes = 841; }));
    EXPECT_TRUE(refused([](Root& root) { root.utc_offset_minutes = -841; }));
    EXPECT_TRUE(refused([](Root& root) { root.threshold = 0; }));
    EXPECT_TRUE(refused([](Root& root) { root.threshold = 4; }));
    EXPECT_TRUE(refused([](Root& root) { root.time_hubs = 0; }));
    EXPECT_TRUE(refused([](Root& root) { root.ack_hubs = 65; }));
    EXPECT_TRUE(refused([](Root& root) { root.keys.clear(); }));
    EXPECT_TRUE(refused([](Root& root) { root.keys[1].key = root.keys[0].key; }));
    EXPECT_TRUE(refused([](Root& root) { root.keys[1].holder = ""; }));
    EXPECT_TRUE(refused([](Root& root) { root.keys[1].key.digest = {1}; }));  // the identity
    EXPECT_TRUE(refused([](Root& root) { root.lanes[0].editors.clear(); }));
    EXPECT_TRUE(refused([](Root& root) { root.lanes[0].name = "a\nb"; }));
    EXPECT_TRUE(refused([](Root& root) { root.lanes[0].name = std::string(65, 'x'); }));
    EXPECT_TRUE(refused([](Root& root) { root.lanes[0].reviews_needed = 3; }));
    EXPECT_TRUE(refused([](Root& root) { root.lanes[0].scope = {std::string(201, 'x')}; }));
    EXPECT_TRUE(refused([](Root& root) { root.lanes[0].scope.assign(65, "x"); }));
    EXPECT_TRUE(refused([](Root& root) { root.lanes.push_back(root.lanes[0]); }));
    EXPECT_TRUE(refused([](Root& root) { root.lanes.resize(65, root.lanes[0]); }));
}

TEST(RootDocument, AThresholdThatOnlyManyKeysOfOneHolderCouldMeetIsRefused) {
    Root root = example_root();
    for (KeyHolder& holder : root.keys) holder.holder = "root-1";
    EXPECT_FALSE(decode_root(bytes_of(encode(root))).has_value());
    root.threshold = 1;
    EXPECT_TRUE(decode_root(bytes_of(encode(root))).has_value());
    for (KeyHolder& holder : root.lanes[0].reviewers) holder.holder = "reviewer-1";
    EXPECT_FALSE(decode_root(bytes_of(encode(root))).has_value());
}

TEST(RootDocument, RefusesMoreKeysThanItsLimit) {
    Root root = example_root();
    root.keys.clear();
    for (std::uint8_t seed = 0; seed < 65; ++seed)
        root.keys.push_back(holder_of(seed, "root-" + std::to_string(seed)));
    EXPECT_FALSE(decode_root(bytes_of(encode(root))).has_value());
    root.keys.pop_back();
    EXPECT_TRUE(decode_root(bytes_of(encode(root))).has_value());
}

TEST(RootDocument, NamesItsLanes) {
    const Root root = example_root();
    ASSERT_NE(root.lane("office"), nullptr);
    EXPECT_EQ(root.lane("office")->editors, root.lanes[0].editors);
    EXPECT_EQ(root.lane("offic"), nullptr);
}

// -- the first root -------------------------------------------------------------------------------

TEST(FirstRoot, IsTheOneThatNamesTheNetwork) {
    const SignedRoot first = sign_root(example_root(), {1, 2});
    EXPECT_TRUE(as_first(first).has_value());
    Root other = example_root();
    other.network = "another";
    EXPECT_EQ(reason_of(verify_root(std::nullopt, network_id_of(first), sign_root(other, {1, 2}))),
              "this is not the first root of the network");
    Root second = example_root();
    second.version = 2;
    EXPECT_FALSE(as_first(sign_root(second, {1, 2})).has_value());
}

TEST(FirstRoot, IsSignedByItsOwnHolders) {
    EXPECT_EQ(reason_of(as_first(sign_root(example_root(), {1}))), kTooFewOwn);
    EXPECT_EQ(reason_of(as_first(sign_root(example_root(), {}))), kTooFewOwn);
    EXPECT_EQ(reason_of(as_first(sign_root(example_root(), {1, 11}))), kTooFewOwn)
        << "an editor is no root holder";
    EXPECT_EQ(reason_of(as_first(sign_root(example_root(), {1, 99}))), kTooFewOwn);
}

TEST(FirstRoot, IsNotHeldByOneHolderWithTwoKeysOrTwoSignatures) {
    EXPECT_EQ(reason_of(as_first(sign_root(example_root(), {1, 1, 1}))), kTooFewOwn);
    Root root = example_root();
    root.keys[1].holder = root.keys[0].holder;
    EXPECT_EQ(reason_of(as_first(sign_root(root, {1, 2}))), kTooFewOwn);
    EXPECT_TRUE(as_first(sign_root(root, {1, 2, 3})).has_value());
}

TEST(FirstRoot, ASignatureOfAnotherPurposeOrDocumentDoesNotCount) {
    const std::string document = encode(example_root());
    SignedRoot root = sign_document(document, {1});
    root.signatures.push_back(ssh_sign(key_of(2), "satchel-review", bytes_of(document)));
    root.signatures.push_back(ssh_sign(key_of(3), "satchel-root", bytes_of(document + " ")));
    EXPECT_EQ(reason_of(as_first(root)), kTooFewOwn);
}

TEST(FirstRoot, WithMoreSignaturesThanKeysCanBeIsRefusedUnread) {
    SignedRoot root = sign_root(example_root(), {1, 2});
    root.signatures.resize(kRootKeysMax, "junk");
    EXPECT_TRUE(as_first(root).has_value());
    root.signatures.emplace_back("junk");
    EXPECT_EQ(reason_of(as_first(root)), "a root has more signatures than it can have keys");
}

// -- the next roots -------------------------------------------------------------------------------

// Version 2 of three new holders.
Root handed_over() {
    Root next = example_root();
    next.version = 2;
    next.keys = {holder_of(4, "root-4"), holder_of(5, "root-5"), holder_of(6, "root-6")};
    return next;
}

TEST(NextRoot, NeedsBothThresholds) {
    EXPECT_TRUE(behind(example_root(), sign_root(handed_over(), {1, 2, 4, 5})).has_value());
    EXPECT_EQ(reason_of(behind(example_root(), sign_root(handed_over(), {1, 4, 5, 6}))), kTooFewCurrent);
    EXPECT_EQ(reason_of(behind(example_root(), sign_root(handed_over(), {4, 5, 6}))), kTooFewCurrent);
    EXPECT_EQ(reason_of(behind(example_root(), sign_root(handed_over(), {1, 2, 3, 4}))), kTooFewOwn);
}

TEST(NextRoot, NeedsEachThresholdAsItsOwnRootStatesIt) {
    Root next = handed_over();
    next.threshold = 1;
    EXPECT_TRUE(behind(example_root(), sign_root(next, {1, 2, 4})).has_value());
    EXPECT_EQ(reason_of(behind(example_root(), sign_root(next, {1, 4}))), kTooFewCurrent)
        << "the next root may not lower what the current one demands";
    next.threshold = 3;
    EXPECT_EQ(reason_of(behind(example_root(), sign_root(next, {1, 2, 4, 5}))), kTooFewOwn);
}

TEST(NextRoot, FollowsWithoutAGapAndNeverGoesBack) {
    for (const std::uint32_t version : {1u, 3u, 4u, kRootVersionMax}) {
        Root next = example_root();
        next.version = version;
        EXPECT_EQ(reason_of(behind(example_root(), sign_root(next, {1, 2, 3}))), kGap) << version;
    }
    Root newer = example_root();
    newer.version = 7;
    Root older = example_root();
    older.version = 6;
    EXPECT_EQ(reason_of(behind(newer, sign_root(older, {1, 2, 3}))), kGap);
}

TEST(NextRoot, HoldersCountNotKeys) {
    Root current = example_root();
    current.keys[1].holder = current.keys[0].holder;
    Root next = example_root();
    next.version = 2;
    EXPECT_EQ(reason_of(behind(current, sign_root(next, {1, 2}))), kTooFewCurrent);
    EXPECT_TRUE(behind(current, sign_root(next, {1, 3})).has_value());
}

// -- properties -----------------------------------------------------------------------------------

// Six keys of at most four holders; any multiset of signatures by them and others, in any order, among junk.
RC_GTEST_PROP(RootThreshold, IsMetByDistinctHoldersAndNothingElse, ()) {
    Root root = example_root();
    root.keys.clear();
    std::set<std::string> names;
    std::map<std::uint8_t, std::string> holder_by_seed;
    for (std::uint8_t seed = 1; seed <= 6; ++seed) {
        const std::string name = "root-" + std::to_string(*rc::gen::inRange(1, 5));
        root.keys.push_back(holder_of(seed, name));
        holder_by_seed[seed] = name;
        names.insert(name);
    }
    root.threshold = static_cast<std::uint32_t>(*rc::gen::inRange<std::size_t>(1, names.size() + 1));
    const std::string document = encode(root);

    SignedRoot candidate{ByteBuffer(document.begin(), document.end()), {}};
    std::set<std::string> signed_by;
    const auto seeds = *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::inRange<std::uint8_t>(1, 10));
    for (const std::uint8_t seed : seeds) {
        const auto kind = *rc::gen::weightedElement<char>({{6, 'g'}, {1, 'p'}, {1, 'd'}, {1, 'j'}});
        if (kind == 'j') candidate.signatures.push_back(*rc::gen::arbitrary<std::string>());
        if (kind == 'p') candidate.signatures.push_back(ssh_sign(key_of(seed), "git", bytes_of(document)));
        if (kind == 'd')
            candidate.signatures.push_back(ssh_sign(key_of(seed), "satchel-root", bytes_of("other")));
        if (kind != 'g') continue;
        candidate.signatures.push_back(ssh_sign(key_of(seed), "satchel-root", bytes_of(document)));
        if (holder_by_seed.contains(seed)) signed_by.insert(holder_by_seed[seed]);
    }
    RC_PRE(candidate.signatures.size() <= kRootKeysMax);
    RC_ASSERT(as_first(candidate).has_value() == (signed_by.size() >= root.threshold));

    // What is kept of the signatures carries the root as well as all of them did.
    const SignedRoot kept{candidate.document, signatures_that_count(std::nullopt, root, candidate)};
    RC_ASSERT(kept.signatures.size() <= root.keys.size());
    RC_ASSERT(as_first(kept).has_value() == as_first(candidate).has_value());
}

// 1 to 4 of nine holders, each with one key, and any threshold among them.
Root any_root(std::uint32_t version) {
    Root root = example_root();
    root.version = version;
    root.keys.clear();
    std::set<std::uint8_t> seen;
    for (int drawn = *rc::gen::inRange(1, 5); drawn > 0; --drawn) {
        const auto seed = *rc::gen::inRange<std::uint8_t>(1, 10);
        if (seen.insert(seed).second) root.keys.push_back(holder_of(seed, std::to_string(seed)));
    }
    root.threshold = static_cast<std::uint32_t>(*rc::gen::inRange<std::size_t>(1, root.keys.size() + 1));
    return root;
}

// The seeds of just as many holders as the root demands.
std::vector<std::uint8_t> quorum_of(const Root& root) {
    std::vector<std::uint8_t> seeds;
    for (std::size_t i = 0; i < root.threshold; ++i)
        seeds.push_back(static_cast<std::uint8_t>(root.keys[i].holder.front() - '0'));
    return seeds;
}

bool meets(const Root& root, const std::vector<std::uint8_t>& seeds) {
    const auto signed_by = [&](const KeyHolder& holder) {
        return std::count(seeds.begin(), seeds.end(), holder.holder.front() - '0') > 0;
    };
    return std::count_if(root.keys.begin(), root.keys.end(), signed_by) >= std::ptrdiff_t{root.threshold};
}

RC_GTEST_PROP(RootWalk, GoesThroughRandomRotationsOneByOne, ()) {
    const auto versions = *rc::gen::inRange<std::uint32_t>(2, 9);
    std::vector<Root> roots;
    std::vector<std::vector<std::uint8_t>> seeds;
    std::vector<SignedRoot> chain;
    for (std::uint32_t version = 1; version <= versions; ++version) {
        roots.push_back(any_root(version));
        seeds.push_back(quorum_of(roots.back()));
        if (version > 1)
            for (const std::uint8_t seed : quorum_of(roots[version - 2])) seeds.back().push_back(seed);
        chain.push_back(sign_root(roots.back(), seeds.back()));
    }
    const NetworkId network = network_id_of(chain.front());
    std::optional<Root> current;
    for (std::size_t at = 0; at < chain.size(); ++at) {
        for (std::size_t other = 0; other < chain.size(); ++other)
            if (other != at) RC_ASSERT(!verify_root(current, network, chain[other]).has_value());
        Result<Root> next = verify_root(current, network, chain[at]);
        RC_ASSERT(next.has_value());
        RC_ASSERT(*next == roots[at]);

        SignedRoot lacking = chain[at];
        std::vector<std::uint8_t> left = seeds[at];
        const auto gone = static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, left.size()));
        lacking.signatures.erase(lacking.signatures.begin() + gone);
        left.erase(left.begin() + gone);
        const bool enough = meets(roots[at], left) && (!current || meets(*current, left));
        RC_ASSERT(verify_root(current, network, lacking).has_value() == enough);
        current = std::move(*next);
    }
}

RC_GTEST_PROP(RootDocument, SurvivesARoundTrip, ()) {
    Root root = example_root();
    root.version = *rc::gen::inRange<std::uint32_t>(1, kRootVersionMax + 1);
    root.network = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange(' ', '\x7f')));
    RC_PRE(root.network.size() <= 200);
    root.utc_offset_minutes = *rc::gen::inRange(-840, 841);
    root.time_hubs = *rc::gen::inRange<std::uint32_t>(1, 65);
    root.lanes.resize(*rc::gen::inRange<std::size_t>(1, 6), root.lanes[0]);
    for (std::size_t i = 0; i < root.lanes.size(); ++i) root.lanes[i].name += std::to_string(i);
    const Result<Root> decoded = decode_root(bytes_of(encode(root)));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == root);
}

}  // namespace
}  // namespace satchel::trust
