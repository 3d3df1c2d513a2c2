// Crash points: within a volume see volume.hpp; a volume that the head does not name yet is found by its file
// and gone on with; the head is written when all is on the stick, and only then are volumes removed.
#include "transport/stick/own_folder.hpp"

#include <algorithm>

namespace satchel::stick {

namespace {
constexpr std::uint64_t kNumberMax = 0xffffffff;  // eight hex digits
}

OwnFolder::OwnFolder(site::Site& site, env::Disk& disk, Progress& progress)
    : site_(site), disk_(disk), progress_(progress), folder_(site_folder(site.self().id)) {}

Result<void> OwnFolder::look(VolumePurpose purpose) {
    SATCHEL_TRY_VOID(prepare_stick(disk_, site_.self().id));
    SATCHEL_TRY(chunks_, exchange::ChunkSet::create(site_.database(), "on_stick"));
    SATCHEL_TRY_VOID(look_at_head());
    SATCHEL_TRY(const std::vector<std::uint32_t> numbers, list_volumes(disk_, folder_));
    for (const std::uint32_t number : numbers)
        SATCHEL_TRY_VOID(look_at_volume(number, number == numbers.back(), purpose));
    // Written at once, so that a stick that is full later has its slots.
    if (!head_) return write_new_head(volumes_where([](const OwnVolume&) { return true; }));
    return {};
}

Result<void> OwnFolder::look_at_head() {
    int damaged_slots = 0;
    SATCHEL_TRY(head_, read_head(disk_, folder_, damaged_slots));
    if (!head_) {
        site_.world().random.fill(stick_);
        return {};
    }
    if (head_->writer != site_.signing_key().public_key())
        return fail(ErrorCode::kExists, disk_.describe(folder_), "another site's folder has this name",
                    "use another stick for this site");
    stick_ = head_->stick;
    return {};
}

Result<void> OwnFolder::look_at_volume(std::uint32_t number, bool last, VolumePurpose purpose) {
    OwnVolume& volume = volumes_[number];
    const std::string path = volume_path(folder_, number);
    SATCHEL_TRY_VOID(progress_.update({.stage = "checking the stick", .item = path}));
    Result<std::unique_ptr<VolumeReader>> reader = VolumeReader::open(disk_, path);
    if (!reader.has_value()) {
        // Without a whole header it is what a yank left of a new file; anything else may be of use to
        // somebody.
        volume.foreign = reader.error().code != ErrorCode::kDamaged;
        return {};
    }
    const VolumeHeader header = (*reader)->header();
    volume.foreign = header.writer != site_.signing_key().public_key() || header.network != site_.network();
    if (volume.foreign) return {};
    volume.purpose = header.purpose;
    volume.bytes = (*reader)->size();
    if (!head_) stick_ = header.stick;
    if (header.purpose != purpose && purpose == VolumePurpose::kAnswer) {
        volume.needed = true;
        return {};
    }
    Hasher freight;
    const Kept kept = [&](const store::RecordHeader& record) -> Result<void> {
        if (record.type == store::RecordType::kFreight) {
            volume.freight_records += 1;
            freight.update(record.id);
            return {};
        }
        volume.has_chunks = true;
        SATCHEL_TRY_VOID(chunks_->insert(ChunkId{record.id}, number));
        return {};
    };
    if (last && header.purpose == purpose) {
        reader->reset();
        SATCHEL_TRY(writer_, VolumeWriter::resume(disk_, path, site_.signing_key(), kept));
        number_ = number;
        volume.bytes = writer_->size();
    } else {
        SATCHEL_TRY_VOID(scan(**reader, kept));
    }
    volume.freight = freight.finish();
    return {};
}

// Only what opens counts as being here, so that a damaged or forged record is written again.
Result<void> OwnFolder::scan(VolumeReader& reader, const Kept& kept) {
    while (true) {
        SATCHEL_TRY(const std::optional<VolumeRecord> record,
                    reader.next([](std::uint64_t, const Error&) {}));
        if (!record) return {};
        if (store::open_record(record->bytes).has_value()) SATCHEL_TRY_VOID(kept(record->header));
    }
}

Result<bool> OwnFolder::need(const ChunkId& chunk) {
    SATCHEL_TRY(const std::optional<std::int64_t> number, chunks_->find(chunk));
    if (number) volumes_[static_cast<std::uint32_t>(*number)].needed = true;
    return number.has_value();
}

Result<std::uint32_t> OwnFolder::free_number() const {
    std::uint64_t number = 1;
    for (const auto& [taken, volume] : volumes_)
        if (!volume.foreign) number = std::max<std::uint64_t>(number, std::uint64_t{taken} + 1);
    if (head_ && !head_->volumes.empty())
        number = std::max(number, std::uint64_t{head_->volumes.back().number} + 1);
    while (number <= kNumberMax && volumes_.contains(static_cast<std::uint32_t>(number))) ++number;
    if (volumes_.size() >= kVolumesMax || number > kNumberMax)
        return fail(ErrorCode::kTooLarge, disk_.describe(folder_), "the folder has too many entries",
                    "use an empty stick");
    return static_cast<std::uint32_t>(number);
}

Result<void> OwnFolder::begin_volume(VolumePurpose purpose) {
    SATCHEL_TRY_VOID(commit());
    VolumeHeader header;
    SATCHEL_TRY(header.number, free_number());
    header.network = site_.network();
    header.writer = site_.signing_key().public_key();
    header.stick = stick_;
    header.purpose = purpose;
    SATCHEL_TRY(writer_, VolumeWriter::create(disk_, volume_path(folder_, header.number), header,
                                              site_.signing_key()));
    number_ = header.number;
    volumes_[number_].purpose = purpose;
    return {};
}

Result<void> OwnFolder::append_freight(ByteView record) {
    if (!writer_->fits(record.size())) SATCHEL_TRY_VOID(begin_volume(writer_->header().purpose));
    return writer_->append(record);
}

Result<void> OwnFolder::append_chunk(const ChunkId& id, ByteView record) {
    if (!writer_ || !writer_->fits(record.size())) SATCHEL_TRY_VOID(begin_volume(VolumePurpose::kContent));
    SATCHEL_TRY_VOID(writer_->append(record));
    SATCHEL_TRY_VOID(chunks_->insert(id, number_));
    volumes_[number_].has_chunks = true;
    volumes_[number_].needed = true;
    return {};
}

Result<void> OwnFolder::commit() {
    if (!writer_) return {};
    SATCHEL_TRY_VOID(writer_->commit());
    volumes_[number_].bytes = writer_->size();
    return {};
}

void OwnFolder::stop_soundly() {
    if (writer_) static_cast<void>(writer_->commit().has_value());
}

std::vector<HeadVolume> OwnFolder::volumes_where(const std::function<bool(const OwnVolume&)>& counts) const {
    std::vector<HeadVolume> found;
    for (const auto& [number, volume] : volumes_)
        if (!volume.foreign && counts(volume)) found.push_back({number, volume.bytes});
    return found;
}

Result<void> OwnFolder::write_new_head(std::vector<HeadVolume> volumes) {
    Head head;
    head.generation = head_ ? head_->generation + 1 : 1;
    head.network = site_.network();
    head.writer = site_.signing_key().public_key();
    head.stick = stick_;
    head.volumes = std::move(volumes);
    SATCHEL_TRY_VOID(write_head(disk_, folder_, head, site_.signing_key()));
    head_ = std::move(head);
    return {};
}

Result<std::uint64_t> OwnFolder::finish() {
    SATCHEL_TRY_VOID(commit());
    return finish_without_commit();
}

Result<std::uint64_t> OwnFolder::finish_without_commit() {
    writer_.reset();
    std::vector<HeadVolume> needed = volumes_where([](const OwnVolume& volume) { return volume.needed; });
    if (!head_ || head_->volumes != needed) SATCHEL_TRY_VOID(write_new_head(std::move(needed)));
    std::uint64_t removed = 0;
    for (const auto& [number, volume] : volumes_) {
        if (volume.needed || volume.foreign) continue;
        SATCHEL_TRY_VOID(disk_.remove_file(volume_path(folder_, number)));
        removed += 1;
    }
    if (removed > 0) SATCHEL_TRY_VOID(disk_.sync_directory(folder_));
    return removed;
}

}  // namespace satchel::stick
