// Writing a stick: what the sites lack, as far as their haves tell, goes into volumes of this site's own
// folder; what is there already stays.
//
// Order in a volume: freight (roots, catalogue, reviews, haves, receipts) before chunks, parents before what
// they name, so that any prefix is usable. Stopped or full, the stick keeps what was written, and the same
// call goes on.
#include <algorithm>
#include <map>

#include "engine/exchange/haves.hpp"
#include "engine/exchange/lacks.hpp"
#include "engine/exchange/news.hpp"
#include "transport/stick/carry.hpp"
#include "transport/stick/own_folder.hpp"
#include "transport/stick/parcels.hpp"

namespace satchel::stick {

namespace {

using MakeParcels = std::function<Result<void>(const exchange::TakeParcel&)>;

// Where freight lies already, or where writing it begins.
struct FreightPlan {
    std::optional<std::uint32_t> volume;  // holds just this
    std::uint64_t parcels_there = 0;      // the open volume begins with so many of them
    bool begins_new_volume = true;
};

// The parcels are made twice, first to compare and then to write, so that none need be held in memory.
Result<FreightPlan> plan_freight(OwnFolder& folder, VolumePurpose purpose, const MakeParcels& make_parcels) {
    const OwnVolume* open = folder.open_volume();
    if (open != nullptr && open->has_chunks) open = nullptr;
    Hasher ids;
    std::uint64_t count = 0;
    bool begins_alike = open != nullptr && open->freight_records == 0;
    SATCHEL_TRY_VOID(make_parcels([&](const exchange::Parcel& parcel) -> Result<void> {
        ids.update(hash_of(exchange::encode(parcel)));
        count += 1;
        if (open != nullptr && count == open->freight_records)
            begins_alike = Hasher(ids).finish() == open->freight;
        return {};
    }));
    FreightPlan plan;
    const Digest all = ids.finish();
    for (const auto& [number, volume] : folder.volumes())
        if (!volume.foreign && volume.purpose == purpose && volume.freight == all &&
            volume.freight_records == count)
            plan.volume = number;
    if (begins_alike) plan.parcels_there = open->freight_records;
    plan.begins_new_volume = !begins_alike;
    return plan;
}

// Freight stands before chunks, so freight that the open volume does not begin with begins a new one.
Result<void> write_freight(OwnFolder& folder, VolumePurpose purpose, const MakeParcels& make_parcels,
                           WriteReport& report) {
    SATCHEL_TRY(const FreightPlan plan, plan_freight(folder, purpose, make_parcels));
    if (plan.volume) {
        folder.volumes()[*plan.volume].needed = true;
        return {};
    }
    if (plan.begins_new_volume) SATCHEL_TRY_VOID(folder.begin_volume(purpose));
    std::uint64_t count = 0;
    SATCHEL_TRY_VOID(make_parcels([&](const exchange::Parcel& parcel) -> Result<void> {
        if (count++ < plan.parcels_there) return {};
        ByteBuffer record;
        store::encode_record(record, store::RecordType::kFreight, exchange::encode(parcel));
        report.catalogue_bytes += record.size();
        report.payload_bytes += record.size();
        SATCHEL_TRY_VOID(folder.append_freight(record));
        folder.open_volume()->needed = true;
        return {};
    }));
    folder.open_volume()->needed = true;
    return folder.commit();
}

class StickWriter {
  public:
    StickWriter(site::Site& site, env::Disk& disk, const WriteOptions& options, Progress& progress,
                WriteReport& report)
        : site_(site),
          options_(options),
          progress_(progress),
          report_(report),
          folder_(site, disk, progress) {}

    Result<void> run() {
        Result<void> done = write_all();
        if (!done.has_value()) folder_.stop_soundly();
        return done;
    }

