// Reading a volume. A record's header carries its own checksum, so its length is trustworthy and damage in a
// payload costs just that record. Where a header itself is damaged, the reader looks for the next one by its
// magic and checksum, in windows of at most kWindowBytes.
#include <algorithm>

#include "transport/stick/volume_format.hpp"

namespace satchel::stick {

namespace {

constexpr std::size_t kFirstWindowBytes = 256;
constexpr std::size_t kWindowBytes = 64 * 1024;
constexpr int kBadReadsMax = 64;  // in a row, 4 MiB of windows: then the medium is gone, not scratched
constexpr std::string_view kRecordMagic = "SREC";

Error damaged(const char* detail) {
    return fail(ErrorCode::kDamaged, "record", "the bytes are damaged",
                "write the stick again from its source", detail);
}

Result<VolumeHeader> read_header(env::File& file, const std::string& about, Digest& block_hash) {
    Result<VolumeHeader> first = damaged("no valid volume header");
    for (const std::size_t at : {std::size_t{0}, kHeaderCopyAt}) {
        ByteBuffer block(kVolumeHeaderSize);
        const Result<std::size_t> got = file.read_at(at, block);
        if (!got.has_value()) {
            if (at == 0) first = got.error();
            continue;
        }
        Result<VolumeHeader> header = decode_volume_header(ByteView(block).first(*got), about);
        if (header.has_value()) block_hash = hash_of(block);
        if (header.has_value() || header.error().code == ErrorCode::kUnsupported) return header;
        if (at == 0) first = std::move(header);
    }
    return first;
}

}  // namespace

struct VolumeReader::State {
    using Damaged = std::function<void(std::uint64_t place, const Error&)>;

    std::unique_ptr<env::File> file;
    VolumeHeader header;
    Digest header_hash{};
    std::uint64_t size = 0;
    std::uint64_t end = 0;
    bool too_large = false;  // there is more behind the end, and it was not reported yet
    std::uint64_t at = kRecordsAt;
    std::uint64_t committed = 0;
    std::uint64_t damage_end = 0;  // a stretch that goes on is reported once
    int bad_reads = 0;
    OpenGroup group;
    ByteBuffer buffer;

    void note(const Damaged& report, std::uint64_t up_to, const Error& error) {
        if (at != damage_end) report(at, error);
        at = damage_end = up_to;
        group.damaged = true;
    }

    // Fewer bytes than asked for are damage to the caller; an unreadable place is too, until it is one too
    // many.
    Result<std::size_t> read(std::uint64_t from, MutableBytes into) {
        const Result<std::size_t> got = file->read_at(from, into);
        if (got.has_value()) {
            bad_reads = 0;
            return got;
        }
        if (got.error().code != ErrorCode::kIo || ++bad_reads > kBadReadsMax) return got.error();
        return std::size_t{0};
    }

    // The next place from `from` on where a record of this format begins and has room for what it promises;
    // else the end. Windows begin small: the next record is often near, and a file full of traps must not
    // make each of them cost a whole window.
    Result<std::uint64_t> find_record(std::uint64_t from) {
        std::size_t window_bytes = kFirstWindowBytes;
        while (from + store::kRecordHeaderSize <= end) {
            const std::size_t wanted =
                static_cast<std::size_t>(std::min<std::uint64_t>(window_bytes, end - from));
            window_bytes = std::min(2 * window_bytes, kWindowBytes);
            buffer.resize(wanted);
            SATCHEL_TRY(const std::size_t got, read(from, buffer));
            if (const std::optional<std::uint64_t> place = find_in(ByteView(buffer).first(got), from))
                return *place;
            // A header may lie across the border of two windows.
            from += got > store::kRecordHeaderSize ? got - (store::kRecordHeaderSize - 1) : wanted;
        }
        return end;
    }

    [[nodiscard]] std::optional<std::uint64_t> find_in(ByteView window, std::uint64_t window_at) const {
        for (std::size_t at_byte = 0; at_byte + store::kRecordHeaderSize <= window.size(); ++at_byte) {
            at_byte = text_of(window).find(kRecordMagic, at_byte);
            if (at_byte == std::string_view::npos) return std::nullopt;
            const Result<store::RecordHeader> found = store::decode_header(window.subspan(at_byte));
            const std::uint64_t place = window_at + at_byte;
            if (found.has_value() && place + store::kRecordHeaderSize + found->stored_size <= end)
                return place;
        }
        return std::nullopt;
    }

