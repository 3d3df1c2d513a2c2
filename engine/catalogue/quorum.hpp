// Which edition of a course is current: the newest that as many distinct holders approved as its lane and its
// document demand, and that nobody rejected. Only reviewers whom the lane of the current root names count.
// Private to engine/catalogue.
#pragma once

#include <string>

#include "engine/catalogue/catalogue.hpp"

namespace satchel::catalogue {

class Quorum {
  public:
    // Judges by the root as it stands now.
    static Result<Quorum> create(database::Database& database, trust::TrustStore& trust);

    // Reviews that count for this edition; whether it is current stands in its row.
    Result<EditionState> count(Edition edition, std::string_view lane);
    [[nodiscard]] bool suffices(const EditionState& state, std::string_view lane) const;
    // Marks the course's current edition, and no other.
    Result<void> settle(std::string_view course);
    // The holder if a review of this lane by this key counts.
    [[nodiscard]] std::optional<std::string> holder_of(const trust::PublicKey& reviewer,
                                                       std::string_view lane) const;
    [[nodiscard]] std::optional<std::string> holder_of(
        const trust::PublicKey& reviewer) const;  // of any lane

  private:
    Quorum(trust::Root root, database::Statement reviews, database::Statement editions,
           database::Statement mark)
        : root_(std::move(root)),
          reviews_(std::move(reviews)),
          editions_(std::move(editions)),
          mark_(std::move(mark)) {}
    trust::Root root_;
    database::Statement reviews_;
    database::Statement editions_;
    database::Statement mark_;
};

// Where two lanes hold an edition of one number, the lane whose name comes first is heard.
inline constexpr std::string_view kHeardLane =
    " lane = (SELECT min(other.lane) FROM edition other WHERE other.course = edition.course AND "
    "other.number = edition.number) ";

[[nodiscard]] trust::PublicKey key_from(ByteView bytes);

}  // namespace satchel::catalogue
