#include "engine/catalogue/object_batch.hpp"

#include <zstd.h>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"
#include "engine/catalogue/commit_format.hpp"

namespace satchel::catalogue {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kPlain = 0;
constexpr std::uint8_t kZstd = 1;

constexpr std::uint8_t kTreeEdit = 4;  // the kinds before it are git's types

// One document's change is a few kilobytes and travels over the dearest links: there every byte counts. A
// whole catalogue has 40 MB and is written on a small box.
constexpr std::size_t kSmallBatch = 64 * 1024;
constexpr int kLevelOfSmall = 19;
constexpr int kLevelOfLarge = 3;

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "catalogue", "the freight is not whole or not in its format",
                "write the stick again from its source", detail);
}

std::size_t size_max(GitType type) {
    switch (type) {
        case GitType::kCommit:
            return kCommitMax;
        case GitType::kTree:
            return kObjectBytesMax;
        case GitType::kBlob:
            return kDocumentMax;
    }
    return 0;
}

}  // namespace

Result<void> BatchWriter::add(GitType type, ByteView data) {
    return add(static_cast<std::uint8_t>(type), data);
}

Result<void> BatchWriter::add_tree_edit(ByteView edit) { return add(kTreeEdit, edit); }

Result<void> BatchWriter::add(std::uint8_t kind, ByteView data) {
    ByteBuffer framed;
    Writer(framed).u8(kind).sized(data);
    SATCHEL_CHECK(framed.size() <= kBatchMax);
    if (plain_.size() + framed.size() > kBatchMax) SATCHEL_TRY_VOID(finish());
    append(plain_, framed);
    return {};
}

Result<void> BatchWriter::finish() {
    if (plain_.empty()) return {};
    ByteBuffer packed(ZSTD_compressBound(plain_.size()));
    const int level = plain_.size() <= kSmallBatch ? kLevelOfSmall : kLevelOfLarge;
    const std::size_t size = ZSTD_compress(packed.data(), packed.size(), plain_.data(), plain_.size(), level);
    SATCHEL_CHECK(ZSTD_isError(size) == 0u);
    packed.resize(size);
    const bool pays = packed.size() < plain_.size();
    ByteBuffer batch;
    Writer(batch).u8(kVersion).u8(pays ? kZstd : kPlain).varint(plain_.size()).raw(pays ? packed : plain_);
    plain_.clear();
    return sink_(batch);
}

Result<Batch> Batch::decode(ByteView bytes) {
    Reader reader(bytes);
    const std::uint8_t version = reader.u8();
    if (reader.ok() && version > kVersion)
        return fail(ErrorCode::kUnsupported, "catalogue", "it was written by a newer program",
                    "update satchel on this box");
    const std::uint8_t method = reader.u8();
    const std::uint64_t size = reader.varint();
    if (!reader.ok() || version != kVersion) return damaged("head");
    if (size == 0 || size > kBatchMax) return damaged("size");
    const ByteView payload = reader.raw(reader.left());
    Batch batch;
    if (method == kPlain) {
        batch.plain_.assign(payload.begin(), payload.end());
    } else if (method == kZstd) {
        if (ZSTD_findFrameCompressedSize(payload.data(), payload.size()) != payload.size())
            return damaged("frame");
        batch.plain_.resize(static_cast<std::size_t>(size));
        const std::size_t got =
            ZSTD_decompress(batch.plain_.data(), batch.plain_.size(), payload.data(), payload.size());
        if (ZSTD_isError(got) != 0u || got != size) return damaged("compressed bytes");
    } else {
        return damaged("method");
    }
    if (batch.plain_.size() != size) return damaged("size");
    Reader objects(batch.plain_);
    while (!objects.at_end()) {
        const std::uint8_t kind = objects.u8();
        const bool is_edit = kind == kTreeEdit;
        const std::optional<GitType> type = is_edit ? GitType::kTree : git_type_of(kind);
        if (!type) return damaged("kind of an object");
        const ByteView data = objects.sized(size_max(*type));
        if (!objects.ok()) return damaged("size of an object");
        batch.objects_.push_back({*type, is_edit, data});
    }
    return batch;
}

}  // namespace satchel::catalogue
