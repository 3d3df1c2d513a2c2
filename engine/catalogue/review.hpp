// A review is a statement about one edition, signed with SSHSIG in namespace "satchel-review" by stock
// ssh-keygen or by satchel. It is not a blessing of a history and not part of one. (schemas/review.md)
#pragma once

#include <string>
#include <string_view>

#include "engine/catalogue/documents.hpp"
#include "engine/trust/root.hpp"

namespace satchel::catalogue {

enum class Verdict { kApprove, kReject };
[[nodiscard]] std::string_view word_of(Verdict verdict);  // as the statement says it: "approve", "reject"
enum class ReviewRole { kContent, kTechnical };

struct Review {
    NetworkId network;
    std::string course;
    std::uint32_t edition = 1;
    ChunkId manifest;
    Verdict verdict = Verdict::kApprove;
    ReviewRole role = ReviewRole::kContent;
    friend bool operator==(const Review&, const Review&) = default;
};
inline constexpr std::size_t kReviewStatementMax = 2048;
[[nodiscard]] std::string encode(const Review& review);  // the statement: a title line and six short lines
Result<Review> decode_review(ByteView statement);

struct SignedReview {
    ByteBuffer statement;
    std::string signature;  // armor
};

}  // namespace satchel::catalogue
