#include "engine/store/pack_tally.hpp"

#include <algorithm>
#include <array>

#include "engine/base/check.hpp"
#include "engine/env/holes.hpp"
#include "engine/store/crc32c.hpp"

namespace satchel::store {

namespace {

constexpr std::size_t kStepBytes = 256 * 1024;
constexpr std::array<std::uint8_t, kPackBlockSize> kZeros{};

class TalliedFile : public env::File {
  public:
    TalliedFile(std::unique_ptr<env::File> file, PackTally& tally) : file_(std::move(file)), tally_(tally) {}
    ~TalliedFile() override { tally_.stop(); }  // whoever opens the file again writes past it
    Result<std::size_t> read_at(std::uint64_t offset, MutableBytes into) override {
        return file_->read_at(offset, into);
    }
    Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
        SATCHEL_TRY_VOID(file_->write_at(offset, bytes));
        tally_.wrote(offset, bytes);
        return {};
    }
    Result<void> truncate(std::uint64_t size) override {
        tally_.stop();
        return file_->truncate(size);
    }
    Result<std::uint64_t> size() override { return file_->size(); }
    Result<void> sync() override { return file_->sync(); }
    Result<void> begin_sync() override { return file_->begin_sync(); }
    Result<void> end_sync() override { return file_->end_sync(); }
    Result<void> set_mode(std::uint32_t mode) override { return file_->set_mode(mode); }
    Result<void> set_mtime(std::int64_t mtime_ns) override { return file_->set_mtime(mtime_ns); }
    void expect_no_reuse() override { file_->expect_no_reuse(); }

  private:
    std::unique_ptr<env::File> file_;
    PackTally& tally_;
};

// False: the disk does not give all of it.
Result<bool> read_back(env::File& pack, PackTally& tally, std::uint64_t end, std::uint32_t width) {
    tally.begin(width);
    env::HolesAsZeros readable(pack);
    ByteBuffer step;
    for (std::uint64_t at = 0; at < end; at += step.size()) {
        step.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kStepBytes, end - at)));
        SATCHEL_TRY(const std::size_t got, readable.read_at(at, step));
        if (got != step.size())
            return fail(ErrorCode::kDamaged, "pack", "the bytes are damaged",
                        "fetch it again from a stick or another site", "shorter than what was written");
        tally.wrote(at, step);
    }
    return !readable.has_met_any();
}

}  // namespace

// Eight words at a time, which compilers make wide ones of.
void xor_into(MutableBytes into, ByteView bytes) {
    SATCHEL_CHECK(into.size() == bytes.size());
    using Words = std::array<std::uint64_t, 8>;
    std::size_t at = 0;
    for (; at + sizeof(Words) <= bytes.size(); at += sizeof(Words)) {
        Words ours;
        Words theirs;
        std::memcpy(ours.data(), into.data() + at, sizeof ours);
        std::memcpy(theirs.data(), bytes.data() + at, sizeof theirs);
        for (std::size_t i = 0; i < ours.size(); ++i) ours[i] ^= theirs[i];
        std::memcpy(into.data() + at, ours.data(), sizeof ours);
    }
    for (; at < bytes.size(); ++at) into[at] = static_cast<std::uint8_t>(into[at] ^ bytes[at]);
}

void PackTally::begin(std::uint32_t width) {
    SATCHEL_CHECK(width >= 1 && width <= kParityBlocksMax);
    counts_ = true;
    width_ = width;
    at_ = 0;
    sum_ = 0;
    sums_.clear();
    columns_.assign(static_cast<std::size_t>(width * kPackBlockSize), 0);
}

void PackTally::wrote(std::uint64_t offset, ByteView bytes) {
    if (!counts_) return;
    if (offset < at_) return stop();
    add_zeros(offset - at_);
    add(bytes);
}

void PackTally::close_block() {
    sums_.push_back(sum_);
    sum_ = 0;
}

