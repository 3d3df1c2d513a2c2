// Reading a stick: freight first (trust, catalogue, haves), then the chunks that this site wants.
//
// Crash points: each lane is accepted in one transaction; chunks are committed in groups and adopted from the
// open pack after a stop; a course becomes complete only after a walk that found all of it. Reading the stick
// again goes on from there.
#include <algorithm>
#include <set>

#include "engine/exchange/admission.hpp"
#include "engine/exchange/freight_gate.hpp"
#include "engine/exchange/haves.hpp"
#include "engine/exchange/intake.hpp"
#include "transport/stick/carry.hpp"
#include "transport/stick/parcels.hpp"

namespace satchel::stick {

namespace {

struct StickVolume {
    std::string path;
    VolumeHeader header;
    std::uint64_t bytes = 0;
    std::uint64_t promised = 0;  // bytes that its writer's head speaks of
    std::uint64_t taken = 0;
    std::uint64_t damaged = 0;
};

class StickReader {
  public:
    StickReader(site::Site& site, env::Disk& disk, Progress& progress, ReadReport& report)
        : site_(site), disk_(disk), progress_(progress), report_(report) {}

    Result<void> run() {
        SATCHEL_TRY(const std::set<CompleteEdition> before, complete_editions());
        SATCHEL_TRY_VOID(find_volumes());
        for (const FreightRound round : kFreightRounds)
            for (const StickVolume& volume : volumes_) SATCHEL_TRY_VOID(read_freight(volume, round));
        for (const std::string& path : own_volumes_) SATCHEL_TRY_VOID(read_back(path));
        SATCHEL_TRY_VOID(site_.records().commit());
        const Result<void> taken = take_chunks();
        SATCHEL_TRY_VOID(site_.store().commit());  // also what came before somebody stopped it
        SATCHEL_TRY_VOID(taken);
        SATCHEL_TRY_VOID(site_.refresh_holdings(progress_));
        SATCHEL_TRY(const std::set<CompleteEdition> after, complete_editions());
        for (const CompleteEdition& edition : after)
            if (!before.contains(edition)) report_.completed.push_back(edition.first);
        for (const StickVolume& volume : volumes_) SATCHEL_TRY_VOID(give_receipt(volume));
        SATCHEL_TRY_VOID(site_.update_mirror());
        return answer();
    }

  private:
    using CompleteEdition = std::pair<std::string, std::uint32_t>;  // course and number
    Result<std::set<CompleteEdition>> complete_editions() {
        std::set<CompleteEdition> complete;
        SATCHEL_TRY_VOID(site_.for_each_course([&](const site::CourseState& course) -> Result<void> {
            if (course.complete && course.has_current)
                complete.emplace(course.edition.edition.course, course.edition.edition.number);
            return {};
        }));
        return complete;
    }

    void note_damage(const std::string& path, std::uint64_t place, const Error& error) {
        report_.damaged_count += 1;
        if (report_.damaged.size() < site::kSkippedListMax)
            report_.damaged.push_back({disk_.describe(path), place, error});
    }

    Result<void> find_volumes() {
        SATCHEL_TRY(const std::vector<std::string> folders, list_site_folders(disk_));
        for (const std::string& folder : folders) {
            const Result<std::vector<std::uint32_t>> numbers = list_volumes(disk_, folder);
            if (!numbers.has_value()) {
                note_damage(folder, 0, numbers.error());
                continue;
            }
            bool foreign = false, counts = false;
            for (const std::uint32_t number : *numbers)
                look_at_volume(volume_path(folder, number), foreign, counts);
            note_promises(folder);
            report_.folders += counts ? 1 : 0;
            report_.foreign_folders += foreign ? 1 : 0;
        }
        return {};
    }

    // A volume that is gone, or ends before what the writer's head says, was lost in part, be it between two
    // records.
    void note_promises(const std::string& folder) {
        int damaged_slots = 0;
        const Result<std::optional<Head>> head = read_head(disk_, folder, damaged_slots);
        if (!head.has_value() || !*head || (*head)->network != site_.network()) return;
        if ((*head)->writer == site_.signing_key().public_key()) return;
        for (const HeadVolume& promised : (*head)->volumes) {
            const std::string path = volume_path(folder, promised.number);
            const auto volume = std::find_if(volumes_.begin(), volumes_.end(),
                                             [&](const StickVolume& each) { return each.path == path; });
            const Result<bool> there = env::exists(disk_, path);
            if (volume != volumes_.end())
                volume->promised = promised.committed_bytes;
            else if (there.has_value() && !*there)
                note_damage(path, 0, cut_off(path, 0, promised.committed_bytes));
        }
    }

