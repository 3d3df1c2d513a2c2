// The bytes of a volume's header and of its commit records (schemas/stick.md). Private to transport/stick.
#pragma once

#include "transport/stick/volume.hpp"

namespace satchel::stick {

// The header stands twice, in sectors of their own: one bad sector must not cost a whole volume.
inline constexpr std::size_t kVolumeHeaderSize = 168;
inline constexpr std::size_t kHeaderCopyAt = 512;
inline constexpr std::size_t kRecordsAt = 1024;  // where records begin
inline constexpr std::size_t kCommitSize = 144;  // plain bytes of a commit record, which never shrink by zstd
inline constexpr std::size_t kCommitRecordSize = store::kRecordHeaderSize + kCommitSize;

// One block of kVolumeHeaderSize bytes, signed.
[[nodiscard]] ByteBuffer encode(const VolumeHeader& header, const trust::SigningKey& key);
// kDamaged; kUnsupported: whole, but of another version; kRefused: not signed by the writer it names.
Result<VolumeHeader> decode_volume_header(ByteView block, const std::string& about);

// The first kRecordsAt bytes of a file.
[[nodiscard]] ByteBuffer encode_header_area(const VolumeHeader& header, const trust::SigningKey& key);

// What the writer had synced when it wrote this.
struct Commit {
    Digest volume{};          // hash of the header block: no commit of another volume passes for one of this
    std::uint64_t from = 0;   // end of the commit before, or kRecordsAt
    std::uint64_t place = 0;  // where this record begins
    Digest records{};         // hash over the record headers between the two, which name all their bytes
    friend bool operator==(const Commit&, const Commit&) = default;
};
[[nodiscard]] ByteBuffer encode(const Commit& commit, const trust::SigningKey& key);
Result<Commit> decode_commit(ByteView plain, const trust::PublicKey& writer);

// The records since the last commit, as writer and reader both count them.
struct OpenGroup {
    std::uint64_t from = kRecordsAt;
    Hasher records;
    bool damaged = false;  // something in it was jumped over, so the hash cannot match

    void begin(std::uint64_t at) { *this = OpenGroup{.from = at, .records = Hasher(), .damaged = false}; }
};

}  // namespace satchel::stick
