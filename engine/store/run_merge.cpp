// Method. Eight runs of a level become one of the next (the tiers of a log-structured merge tree, O'Neil et
// al. 1996), so a row is written once a level: five times in 15,000 packs. A merge holds a page of each input
// and the writer's buffers; a step takes some rows and leaves the rest for the next commit. The lowest level
// goes first, so that a long merge above does not let small runs pile up below it.
#include <algorithm>
#include <map>

#include "engine/store/run_set.hpp"

namespace satchel::store {

Result<void> RunSet::begin_merges() {
    std::map<std::uint32_t, std::vector<const Run*>> levels;
    for (const Run& run : runs_) levels[run.level].push_back(&run);
    for (auto& [level, runs] : levels) {
        const bool is_merging = std::any_of(merges_.begin(), merges_.end(),
                                            [&](const Merge& merge) { return merge.level == level; });
        if (is_merging || runs.size() < limits_.fanout) continue;
        // Neighbours, so that a run stays a range of packs that is read again fast.
        std::sort(runs.begin(), runs.end(),
                  [](const Run* a, const Run* b) { return a->packs.low < b->packs.low; });
        Merge merge;
        merge.level = level;
        merge.number = next_number_++;
        std::uint64_t rows = 0;
        for (std::size_t i = 0; i < limits_.fanout; ++i) {
            merge.inputs.push_back(runs[i]->number);
            merge.cursors.push_back({runs[i]->file.get(), 0, {}, 0});
            rows += runs[i]->file->header().rows;
        }
        if (rows > kRunRowsMax) continue;
        SATCHEL_TRY(std::unique_ptr<env::File> file, create(merge.number));
        merge.writer = std::make_unique<RunWriter>(std::move(file), merge.number, rows);
        merges_.push_back(std::move(merge));
    }
    std::sort(merges_.begin(), merges_.end(),
              [](const Merge& a, const Merge& b) { return a.level < b.level; });
    return {};
}

// False: the input has no more rows.
Result<bool> RunSet::advance(Cursor& cursor) {
    if (cursor.at < cursor.rows.size()) return true;
    if (cursor.page == cursor.file->header().pages()) return false;
    SATCHEL_TRY_VOID(noting(*cursor.file, cursor.file->read_page(cursor.page, cursor.rows)));
    ++cursor.page;
    cursor.at = 0;
    return true;
}

// Returns how many of the rows allowed are left: none, unless the merge is at its end.
Result<std::uint64_t> RunSet::merge_rows(Merge& merge, std::uint64_t rows,
                                         const std::function<bool(std::uint32_t)>& keeps) {
    for (; rows > 0; --rows) {
        Cursor* least = nullptr;
        for (Cursor& cursor : merge.cursors) {
            SATCHEL_TRY(const bool more, advance(cursor));
            if (more && (least == nullptr || cursor.rows[cursor.at] < least->rows[least->at]))
                least = &cursor;
        }
        if (least == nullptr) return rows;
        const RunRow& row = least->rows[least->at++];
        if (row == merge.last || !keeps(row.pack)) continue;  // a pack that is adopted anew gives equal ones
        SATCHEL_TRY_VOID(merge.writer->add(row));
        merge.last = row;
    }
    return std::uint64_t{0};
}

// The inputs' filters go before the new one is loaded: memory holds one of each row.
Result<void> RunSet::end_merge(Merge merge) {
    Run run;
    run.number = merge.number;
    run.level = merge.level + 1;
    const bool is_empty = merge.writer->rows() == 0;
    if (!is_empty) {
        SATCHEL_TRY(const RunHeader header, merge.writer->finish());
        run.packs = {header.pack_low, header.pack_high};
        SATCHEL_TRY_VOID(disk_.sync_directory(directory_));
    }
    {
        SATCHEL_TRY(database::Transaction transaction, database::Transaction::begin(database_));
        for (const std::uint32_t input : merge.inputs) SATCHEL_TRY_VOID(unname(input));
        if (!is_empty) SATCHEL_TRY_VOID(name(run));
        SATCHEL_TRY_VOID(transaction.commit());
    }
    merge.cursors.clear();
    for (const std::uint32_t input : merge.inputs) {
        leave(input);
        static_cast<void>(disk_.remove_file(path_of(input)));  // else at the next opening
    }
    if (is_empty) return {};
    Result<std::unique_ptr<RunFile>> file = RunFile::open(disk_, path_of(run.number), run.number);
    if (!file.has_value()) {
        note_damage(run.number, run.packs);
        return file.error();
    }
    run.file = std::move(*file);
    take(std::move(run));
    return {};
}

Result<bool> RunSet::merge(std::uint64_t rows, const std::function<bool(std::uint32_t)>& keeps) {
    SATCHEL_TRY_VOID(begin_merges());
    if (merges_.empty()) return false;
    while (rows > 0 && !merges_.empty()) {
        SATCHEL_TRY(rows, merge_rows(merges_.front(), rows, keeps));
        if (rows == 0) break;
        Merge done = std::move(merges_.front());
        merges_.erase(merges_.begin());
        SATCHEL_TRY_VOID(end_merge(std::move(done)));
        SATCHEL_TRY_VOID(begin_merges());
    }
    return true;
}

void RunSet::give_up_merging() { merges_.clear(); }

}  // namespace satchel::store
