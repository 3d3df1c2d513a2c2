// Writing a volume: records are appended as they come; after each group the data is synced, and only then a
// signed commit record says so and is synced itself.
#include <algorithm>
#include <vector>

#include "engine/base/check.hpp"
#include "transport/stick/volume_format.hpp"

namespace satchel::stick {

struct VolumeWriter::State {
    State(env::Disk& on, std::string_view at, const trust::SigningKey& with)
        : disk(on), path(at), key(with) {}

    env::Disk& disk;
    std::string path;
    const trust::SigningKey& key;  // of the site, which outlives the writer
    std::unique_ptr<env::File> file;
    VolumeHeader header;
    Digest header_hash{};
    std::uint64_t size = 0;
    OpenGroup group;
    bool spent = false;

    [[nodiscard]] bool uncommitted() const { return size > group.from; }

    Result<void> check_usable() const {
        if (!spent) return {};
        return fail(ErrorCode::kIo, disk.describe(path), "an earlier write to this file may be lost",
                    "check the disk or stick, then try again");
    }

    // What a failed write left is cut off again, so that a full disk can take the commit record. Where that
    // fails too, the next resume() does it.
    Result<void> write(ByteView bytes) {
        const Result<void> written = file->write_at(size, bytes);
        if (written.has_value()) {
            size += bytes.size();
            return {};
        }
        const Result<void> cut = file->truncate(size);
        spent = written.error().code != ErrorCode::kNoSpace || !cut.has_value();
        return written;
    }

    // After a failed sync the system may hold bytes for good that never reached the stick. They must not be
    // taken for whole by the next resume(), so they go; what the last commit covers was synced before.
    Result<void> sync() {
        Result<void> synced = file->sync();
        if (synced.has_value()) return synced;
        spent = true;
        file.reset();
        const Result<std::unique_ptr<env::File>> again = disk.open(path, env::OpenMode::kWrite);
        if (again.has_value()) static_cast<void>((*again)->truncate(group.from).has_value());
        return synced;
    }
};

VolumeWriter::VolumeWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VolumeWriter::~VolumeWriter() = default;

Result<std::unique_ptr<VolumeWriter>> VolumeWriter::create(env::Disk& disk, std::string_view path,
                                                           const VolumeHeader& header,
                                                           const trust::SigningKey& key) {
    auto state = std::make_unique<State>(disk, path, key);
    const ByteBuffer area = encode_header_area(header, key);
    state->header = header;
    state->header_hash = hash_of(ByteView(area).first(kVolumeHeaderSize));
    SATCHEL_TRY(state->file, disk.open(path, env::OpenMode::kCreateNew));
    SATCHEL_TRY_VOID(state->write(area));
    SATCHEL_TRY_VOID(state->sync());
    SATCHEL_TRY_VOID(disk.sync_directory(env::parent_of(path)));
    return std::unique_ptr<VolumeWriter>(new VolumeWriter(std::move(state)));
}

namespace {

// Records held back at most: what a group can hold is far less, so a longer stretch has no commit behind it.
constexpr std::size_t kHeldMax = 64 * 1024;

// Walks a volume that may end in anything, and decides where it is gone on with. Damage is borne once a later
// commit shows that it lies in what was synced; until then the records behind it are held back.
class ResumeWalk {
  public:
    ResumeWalk(VolumeReader& reader, const VolumeWriter::Kept& kept) : reader_(reader), kept_(kept) {}

    Result<void> run() {
        const auto damaged = [this](std::uint64_t place, const Error&) { on_damage(place); };
        while (held_.size() < kHeldMax) {
            SATCHEL_TRY(const std::optional<VolumeRecord> record, reader_.next(damaged));
            look_for_commit();
            SATCHEL_TRY_VOID(failure_);
            if (!record) return {};
            if (!store::open_record(record->bytes).has_value()) {
                on_damage(record->place);
            } else if (broken_at_) {
                held_.push_back(record->header);
            } else {
                group_.records.update(record->bytes.first(store::kRecordHeaderSize));
                SATCHEL_TRY_VOID(kept_(record->header));
            }
        }
        return {};
    }

