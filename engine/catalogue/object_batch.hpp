// Git objects on their way between sites (schemas/catalogue.md). Private to engine/catalogue.
#pragma once

#include <functional>
#include <utility>

#include "engine/catalogue/git_objects.hpp"

namespace satchel::catalogue {

// Gathers objects and hands on full batches.
class BatchWriter {
  public:
    using Sink = std::function<Result<void>(ByteView batch)>;
    explicit BatchWriter(Sink sink) : sink_(std::move(sink)) {}
    Result<void> add(GitType type, ByteView data);
    Result<void> add_tree_edit(ByteView edit);  // tree_edit.hpp
    Result<void> finish();                      // hands on what is left

  private:
    Result<void> add(std::uint8_t kind, ByteView data);
    Sink sink_;
    ByteBuffer plain_;
};

struct PlainObject {
    GitType type = GitType::kBlob;
    bool is_edit = false;  // data tells a tree by what differs from another
    ByteView data;
};

// A batch that was taken apart; its objects lie in it.
class Batch {
  public:
    // kDamaged, kUnsupported for a newer format, kTooLarge. No object is looked into.
    static Result<Batch> decode(ByteView bytes);
    [[nodiscard]] const std::vector<PlainObject>& objects() const { return objects_; }

  private:
    ByteBuffer plain_;
    std::vector<PlainObject> objects_;
};

}  // namespace satchel::catalogue
