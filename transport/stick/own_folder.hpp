// The writing site's own folder on a stick: what lies there, the open volume, and the head. Private to
// transport/stick. Volumes of others that lie here (two ids may begin alike) are left alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/exchange/chunk_set.hpp"
#include "engine/site/site.hpp"
#include "transport/stick/layout.hpp"

namespace satchel::stick {

struct OwnVolume {
    VolumePurpose purpose = VolumePurpose::kContent;
    std::uint64_t bytes = 0;
    std::uint64_t freight_records = 0;
    Digest freight =
        Hasher().finish();  // over the ids of its freight: what is there already is not written again
    bool has_chunks = false;
    bool needed = false;   // goes into the head; what is not needed is removed at the end
    bool foreign = false;  // another site's, or of a newer program, or not readable now: never touched
};

class OwnFolder {
  public:
    OwnFolder(site::Site& site, env::Disk& disk, Progress& progress);

    // Prepares the stick and looks at each volume of this site, record by record; the last one is gone on
    // with. For an answer alone, volumes of content are only opened, and needed.
    Result<void> look(VolumePurpose purpose);

    // Whether a whole record of this chunk lies here. If so its volume is needed.
    Result<bool> need(const ChunkId& chunk);

    Result<void> begin_volume(VolumePurpose purpose);
    Result<void> append_freight(ByteView record);  // to the open volume
    Result<void> append_chunk(const ChunkId& id, ByteView record);
    Result<void> commit();
    // After a failure: what was appended is committed if the stick still allows it.
    void stop_soundly();
    // Commits, names what is needed in a new head, and then removes the rest. Returns how many went.
    Result<std::uint64_t> finish();
    // The same on a full stick, where a commit may not fit any more.
    Result<std::uint64_t> finish_without_commit();

    [[nodiscard]] std::map<std::uint32_t, OwnVolume>& volumes() { return volumes_; }
    // The volume that records go to; nullptr: none yet.
    [[nodiscard]] OwnVolume* open_volume() { return writer_ ? &volumes_[number_] : nullptr; }
    [[nodiscard]] std::uint32_t open_number() const { return number_; }

  private:
    using Kept = VolumeWriter::Kept;
    Result<void> look_at_head();
    Result<void> look_at_volume(std::uint32_t number, bool last, VolumePurpose purpose);
    Result<void> scan(VolumeReader& reader, const Kept& kept);
    Result<std::uint32_t> free_number() const;
    Result<void> write_new_head(std::vector<HeadVolume> volumes);
    [[nodiscard]] std::vector<HeadVolume> volumes_where(
        const std::function<bool(const OwnVolume&)>& counts) const;

    site::Site& site_;
    env::Disk& disk_;
    Progress& progress_;
    const std::string folder_;
    std::optional<exchange::ChunkSet> chunks_;  // that lie here, with the number of their volume
    std::optional<Head> head_;
    std::array<std::uint8_t, 16> stick_{};
    std::map<std::uint32_t, OwnVolume> volumes_;  // at most kVolumesMax
    std::unique_ptr<VolumeWriter> writer_;
    std::uint32_t number_ = 0;
};

}  // namespace satchel::stick
