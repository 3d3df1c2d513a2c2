// The index of all sealed packs: sorted runs in a folder of their own, named in the table `index_run`, and
// their merging in bounded steps.
//
// The runs are a cache of what the packs' own indexes say. A run that is damaged or missing answers nothing:
// its packs are read again. New runs are synced with their name before the database names them; what it does
// not name is removed at the next opening.
#pragma once

#include <functional>

#include "engine/database/database.hpp"
#include "engine/store/run_file.hpp"

namespace satchel::store {

struct PackRange {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
};

struct RunLimits {
    std::size_t fanout = 8;          // runs of one level that become one of the next
    std::uint64_t first_rows = 256;  // a run of the first level has about so many: those of a pack
};

class RunSet {
  public:
    RunSet(env::Disk& disk, database::Database& database, std::string directory, RunLimits limits)
        : disk_(disk), database_(database), directory_(std::move(directory)), limits_(limits) {}

    // Opens what the database names and removes other files of its folder. Damaged runs are in damaged().
    Result<void> open();

    // Appends the rows of this key, of any pack, also of dropped ones. kDamaged: see damaged().
    Result<void> find(std::uint64_t key, std::vector<RunRow>& into);

    struct Run {
        std::uint32_t number = 0;
        std::uint32_t level = 0;
        PackRange packs;
        std::unique_ptr<RunFile> file;
    };
    // A new run in three acts: its file is made and sure; the database names it, in the caller's transaction;
    // it is looked at. `rows`: in ascending order, at least one.
    Result<Run> write(const std::vector<RunRow>& rows);
    Result<void> name(const Run& run);
    void take(Run run);

    // Runs whose bytes do not check, with the packs whose rows they held. Each stays here until it is left.
    struct Lost {
        std::uint32_t number = 0;
        PackRange packs;
    };
    [[nodiscard]] const std::vector<Lost>& damaged() const { return damaged_; }
    Result<void> unname(std::uint32_t number);  // in the caller's transaction
    void leave(std::uint32_t number);           // its file goes at the next opening
    Result<void> check();                       // every page of every run; kDamaged: see damaged()

    // Goes on with merging: at most about `rows` rows. Rows of packs that `keeps` denies are left out.
    // False: nothing is to be merged.
    Result<bool> merge(std::uint64_t rows, const std::function<bool(std::uint32_t pack)>& keeps);
    void give_up_merging();  // for now: what was written of new runs goes at the next opening

    [[nodiscard]] std::size_t memory() const;
    [[nodiscard]] std::size_t count() const { return runs_.size(); }
    [[nodiscard]] std::uint64_t rows() const;
    [[nodiscard]] std::uint32_t pack_high() const;  // no row is of a pack behind it

  private:
    struct Cursor {
        RunFile* file = nullptr;
        std::uint64_t page = 0;
        std::vector<RunRow> rows;
        std::size_t at = 0;
    };
    struct Merge {
        std::uint32_t level = 0;  // of its inputs
        std::vector<std::uint32_t> inputs;
        std::vector<Cursor> cursors;
        std::uint32_t number = 0;
        std::unique_ptr<RunWriter> writer;
        std::optional<RunRow> last = std::nullopt;  // that was written
    };
    [[nodiscard]] std::string path_of(std::uint32_t number) const;
    Result<std::unique_ptr<env::File>> create(std::uint32_t number);
    Result<void> remove_others();
    Result<void> begin_merges();
    Result<bool> advance(Cursor& cursor);
    Result<std::uint64_t> merge_rows(Merge& merge, std::uint64_t rows,
                                     const std::function<bool(std::uint32_t)>& keeps);
    Result<void> end_merge(Merge merge);
    void note_damage(std::uint32_t number, PackRange packs);
    Result<void> noting(const RunFile& file, Result<void> result);

    env::Disk& disk_;
    database::Database& database_;
    const std::string directory_;
    const RunLimits limits_;
    std::vector<Run> runs_;
    std::vector<Merge> merges_;  // at most one of each level, the lowest first
    std::uint32_t next_number_ = 1;
    std::vector<Lost> damaged_;
};

}  // namespace satchel::store
