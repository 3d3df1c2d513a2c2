// The Store over packs, their list in site.db and an index of sorted runs beside them. Private to
// engine/store.
#pragma once

#include <set>

#include "engine/env/holes.hpp"
#include "engine/store/pack_list.hpp"
#include "engine/store/pack_tally.hpp"
#include "engine/store/run_set.hpp"
#include "engine/store/store.hpp"

namespace satchel::store {

// Seal at the latest with so many chunks, whose rows are in memory until then: 1.3 MiB.
inline constexpr std::size_t kPackRowsMax = 16'384;
// Each commit merges so many rows of the index, and so many for each chunk that it commits. Eight levels hold
// more packs than any store has, so merging keeps up, and no commit waits for more than its share.
inline constexpr std::uint64_t kMergeRowsPerCommit = 4'096;
inline constexpr std::uint64_t kMergeRowsPerChunk = 8;
// Rows that are sorted in memory when runs are made again from packs: 4 MiB.
inline constexpr std::size_t kBuildRowsMax = 262'144;
// Packs that are noted at once then.
inline constexpr std::size_t kBuildPacksMax = 4'096;
// Bytes of the index of the pack that was looked at last: enough for packs of media, and few others have
// more.
inline constexpr std::size_t kKeptIndexMax = 128 * 1024;
// Packs whose files are held open for reading.
inline constexpr std::size_t kReadFilesMax = 16;
// Rows read from the records of packs whose own index is damaged: 0.7 MiB, of at least one pack.
inline constexpr std::size_t kRescuedRowsMax = 16'384;

// When to commit, to seal and to merge; smaller in tests.
struct PackLimits {
    std::uint64_t target_bytes = kPackTargetBytes;
    std::uint64_t group_bytes = kCommitGroupBytes;
    std::size_t rows_max = kPackRowsMax;
    std::uint64_t merge_rows = kMergeRowsPerCommit;
    std::uint64_t merge_rows_per_chunk = kMergeRowsPerChunk;
    std::size_t build_rows = kBuildRowsMax;
    RunLimits runs{};
    std::uint64_t guarded_from = kGuardedFromBytes;  // packs of less get no guard
};

// What is read at once: records and their plain bytes, in memory at the same time.
inline constexpr std::uint64_t kReadWindowBytes = 4 * 1024 * 1024;
class ReadWindow {
  public:
    bool takes(const IndexRow& row);  // the first always; false: it belongs to the next window

  private:
    std::uint64_t bytes_ = 0;
    std::size_t count_ = 0;
};

// Where a chunk lies. slot: its row in the pack's index; none in the open pack, and where that is damaged.
struct Spot {
    std::uint32_t pack = 0;
    std::optional<std::uint32_t> slot;
};

// A pack as who collects sees it. A map of all rows has a bit for each at base + slot; bases stay as they are
// until the store is opened again, and new packs come behind.
struct PackInfo {
    std::uint32_t number = 0;
    bool is_sealed = false;
    std::uint64_t bytes = 0;
    std::uint64_t record_bytes = 0;  // of them: the records of its rows
    std::uint32_t rows = 0;
    std::uint32_t base = 0;
    bool lacks_rows = false;  // chunks of it that nothing leads to
};

class PackCollection;

class PackStore : public Store {
  public:
    // `directory` holds the packs; the index lies beside it.
    PackStore(env::Disk& disk, env::Offload& offload, database::Database& database, std::string directory,
              PackLimits limits = {});

    Result<void> recover();  // once, before all else

