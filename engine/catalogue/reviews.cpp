#include "engine/catalogue/quorum.hpp"
#include "engine/catalogue/site_catalogue.hpp"

namespace satchel::catalogue {

namespace {

constexpr char kReviewNamespace[] = "satchel-review";

struct KnownEdition {
    std::string lane;
    ChunkId manifest;
};

Result<std::optional<KnownEdition>> find_edition(database::Database& database, const Review& review) {
    SATCHEL_TRY(database::Statement select,
                database.prepare("SELECT lane, document FROM edition WHERE" + std::string(kHeardLane) +
                                 "AND course = ? AND number = ?"));
    select.bind(1, review.course).bind(2, std::int64_t{review.edition});
    SATCHEL_TRY(const bool row, select.step());
    if (!row) return std::optional<KnownEdition>();
    SATCHEL_TRY(const Edition edition, decode_edition(select.blob(1)));
    return std::optional(KnownEdition{std::string(select.text(0)), edition.manifest});
}

// Of two statements of one reviewer about one edition, whatever their order of arrival, the same stays: a
// rejection before an approval, else the one whose bytes come first.
bool replaces(const Review& review, ByteView statement, const Review& held, ByteView held_statement) {
    if (review.verdict != held.verdict) return review.verdict == Verdict::kReject;
    return text_of(statement) < text_of(held_statement);
}

Result<bool> is_held(database::Database& database, const Review& review, const SignedReview& signed_review) {
    SATCHEL_TRY(
        database::Statement select,
        database.prepare(
            "SELECT 1 FROM review WHERE course = ? AND edition = ? AND statement = ? AND signature = ?"));
    select.bind(1, review.course).bind(2, std::int64_t{review.edition});
    select.bind_blob(3, signed_review.statement).bind(4, signed_review.signature);
    return select.step();
}

// Whether the row was written.
Result<bool> put(database::Database& database, const Review& review, const SignedReview& signed_review,
                 const trust::PublicKey& reviewer, const std::string& holder) {
    SATCHEL_TRY(database::Statement select,
                database.prepare(
                    "SELECT statement FROM review WHERE course = ? AND edition = ? AND reviewer_key = ?"));
    select.bind(1, review.course).bind(2, std::int64_t{review.edition}).bind_blob(3, reviewer.view());
    SATCHEL_TRY(const bool row, select.step());
    if (row) {
        const Result<Review> held = decode_review(select.blob(0));
        if (held.has_value() && held->manifest == review.manifest &&
            !replaces(review, signed_review.statement, *held, select.blob(0)))
            return false;
        select.reset();
    }
    SATCHEL_TRY(
        database::Statement insert,
        database.prepare("INSERT OR REPLACE INTO review (course, edition, holder, reviewer_key, verdict, "
                         "statement, signature) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    insert.bind(1, review.course).bind(2, std::int64_t{review.edition}).bind(3, holder);
    insert.bind_blob(4, reviewer.view()).bind(5, word_of(review.verdict));
    insert.bind_blob(6, signed_review.statement).bind(7, signed_review.signature);
    SATCHEL_TRY_VOID(insert.run());
    return true;
}

}  // namespace

Result<bool> SiteCatalogue::add_review(const SignedReview& signed_review) {
    SATCHEL_TRY(const Review review, decode_review(signed_review.statement));
    if (review.network != network_)
        return fail(ErrorCode::kRefused, "review", "it belongs to another network",
                    "use a stick of this network");
    SATCHEL_TRY(const std::optional<KnownEdition> edition, find_edition(database_, review));
    if (edition && edition->manifest != review.manifest)
        return fail(ErrorCode::kRefused, review.course, "the review fits no edition that is known here",
                    "bring the catalogue first, then the review");
    SATCHEL_TRY(Quorum quorum, Quorum::create(database_, trust_));
    SATCHEL_TRY(const trust::PublicKey reviewer,
                trust::ssh_verify(signed_review.signature, kReviewNamespace, signed_review.statement));
    // A review may come before its edition, on another stick: a reviewer's is kept until then.
    const std::optional<std::string> holder =
        edition ? quorum.holder_of(reviewer, edition->lane) : quorum.holder_of(reviewer);
    if (!holder)
        return fail(ErrorCode::kRefused, review.course, "who signed the review is no reviewer of this lane",
                    "have it signed by a reviewer whom the root names");
    SATCHEL_TRY(const bool known, is_held(database_, review, signed_review));
    if (known) return false;
    SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
    SATCHEL_TRY(const bool is_new, put(database_, review, signed_review, reviewer, *holder));
    if (!is_new) return false;
    SATCHEL_TRY_VOID(quorum.settle(review.course));
    SATCHEL_TRY_VOID(transaction.commit());
    return true;
}

// Those that count today: of editions and reviewers that are known.
Result<void> SiteCatalogue::for_each_review(
    const std::function<Result<void>(const Review&, const std::string& holder, const SignedReview&)>& each) {
    SATCHEL_TRY(Quorum quorum, Quorum::create(database_, trust_));
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare(
            "SELECT statement, signature, reviewer_key FROM review ORDER BY course, edition, reviewer_key"));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) return {};
        const ByteView statement = select.blob(0);
        const SignedReview signed_review = {ByteBuffer(statement.begin(), statement.end()),
                                            std::string(select.text(1))};
        const trust::PublicKey reviewer = key_from(select.blob(2));
        SATCHEL_TRY(const Review review, decode_review(signed_review.statement));
        SATCHEL_TRY(const std::optional<KnownEdition> edition, find_edition(database_, review));
        if (!edition || edition->manifest != review.manifest) continue;
        const std::optional<std::string> holder = quorum.holder_of(reviewer, edition->lane);
        if (holder) SATCHEL_TRY_VOID(each(review, *holder, signed_review));
    }
}

}  // namespace satchel::catalogue
