#include "engine/catalogue/git_pack.hpp"

#include <algorithm>

#include "engine/base/check.hpp"
#include "engine/base/encoding.hpp"

namespace satchel::catalogue {

namespace {

constexpr std::size_t kWriteStep = 1024 * 1024;
constexpr std::uint32_t kPackVersion = 2;
constexpr std::uint32_t kIndexMagic = 0xff744f63;
constexpr std::uint32_t kIndexVersion = 2;

void put_big_endian(ByteBuffer& to, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(value >> shift));
}

// Type and plain size: four bits of size beside the type, then seven a byte.
ByteBuffer entry_header(GitType type, std::uint64_t size) {
    ByteBuffer header;
    auto byte = static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | (size & 15u));
    for (size >>= 4; size != 0; size >>= 7) {
        header.push_back(static_cast<std::uint8_t>(byte | 0x80u));
        byte = static_cast<std::uint8_t>(size & 0x7fu);
    }
    header.push_back(byte);
    return header;
}

}  // namespace

Result<void> GitPackWriter::begin(std::uint32_t count) {
    SATCHEL_TRY(file_, files_.open_partial());
    sum_ = {};
    flushed_ = 0;
    count_ = count;
    pending_.clear();
    entries_.clear();
    entries_.reserve(count);
    ByteBuffer header;
    append(header, bytes_of("PACK"));
    put_big_endian(header, kPackVersion);
    put_big_endian(header, count);
    return write(header);
}

Result<void> GitPackWriter::add(const GitId& id, GitType type, ByteView data) {
    ByteBuffer entry = entry_header(type, data.size());
    append(entry, deflater_.deflate(data));
    entries_.push_back({id, crc32_of(entry), static_cast<std::uint32_t>(flushed_ + pending_.size())});
    return write(entry);
}

Result<void> GitPackWriter::write(ByteView bytes) {
    append(pending_, bytes);
    return pending_.size() < kWriteStep ? Result<void>() : flush();
}

Result<void> GitPackWriter::flush() {
    sum_.update(pending_);
    SATCHEL_TRY_VOID(file_->write_at(flushed_, pending_));
    flushed_ += pending_.size();
    pending_.clear();
    return {};
}

Result<void> GitPackWriter::finish() {
    SATCHEL_CHECK(entries_.size() == count_);
    SATCHEL_TRY_VOID(flush());
    const Sha1::Sum sum = sum_.finish();
    SATCHEL_TRY_VOID(file_->write_at(flushed_, sum));
    SATCHEL_TRY_VOID(file_->sync());
    file_.reset();
    // git finds a pack by its index, so that comes second.
    const std::string name = "objects/pack/pack-" + to_hex(ByteView(sum));
    SATCHEL_TRY_VOID(files_.place_partial(name + ".pack"));
    return files_.put(name + ".idx", index(sum));
}

ByteBuffer GitPackWriter::index(const Sha1::Sum& pack_sum) {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.id < b.id; });
    ByteBuffer bytes;
    put_big_endian(bytes, kIndexMagic);
    put_big_endian(bytes, kIndexVersion);
    // How many ids begin with this byte or a lower one.
    std::size_t below = 0;
    for (unsigned first = 0; first < 256; ++first) {
        while (below < entries_.size() && entries_[below].id[0] <= first) ++below;
        put_big_endian(bytes, static_cast<std::uint32_t>(below));
    }
    for (const Entry& entry : entries_) append(bytes, entry.id);
    for (const Entry& entry : entries_) put_big_endian(bytes, entry.crc32);
    for (const Entry& entry : entries_) put_big_endian(bytes, entry.place);
    append(bytes, pack_sum);
    Sha1 sum;
    sum.update(bytes);
    append(bytes, sum.finish());
    return bytes;
}

}  // namespace satchel::catalogue
