// The Store over packs and an index in site.db. Private to engine/store.
#pragma once

#include <map>

#include "engine/store/pack_format.hpp"
#include "engine/store/store.hpp"

namespace satchel::store {

// Uncommitted placements in memory: 8 MiB of the smallest records would be more than this.
inline constexpr std::size_t kUncommittedMax = 16'384;

// When to commit and to seal; smaller in tests.
struct PackLimits {
    std::uint64_t target_bytes = kPackTargetBytes;
    std::uint64_t group_bytes = kCommitGroupBytes;
};

class PackStore : public Store {
  public:
    PackStore(env::Disk& disk, database::Database& database, std::string directory, PackLimits limits = {})
        : disk_(disk), database_(database), directory_(std::move(directory)), limits_(limits) {}

    Result<void> recover();  // once, before all else

    Result<bool> contains(const ChunkId& id) override;
    Result<std::uint32_t> size_of(const ChunkId& id) override;
    Result<ByteBuffer> read(const ChunkId& id) override;
    Result<ByteBuffer> read_record(const ChunkId& id) override;
    Result<Placed> put(ByteView plain) override;
    Result<Placed> put_record(ByteView record) override;
    Result<void> commit() override;
    [[nodiscard]] std::uint64_t uncommitted_bytes() const override { return end_ - committed_; }
    Result<std::uint64_t> verify(const std::function<void(const Damage&)>& found,
                                 const std::function<void(std::uint64_t, std::uint64_t)>& progress) override;
    Result<void> rebuild_index() override;
    Result<void> forget(const ChunkId& id) override;
    Result<StoreStats> stats() override;

  private:
    struct Place {
        std::uint32_t pack = 0;
        IndexRow row;
    };

    [[nodiscard]] std::string path_of(std::uint32_t number) const;
    Result<std::optional<Place>> find(const ChunkId& id);
    Result<env::File*> reading(std::uint32_t number);
    [[nodiscard]] Error damaged_at(const Place& place, const std::string& detail) const;
    Result<ByteBuffer> record_at(const Place& place);
    Result<Placed> append(ByteView record, const IndexRow& row);
    Result<void> begin_pack();
    Result<void> seal_pack();
    Result<void> commit_rows();
    Result<void> insert_row(std::uint32_t pack, const IndexRow& row);
    Result<void> note_pack(std::uint32_t number, std::uint64_t bytes, const std::optional<PackId>& id);
    Result<void> sync_names();

    struct Known {
        std::uint32_t number = 0;
        std::uint64_t bytes = 0;
        bool is_sealed = false;
    };
    struct Indexed {
        std::optional<PackId> id;  // of a sealed pack
        std::uint64_t end = 0;     // of its records; of the whole pack if it is sealed
    };
    Result<std::vector<Known>> known_packs();
    Result<std::vector<std::uint32_t>> packs_on_disk();
    Result<void> adopt(std::uint32_t number, std::uint64_t committed);
    Result<bool> has_header(std::uint32_t number, env::File& file);
    Result<Indexed> index_pack(std::uint32_t number, env::File& file, std::uint64_t from, std::uint64_t size);

    Result<std::uint64_t> verify_chunks(std::uint32_t number, const std::function<void(const Damage&)>& found,
                                        const std::function<void(std::uint64_t)>& read);
    Result<void> verify_frame(std::uint32_t number, bool is_sealed,
                              const std::function<void(const Damage&)>& found);
    template <typename T>
    Result<T> poison(Result<T> result);

    env::Disk& disk_;
    database::Database& database_;
    const std::string directory_;
    const PackLimits limits_;

    std::unique_ptr<env::File> open_pack_;  // the one that is appended to
    std::uint32_t open_number_ = 0;
    std::uint64_t end_ = 0;        // of the open pack's records
    std::uint64_t committed_ = 0;  // of these: sure and indexed
    bool name_unsure_ = false;     // the open pack was created and its folder not synced since
    std::map<ChunkId, IndexRow> uncommitted_;
    std::uint32_t next_number_ = 1;
    std::optional<Error> broken_;  // after a failed write nothing more is written until the store is reopened

    std::unique_ptr<env::File> read_file_;
    std::uint32_t read_number_ = 0;
};

}  // namespace satchel::store
