// What a commit must fulfil to stand in a lane. Private to engine/catalogue.
//
// Whose signature counts: that of an editor of the lane in the current root; and that of an editor in any
// earlier accepted root, if a commit by a current editor descends from it. So a removed editor's past work
// stays, and nothing new of theirs enters unless a current editor has built on it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/catalogue/commit_format.hpp"
#include "engine/catalogue/tree_diff.hpp"
#include "engine/trust/trust_store.hpp"

namespace satchel::catalogue {

[[nodiscard]] const trust::KeyHolder* find_holder(const std::vector<trust::KeyHolder>& holders,
                                                  const trust::PublicKey& key);

class LaneRules {
  public:
    // kRefused if the current root names no such lane.
    static Result<LaneRules> of(trust::TrustStore& trust, std::string_view lane);

    [[nodiscard]] const trust::Lane& lane() const { return lane_; }
    [[nodiscard]] const trust::Root& root() const { return root_; }

    // Commits are shown newest first.
    Result<void> check_signature(const GitId& id, const Commit& commit);
    // As in the past: editors of any accepted root count.
    Result<void> check_past_signature(const GitId& id, const Commit& commit);
    // Every change of documents between the tree of the parent and this one.
    Result<void> check_documents(ObjectSource& source, const std::optional<GitId>& before,
                                 const std::optional<GitId>& after) const;

  private:
    LaneRules(trust::TrustStore& trust, trust::Root root, trust::Lane lane)
        : trust_(&trust), root_(std::move(root)), lane_(std::move(lane)) {}
    Result<bool> was_editor(const trust::PublicKey& key);

    trust::TrustStore* trust_;
    trust::Root root_;
    trust::Lane lane_;
    bool current_editor_seen_ = false;
    std::optional<std::vector<trust::PublicKey>> past_editors_;  // read when first needed
};

}  // namespace satchel::catalogue
