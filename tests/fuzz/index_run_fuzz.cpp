// Runs of the index: any bytes are a run or damaged; both ways of reading a page find the same rows, and a
// look-up gives rows of its key alone.
#include <algorithm>
#include <cstdlib>

#include "engine/store/run_file.hpp"
#include "simulations/world/sim_disk.hpp"

namespace {

using namespace satchel;

void demand(bool condition) {
    if (!condition) std::abort();
}

void look_up(store::RunFile& run, std::uint64_t key) {
    std::vector<store::RunRow> found;
    static_cast<void>(run.find(key, found).has_value());
    for (const store::RunRow& row : found) demand(row.key == key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    std::vector<store::RunRow> rows;
    const bool is_page = store::read_run_page(bytes, 0, rows).has_value();
    for (const store::RunRow& row : rows) {
        std::vector<store::RunRow> found;
        demand(store::find_in_run_page(bytes, 0, row.key, found).has_value() == is_page);
        demand(std::find(found.begin(), found.end(), row) != found.end());
    }
    const Result<store::RunHeader> header = store::decode_run_header(bytes);
    if (!header.has_value()) return 0;
    demand(equal(store::encode(*header), bytes.first(store::kRunHeaderSize)));

    simulations::SimDisk disk;
    const auto file = disk.open("any.run", env::OpenMode::kWrite);
    demand(file.has_value() && (*file)->write_at(0, bytes).has_value());
    const Result<std::unique_ptr<store::RunFile>> run = store::RunFile::open(disk, "any.run", header->number);
    if (!run.has_value()) return 0;
    demand((*run)->memory() <= size);
    for (std::uint64_t page = 0; page < header->pages(); ++page) {
        rows.clear();
        static_cast<void>((*run)->read_page(page, rows).has_value());
        for (const store::RunRow& row : rows) look_up(**run, row.key);
    }
    look_up(**run, 0);
    return 0;
}
