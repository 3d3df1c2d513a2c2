// Reviews, and which edition they make current.
#include <gmock/gmock.h>

#include "tests/engine/catalogue/catalogue_kit.hpp"

namespace satchel::catalogue {
namespace {

const Edition kFirst = edition_of("rice", 1);
const Edition kSecond = edition_of("rice", 2);

std::uint32_t current_number(Box& box) {
    const std::optional<EditionState> current = must(box->current_edition("rice"));
    return current ? current->edition.number : 0;
}

std::size_t reviews_that_count(Box& box) {
    std::size_t count = 0;
    must(box->for_each_review([&](const Review&, const std::string&, const SignedReview&) -> Result<void> {
        ++count;
        return {};
    }));
    return count;
}

void expect_refused(Box& box, const SignedReview& review, const std::string& reason) {
    const std::string before = box.state();
    EXPECT_EQ(reason_of(box->add_review(review)), reason);
    EXPECT_EQ(box.state(), before);
}

trust::Root next_root(const std::vector<trust::KeyHolder>& reviewers, std::uint32_t version,
                      std::uint32_t needed) {
    trust::Root root = first_root(needed);
    root.version = version;
    root.lanes[0].reviewers = reviewers;
    return root;
}

TEST(Quorum, MakesAnEditionCurrentWhenEnoughHoldersApproved) {
    Box hub({sign(first_root(2))});
    hub.publish(kFirst);
    EXPECT_EQ(current_number(hub), 0u);
    EXPECT_TRUE(must(hub->add_review(hub.review(kFirst, kReviewer))));
    EXPECT_EQ(current_number(hub), 0u);
    EXPECT_FALSE(must(hub->add_review(hub.review(kFirst, kReviewer))));
    EXPECT_TRUE(must(hub->add_review(hub.review(kFirst, kOtherReviewer))));
    EXPECT_EQ(current_number(hub), 1u);
    EXPECT_EQ(must(hub->current_edition("rice"))->approvals, 2u);

    hub.publish(kSecond);
    EXPECT_EQ(current_number(hub), 1u);
    EXPECT_EQ(must(hub->newest_edition("rice"))->edition.number, 2u);
    must(hub->add_review(hub.review(kSecond, kReviewer)));
    must(hub->add_review(hub.review(kSecond, kOtherReviewer)));
    EXPECT_EQ(current_number(hub), 2u);
}

TEST(Quorum, IsWhatTheDocumentDemandsWhereThatIsMore) {
    Box hub;
    Edition demanding = kFirst;
    demanding.reviews_needed = 1;
    hub.publish(demanding);
    EXPECT_EQ(current_number(hub), 0u);
    must(hub->add_review(hub.review(demanding, kReviewer)));
    EXPECT_EQ(current_number(hub), 1u);
}

TEST(Quorum, CountsAHolderOnceWhateverTheirKeys) {
    trust::Root root = first_root(2);
    root.lanes[0].reviewers = {holder_of(kReviewer, "reviewer"), holder_of(kOtherReviewer, "reviewer"),
                               holder_of(23, "second")};
    Box hub({sign(root)});
    hub.publish(kFirst);
    must(hub->add_review(hub.review(kFirst, kReviewer)));
    must(hub->add_review(hub.review(kFirst, kOtherReviewer)));
    EXPECT_EQ(current_number(hub), 0u);
    EXPECT_EQ(must(hub->newest_edition("rice"))->approvals, 1u);
    must(hub->add_review(hub.review(kFirst, 23)));
    EXPECT_EQ(current_number(hub), 1u);
}

TEST(Quorum, OneRejectionKeepsAnEditionBack) {
    Box hub({sign(first_root(1))});
    hub.publish(kFirst);
    must(hub->add_review(hub.review(kFirst, kReviewer)));
    hub.publish(kSecond);
    must(hub->add_review(hub.review(kSecond, kReviewer)));
    EXPECT_EQ(current_number(hub), 2u);
    must(hub->add_review(hub.review(kSecond, kOtherReviewer, Verdict::kReject)));
    EXPECT_EQ(current_number(hub), 1u);
    EXPECT_EQ(must(hub->newest_edition("rice"))->rejections, 1u);
}

TEST(Quorum, OfOneReviewersStatementsTheSameStaysInAnyOrder) {
    Box east({sign(first_root(1))});
    Box west({sign(first_root(1))});
    east.publish(kFirst);
    must(west.accept_from(east));
    std::vector<SignedReview> statements;
    for (const Verdict verdict : {Verdict::kApprove, Verdict::kReject})
        for (const ReviewRole role : {ReviewRole::kContent, ReviewRole::kTechnical})
            statements.push_back(east.review(kFirst, kReviewer, verdict, role));
    for (const SignedReview& statement : statements) must(east->add_review(statement));
    std::reverse(statements.begin(), statements.end());
    for (const SignedReview& statement : statements) must(west->add_review(statement));
    EXPECT_EQ(east.state(), west.state());
    EXPECT_EQ(current_number(east), 0u);
}

TEST(Quorum, RefusesReviewsThatDoNotCount) {
    Box hub({sign(first_root(1))});
    hub.publish(kFirst);
    expect_refused(hub, hub.review(kFirst, kEditor), "who signed the review is no reviewer of this lane");
    expect_refused(hub, hub.review(edition_of("rice", 1, "other content"), kReviewer),
                   "the review fits no edition that is known here");
    SignedReview altered = hub.review(kFirst, kReviewer);
    altered.statement = hub.review(kFirst, kReviewer, Verdict::kReject).statement;
    expect_refused(hub, altered, "the signature does not hold");
    SignedReview other_purpose = hub.review(kFirst, kReviewer);
    other_purpose.signature = trust::ssh_sign(key_of(kReviewer), "git", other_purpose.statement);
    expect_refused(hub, other_purpose, "the signature was made for another purpose");
    trust::Root elsewhere = first_root(1);
    elsewhere.network = "next county";
    Box neighbour({sign(elsewhere)});
    neighbour.publish(kFirst);
    expect_refused(neighbour, hub.review(kFirst, kReviewer), "it belongs to another network");
    EXPECT_EQ(current_number(hub), 0u);
}

TEST(Quorum, AReviewerWhomTheNextRootLeavesOutCountsNoMoreUntilNamedAgain) {
    const std::vector<trust::KeyHolder> both = {holder_of(kReviewer, "reviewer"),
                                                holder_of(kOtherReviewer, "second reviewer")};
    Box hub({sign(first_root(1))});
    hub.publish(kFirst);
    must(hub->add_review(hub.review(kFirst, kReviewer)));
    EXPECT_EQ(current_number(hub), 1u);
    hub.take_roots({sign(next_root({both[1]}, 2, 1))});
    EXPECT_EQ(current_number(hub), 0u);
    EXPECT_EQ(reviews_that_count(hub), 0u);
    hub.take_roots({sign(next_root(both, 3, 1))});
    EXPECT_EQ(current_number(hub), 1u);
    EXPECT_EQ(reviews_that_count(hub), 1u);
}

TEST(Quorum, IsJudgedAnewAtOpeningIfTheSiteStoppedBehindANewRoot) {
    Box hub({sign(first_root(1))});
    hub.publish(kFirst);
    must(hub->add_review(hub.review(kFirst, kReviewer)));
    {
        database::Transaction transaction = must(database::Transaction::begin(hub.database()));
        must(hub.trust().accept_roots(hub.network(),
                                      {sign(next_root({holder_of(kOtherReviewer, "second")}, 2, 1))}));
        must(transaction.commit());
    }
    hub.open();
    EXPECT_EQ(current_number(hub), 0u);
}

}  // namespace
}  // namespace satchel::catalogue
