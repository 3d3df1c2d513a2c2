// Objects that were offered and not yet verified: a temporary table, on the lent disk, that nobody else
// reads. Private to engine/catalogue.
#pragma once

#include <memory>
#include <string>

#include "engine/catalogue/object_batch.hpp"
#include "engine/catalogue/tree.hpp"

namespace satchel::catalogue {

// With history, 40,000 documents come to about 200 MB; who offers more than this fills disks.
inline constexpr std::uint64_t kQuarantineBytesMax = 1024ull * 1024 * 1024;

class Quarantine final : public ObjectSource {
  public:
    // Empties what an earlier one left. `kept` is borrowed.
    static Result<std::unique_ptr<Quarantine>> begin(database::Database& database, ObjectTable& kept,
                                                     std::string lane, const GitId& offered_head);

    const std::string& lane() const { return lane_; }
    const GitId& offered_head() const { return offered_head_; }

    // All of a batch or nothing. Objects that are kept already are passed over.
    Result<void> add(const Batch& batch);
    // What is kept comes before what was offered: bytes that were verified are never replaced.
    Result<std::optional<GitObject>> find(const GitId& id) override;

    // The TreeDigest of a tree, computed from the parts; what is met in quarantine is marked as wanted.
    Result<Digest> settle_tree(const GitId& id);
    Result<Digest> settle_commit(const GitId& id);
    // Moves what was marked to the kept objects; returns how many.
    Result<std::uint64_t> keep_settled();
    Result<void> clear();

  private:
    Quarantine(database::Database& database, ObjectTable& kept, ObjectTable offered,
               database::Statement settle, std::string lane, const GitId& offered_head)
        : database_(database),
          kept_(kept),
          offered_(std::move(offered)),
          settle_(std::move(settle)),
          lane_(std::move(lane)),
          offered_head_(offered_head) {}
    Result<void> add(GitType type, ByteView data);
    Result<void> add_edit(ByteView edit);
    Result<Digest> settle_tree(const GitId& id, std::size_t depth);
    Result<Digest> settle_blob(const GitId& id);
    Result<void> mark(const GitId& id, const Digest& digest);

    database::Database& database_;
    ObjectTable& kept_;
    ObjectTable offered_;
    database::Statement settle_;
    std::string lane_;
    GitId offered_head_;
    std::uint64_t objects_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace satchel::catalogue
