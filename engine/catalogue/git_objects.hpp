// Git objects as rows: what they are, their two names, and the tables that hold them. Private to
// engine/catalogue.
//
// The git id (SHA-1) finds an object; the digest (BLAKE2b-256) is what trust rests on: of a blob's or a
// commit's bytes, or the TreeDigest of a tree (tree.hpp).
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalogue/catalogue.hpp"

namespace satchel::catalogue {

// With its type and size an object fills one batch at most.
inline constexpr std::size_t kObjectBytesMax = kGitObjectMax - 8;

enum class GitType : std::uint8_t { kCommit = 1, kTree = 2, kBlob = 3 };  // git's own numbers
[[nodiscard]] std::optional<GitType> git_type_of(std::uint64_t number);

[[nodiscard]] GitId git_id_of(GitType type, ByteView data);  // CHECKed: no object is too large to hash
[[nodiscard]] std::optional<GitId> git_id_from_hex(std::string_view text);
[[nodiscard]] std::optional<GitId> git_id_from_bytes(ByteView bytes);

struct GitObject {
    GitType type = GitType::kBlob;
    std::optional<Digest> digest;  // nullopt: a tree in quarantine whose parts were not looked at yet
    ByteBuffer data;
};

[[nodiscard]] Error object_is_damaged(const GitId& id, std::string detail);

// One table of objects: git_object, or the quarantine of what is being accepted.
class ObjectTable {
  public:
    static Result<ObjectTable> open(database::Database& database, const std::string& table);

    Result<std::optional<GitObject>> find(const GitId& id);
    Result<std::optional<Digest>> digest(const GitId& id, GitType type);  // without reading the bytes
    Result<bool> contains(const GitId& id);
    // Returns whether it was new.
    Result<bool> insert(const GitId& id, GitType type, const std::optional<Digest>& digest, ByteView data);

  private:
    ObjectTable(database::Database& database, database::Statement find, database::Statement digest,
                database::Statement insert)
        : database_(&database),
          find_(std::move(find)),
          digest_(std::move(digest)),
          insert_(std::move(insert)) {}
    database::Database* database_;
    database::Statement find_;
    database::Statement digest_;
    database::Statement insert_;
};

// Where trees and commits are read from. Throughout, a missing object is kNotFound.
class ObjectSource {
  public:
    virtual ~ObjectSource() = default;
    virtual Result<std::optional<GitObject>> find(const GitId& id) = 0;
    Result<GitObject> get(const GitId& id, GitType type);  // kRefused if it is of another type
};

// The objects that were verified.
class KeptObjects final : public ObjectSource {
  public:
    explicit KeptObjects(ObjectTable& table) : table_(table) {}
    Result<std::optional<GitObject>> find(const GitId& id) override { return table_.find(id); }

  private:
    ObjectTable& table_;
};

}  // namespace satchel::catalogue
