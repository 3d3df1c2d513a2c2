// A volume: one file on a stick, written front to back as a header and records (the store's record format,
// schemas/record.md; the volume's own in schemas/stick.md). Commit records, signed by the writing site, say
// what was synced before them; since every record checks itself, any prefix of the writes is usable.
//
// This is a draft format (kStickVersion): a later release may refuse it with a clear message.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/base/ids.hpp"
#include "engine/env/disk.hpp"
#include "engine/store/record.hpp"
#include "engine/trust/keys.hpp"

namespace satchel::stick {

inline constexpr std::uint16_t kStickVersion = 1;
inline constexpr std::uint64_t kVolumeBytesMax =
    1024ull * 1024 * 1024;  // FAT32 holds 4 GiB; a lost entry costs 1
inline constexpr std::uint64_t kCommitGroupBytes = 8ull * 1024 * 1024;  // what a yank may cost

enum class VolumePurpose : std::uint32_t {
    kContent = 0,  // news, answers and chunks, as `stick write` leaves them
    kAnswer = 1,   // only what sites say; the next answer takes its place
};

struct VolumeHeader {
    NetworkId network;
    trust::PublicKey writer;  // the writing site's signing key; its hash is the site's id
    std::array<std::uint8_t, 16> stick{};
    std::uint32_t number = 1;
    VolumePurpose purpose = VolumePurpose::kContent;
    friend bool operator==(const VolumeHeader&, const VolumeHeader&) = default;
};

// Crash points: after create (file may be missing or empty), between any two appended records (tail torn,
// lost or garbled), between data sync and commit record, after it. resume() leads out of each.
class VolumeWriter {
  public:
    // kExists if the file is there.
    static Result<std::unique_ptr<VolumeWriter>> create(env::Disk& disk, std::string_view path,
                                                        const VolumeHeader& header,
                                                        const trust::SigningKey& key);
    // Goes on with a volume of this site: opens every record in it and calls `kept` for each that is whole.
    // What follows the first damage behind the last commit is cut off; damage before it stays, and costs its
    // records. kDamaged if no header is whole, kRefused if another site wrote it.
    using Kept = std::function<Result<void>(const store::RecordHeader&)>;
    static Result<std::unique_ptr<VolumeWriter>> resume(env::Disk& disk, std::string_view path,
                                                        const trust::SigningKey& key, const Kept& kept);
    ~VolumeWriter();
    // `record`: header and payload (store::encode_record). Commits by itself each kCommitGroupBytes.
    // kTooLarge where fits() says no. After any other error the writer is spent, but for kNoSpace: what was
    // appended before may still be committed.
    Result<void> append(ByteView record);
    Result<void> commit();  // sync, commit record, sync; no effect when nothing was appended since the last
    [[nodiscard]] bool fits(std::size_t record_bytes) const;
    [[nodiscard]] std::uint64_t size() const;  // bytes of the file
    [[nodiscard]] const VolumeHeader& header() const;

  private:
    struct State;
    explicit VolumeWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct VolumeRecord {
    store::RecordHeader header;
    std::uint64_t place = 0;
    ByteView bytes;  // header and payload, both checksums checked; valid until the next call
};

// Reads a volume of anybody. Memory: one record. Time: in proportion to its size, whatever it says.
class VolumeReader {
  public:
    // kDamaged, kUnsupported (another version), kRefused (not signed by the writer it names) or kNotFound.
    static Result<std::unique_ptr<VolumeReader>> open(env::Disk& disk, std::string_view path);
    ~VolumeReader();
    // The next whole record that is not a commit; nullopt at the end. A damaged stretch is reported to
    // `damaged` once, with the place where it begins, and jumped over to the next record whose header checks.
    // Places that the medium cannot read are damage too; kIo only when it reads nothing at all any more.
    Result<std::optional<VolumeRecord>> next(
        const std::function<void(std::uint64_t place, const Error&)>& damaged);
    [[nodiscard]] const VolumeHeader& header() const;
    [[nodiscard]] std::uint64_t size() const;
    // End of the last commit record of the header's writer that next() has passed: what was synced before the
    // writer went on. Damage below it is damage; behind it, it may be a write that was cut short.
    [[nodiscard]] std::uint64_t committed_bytes() const;

  private:
    struct State;
    explicit VolumeReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace satchel::stick