    // Removes what a finished write would remove, without writing first. Returns how many volumes went.
    Result<std::uint64_t> make_room() {
        SATCHEL_TRY_VOID(begin());
        SATCHEL_TRY(const FreightPlan plan, plan_freight(folder_, VolumePurpose::kContent, freight()));
        std::map<std::uint32_t, OwnVolume>& volumes = folder_.volumes();
        if (plan.volume)
            volumes[*plan.volume].needed = true;
        else if (folder_.open_volume() != nullptr)
            folder_.open_volume()->needed = true;
        SATCHEL_TRY_VOID(each_lack([this](const ChunkId& id) -> Result<void> {
            SATCHEL_TRY_VOID(folder_.need(id));
            return {};
        }));
        keep_freight_of_others();
        folder_.stop_soundly();
        return folder_.finish_without_commit();
    }

  private:
    using EachLack = std::function<Result<void>(const ChunkId&)>;

    Result<void> begin() {
        SATCHEL_TRY_VOID(choose_targets());
        SATCHEL_TRY_VOID(folder_.look(VolumePurpose::kContent));
        for (const trust::SiteEntry& target : targets_) {
            SATCHEL_TRY(std::optional<exchange::Have> have, exchange::peer_have(site_.replica(), target.id));
            haves_.push_back(std::move(have));
        }
        return {};
    }

    Result<void> write_all() {
        SATCHEL_TRY_VOID(begin());
        report_.sites.clear();
        for (const trust::SiteEntry& target : targets_) report_.sites.push_back(target.name);
        SATCHEL_TRY_VOID(write_freight(folder_, VolumePurpose::kContent, freight(), report_));
        SATCHEL_TRY_VOID(each_lack([this](const ChunkId& id) { return carry(id); }));
        keep_freight_of_others();
        SATCHEL_TRY(const std::uint64_t removed, folder_.finish());
        report_.volumes_removed += removed;
        return {};
    }

    MakeParcels freight() {
        return [this](const exchange::TakeParcel& take) -> Result<void> {
            SATCHEL_TRY_VOID(exchange::news_for(site_.replica(), haves_, take));
            return exchange::answers_of(site_.replica(), take);
        };
    }

    Result<void> choose_targets() {
        for (const std::string& wanted : options_.sites) {
            SATCHEL_TRY(const std::vector<trust::SiteEntry> found, site_.trust().find_sites(wanted));
            const auto exact = std::find_if(found.begin(), found.end(), [&](const trust::SiteEntry& entry) {
                return entry.name == wanted;
            });
            if (found.empty())
                return fail(ErrorCode::kNotFound, wanted, "no site of this network has that name or id",
                            "list the sites with `satchel sites list`");
            if (exact == found.end() && found.size() > 1)
                return fail(ErrorCode::kUsage, wanted, "several sites begin like this",
                            "give the whole name or id, as `satchel sites list` prints it");
            const trust::SiteEntry& entry = exact == found.end() ? found.front() : *exact;
            if (entry.state == trust::SiteState::kRevoked)
                return fail(ErrorCode::kRefused, entry.name, "this box was revoked",
                            "write the stick for other sites");
            targets_.push_back(entry);
        }
        if (!options_.sites.empty()) return {};
        return each_other_site([this](const trust::SiteEntry& entry) -> Result<void> {
            targets_.push_back(entry);
            return {};
        });
    }

    Result<void> each_other_site(const std::function<Result<void>(const trust::SiteEntry&)>& each) {
        return site_.trust().for_each_site([&](const trust::SiteEntry& entry) -> Result<void> {
            if (entry.state != trust::SiteState::kActive || entry.id == site_.self().id) return {};
            return each(entry);
        });
    }

    // What the addressed sites lack goes to `each`. With --for, what the stick holds for the other sites
    // stays needed too, but nothing is added for them.
    Result<void> each_lack(const EachLack& each) {
        SATCHEL_TRY(exchange::Lacks lacks,
                    exchange::Lacks::create(site_.database(), site_.store(), site_.catalogue()));
        for (const std::optional<exchange::Have>& have : haves_)
            SATCHEL_TRY_VOID(
                lacks.of(have, [&](const ChunkId& id, exchange::ObjectKind) { return each(id); }));
        if (options_.sites.empty()) return {};
        return each_other_site([&](const trust::SiteEntry& entry) -> Result<void> {
            SATCHEL_TRY(const std::optional<exchange::Have> have,
                        exchange::peer_have(site_.replica(), entry.id));
            return lacks.of(have, [this](const ChunkId& id, exchange::ObjectKind) -> Result<void> {
                SATCHEL_TRY_VOID(folder_.need(id));
                return {};
            });
        });
    }