    [[nodiscard]] Error cut_off(const std::string& path, std::uint64_t bytes, std::uint64_t promised) const {
        return fail(ErrorCode::kDamaged, disk_.describe(path), "the bytes are damaged",
                    "write the stick again from its source",
                    "cut off: " + std::to_string(bytes) + " of " + std::to_string(promised) + " bytes");
    }

    void look_at_volume(const std::string& path, bool& foreign, bool& counts) {
        const Result<std::unique_ptr<VolumeReader>> reader = VolumeReader::open(disk_, path);
        if (!reader.has_value()) {
            // What is broken of this site's own is a leftover of a stop: the answer takes its place.
            if (env::parent_of(path) != site_folder(site_.self().id)) note_damage(path, 0, reader.error());
            return;
        }
        const VolumeHeader& header = (*reader)->header();
        if (header.network != site_.network()) {
            foreign = true;
            return;
        }
        if (header.writer == site_.signing_key().public_key()) {
            own_volumes_.push_back(path);
            return;
        }
        counts = true;
        volumes_.push_back({.path = path, .header = header, .bytes = (*reader)->size()});
        total_.bytes_total += (*reader)->size();
    }

    // Freight stands before chunks in a volume: the first chunk ends the look. Damage is noted when the
    // chunks are read; here it only ends the lane that it lies in.
    Result<void> read_freight(const StickVolume& volume, FreightRound round) {
        Result<std::unique_ptr<VolumeReader>> reader = VolumeReader::open(disk_, volume.path);
        if (!reader.has_value()) return {};
        exchange::FreightGate gate(site_.replica(), report_,
                                   freight_damaged_ && round != FreightRound::kRoots);
        const auto damaged = [&](std::uint64_t, const Error&) {
            gate.drop_unfinished();
            freight_damaged_ = true;
        };
        while (true) {
            const Result<std::optional<VolumeRecord>> record = (*reader)->next(damaged);
            if (!record.has_value() || !*record) return {};
            if ((*record)->header.type != store::RecordType::kFreight) return {};
            const Result<ByteBuffer> plain = store::open_record((*record)->bytes);
            const Result<exchange::Parcel> parcel =
                plain.has_value() ? exchange::decode_parcel(*plain) : Result<exchange::Parcel>(plain.error());
            if (parcel.has_value()) {
                if (round_of(*parcel) == round) SATCHEL_TRY_VOID(gate.take(*parcel));
                continue;
            }
            gate.drop_unfinished();
            freight_damaged_ = true;
            if (round == FreightRound::kRoots) note_damage(volume.path, (*record)->place, parcel.error());
        }
    }

    // What this site wrote itself: a box that was put back to a backup, or is one of two copies, may know
    // less than lies here, and what it is to write takes its place.
    Result<void> read_back(const std::string& path) {
        const Result<std::unique_ptr<VolumeReader>> reader = VolumeReader::open(disk_, path);
        if (!reader.has_value()) return {};
        exchange::FreightGate gate(site_.replica(), report_, true);
        while (true) {
            const Result<std::optional<VolumeRecord>> record =
                (*reader)->next([](std::uint64_t, const Error&) {});
            if (!record.has_value() || !*record) return {};
            if ((*record)->header.type != store::RecordType::kFreight) return {};
            const Result<ByteBuffer> plain = store::open_record((*record)->bytes);
            if (!plain.has_value()) continue;
            const Result<exchange::Parcel> parcel = exchange::decode_parcel(*plain);
            if (parcel.has_value() && (std::holds_alternative<exchange::SegmentParcel>(*parcel) ||
                                       std::holds_alternative<exchange::HaveParcel>(*parcel)))
                SATCHEL_TRY_VOID(gate.take(*parcel));
        }
    }

