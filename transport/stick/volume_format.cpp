#include "transport/stick/volume_format.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::stick {

namespace {

constexpr std::string_view kMagic = "SVOL";
constexpr std::string_view kHeaderDomain = "satchel/stick-volume/v1";
constexpr std::string_view kCommitDomain = "satchel/stick-commit/v1";
constexpr std::size_t kSignatureSize = 64;
constexpr std::size_t kChecksumSize = 8;  // first bytes of a BLAKE2b-256
constexpr std::size_t kSignedSize = kVolumeHeaderSize - kSignatureSize - kChecksumSize;

Error damaged(const std::string& about, const char* detail) {
    return fail(ErrorCode::kDamaged, about, "the bytes are damaged", "write the stick again from its source",
                detail);
}

Error newer(const std::string& about, std::string detail) {
    return fail(ErrorCode::kUnsupported, about, "it was written by a newer program",
                "update satchel on this box", std::move(detail));
}

trust::Signature signature_in(ByteView bytes) {
    trust::Signature signature;
    std::copy(bytes.begin(), bytes.end(), signature.bytes.begin());
    return signature;
}

}  // namespace

ByteBuffer encode(const VolumeHeader& header, const trust::SigningKey& key) {
    SATCHEL_CHECK(header.writer == key.public_key());
    ByteBuffer out;
    Writer writer(out);
    writer.raw(kMagic).u16(kStickVersion).u16(kVolumeHeaderSize).u32(header.number);
    writer.u32(static_cast<std::uint32_t>(header.purpose));
    writer.raw(header.stick).raw(header.network.view()).raw(header.writer.view());
    SATCHEL_CHECK(out.size() == kSignedSize);
    append(out, key.sign(kHeaderDomain, out).bytes);
    const Digest digest = hash_of(out);
    append(out, ByteView(digest).first(kChecksumSize));
    return out;
}

// The checksum comes before the version, so that damage is never taken for a newer program's work. Blocks of
// every version have this size and end in it.
Result<VolumeHeader> decode_volume_header(ByteView block, const std::string& about) {
    if (block.size() < kVolumeHeaderSize) return damaged(about, "cut off in the volume's header");
    block = block.first(kVolumeHeaderSize);
    const Digest digest = hash_of(block.first(kVolumeHeaderSize - kChecksumSize));
    if (text_of(block.first(kMagic.size())) != kMagic ||
        !equal(block.last(kChecksumSize), ByteView(digest).first(kChecksumSize)))
        return damaged(about, "no valid volume header");
    Reader reader(block.subspan(kMagic.size()));
    const std::uint16_t version = reader.u16();
    if (version != kStickVersion) return newer(about, "stick version " + std::to_string(version));
    const std::uint16_t size = reader.u16();
    VolumeHeader header;
    header.number = reader.u32();
    const std::uint32_t purpose = reader.u32();
    if (size != kVolumeHeaderSize || purpose > static_cast<std::uint32_t>(VolumePurpose::kAnswer))
        return newer(about, "volume purpose " + std::to_string(purpose));
    header.purpose = static_cast<VolumePurpose>(purpose);
    const ByteView stick = reader.raw(header.stick.size());
    std::copy(stick.begin(), stick.end(), header.stick.begin());
    header.network.digest = reader.digest();
    header.writer.digest = reader.digest();
    if (!trust::verify(header.writer, kHeaderDomain, block.first(kSignedSize),
                       signature_in(block.subspan(kSignedSize, kSignatureSize))))
        return fail(ErrorCode::kRefused, about, "the signature does not hold",
                    "write the stick again from its source");
    return header;
}

ByteBuffer encode_header_area(const VolumeHeader& header, const trust::SigningKey& key) {
    const ByteBuffer block = encode(header, key);
    ByteBuffer area(kRecordsAt);
    std::copy(block.begin(), block.end(), area.begin());
    std::copy(block.begin(), block.end(), area.begin() + kHeaderCopyAt);
    return area;
}

ByteBuffer encode(const Commit& commit, const trust::SigningKey& key) {
    ByteBuffer out;
    Writer(out).raw(commit.volume).u64(commit.from).u64(commit.place).raw(commit.records);
    append(out, key.sign(kCommitDomain, out).bytes);
    SATCHEL_CHECK(out.size() == kCommitSize);
    return out;
}

Result<Commit> decode_commit(ByteView plain, const trust::PublicKey& writer) {
    if (plain.size() != kCommitSize) return damaged("commit record", "of another size");
    const ByteView body = plain.first(kCommitSize - kSignatureSize);
    if (!trust::verify(writer, kCommitDomain, body, signature_in(plain.last(kSignatureSize))))
        return fail(ErrorCode::kRefused, "commit record", "the signature does not hold",
                    "write the stick again from its source");
    Reader reader(body);
    Commit commit;
    commit.volume = reader.digest();
    commit.from = reader.u64();
    commit.place = reader.u64();
    commit.records = reader.digest();
    return commit;
}

}  // namespace satchel::stick
