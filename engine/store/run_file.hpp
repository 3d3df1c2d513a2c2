// One run on disk: written once from rows in order, then only read.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "engine/env/disk.hpp"
#include "engine/store/run_format.hpp"

namespace satchel::store {

// Buffers at most kRunWriteStep of rows and of the filter each; the fences grow by 4 bytes a page.
inline constexpr std::size_t kRunWriteStep = 64 * 1024;
// Syncs after so many bytes, so that ending a large run does not wait for all of it.
inline constexpr std::uint64_t kRunSyncStep = 4 * 1024 * 1024;

class RunWriter {
  public:
    // `rows_max`: how many may come; the filter is made for as many.
    RunWriter(std::unique_ptr<env::File> file, std::uint32_t number, std::uint64_t rows_max);
    Result<void> add(const RunRow& row);  // in ascending order
    // Writes what is left and syncs the file; its name is for the caller to sync. At least one row came.
    Result<RunHeader> finish();
    [[nodiscard]] std::uint64_t rows() const { return header_.rows; }

  private:
    Result<void> end_page();
    Result<void> flush_pages();
    Result<void> go_to_block(std::uint32_t block);
    Result<void> flush_filter();

    std::unique_ptr<env::File> file_;
    RunHeader header_;
    std::vector<RunRow> page_;
    std::uint64_t page_number_ = 0;
    ByteBuffer pages_;  // not written yet
    std::uint64_t pages_at_ = 0;
    std::uint64_t unsynced_ = 0;
    ByteBuffer filter_;  // blocks not written yet, the last one still being filled
    std::uint32_t filter_begin_ = 0;
    ByteBuffer fences_;
};

class RunFile {
  public:
    // Pages read last that are kept: all of a small library's, whose look-ups then read nothing.
    static constexpr std::uint64_t kKeptPagesMax = 64;

    // Loads filter and fences and checks all but the pages. kDamaged if anything is not as it should be,
    // also if there is no such file.
    static Result<std::unique_ptr<RunFile>> open(env::Disk& disk, const std::string& path,
                                                 std::uint32_t number);
    [[nodiscard]] const RunHeader& header() const { return header_; }
    [[nodiscard]] bool may_have(std::uint64_t key) const;  // by the filter
    // Appends the rows of this key. kDamaged: a page does not check.
    Result<void> find(std::uint64_t key, std::vector<RunRow>& into);
    Result<void> read_page(std::uint64_t page, std::vector<RunRow>& rows);  // always from the disk
    // What grows with the rows; the kept pages are besides.
    [[nodiscard]] std::size_t memory() const { return filter_.size() + fences_.size() * sizeof(fences_[0]); }

  private:
    RunFile() = default;
    Result<void> find_in_page(std::uint64_t page, std::uint64_t key, std::vector<RunRow>& into);
    Result<void> read_bytes(std::uint64_t page, MutableBytes into);
    Error damaged_page(std::uint64_t page, const std::string& detail) const;
    std::unique_ptr<env::File> file_;
    RunHeader header_;
    ByteBuffer filter_;
    std::vector<std::uint32_t> fences_;
    struct KeptPage {
        std::uint64_t number = 0;
        bool is_there = false;
        std::array<std::uint8_t, kRunPageSize> bytes;
    };
    std::vector<KeptPage> kept_;  // page i at i % kept_.size(); empty until one is read
};

}  // namespace satchel::store
