// Batches of git objects: any bytes are decoded or refused; so are the trees, edits and commits in them.
#include "engine/catalogue/commit_format.hpp"
#include "engine/catalogue/object_batch.hpp"
#include "engine/catalogue/tree_edit.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    using namespace satchel::catalogue;
    const Result<Batch> batch = Batch::decode(ByteView(data, size));
    if (!batch.has_value()) return 0;
    for (const PlainObject& object : batch->objects()) {
        if (object.is_edit) {
            const Result<TreeEdit> edit = decode_tree_edit(object.data);
            if (edit.has_value()) static_cast<void>(apply(*edit, Tree()).has_value());
        } else if (object.type == GitType::kTree) {
            static_cast<void>(parse_tree(GitId{}, object.data).has_value());
        } else if (object.type == GitType::kCommit) {
            static_cast<void>(parse_commit(GitId{}, object.data).has_value());
        }
    }
    return 0;
}
