// Writes one pack of git objects with its index, version 2 of both (git's gitformat-pack): every object whole
// and deflated, none as a difference. Private to engine/catalogue.
#pragma once

#include <string>
#include <vector>

#include "engine/catalogue/deflate.hpp"
#include "engine/catalogue/git_objects.hpp"
#include "engine/catalogue/sha1.hpp"
#include "engine/catalogue/whole_files.hpp"

namespace satchel::catalogue {

// 28 bytes of each object stay in memory until the index is written: 2.8 MB. The other limit keeps all
// places in a pack below 2 GiB, where an index needs no second table for them.
inline constexpr std::uint64_t kGitPackObjectsMax = 100'000;
inline constexpr std::uint64_t kGitPackPlainBytesMax = 1024ull * 1024 * 1024;

class GitPackWriter {
  public:
    explicit GitPackWriter(WholeFiles& files) : files_(files) {}  // borrowed
    Result<void> begin(std::uint32_t count);
    Result<void> add(const GitId& id, GitType type, ByteView data);
    Result<void>
    finish();  // after exactly `count` objects: objects/pack/pack-SUM.pack and .idx are in their places

  private:
    struct Entry {
        GitId id;
        std::uint32_t crc32;
        std::uint32_t place;
    };
    Result<void> write(ByteView bytes);
    Result<void> flush();
    [[nodiscard]] ByteBuffer index(const Sha1::Sum& pack_sum);
    WholeFiles& files_;
    Deflater deflater_;
    std::unique_ptr<env::File> file_;
    Sha1 sum_;
    ByteBuffer pending_;
    std::uint64_t flushed_ = 0;
    std::uint32_t count_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace satchel::catalogue