    struct Waiting {
        bool for_structure = false;  // nodes and recipes, which tell how much room an edition needs
        bool for_room = false;
    };
    Result<Waiting> want_what_has_room(exchange::Intake& intake) {
        const auto find_source = [&](const ChunkId& manifest) -> Result<exchange::Source> {
            const Result<bool> has_all = intake.has_passed_over(manifest);
            if (!has_all.has_value() && !is_unreadable(has_all.error())) return has_all.error();
            return has_all.has_value() && *has_all ? exchange::Source::kStick : exchange::Source::kLine;
        };
        SATCHEL_TRY(const std::vector<exchange::WantedEdition> planned,
                    exchange::plan_wanted(site_.replica(), find_source));
        Waiting waiting;
        for (const exchange::WantedEdition& each : planned) {
            const Result<void> wanted = intake.want_edition(each.edition.manifest, each.depth);
            if (!wanted.has_value() && !is_unreadable(wanted.error())) return wanted.error();
            waiting.for_structure = waiting.for_structure || each.depth == exchange::Depth::kStructure;
            waiting.for_room = waiting.for_room || each.depth == exchange::Depth::kDeclined;
        }
        return waiting;
    }

    // What became whole takes no more than it has, and others may have room then.
    Result<bool> notes_completed() {
        SATCHEL_TRY_VOID(site_.store().commit());
        SATCHEL_TRY(const std::set<CompleteEdition> before, complete_editions());
        SATCHEL_TRY_VOID(site_.refresh_holdings(progress_));
        SATCHEL_TRY(const std::set<CompleteEdition> after, complete_editions());
        return after != before;
    }

    // A further pass is needed when a parent stood behind what it names, as after damage or on two sticks
    // made at different times, and when an edition had to tell first how much room it needs.
    Result<void> take_chunks() {
        SATCHEL_TRY(exchange::Intake intake, exchange::Intake::create(site_.database(), site_.store()));
        SATCHEL_TRY(Waiting waiting, want_what_has_room(intake));
        for (int pass = 0; pass < kPassesMax; ++pass) {
            total_.bytes_done = 0;
            for (StickVolume& volume : volumes_) SATCHEL_TRY_VOID(read_chunks(volume, intake, pass == 0));
            if (waiting.for_structure || waiting.for_room) {
                SATCHEL_TRY(const bool some_completed, notes_completed());
                // After the first pass it is known what the stick has.
                if (waiting.for_structure || some_completed || pass == 0) {
                    SATCHEL_TRY(waiting, want_what_has_room(intake));
                }
            }
            SATCHEL_TRY(const bool again, intake.wants_what_was_passed_over());
            if (!again) return {};
        }
        return {};
    }

    // A volume that cannot be read on costs itself; the others are read.
    Result<void> read_chunks(StickVolume& volume, exchange::Intake& intake, bool first_pass) {
        const std::uint64_t done_before = total_.bytes_done;
        total_.item = volume.path;
        const auto damaged = [&](std::uint64_t place, const Error& error) {
            if (!first_pass) return;
            volume.damaged += 1;
            note_damage(volume.path, place, error);
        };
        const Result<std::unique_ptr<VolumeReader>> reader = VolumeReader::open(disk_, volume.path);
        if (!reader.has_value()) damaged(0, reader.error());
        while (reader.has_value()) {
            const Result<std::optional<VolumeRecord>> next = (*reader)->next(damaged);
            if (!next.has_value()) damaged(total_.bytes_done - done_before, next.error());
            if (!next.has_value() || !*next) break;
            const VolumeRecord* record = &**next;
            if (record->header.type != store::RecordType::kChunk) continue;
            const Result<exchange::Intake::Offer> offer =
                intake.offer(ChunkId{record->header.id}, record->bytes);
            if (!offer.has_value() && offer.error().code == ErrorCode::kNoSpace) {
                if (!report_.no_room)
                    SATCHEL_TRY_VOID(site_.store().commit());  // can't, if the disk itself is full
                report_.no_room = offer.error();
                continue;
            }
            if (!offer.has_value()) {
                if (offer.error().code != ErrorCode::kDamaged) return offer.error();
                damaged(record->place, offer.error());
                continue;
            }
            if (*offer == exchange::Intake::Offer::kTaken) {
                volume.taken += 1;
                report_.chunks += 1;
                report_.chunk_bytes += record->header.stored_size;
            } else if (first_pass) {
                report_.chunks_known += 1;
            }
            total_.items_done = report_.chunks;
            total_.bytes_done = done_before + record->place;
            SATCHEL_TRY_VOID(progress_.update(total_));
        }
        if (volume.damaged == 0 && volume.bytes < volume.promised)
            damaged(volume.bytes, cut_off(volume.path, volume.bytes, volume.promised));
        total_.bytes_done = done_before + volume.bytes;
        return progress_.update(total_);
    }