    Result<void> jump(const Damaged& report, std::uint64_t search_from, const Error& error) {
        SATCHEL_TRY(const std::uint64_t next, find_record(search_from));
        note(report, next, error);
        return {};
    }

    // The whole record at `at` into the buffer; nullopt: there was none, and `at` stands behind the damage.
    Result<std::optional<store::RecordHeader>> read_record(const Damaged& report) {
        const std::uint64_t left = end - at;
        if (left < store::kRecordHeaderSize) {
            note(report, end, damaged("cut off in the header"));
            return std::optional<store::RecordHeader>();
        }
        buffer.resize(store::kRecordHeaderSize);
        SATCHEL_TRY(const std::size_t head_got, read(at, buffer));
        const Result<store::RecordHeader> decoded = store::decode_header(ByteView(buffer).first(head_got));
        if (!decoded.has_value()) {
            SATCHEL_TRY_VOID(jump(report, at + 1, decoded.error()));
            return std::optional<store::RecordHeader>();
        }
        const std::size_t whole = store::kRecordHeaderSize + decoded->stored_size;
        if (whole > left) {
            SATCHEL_TRY_VOID(jump(report, at + store::kRecordHeaderSize, damaged("cut off in the payload")));
            return std::optional<store::RecordHeader>();
        }
        buffer.resize(whole);
        SATCHEL_TRY(const std::size_t got, read(at, buffer));
        const Result<store::RecordHeader> checked = store::check_record(ByteView(buffer).first(got));
        if (!checked.has_value()) {
            note(report, at + whole, checked.error());
            return std::optional<store::RecordHeader>();
        }
        return std::optional(*checked);
    }

    // A commit counts when the writer signed it for this volume and place, over the records that are here.
    Result<void> check_commit() const {
        SATCHEL_TRY(const ByteBuffer plain, store::open_record(buffer));
        SATCHEL_TRY(const Commit commit, decode_commit(plain, header.writer));
        if (commit.volume != header_hash || commit.place != at)
            return damaged("a commit record of another place");
        if (group.damaged) return {};
        Hasher records = group.records;
        if (commit.from != group.from || commit.records != records.finish())
            return damaged("other records than were committed");
        return {};
    }

    void take_commit(const Damaged& report) {
        const std::uint64_t behind = at + buffer.size();
        if (const Result<void> valid = check_commit(); !valid.has_value()) {
            note(report, behind, valid.error());
            return;
        }
        at = committed = behind;
        group.begin(behind);
    }
};

VolumeReader::VolumeReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
VolumeReader::~VolumeReader() = default;

Result<std::unique_ptr<VolumeReader>> VolumeReader::open(env::Disk& disk, std::string_view path) {
    auto state = std::make_unique<State>();
    SATCHEL_TRY(state->file, disk.open(path, env::OpenMode::kRead));
    SATCHEL_TRY(state->size, state->file->size());
    SATCHEL_TRY(state->header, read_header(*state->file, disk.describe(path), state->header_hash));
    state->end = std::min(state->size, kVolumeBytesMax);
    state->too_large = state->size > kVolumeBytesMax;
    state->at = std::min<std::uint64_t>(kRecordsAt, state->end);
    return std::unique_ptr<VolumeReader>(new VolumeReader(std::move(state)));
}

Result<std::optional<VolumeRecord>> VolumeReader::next(
    const std::function<void(std::uint64_t place, const Error&)>& damaged_at) {
    State& state = *state_;
    while (state.at < state.end) {
        SATCHEL_TRY(const std::optional<store::RecordHeader> record, state.read_record(damaged_at));
        if (!record) continue;
        if (record->type == store::RecordType::kCommit) {
            state.take_commit(damaged_at);
            continue;
        }
        state.group.records.update(ByteView(state.buffer).first(store::kRecordHeaderSize));
        VolumeRecord found{*record, state.at, state.buffer};
        state.at += state.buffer.size();
        return std::optional(found);
    }
    if (state.too_large) damaged_at(state.end, damaged("larger than any volume"));
    state.too_large = false;
    return std::optional<VolumeRecord>();
}

const VolumeHeader& VolumeReader::header() const { return state_->header; }
std::uint64_t VolumeReader::size() const { return state_->size; }
std::uint64_t VolumeReader::committed_bytes() const { return state_->committed; }

}  // namespace satchel::stick