    Result<bool> contains(const ChunkId& id) override;
    Result<std::uint32_t> size_of(const ChunkId& id) override;
    Result<ByteBuffer> read(const ChunkId& id) override;
    Result<void> read_each(std::span<const ChunkId> ids,
                           const std::function<Result<void>(std::size_t, ByteView)>& sink) override;
    Result<ByteBuffer> read_record(const ChunkId& id) override;
    Result<Placed> put(ByteView plain) override;
    Result<Placed> put_prepared(const PreparedRecord& record) override;
    Result<Placed> put_record(ByteView record, Reach reach) override;
    Result<void> commit() override;
    [[nodiscard]] std::uint64_t uncommitted_bytes() const override { return end_ - committed_; }
    Result<std::uint64_t> verify(const std::function<void(const Damage&)>& found,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
    Result<void> scrub_lossy_first() override;
    Result<void> write_off_cut_chunks() override;
    Result<void> write_off_unread_packs() override;
    Result<ScrubReport> scrub(std::uint64_t budget_bytes, const std::function<void(const Damage&)>& found,
                              const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
    Result<void> rebuild_index() override;
    Result<void> forget(const ChunkId& id) override;
    [[nodiscard]] std::uint64_t losses() const override { return losses_; }
    Result<StoreStats> stats() override;
    Result<std::uint64_t> parity_bytes() override;
    void limit(const StoreLimit& limit) override {
        limit_ = limit;
        room_known_ = false;
    }
    Result<std::unique_ptr<Collection>> collect() override;
    std::optional<Error> take_notice() override { return std::exchange(notice_, std::nullopt); }

    // -- for who collects -----------------------------------------------------------------------------
    Result<void> for_each_pack(const std::function<Result<void>(const PackInfo&)>& each);
    // Of a sealed pack, in the order of their slots, also what is forgotten. kDamaged: its index is not
    // whole.
    Result<void> for_each_row(std::uint32_t pack,
                              const std::function<Result<void>(const IndexRow&, std::uint32_t slot)>& each);
    Result<std::optional<Spot>> spot_of(const ChunkId& id);
    // Sealed packs and all that lies in them; sure when it returns.
    Result<void> drop_packs(const std::vector<std::uint32_t>& numbers);
    // Goes on with merging for about so many rows, in quiet hours. False: nothing is to be merged.
    Result<bool> merge_index(std::uint64_t rows);
    [[nodiscard]] const RunSet& index() const { return runs_; }

  private:
    friend class PackCollection;
    struct Place {
        std::uint32_t pack = 0;
        IndexRow row;
        std::optional<std::uint32_t> slot;
    };
    struct Found {
        std::optional<Place> place;
        std::optional<std::uint32_t> lost_in;  // no place, and the index says that it lay in this pack
    };
    struct ById {
        using is_transparent = void;
        bool operator()(const IndexRow& a, const IndexRow& b) const { return a.id < b.id; }
        bool operator()(const IndexRow& a, const ChunkId& b) const { return a.id < b; }
        bool operator()(const ChunkId& a, const IndexRow& b) const { return a < b.id; }
    };
    using Rows = std::set<IndexRow, ById>;

    // pack_lookup.cpp
    Result<Found> find(const ChunkId& id);
    Result<void> look_up(const ChunkId& id, std::vector<RunRow>& candidates);
    Result<Found> confirm(const RunRow& candidate, const ChunkId& id);
    Result<std::optional<IndexRow>> row_at(env::File& file, const PackFacts& facts, std::uint32_t slot);
    Result<Found> search(PackFacts& facts, const ChunkId& id);
    Result<Found> search_rescued(const PackFacts& facts, const ChunkId& id);
    Result<const Rows*> rescue(std::uint32_t number);
    Result<env::File*> reading(std::uint32_t number);
    Result<Place> place_of(const ChunkId& id);
    Result<ByteBuffer> record_of(Place& place);
    Result<ByteBuffer> record_at(const Place& place);
    [[nodiscard]] Error damaged_at(const Place& place, const std::string& detail) const;
    [[nodiscard]] Error cut_off(std::uint32_t pack, const std::string& detail) const;

    // pack_read.cpp
    struct Fetched {
        ByteBuffer bytes;               // of all, one behind the other
        std::vector<ByteView> records;  // of each; empty where the disk does not give it
    };
    void fetch(std::span<const Place> places, Fetched& fetched);
    Fetched spare_;  // of read_each: clearing new memory costs more than reading into it

    // pack_store.cpp
    [[nodiscard]] std::string path_of(std::uint32_t number) const;
    Result<Placed> append(ByteView header, ByteView payload, const IndexRow& row, Reach reach);
    Result<Placed> append_beyond_limit(ByteView header, ByteView payload, const IndexRow& row);
    Result<void> check_limit(std::uint64_t record_bytes, Reach reach);
    // What is answered to be here stays, whatever a collection under way knows of it.
    Result<std::optional<Place>> find_to_stay(const ChunkId& id);
    Result<void> begin_pack();
    Result<void> seal_pack();
    Result<Section> write_index();
    [[nodiscard]] std::uint64_t open_record_bytes() const {
        return end_ > kPackHeaderSize ? end_ - kPackHeaderSize : 0;
    }
    Result<void> begin_next_group();
    Result<void> end_sync_of_group();
    [[nodiscard]] std::uint64_t group_begin() const { return syncing_ ? syncing_->bytes : committed_; }
    [[nodiscard]] bool is_pack_full() const {
        return end_ >= limits_.target_bytes || open_rows_.size() >= limits_.rows_max;
    }
    Result<void> sync_names();
    [[nodiscard]] PackRow open_row() const;
    void close_pack();

    // pack_scrub.cpp: parity and the table pack_check.
    using Tell = std::function<void(const Damage&)>;
    struct Looked {
        std::uint64_t mended_bytes = 0;
        std::uint64_t missing_chunks = 0;
        std::uint64_t chunks = 0;
    };
    struct Mended {
        bool is_guarded = false;
        bool is_whole = false;  // now, by the checksums of its blocks
        std::uint64_t bytes = 0;
    };
    Result<Mended> mend(const PackRow& pack, const Tell& found);
    Result<Looked> look_at(const PackRow& pack, bool by_hash, const Tell& found,
                           const std::function<void(std::uint64_t)>& read);
    Result<Looked> look_past_errors(const PackRow& pack, bool by_hash, const Tell& found,
                                    const std::function<void(std::uint64_t)>& read);
    Result<bool> mend_unreadable(env::File& file);
    Result<void> note_look(std::uint32_t number, const Looked& looked);
    Result<void> note_look_if_possible(std::uint32_t number, const Looked& looked);
    Result<void> note_forgotten(std::uint32_t number);
    Result<void> add_looks(StoreStats& stats);
    template <typename T>
    Result<T> poison(Result<T> result);
    Result<void> together(const std::function<Result<void>()>& change);

    // pack_recovery.cpp
    struct Building {
        std::vector<RunRow> rows;                                      // not in a run yet
        std::vector<RunSet::Run> runs;                                 // not named yet
        std::vector<PackRow> packs;                                    // of whose rows these are
        std::vector<std::pair<std::uint32_t, std::uint32_t>> in_part;  // packs, and how many rows they lack
    };
    Result<void> build(Building& building, const RunRow& row);
    Result<void> end_build(Building& building, const std::vector<RunSet::Lost>& instead_of);
    Result<std::vector<std::uint32_t>> packs_on_disk();
    Result<std::vector<std::uint32_t>> to_adopt();
    Result<void> take_as_known(const PackRow& pack);
    static std::uint64_t lost_of(const PackRow& known, std::uint64_t found);
    Result<void> adopt(const PackRow& known, Building& building);
    Result<bool> adopt_sealed(const PackRow& known, env::File& file, Building& building);
    Result<bool> adopt_by_records(const PackRow& known, PackRow row, const PackTrailer& trailer,
                                  Building& building);
    Result<void> adopt_open(const PackRow& known, std::unique_ptr<env::File> file,
                            env::HolesAsZeros& readable, bool has_header);
    Result<std::uint64_t> scan_open(const PackRow& known, env::File& file, Rows& rows);
    Result<bool> was_forgotten(const PackRow& known, const IndexRow& row);
    Result<void> end_migration();
    Result<bool> has_header(std::uint32_t number, env::File& file);
    Result<void> mend_index();
    Result<void> build_from(PackFacts& facts, Building& building);

    // pack_collect.cpp
    Result<void> remove_dropped(const std::vector<std::uint32_t>& numbers);

    // pack_verify_sound.cpp
    Result<std::optional<std::uint64_t>> verify_sound(const PackRow& pack,
                                                      const std::function<void(std::uint64_t)>& read);

    // pack_verify.cpp
    void tell_what_is_wrong(const Place& place, const std::function<void(const Damage&)>& found);
    Result<std::uint64_t> verify_pack(const PackRow& pack, const std::function<void(const Damage&)>& found,
                                      const std::function<void(std::uint64_t)>& read);
    Result<void> rows_of(const PackRow& pack, std::vector<IndexRow>& rows);
    Result<void> drop_forgotten(std::uint32_t pack, std::vector<IndexRow>& rows);
    Result<std::vector<IndexRow>> rows_to_verify(const PackRow& pack,
                                                 const std::function<void(const Damage&)>& found);

    env::Disk& disk_;
    env::Offload& offload_;
    database::Database& database_;
    const std::string directory_;
    const PackLimits limits_;
    PackList packs_;
    RunSet runs_;
    bool merging_ = true;         // until a disk fails at it
    bool has_old_table_ = false;  // `chunk` of schema version 2 is still to be read
    std::optional<Error> notice_;
    StoreLimit limit_;
    bool room_known_ = false;
    std::int64_t disk_room_ = 0;  // bytes that the group that is being written may take; below zero: too many
    std::int64_t store_room_ = 0;
    PackCollection* collection_ = nullptr;     // while one goes on
    std::vector<std::uint32_t> unread_packs_;  // that could not be opened when they were to be adopted
    std::optional<std::uint32_t> lossy_pack_;  // one that was cut off while it was being filled

    PackTally tally_;                       // of the open pack; outlives it
    std::unique_ptr<env::File> open_pack_;  // the one that is appended to; the only one without an index
    std::uint32_t open_number_ = 0;
    std::uint64_t end_ = 0;            // of the open pack's records
    std::uint64_t committed_ = 0;      // of these: sure and noted
    std::optional<PackRow> syncing_;   // the open pack as far as it is on its way to be sure
    bool name_unsure_ = false;         // the open pack was created and its folder not synced since
    Rows open_rows_;                   // of the open pack
    std::uint64_t unmerged_rows_ = 0;  // appended since runs were merged last
    std::uint64_t open_lost_ = 0;
    std::uint64_t losses_ = 0;
    std::uint32_t next_number_ = 1;
    std::optional<Error> broken_;  // after a failed write nothing more is written until the store is reopened

    struct Reading {
        std::uint32_t number = 0;
        std::unique_ptr<env::File> file;
    };
    std::vector<Reading> reading_;  // the one used last first
    struct KeptIndex {
        std::uint32_t pack = 0;  // that was looked at last
        ByteBuffer rows;         // all of it, or none
    };
    KeptIndex kept_index_;
    struct Rescued {
        std::uint32_t number = 0;
        Rows rows;
    };
    std::vector<Rescued> rescued_;  // as above
};

}  // namespace satchel::store
