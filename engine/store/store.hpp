// The content-addressed store of one site: objects of at most kObjectMax bytes, named by their hash, in
// append-only packs of about 64 MiB (schemas/pack.md).
//
// Durability: put() and put_record() append to the open pack; commit() makes everything put so far sure
// (data synced first, then one database transaction). After a crash open() adopts every whole record that
// lies behind the last commit, so what was appended and survived is not fetched or chunked again.
// The index (schemas/index-run.md) is a cache: where it is damaged it is made again from the packs by itself,
// and rebuild_index() makes all of it again.
//
// Memory: two record buffers (4 MiB each), the database's cache, the rows of the pack that is filled and a
// few MiB of buffers. What grows with the store is the index: 1.3 bytes a chunk, 20 bytes a pack.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/ids.hpp"
#include "engine/base/result.hpp"
#include "engine/database/database.hpp"
#include "engine/env/disk.hpp"
#include "engine/env/world.hpp"
#include "engine/store/collection.hpp"
#include "engine/store/record.hpp"

namespace satchel::store {

inline constexpr std::uint64_t kPackTargetBytes = 64ull * 1024 * 1024;
// Commit at the latest after this many appended bytes: what a power cut may cost.
inline constexpr std::uint64_t kCommitGroupBytes = 8ull * 1024 * 1024;

struct Placed {
    ChunkId id;
    bool is_new = false;            // false: it was here already and nothing was written
    std::uint32_t stored_size = 0;  // bytes of payload as stored
};

struct StoreStats {
    std::uint64_t packs = 0;
    std::uint64_t pack_bytes = 0;
    std::uint64_t chunks = 0;
    std::uint64_t stored_bytes = 0;  // payloads
    std::uint64_t plain_bytes = 0;
    std::uint64_t mended_bytes = 0;    // since the store was made
    std::uint64_t missing_chunks = 0;  // that the last look at each pack did not find whole
};

// How much of the disk the store may take; what others have appended counts too.
struct StoreLimit {
    std::uint64_t pack_bytes_max = 0;  // 0: no limit
    std::uint64_t disk_free_min = 0;   // of the disk, to stay free
};

// What names other objects may go beyond the limit by a little: as long as a list that was lost is not back,
// nothing of its course can be told from what nobody needs, and no room can be made.
enum class Reach : std::uint8_t {
    kToTheLimit,
    kBeyondByALittle,  // kReachShare of each limit, kReachMax at most
};
inline constexpr std::uint64_t kReachShare = 8;
inline constexpr std::uint64_t kReachMax = 4 * 1024 * 1024;

// One finding of verify or scrub: what is wrong, in which pack, at which byte, and which chunk is hit if
// known.
struct Damage {
    std::string pack;
    std::uint64_t place = 0;
    std::optional<ChunkId> chunk;
    Error error;
    bool healed = false;  // it was mended from the pack's parity, and nothing is lost
    std::uint64_t healed_bytes = 0;
    std::uint64_t lacks_chunks = 0;  // so many of the pack, and nothing says which
};

struct ScrubReport {
    std::uint64_t packs = 0;  // that were looked at
    std::uint64_t bytes = 0;  // of them
    std::uint64_t packs_left = 0;
    std::uint64_t missing_chunks = 0;  // that were found
};

class Store {
  public:
    // `directory` (made if missing) holds the packs. Adopts the tail of an unfinished pack.
    static Result<std::unique_ptr<Store>> open(env::Disk& disk, env::World world,
                                               database::Database& database, std::string_view directory);
    virtual ~Store() = default;

    virtual Result<bool> contains(const ChunkId& id) = 0;
    // Plain size without reading the object; kNotFound if it is not here.
    virtual Result<std::uint32_t> size_of(const ChunkId& id) = 0;
    // The plain bytes, checked against the id. kNotFound, or kDamaged naming pack and place.
    virtual Result<ByteBuffer> read(const ChunkId& id) = 0;
    // The plain bytes of each in its turn, checked as by read(); several are read and hashed at once. Ends
    // with the error of the first that fails, when those before it were given. A view lives until `sink`
    // returns.
    virtual Result<void> read_each(
        std::span<const ChunkId> ids,
        const std::function<Result<void>(std::size_t index, ByteView plain)>& sink) = 0;
    // Header and payload as stored, both checksums checked: what carriers send.
    virtual Result<ByteBuffer> read_record(const ChunkId& id) = 0;

    virtual Result<Placed> put(ByteView plain) = 0;
    // The same for a chunk that was prepared ahead, with an id that is the hash of its plain bytes.
    virtual Result<Placed> put_prepared(const PreparedRecord& record) = 0;
    // From a carrier: opened and hashed before it is appended as it came. kDamaged if it lies.
    virtual Result<Placed> put_record(ByteView record, Reach reach) = 0;
    virtual Result<void> commit() = 0;
    [[nodiscard]] virtual std::uint64_t uncommitted_bytes() const = 0;

    // Reads every record of every pack, and mends sealed packs from their parity before; calls `found` for
    // each damage, mended or not, and goes on. Returns how many chunks. A pack that
    // is missing or cut off is named, without its chunks, until the index is made again; what lay in it is
    // not here: contains() says so, and put() takes it anew.
    virtual Result<std::uint64_t> verify(
        const std::function<void(const Damage&)>& found,
        const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) = 0;
    // The quick look: by the checksums of blocks, packs first that were not looked at for longest, until
    // `budget_bytes` are read (one pack at least). Mends and tells as verify does. Packs without such
    // checksums, as the open one, are read as verify reads them.
    virtual Result<ScrubReport> scrub(
        std::uint64_t budget_bytes, const std::function<void(const Damage&)>& found,
        const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) = 0;
    // For who could not bring to an end what scrub told of: packs that lack something come first once more.
    virtual Result<void> scrub_lossy_first() = 0;
    // What packs that are here had lost when they were opened is told of no more: for who has had it wanted.
    virtual Result<void> write_off_cut_chunks() = 0;
    // Nor do packs that can't be opened stop collections any more: for who gives up what is in them.
    virtual Result<void> write_off_unread_packs() = 0;
    virtual Result<void> rebuild_index() = 0;
    // Forgets a damaged chunk, so that it is wanted again. The bytes stay where they are.
    virtual Result<void> forget(const ChunkId& id) = 0;
    // Grows whenever something that was here no longer is: who remembers what was missing looks again then.
    [[nodiscard]] virtual std::uint64_t losses() const { return 0; }
    virtual Result<StoreStats> stats() = 0;
    // Of the packs' bytes: those from which damage is mended. Reads the end of each pack.
    virtual Result<std::uint64_t> parity_bytes() = 0;

    // From here on put() and put_record() answer kNoSpace rather than go beyond (see Reach); what is here
    // stays.
    virtual void limit(const StoreLimit& limit) = 0;
    // Commits, and begins a collection: one at a time, which must not outlive the store.
    virtual Result<std::unique_ptr<Collection>> collect() = 0;
    // What the store mended by itself since it was asked last, to be told to people once.
    virtual std::optional<Error> take_notice() { return std::nullopt; }
};

}  // namespace satchel::store
