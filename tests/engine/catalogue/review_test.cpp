// Review statements: round trips, refusals, golden vectors, and stock ssh-keygen (schemas/review.md).
#include "engine/catalogue/review.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/encoding.hpp"
#include "engine/catalogue/signers.hpp"
#include "tests/support/temp_folder.hpp"

namespace satchel::catalogue {
namespace {

trust::SigningKey key_of(std::uint8_t seed) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return trust::SigningKey::from_seed(bytes);
}

Review example() {
    Review review;
    review.network.digest.fill(0x11);
    review.course = "c008";
    review.edition = 3;
    review.manifest.digest.fill(0x22);
    return review;
}

Review rejection() {
    Review review = example();
    review.course = "水稻 病虫害";
    review.verdict = Verdict::kReject;
    review.role = ReviewRole::kTechnical;
    return review;
}

std::string vector_path(const std::string& name) {
    return std::string(SATCHEL_SOURCE_DIR) + "/schemas/vectors/review/" + name;
}

std::string vector_file(const std::string& name) {
    std::ifstream in(vector_path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

ErrorCode refusal(std::string_view statement) {
    const Result<Review> review = decode_review(bytes_of(statement));
    EXPECT_FALSE(review.has_value()) << statement;
    return review.has_value() ? ErrorCode::kFailed : review.error().code;
}

int shell(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

TEST(ReviewStatement, EncodesTheGoldenStatements) {
    EXPECT_EQ(encode(example()), vector_file("approve.txt"));
    EXPECT_EQ(encode(rejection()), vector_file("reject.txt"));
    EXPECT_EQ(trust::ssh_sign(key_of(1), "satchel-review", bytes_of(encode(example()))) + "\n",
              vector_file("approve.txt.sig"));
}

TEST(ReviewStatement, DecodesTheGoldenStatements) {
    const Result<Review> approval = decode_review(bytes_of(vector_file("approve.txt")));
    ASSERT_TRUE(approval.has_value());
    EXPECT_EQ(*approval, example());
    const Result<Review> reject = decode_review(bytes_of(vector_file("reject.txt")));
    ASSERT_TRUE(reject.has_value());
    EXPECT_EQ(*reject, rejection());
}

TEST(ReviewStatement, RefusesEveryCutOffStatement) {
    const std::string good = encode(example());
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_EQ(refusal(good.substr(0, size)), ErrorCode::kDamaged);
}

TEST(ReviewStatement, TellsANewerFormatFromDamage) {
    std::string newer = encode(example());
    newer.replace(newer.find("version 1"), 9, "version 2");
    EXPECT_EQ(refusal(newer), ErrorCode::kUnsupported);
}

TEST(ReviewStatement, HasOneTextOnly) {
    const std::string good = encode(example());
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    EXPECT_EQ(refusal(good + "\n"), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(good + "verdict: reject\n"), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("edition: 3", "edition: 03")), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("edition: 3", "edition: +3")), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("edition: 3", "edition: 0")), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("edition: 3", "edition: 1000000")), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("course: c008\n", "course: c008\r\n")), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("course: c008", "course: " + std::string(256, 'c'))), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("approve", "Approve")), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(with("content", "anything")), ErrorCode::kDamaged);
    EXPECT_EQ(refusal(good + std::string(kReviewStatementMax, 'x')), ErrorCode::kDamaged);
}

TEST(ReviewStatement, IsAcceptedByStockSshKeygenWhichRefusesAnAlteredOne) {
    tests::TempFolder folder;
    const std::string statement = encode(example());
    const trust::SigningKey key = key_of(1);
    std::ofstream(folder / "allowed")
        << signer_line({key.public_key(), "Review office, 1"}, "satchel-review");
    std::ofstream(folder / "r.txt") << statement;
    std::ofstream(folder / "bad.txt") << statement << " ";
    std::ofstream(folder / "r.sig") << trust::ssh_sign(key, "satchel-review", bytes_of(statement)) << "\n";
    const std::string check = "ssh-keygen -Y verify -f '" + (folder / "allowed") +
                              "' -I Review_office__1 -n satchel-review -s '" + (folder / "r.sig") + "' < '";
    EXPECT_EQ(shell(check + (folder / "r.txt") + "'"), 0);
    EXPECT_NE(shell(check + (folder / "bad.txt") + "'"), 0);
}

TEST(ReviewStatement, SignedByStockSshKeygenVerifiesHere) {
    tests::TempFolder folder;
    const std::string statement = encode(example());
    ASSERT_EQ(shell("ssh-keygen -q -t ed25519 -N '' -f '" + (folder / "key") + "'"), 0);
    std::ofstream(folder / "r.txt") << statement;
    ASSERT_EQ(shell("ssh-keygen -Y sign -f '" + (folder / "key") + "' -n satchel-review '" +
                    (folder / "r.txt") + "'"),
              0);
    std::ifstream in(folder / "r.txt.sig");
    std::string armor{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    while (armor.ends_with('\n')) armor.pop_back();
    const Result<trust::PublicKey> signer = trust::ssh_verify(armor, "satchel-review", bytes_of(statement));
    ASSERT_TRUE(signer.has_value());
    std::ifstream line(folder / "key.pub");
    const std::string public_line{std::istreambuf_iterator<char>(line), std::istreambuf_iterator<char>()};
    EXPECT_EQ(*signer, *trust::parse_ssh_public_line(public_line));
}

TEST(SignerLine, KeepsAHoldersNameFromBeingAPattern) {
    const std::string line = signer_line({key_of(1).public_key(), "*,!editor #1"}, "git");
    EXPECT_TRUE(line.starts_with("___editor__1 namespaces=\"git\" ssh-ed25519 "));
}

TEST(LaneFileName, IsABranchNameThatNoOtherLaneHas) {
    EXPECT_EQ(lane_file_name("office"), "office");
    EXPECT_EQ(lane_file_name("../x.lock"), "=2e=2e=2fx=2elock");
    EXPECT_EQ(lane_file_name("a=2e"), "a=3d2e");
    EXPECT_EQ(lane_file_name("县"), "县");
}

RC_GTEST_PROP(ReviewStatement, SurvivesARoundTrip, (const Digest& network, const Digest& manifest)) {
    Review review;
    review.network.digest = network;
    review.manifest.digest = manifest;
    review.course = "c" + *rc::gen::container<std::string>(rc::gen::inRange<char>(32, 126));
    review.edition = *rc::gen::inRange(1u, 1'000'000u);
    review.verdict = *rc::gen::element(Verdict::kApprove, Verdict::kReject);
    review.role = *rc::gen::element(ReviewRole::kContent, ReviewRole::kTechnical);
    const Result<Review> decoded = decode_review(bytes_of(encode(review)));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == review);
}

RC_GTEST_PROP(ReviewStatement, AnyTextIsDecodedToItselfOrRefused,
              (const std::string& noise, std::uint16_t place)) {
    std::string text = encode(example());
    text.replace(place % text.size(), noise.size() / 2, noise);
    const Result<Review> decoded = decode_review(bytes_of(text));
    if (decoded.has_value()) RC_ASSERT(encode(*decoded) == text);
}

}  // namespace
}  // namespace satchel::catalogue