    [[nodiscard]] std::optional<std::uint64_t> cut() const { return broken_at_; }  // nullopt: it ends whole
    [[nodiscard]] const OpenGroup& group() const { return group_; }

  private:
    void on_damage(std::uint64_t place) {
        look_for_commit();
        if (!broken_at_) broken_at_ = place;
    }

    // The reader may pass several commits and damaged stretches in one step; called between any two of them.
    void look_for_commit() {
        if (reader_.committed_bytes() <= group_.from) return;
        group_.begin(reader_.committed_bytes());
        for (const store::RecordHeader& header : held_)
            if (failure_.has_value()) failure_ = kept_(header);
        held_.clear();
        broken_at_.reset();
    }

    VolumeReader& reader_;
    const VolumeWriter::Kept& kept_;
    OpenGroup group_;
    std::optional<std::uint64_t> broken_at_;
    std::vector<store::RecordHeader> held_;
    Result<void> failure_;
};

}  // namespace

Result<std::unique_ptr<VolumeWriter>> VolumeWriter::resume(env::Disk& disk, std::string_view path,
                                                           const trust::SigningKey& key, const Kept& kept) {
    auto state = std::make_unique<State>(disk, path, key);
    {
        SATCHEL_TRY(const std::unique_ptr<VolumeReader> reader, VolumeReader::open(disk, path));
        state->header = reader->header();
        if (state->header.writer != key.public_key())
            return fail(ErrorCode::kRefused, disk.describe(path), "another site wrote this volume",
                        "leave it to that site, or use another stick");
        ResumeWalk walk(*reader, kept);
        SATCHEL_TRY_VOID(walk.run());
        state->group = walk.group();
        state->size = walk.cut().value_or(reader->size());
    }
    const ByteBuffer area = encode_header_area(state->header, key);
    state->header_hash = hash_of(ByteView(area).first(kVolumeHeaderSize));
    SATCHEL_TRY(state->file, disk.open(path, env::OpenMode::kWrite));
    if (state->size < kRecordsAt) {  // cut short inside the header's second copy
        state->size = 0;
        SATCHEL_TRY_VOID(state->write(area));
    }
    SATCHEL_TRY_VOID(state->file->truncate(state->size));
    SATCHEL_TRY_VOID(disk.sync_directory(env::parent_of(path)));
    return std::unique_ptr<VolumeWriter>(new VolumeWriter(std::move(state)));
}

Result<void> VolumeWriter::append(ByteView record) {
    SATCHEL_CHECK(record.size() >= store::kRecordHeaderSize);
    State& state = *state_;
    SATCHEL_TRY_VOID(state.check_usable());
    if (!fits(record.size()))
        return fail(ErrorCode::kTooLarge, state.disk.describe(state.path), "the volume is full",
                    "begin another volume");
    if (state.uncommitted() && state.size + record.size() - state.group.from > kCommitGroupBytes)
        SATCHEL_TRY_VOID(commit());
    SATCHEL_TRY_VOID(state.write(record));
    state.group.records.update(record.first(store::kRecordHeaderSize));
    return {};
}

Result<void> VolumeWriter::commit() {
    State& state = *state_;
    SATCHEL_TRY_VOID(state.check_usable());
    if (!state.uncommitted()) return {};
    SATCHEL_TRY_VOID(state.sync());
    Hasher records = state.group.records;
    const Commit commit{.volume = state.header_hash,
                        .from = state.group.from,
                        .place = state.size,
                        .records = records.finish()};
    ByteBuffer record;
    store::encode_record(record, store::RecordType::kCommit, encode(commit, state.key));
    SATCHEL_CHECK(record.size() <= kCommitRecordSize);
    SATCHEL_TRY_VOID(state.write(record));
    SATCHEL_TRY_VOID(state.sync());
    state.group.begin(state.size);
    return {};
}

// Room is kept for the commit before the record and the one behind it.
bool VolumeWriter::fits(std::size_t record_bytes) const {
    return state_->size + record_bytes + 2 * kCommitRecordSize <= kVolumeBytesMax;
}

std::uint64_t VolumeWriter::size() const { return state_->size; }
const VolumeHeader& VolumeWriter::header() const { return state_->header; }

}  // namespace satchel::stick
