// Crash points, in order, and what open() finds:
//   a run's file written, torn or lost; synced; its name synced    not named: removed
//   the database names it (and no longer those it was merged from)  all of it is there
//   old files removed or not                                        not named: removed
#include "engine/store/run_set.hpp"

#include <algorithm>
#include <set>

namespace satchel::store {

std::string RunSet::path_of(std::uint32_t number) const { return env::join(directory_, run_name(number)); }

Result<void> RunSet::open() {
    SATCHEL_TRY_VOID(disk_.make_directory(directory_));
    runs_.clear();
    merges_.clear();
    damaged_.clear();
    SATCHEL_TRY(
        database::Statement select,
        database_.prepare("SELECT number, level, pack_low, pack_high FROM index_run ORDER BY number"));
    while (true) {
        SATCHEL_TRY(const bool row, select.step());
        if (!row) break;
        Run run;
        run.number = static_cast<std::uint32_t>(select.integer(0));
        run.level = static_cast<std::uint32_t>(select.integer(1));
        run.packs = {static_cast<std::uint32_t>(select.integer(2)),
                     static_cast<std::uint32_t>(select.integer(3))};
        next_number_ = std::max(next_number_, run.number + 1);
        Result<std::unique_ptr<RunFile>> file = RunFile::open(disk_, path_of(run.number), run.number);
        if (!file.has_value() && !is_unreadable(file.error())) return file.error();
        if (!file.has_value() || (*file)->header().pack_low != run.packs.low ||
            (*file)->header().pack_high != run.packs.high) {
            note_damage(run.number, run.packs);
            continue;
        }
        run.file = std::move(*file);
        runs_.push_back(std::move(run));
    }
    return remove_others();
}

// Numbers of files that a stop left are not given again while they may still be there.
Result<void> RunSet::remove_others() {
    std::set<std::string> named;
    for (const Run& run : runs_) named.insert(run_name(run.number));
    SATCHEL_TRY(const std::vector<env::EntryInfo> entries, disk_.list(directory_));
    for (const env::EntryInfo& entry : entries) {
        if (!entry.name.ends_with(".run") || named.contains(entry.name)) continue;
        const Result<void> removed = disk_.remove_file(env::join(directory_, entry.name));
        if (removed.has_value()) continue;
        if (removed.error().code != ErrorCode::kIo) return removed;
        const std::optional<std::uint32_t> number = run_number_of(entry.name);
        if (number) next_number_ = std::max(next_number_, *number + 1);
    }
    return {};
}

void RunSet::note_damage(std::uint32_t number, PackRange packs) {
    const bool known = std::any_of(damaged_.begin(), damaged_.end(),
                                   [&](const Lost& lost) { return lost.number == number; });
    if (!known) damaged_.push_back({number, packs});
}

Result<void> RunSet::noting(const RunFile& file, Result<void> result) {
    if (!result.has_value() && result.error().code == ErrorCode::kDamaged)
        note_damage(file.header().number, {file.header().pack_low, file.header().pack_high});
    return result;
}

Result<void> RunSet::find(std::uint64_t key, std::vector<RunRow>& into) {
    for (const Run& run : runs_) SATCHEL_TRY_VOID(noting(*run.file, run.file->find(key, into)));
    return {};
}

Result<void> RunSet::check() {
    Result<void> worst;
    std::vector<RunRow> rows;
    for (const Run& run : runs_) {
        for (std::uint64_t page = 0; page < run.file->header().pages(); ++page) {
            const Result<void> read = noting(*run.file, run.file->read_page(page, rows));
            if (read.has_value()) continue;
            if (read.error().code != ErrorCode::kDamaged) return read;
            worst = read;
            break;
        }
    }
    return worst;
}

Result<std::unique_ptr<env::File>> RunSet::create(std::uint32_t number) {
    return disk_.open(path_of(number), env::OpenMode::kCreateNew);
}

Result<RunSet::Run> RunSet::write(const std::vector<RunRow>& rows) {
    Run run;
    run.number = next_number_++;
    for (std::uint64_t size = limits_.first_rows; size < rows.size(); size *= limits_.fanout) ++run.level;
    SATCHEL_TRY(std::unique_ptr<env::File> file, create(run.number));
    RunWriter writer(std::move(file), run.number, rows.size());
    for (const RunRow& row : rows) SATCHEL_TRY_VOID(writer.add(row));
    SATCHEL_TRY(const RunHeader header, writer.finish());
    run.packs = {header.pack_low, header.pack_high};
    SATCHEL_TRY_VOID(disk_.sync_directory(directory_));
    SATCHEL_TRY_VOID(disk_.sync_directory(env::parent_of(directory_)));
    SATCHEL_TRY(run.file, RunFile::open(disk_, path_of(run.number), run.number));
    return run;
}

Result<void> RunSet::name(const Run& run) {
    SATCHEL_TRY(
        database::Statement insert,
        database_.prepare("INSERT INTO index_run (number, level, pack_low, pack_high) VALUES (?, ?, ?, ?)"));
    insert.bind(1, std::int64_t{run.number}).bind(2, std::int64_t{run.level});
    insert.bind(3, std::int64_t{run.packs.low}).bind(4, std::int64_t{run.packs.high});
    return insert.run();
}

void RunSet::take(Run run) { runs_.push_back(std::move(run)); }

Result<void> RunSet::unname(std::uint32_t number) {
    SATCHEL_TRY(database::Statement remove, database_.prepare("DELETE FROM index_run WHERE number = ?"));
    remove.bind(1, std::int64_t{number});
    return remove.run();
}

void RunSet::leave(std::uint32_t number) {
    std::erase_if(merges_, [&](const Merge& merge) {
        return std::find(merge.inputs.begin(), merge.inputs.end(), number) != merge.inputs.end();
    });
    std::erase_if(runs_, [&](const Run& run) { return run.number == number; });
    std::erase_if(damaged_, [&](const Lost& lost) { return lost.number == number; });
}

std::size_t RunSet::memory() const {
    std::size_t memory = 0;
    for (const Run& run : runs_) memory += run.file->memory();
    return memory;
}

std::uint64_t RunSet::rows() const {
    std::uint64_t rows = 0;
    for (const Run& run : runs_) rows += run.file->header().rows;
    return rows;
}

std::uint32_t RunSet::pack_high() const {
    std::uint32_t high = 0;
    for (const Run& run : runs_) high = std::max(high, run.packs.high);
    for (const Lost& lost : damaged_) high = std::max(high, lost.packs.high);
    return high;
}

}  // namespace satchel::store
