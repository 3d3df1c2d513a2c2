// The catalogue of one site: lanes of signed commits whose git objects and heads live in site.db, reached
// through a libgit2 object backend. What is here was verified when it came in; heads only move to
// descendants, and each head moves in one transaction with its objects, projections and ratchets.
//
// A commit is accepted when: its SSHSIG is by an editor of the lane in the current root; `Satchel-Parent:`
// is the BLAKE2b-256 of the parent commit's bytes; `Satchel-Tree:` is the TreeDigest of its tree (SHA-1
// carries no security); its tree holds only plain documents at their proper paths; its documents decode.
// (schemas/catalogue.md)
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogue/review.hpp"
#include "engine/database/database.hpp"
#include "engine/env/disk.hpp"
#include "engine/env/world.hpp"
#include "engine/trust/trust_store.hpp"

namespace satchel::catalogue {

using GitId = std::array<std::uint8_t, 20>;

inline constexpr std::size_t kGitObjectMax = 1024 * 1024;
inline constexpr std::size_t kBatchMax = 1024 * 1024;        // plain bytes of one batch of objects
inline constexpr std::size_t kObjectsAcceptMax = 2'000'000;  // in one accept

struct LaneHead {
    std::string lane;
    GitId head{};
    std::uint64_t height = 0;  // commits from the first to the head
    friend bool operator==(const LaneHead&, const LaneHead&) = default;
};

struct DocumentChange {
    std::string path;
    std::optional<std::string> content;  // nullopt: remove
};

struct CommitInfo {
    GitId id{};
    std::string subject;
    std::string author;  // holder, as the root names it
    std::int64_t time_s = 0;
};

struct EditionState {
    Edition edition;
    std::uint32_t approvals = 0;   // distinct holders who approve
    std::uint32_t rejections = 0;  // distinct holders who reject: one keeps it from becoming current
    bool has_quorum = false;       // as many approve as its lane and its document demand, and nobody rejects
    bool is_current = false;       // the newest edition whose quorum has signed
};

struct Accepted {
    std::uint64_t commits = 0;
    std::uint64_t objects = 0;
    bool already_newer = false;  // what was offered lies behind the head: nothing to do
};

class Catalogue {
  public:
    static Result<std::unique_ptr<Catalogue>> open(database::Database& database, env::World world,
                                                   trust::TrustStore& trust, NetworkId network);
    virtual ~Catalogue() = default;

    // -- at an office --------------------------------------------------------------------------------
    // One signed commit with these changes, head moved, projections updated: all in one transaction.
    // kRefused unless `editor` is an editor of the lane; kUsage when nothing changes.
    virtual Result<CommitInfo> commit(std::string_view lane, const trust::SigningKey& editor,
                                      std::string_view message,
                                      const std::vector<DocumentChange>& changes) = 0;

    // -- freight -------------------------------------------------------------------------------------
    virtual Result<std::vector<LaneHead>> heads() = 0;
    virtual Result<bool> knows(const GitId& object) = 0;
    // The objects that a site at `known` (nullopt: nothing) lacks to reach the lane's head, in batches of
    // at most kBatchMax that accept_* takes. If `known` is not in the lane's history, all of it.
    virtual Result<void> export_objects(std::string_view lane, const std::optional<GitId>& known,
                                        const std::function<Result<void>(ByteView batch)>& sink) = 0;
    // Quarantine: begin, add batches in any order, finish. Nothing is visible, and nothing is kept, unless
    // finish() returns a value. A new begin drops an unfinished one. Object ids are recomputed.
    virtual Result<void> begin_accept(std::string_view lane, const GitId& offered_head) = 0;
    virtual Result<void> add_batch(ByteView batch) = 0;
    virtual Result<Accepted> finish_accept() = 0;

    // -- reviews -------------------------------------------------------------------------------------
    // kRefused unless the signer is a reviewer of the lane and the statement fits the edition. If that is not
    // known yet, a reviewer's statement is kept and counts once it comes.
    // Adding a known review again is done at once. Returns whether it was new.
    virtual Result<bool> add_review(const SignedReview& review) = 0;
    virtual Result<void> for_each_review(
        const std::function<Result<void>(const Review&, const std::string& holder, const SignedReview&)>&
            each) = 0;

    // -- reading -------------------------------------------------------------------------------------
    virtual Result<void> for_each_edition(
        const std::function<Result<void>(const EditionState&)>& each) = 0;  // by course, number
    virtual Result<std::optional<EditionState>> current_edition(std::string_view course) = 0;
    virtual Result<std::optional<EditionState>> newest_edition(std::string_view course) = 0;
    // The newest of those with a lower number.
    virtual Result<std::optional<EditionState>> edition_before(std::string_view course,
                                                               std::uint32_t number) = 0;
    // Course ids that `text` may mean: the id itself, else ids and titles that begin with it.
    virtual Result<std::vector<std::string>> find_courses(std::string_view text) = 0;
    virtual Result<void> log(std::string_view lane, std::size_t commits_max,
                             const std::function<Result<void>(const CommitInfo&)>& each) = 0;  // newest first
    // Every commit, signature, digest and document again from the objects. kDamaged or kRefused at the first
    // fault.
    virtual Result<std::uint64_t> verify() = 0;
    // After a root was accepted: reviews and quorums are judged anew.
    virtual Result<void> refresh_currency() = 0;

    // -- for people ----------------------------------------------------------------------------------
    // Brings the bare repository at `directory` up to the heads (loose objects, refs/heads/LANE, config,
    // allowed_signers). Never read for trust; remade when missing.
    virtual Result<void> update_mirror(env::Disk& disk, std::string_view directory) = 0;
    // Takes a lane in from the mirror at `directory`, as if a stranger offered it: for a site.db that was
    // lost. kNotFound: it has no such branch, or part of its history is missing.
    virtual Result<Accepted> accept_from_mirror(env::Disk& disk, std::string_view directory,
                                                std::string_view lane) = 0;
    // After all lanes came in from it: the mirror is this site's again, as it stands.
    virtual Result<void> adopt_mirror(env::Disk& disk, std::string_view directory) = 0;
    // A plain copy of the heads' documents, roots and reviews, with SNAPSHOT, which `b2sum -l 256 -c`
    // accepts.
    virtual Result<void> export_snapshot(env::Disk& target, std::string_view directory) = 0;
};

}  // namespace satchel::catalogue