void PackTally::add(ByteView bytes) {
    while (!bytes.empty()) {
        const auto inside = static_cast<std::size_t>(at_ % kPackBlockSize);
        const auto column = static_cast<std::size_t>(at_ / kPackBlockSize % width_);
        const ByteView part =
            bytes.first(std::min(bytes.size(), static_cast<std::size_t>(kPackBlockSize) - inside));
        const std::size_t place = column * static_cast<std::size_t>(kPackBlockSize) + inside;
        xor_into(MutableBytes(columns_).subspan(place, part.size()), part);
        sum_ = crc32c(part, sum_);
        at_ += part.size();
        if (at_ % kPackBlockSize == 0) close_block();
        bytes = bytes.subspan(part.size());
    }
}

void PackTally::add_zeros(std::uint64_t count) {
    while (count > 0) {
        const std::uint64_t part = std::min(count, kPackBlockSize - at_ % kPackBlockSize);
        sum_ = crc32c(ByteView(kZeros).first(static_cast<std::size_t>(part)), sum_);
        at_ += part;
        count -= part;
        if (at_ % kPackBlockSize == 0) close_block();
    }
}

PackTally::Parity PackTally::finish(std::uint32_t first) {
    SATCHEL_CHECK(counts_);
    add_zeros(next_block(at_) - at_);
    stop();
    for (std::uint8_t& byte : columns_) byte = static_cast<std::uint8_t>(~byte);
    const auto turn = static_cast<std::size_t>(first % width_ * kPackBlockSize);
    Parity parity;
    parity.parts[0] = ByteView(columns_).subspan(turn);
    parity.parts[1] = ByteView(columns_).first(turn);
    parity.hash = Hasher().update(parity.parts[0]).update(parity.parts[1]).finish();
    parity.sums = std::move(sums_);
    sums_ = {};
    for (const ByteView part : parity.parts)
        for (std::size_t at = 0; at < part.size(); at += kPackBlockSize)
            parity.sums.push_back(crc32c(part.subspan(at, kPackBlockSize)));
    return parity;
}

std::unique_ptr<env::File> tallied(std::unique_ptr<env::File> file, PackTally& tally) {
    return std::make_unique<TalliedFile>(std::move(file), tally);
}

Result<std::vector<Section>> write_guards(env::File& pack, PackTally& tally, const Section& index,
                                          std::uint64_t guarded_from) {
    const std::uint64_t end = index.offset + index.size;
    if (end < guarded_from) return std::vector<Section>{index};
    Guard guard;
    guard.index = index;
    guard.layout.blocks = static_cast<std::uint32_t>(next_block(end) / kPackBlockSize);
    guard.layout.width = parity_width(guard.layout.blocks);
    if (!guard.layout.is_possible()) return std::vector<Section>{index};
    if (!tally.covers(end, guard.layout.width)) {
        SATCHEL_TRY(const bool has_all, read_back(pack, tally, end, guard.layout.width));
        if (!has_all) tally.stop();
        // Parity of zeros would mend to zeros what the disk gives another day.
        if (!has_all) return std::vector<Section>{index};
    }
    PackTally::Parity parity = tally.finish(guard.layout.parity());
    guard.parity_hash = parity.hash;
    guard.sums = std::move(parity.sums);
    const GuardedEnd rest = end_of(guard);
    std::uint64_t at = end;
    const auto append_part = [&](ByteView bytes) -> Result<void> {
        SATCHEL_TRY_VOID(pack.write_at(at, bytes));
        at += bytes.size();
        return {};
    };
    ByteBuffer front(static_cast<std::size_t>(next_block(end) - end));
    append(front, rest.guard);
    SATCHEL_TRY_VOID(append_part(front));
    for (const ByteView part : parity.parts)
        if (!part.empty()) SATCHEL_TRY_VOID(append_part(part));
    SATCHEL_TRY_VOID(append_part(rest.guard));
    return rest.decoded.sections;
}

}  // namespace satchel::store
