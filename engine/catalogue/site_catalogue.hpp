// The one implementation of Catalogue; its methods stand in files by subject. Private to engine/catalogue.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogue/git_repository.hpp"
#include "engine/catalogue/lane_rules.hpp"
#include "engine/catalogue/quarantine.hpp"

namespace satchel::catalogue {

class SiteCatalogue final : public Catalogue {
  public:
    static Result<std::unique_ptr<SiteCatalogue>> open(database::Database& database, env::World world,
                                                       trust::TrustStore& trust, NetworkId network);

    // lane_commit.cpp
    Result<CommitInfo> commit(std::string_view lane, const trust::SigningKey& editor,
                              std::string_view message, const std::vector<DocumentChange>& changes) override;

    // lane_export.cpp
    Result<void> export_objects(std::string_view lane, const std::optional<GitId>& known,
                                const std::function<Result<void>(ByteView batch)>& sink) override;

    // accept.cpp
    Result<void> begin_accept(std::string_view lane, const GitId& offered_head) override;
    Result<void> add_batch(ByteView batch) override;
    Result<Accepted> finish_accept() override;

    // reviews.cpp
    Result<bool> add_review(const SignedReview& review) override;
    Result<void> for_each_review(const std::function<Result<void>(const Review&, const std::string& holder,
                                                                  const SignedReview&)>& each) override;

    // editions.cpp
    Result<void> for_each_edition(const std::function<Result<void>(const EditionState&)>& each) override;
    Result<std::optional<EditionState>> current_edition(std::string_view course) override;
    Result<std::optional<EditionState>> newest_edition(std::string_view course) override;
    Result<std::optional<EditionState>> edition_before(std::string_view course,
                                                       std::uint32_t number) override;
    Result<std::vector<std::string>> find_courses(std::string_view text) override;
    Result<void> refresh_currency() override;

    // lane_log.cpp
    Result<std::vector<LaneHead>> heads() override;
    Result<bool> knows(const GitId& object) override;
    Result<void> log(std::string_view lane, std::size_t commits_max,
                     const std::function<Result<void>(const CommitInfo&)>& each) override;

    // verify.cpp
    Result<std::uint64_t> verify() override;

    Result<void> update_mirror(env::Disk& disk, std::string_view directory) override;
    Result<Accepted> accept_from_mirror(env::Disk& disk, std::string_view directory,
                                        std::string_view lane) override;
    Result<void> adopt_mirror(env::Disk& disk, std::string_view directory) override;
    Result<void> export_snapshot(env::Disk& target, std::string_view directory) override;

  private:
    SiteCatalogue(database::Database& database, env::World world, trust::TrustStore& trust, NetworkId network,
                  std::unique_ptr<ObjectTable> objects, std::unique_ptr<GitRepository> git)
        : database_(database),
          world_(world),
          trust_(trust),
          network_(network),
          objects_(std::move(objects)),
          kept_(*objects_),
          git_(std::move(git)) {}

    Result<std::optional<LaneHead>> head_of(std::string_view lane);
    Result<Commit> commit_at(const GitId& id);
    Result<bool> is_ancestor(const GitId& commit, const GitId& head);
    Result<bool> is_judged_by_current_root();
    // Moves the lane to `to`, whose objects are in place, with projections and ratchet. In the caller's
    // transaction.
    Result<void> move_head(const std::optional<LaneHead>& from, const LaneHead& to);
    Result<void> project(const std::string& lane, const std::optional<GitId>& before, const GitId& after);
    Result<void> project_site(const std::string& path, const GitId& blob);

    // verify.cpp
    Result<void> verify_objects();
    Result<std::uint64_t> verify_lane(const LaneHead& head);

    // accept.cpp
    Result<std::vector<GitId>> new_commits(LaneRules& rules, Quarantine& quarantine,
                                           const std::optional<LaneHead>& head);
    Result<void> check_new_commits(const LaneRules& rules, Quarantine& quarantine,
                                   const std::optional<LaneHead>& head,
                                   const std::vector<GitId>& oldest_first);
    Result<Accepted> accept(Quarantine& quarantine);

    database::Database& database_;
    env::World world_;
    trust::TrustStore& trust_;
    NetworkId network_;
    std::unique_ptr<ObjectTable> objects_;
    KeptObjects kept_;
    std::unique_ptr<GitRepository> git_;
    std::unique_ptr<Quarantine> quarantine_;
};

}  // namespace satchel::catalogue