    // Only news is worth a receipt: reading the same stick again says nothing new.
    Result<void> give_receipt(const StickVolume& volume) {
        if (volume.taken == 0 && volume.damaged == 0) return {};
        exchange::Receipt receipt;
        receipt.writer = trust::site_id_of(volume.header.writer);
        receipt.stick = volume.header.stick;
        receipt.volume = volume.header.number;
        receipt.bytes = volume.bytes;
        receipt.chunks_taken = volume.taken;
        receipt.damaged = volume.damaged;
        return exchange::add_own_receipt(site_.replica(), receipt);
    }

    // The return lane: this site's have, receipts and reviews go back on the stick. A stick that cannot be
    // written to is read all the same.
    Result<void> answer() {
        const Result<void> answered = write_answer(site_, disk_);
        report_.answered = answered.has_value();
        if (!answered.has_value()) report_.unanswered = answered.error();
        return {};
    }

    static constexpr int kPassesMax = 8;  // the deepest chain of parents: manifest levels and a recipe

    site::Site& site_;
    env::Disk& disk_;
    Progress& progress_;
    ReadReport& report_;
    std::vector<StickVolume> volumes_;  // at most kSiteFoldersMax x kVolumesMax
    std::vector<std::string> own_volumes_;
    ProgressUpdate total_{.stage = "reading the stick", .item = {}};
    bool freight_damaged_ = false;  // found in the first round, which goes through all freight
};

}  // namespace

Result<ReadReport> read_stick(site::Site& site, env::Disk& stick, Progress& progress) {
    ReadReport report;
    StickReader reader(site, stick, progress, report);
    SATCHEL_TRY_VOID(reader.run());
    return report;
}

namespace {

Result<void> show_volume(env::Disk& stick, ShownFolder& folder, const std::string& path, bool named_by_head,
                         Progress& progress) {
    ShownVolume& volume = folder.volumes.emplace_back();
    volume.file = path;
    SATCHEL_TRY_VOID(progress.update({.stage = "checking the stick", .item = path}));
    const Result<std::unique_ptr<VolumeReader>> reader = VolumeReader::open(stick, path);
    if (!reader.has_value()) {
        volume.damaged = 1;
        return {};
    }
    volume.bytes = (*reader)->size();
    if (!named_by_head) {
        folder.network = (*reader)->header().network;
        folder.writer = trust::site_id_of((*reader)->header().writer);
    }
    while (true) {
        const Result<std::optional<VolumeRecord>> record =
            (*reader)->next([&](std::uint64_t, const Error&) { volume.damaged += 1; });
        if (!record.has_value()) volume.damaged += 1;
        if (!record.has_value() || !*record) return {};
        if (!store::open_record((*record)->bytes).has_value())
            volume.damaged += 1;
        else if ((*record)->header.type == store::RecordType::kChunk)
            volume.chunks += 1;
        else
            volume.freight += 1;
    }
}

// What the head speaks of and is not there, or is shorter, was lost.
void show_what_is_lost(ShownFolder& folder, const Head& head) {
    for (const HeadVolume& promised : head.volumes) {
        const std::string path = volume_path(folder.folder, promised.number);
        const auto shown = std::find_if(folder.volumes.begin(), folder.volumes.end(),
                                        [&](const ShownVolume& each) { return each.file == path; });
        if (shown == folder.volumes.end())
            folder.volumes.push_back({.file = path, .damaged = 1});
        else if (shown->damaged == 0 && shown->bytes < promised.committed_bytes)
            shown->damaged = 1;
    }
}

}  // namespace

Result<std::vector<ShownFolder>> show_stick(env::Disk& stick, Progress& progress) {
    SATCHEL_TRY(const std::vector<std::string> folders, list_site_folders(stick));
    std::vector<ShownFolder> shown;
    for (const std::string& folder : folders) {
        ShownFolder& item = shown.emplace_back();
        item.folder = folder;
        int damaged_slots = 0;
        const Result<std::optional<Head>> head = read_head(stick, folder, damaged_slots);
        const bool has_head = head.has_value() && head->has_value();
        if (has_head) {
            item.network = (*head)->network;
            item.writer = trust::site_id_of((*head)->writer);
            item.generation = (*head)->generation;
        }
        const Result<std::vector<std::uint32_t>> numbers = list_volumes(stick, folder);
        if (!numbers.has_value()) continue;
        for (const std::uint32_t number : *numbers)
            SATCHEL_TRY_VOID(show_volume(stick, item, volume_path(folder, number), has_head, progress));
        if (has_head) show_what_is_lost(item, **head);
    }
    return shown;
}

}  // namespace satchel::stick
