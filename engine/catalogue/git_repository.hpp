// libgit2 over the table of objects: an object backend of ours, and what is written through it. Nothing of
// it lies on a disk, and no configuration of the machine is read. Private to engine/catalogue.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/catalogue/git_objects.hpp"

namespace satchel::catalogue {

struct Author {
    std::string name;
    std::int64_t time_s = 0;
    std::int32_t utc_offset_minutes = 0;
};

class GitRepository {
  public:
    static Result<std::unique_ptr<GitRepository>> open(ObjectTable& objects);  // borrowed
    ~GitRepository();
    GitRepository(const GitRepository&) = delete;
    GitRepository& operator=(const GitRepository&) = delete;

    Result<GitId> write_blob(ByteView content);
    // `base` with these blobs put in or, where nullopt, taken out. nullopt: nothing is left. Paths are
    // relative.
    using Changes = std::map<std::string, std::optional<GitId>>;
    Result<std::optional<GitId>> write_tree(const std::optional<GitId>& base, const Changes& changes);
    // The bytes to sign.
    Result<std::string> commit_content(const GitId& tree, const std::optional<GitId>& parent,
                                       const Author& author, const std::string& message);
    Result<GitId> write_commit(const std::string& content, const std::string& signature);

    struct State;

  private:
    explicit GitRepository(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace satchel::catalogue