    void keep_freight_of_others() {
        if (options_.sites.empty()) return;
        std::map<std::uint32_t, OwnVolume>& volumes = folder_.volumes();
        std::size_t kept = 0;
        for (auto volume = volumes.rbegin(); volume != volumes.rend() && kept < kFreightVolumesKept;
             ++volume) {
            if (volume->second.foreign || volume->second.freight_records == 0) continue;
            volume->second.needed = true;
            kept += 1;
        }
    }

    Result<void> carry(const ChunkId& id) {
        SATCHEL_TRY(const bool there, folder_.need(id));
        if (there) {
            report_.chunks_there += 1;
            return {};
        }
        const Result<ByteBuffer> record = site_.store().read_record(id);
        if (!record.has_value()) return pass_over(record.error());
        SATCHEL_TRY_VOID(folder_.append_chunk(id, *record));
        report_.chunks += 1;
        report_.payload_bytes += record->size();
        return progress_.update({.stage = "writing the stick",
                                 .item = {},
                                 .items_done = report_.chunks,
                                 .bytes_done = report_.payload_bytes});
    }

    // A chunk that is damaged in this site's own store, or that its disk does not give, costs only itself.
    Result<void> pass_over(const Error& error) {
        if (!is_unreadable(error)) return error;
        report_.damaged_count += 1;
        if (report_.damaged.size() < site::kSkippedListMax) report_.damaged.push_back(error);
        return {};
    }

    // With --for only: news that was written for other sites. Older ones go; the next full write has it all.
    static constexpr std::size_t kFreightVolumesKept = 32;

    site::Site& site_;
    const WriteOptions& options_;
    Progress& progress_;
    WriteReport& report_;
    OwnFolder folder_;
    std::vector<trust::SiteEntry> targets_;
    std::vector<std::optional<exchange::Have>> haves_;  // of the targets, in their order
};

}  // namespace

Result<void> write_answer(site::Site& site, env::Disk& stick) {
    WriteReport report;
    NoProgress silent;
    OwnFolder folder(site, stick, silent);
    SATCHEL_TRY_VOID(folder.look(VolumePurpose::kAnswer));
    Result<void> written = write_freight(
        folder, VolumePurpose::kAnswer,
        [&](const exchange::TakeParcel& take) { return exchange::answers_of(site.replica(), take); }, report);
    if (!written.has_value()) {
        folder.stop_soundly();
        return written;
    }
    SATCHEL_TRY_VOID(folder.finish());
    return {};
}

Result<WriteReport> write_stick(site::Site& site, env::Disk& stick, const WriteOptions& options,
                                Progress& progress) {
    SATCHEL_TRY_VOID(site.store().commit());
    WriteReport report;
    const Result<void> written = StickWriter(site, stick, options, progress, report).run();
    if (written.has_value()) return report;
    if (written.error().code != ErrorCode::kNoSpace) return written.error();
    // Full, perhaps of what nobody needs any more: that goes first, and then once again.
    SATCHEL_TRY(const std::uint64_t removed, StickWriter(site, stick, options, progress, report).make_room());
    if (removed == 0) return written.error();
    const std::uint64_t written_before = report.chunks;
    report.volumes_removed = removed;
    report.chunks_there = 0;
    report.damaged_count = 0;
    report.damaged.clear();
    SATCHEL_TRY_VOID(StickWriter(site, stick, options, progress, report).run());
    report.chunks_there -= std::min(report.chunks_there, written_before);
    return report;
}

}  // namespace satchel::stick
