// Where things lie on a stick, in 8.3 upper-case names that every FAT driver keeps:
//
//   SATCHEL/README.TXT            for people
//   SATCHEL/<SITE8>/HEADS.SAT     three slots of kSlotBytes; the newest valid one is never written to
//   SATCHEL/<SITE8>/<NUMBER>.SAT  volumes, eight hex digits
//
// SITE8 is the first eight hex digits of the writing site's id. Each site writes in its own folder only,
// so copies of a stick merge and nobody deletes what is another's. Nothing is ever renamed.
#pragma once

#include <string>
#include <vector>

#include "transport/stick/volume.hpp"

namespace satchel::stick {

inline constexpr std::size_t kSlotBytes = 4096;
inline constexpr std::size_t kSlots = 3;
inline constexpr std::size_t kVolumesMax = 256;       // of one site on one stick
inline constexpr std::size_t kSiteFoldersMax = 1024;  // on one stick

struct HeadVolume {
    std::uint32_t number = 0;
    std::uint64_t committed_bytes = 0;
    friend bool operator==(const HeadVolume&, const HeadVolume&) = default;
};

// What a site says of its own folder. Signed.
struct Head {
    std::uint64_t generation = 0;
    NetworkId network;
    trust::PublicKey writer;
    std::array<std::uint8_t, 16> stick{};
    std::vector<HeadVolume> volumes;  // ascending; these are live, other files are leftovers
    friend bool operator==(const Head&, const Head&) = default;
};

// One slot (schemas/stick.md).
[[nodiscard]] ByteBuffer encode(const Head& head, const trust::SigningKey& key);
Result<Head> decode_head(ByteView slot);  // kDamaged, kRefused (the signature), kUnsupported

// Reads the newest valid head. nullopt: no slot was ever written whole. `damaged_slots` counts broken ones.
// kUnsupported: a newer program wrote here.
Result<std::optional<Head>> read_head(env::Disk& disk, std::string_view folder, int& damaged_slots);
// Writes `head` (generation must be above the newest valid one's) into a slot that does not hold the newest
// valid head, and syncs. Crash points: the slot torn or lost: the previous head stands.
Result<void> write_head(env::Disk& disk, std::string_view folder, const Head& head,
                        const trust::SigningKey& key);

[[nodiscard]] std::string site_folder(const SiteId& site);  // "SATCHEL/1A2B3C4D"
[[nodiscard]] std::string volume_path(std::string_view folder, std::uint32_t number);
// kNotFound: no SATCHEL folder, so not a stick of ours. kTooLarge: more than a stick or folder may have.
Result<std::vector<std::string>> list_site_folders(env::Disk& disk);
Result<std::vector<std::uint32_t>> list_volumes(env::Disk& disk, std::string_view folder);
Result<void> prepare_stick(env::Disk& disk, const SiteId& site);  // makes the folders and README.TXT

}  // namespace satchel::stick
